//! Writes alerts as lines.

use delivery::{
    ledger::Ledger,
    lines::{Lines, Pending},
    outcome::Outcome,
    worker::queue::{Deliver, Delivery, Load},
};

use super::{queued::QueuedAlert, render::Renderer};

/// Lines written at once stay below this, where they are written together.
const CHUNK: usize = 256 * 1024;

/// Writes alerts as lines.
pub(crate) struct AlertLines {
    renderer: Renderer,
    lines: Box<dyn Lines>,
    write_each: bool,
    pending: Pending,
    /// The first items, those whose lines are pending: whether there is a line for each.
    rendered: Vec<bool>,
}

impl AlertLines {
    /// Writes lines there: together, or each by itself.
    pub(crate) fn new(renderer: Renderer, lines: Box<dyn Lines>, write_each: bool) -> Self {
        Self { renderer, lines, write_each, pending: Pending::default(), rendered: Vec::new() }
    }

    fn render(&mut self, items: &[QueuedAlert], ledger: &Ledger) {
        for item in items {
            let has_line = self.renderer.render(&mut self.pending.bytes, &item.alert, ledger);
            self.rendered.push(has_line);
            if self.write_each || self.pending.bytes.len() >= CHUNK {
                return;
            }
        }
    }
}

impl Deliver<QueuedAlert> for AlertLines {
    fn deliver(&mut self, items: &mut [QueuedAlert], ledger: &Ledger) -> Delivery {
        if self.rendered.is_empty() {
            self.render(items, ledger);
        }
        if !self.pending.bytes.is_empty()
            && let Err(failure) = self.pending.flush(&mut *self.lines)
        {
            return Delivery { done: 0, failure: Some(failure) };
        }
        let count = self.rendered.iter().filter(|has_line| **has_line).count();
        if count > 0 {
            ledger.sent(count);
        }
        let done = self.rendered.len();
        for (has_line, item) in self.rendered.drain(..).zip(&*items) {
            if has_line {
                item.tell(&ledger.name, &Outcome::HandedOver(self.lines.known()));
            } else {
                ledger.filtered();
                item.tell(&ledger.name, &Outcome::Empty);
            }
        }
        Delivery { done, failure: None }
    }

    fn reset(&mut self) {
        self.pending.clear();
        self.rendered.clear();
    }
}
