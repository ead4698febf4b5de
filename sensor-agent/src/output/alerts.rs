//! Alerts on their way to one output, and word of what became of them.

use std::{
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    lane::queue::{Deliver, Delivery, Load},
    local::lines::{Lines, Pending},
    metrics::{Cause, Ledger},
    render::Renderer,
    settings::OutputSettings,
};
use crate::alert::Alert;

/// Lines written at once stay below this, where they are written together.
const CHUNK: usize = 256 * 1024;

/// What became of an alert at one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written, or the receiver has confirmed it.
    Sent,
    /// The output's template makes nothing of it.
    Empty,
    /// The output does not take such messages (`message_types`).
    NotTaken,
    /// It could not be sent yet, for this reason; it will be tried again.
    Retrying(String),
    Dropped(Cause),
    /// The receiver will never take it: why.
    Rejected(String),
}

impl Outcome {
    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Retrying(_))
    }
}

/// Word of an alert that someone waits for.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The output's name.
    pub output: String,
    pub alert: Uuid,
    pub outcome: Outcome,
    /// Since the alert was handed to the outputs.
    pub took: Duration,
}

/// An alert that waits for an output.
#[derive(Clone)]
pub(crate) struct QueuedAlert {
    pub(crate) alert: Arc<Alert>,
    pub(crate) since: Instant,
    /// Those who wait for word of it.
    pub(crate) watchers: Vec<Sender<Receipt>>,
}

impl Load for QueuedAlert {
    fn weight(&self) -> usize {
        1
    }

    fn awaited(&self) -> Option<&QueuedAlert> {
        (!self.watchers.is_empty()).then_some(self)
    }

    fn tell(&self, output: &str, outcome: &Outcome) {
        for watcher in &self.watchers {
            // Who does not wait any more need not be told.
            let _ = watcher.send(Receipt {
                output: output.to_owned(),
                alert: self.alert.uuid,
                outcome: outcome.clone(),
                took: self.since.elapsed(),
            });
        }
    }
}

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
    pub(crate) fn new(settings: &OutputSettings, lines: Box<dyn Lines>, write_each: bool) -> Self {
        let renderer = Renderer::new(settings);
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
        let mut done = 0;
        while done < items.len() {
            if self.rendered.is_empty() {
                self.render(&items[done..], ledger);
            }
            if !self.pending.bytes.is_empty()
                && let Err(failure) = self.pending.flush(&mut *self.lines)
            {
                return Delivery { done, failure: Some(failure) };
            }
            let count = self.rendered.iter().filter(|has_line| **has_line).count();
            if count > 0 {
                ledger.sent(count);
            }
            for (has_line, item) in self.rendered.drain(..).zip(&items[done..]) {
                if has_line {
                    item.tell(&ledger.name, &Outcome::Sent);
                } else {
                    ledger.filtered();
                    item.tell(&ledger.name, &Outcome::Empty);
                }
                done += 1;
            }
        }
        Delivery { done, failure: None }
    }

    fn reset(&mut self) {
        self.pending.clear();
        self.rendered.clear();
    }
}
