//! Rows of the flight recorder's tables on their way to a sink.

mod ocsf;
mod text;

use std::{collections::HashSet, sync::Arc};

pub(crate) use self::text::RowTexts;
use delivery::{
    ledger::Ledger,
    lines::{Lines, Pending},
    outcome::Outcome,
    worker::{
        queue::{Deliver, Delivery, Load},
        sort::Sort,
    },
};
use schema::Table;

use super::format::RowFormat;
use crate::event::{Event, Host};

/// Most bytes in one write, but for a row that is longer.
const CHUNK: usize = 256 * 1024;

/// Rows of one table, as the recorder hands them over: events yet, because sinks differ in what they make of them.
#[derive(Clone, Debug)]
pub struct RowBatch {
    pub table: &'static Table,
    pub events: Vec<Event>,
    pub host: Arc<Host>,
}

impl RowBatch {
    /// Bytes that the rows take; what several of them share counts once.
    pub(super) fn size(&self) -> usize {
        let mut seen = HashSet::new();
        let size = |event: &Event| {
            let image = &event.process.image;
            let shared = if seen.insert(Arc::as_ptr(image)) { 0 } else { image.size() };
            event.size() - shared
        };
        self.events.iter().map(size).sum()
    }
}

/// Rows that wait for a sink.
#[derive(Clone)]
pub struct QueuedRows {
    pub(crate) batch: Arc<RowBatch>,
    /// The first row that the sink has not got.
    pub(super) from: usize,
    bytes: usize,
}

impl QueuedRows {
    pub(crate) fn new(batch: RowBatch) -> Self {
        let bytes = batch.size();
        Self { batch: Arc::new(batch), from: 0, bytes }
    }
}

impl Load for QueuedRows {
    fn weight(&self) -> usize {
        self.batch.events.len() - self.from
    }

    fn size(&self) -> usize {
        self.bytes
    }

    fn sort(&self) -> Option<Sort> {
        None
    }

    fn tell(&self, _: &str, _: &Outcome) {}
}

/// Writes rows as lines.
pub(crate) struct RowLines {
    lines: Box<dyn Lines>,
    texts: RowTexts,
    pending: Pending,
    /// Up to which row of the first batch lines are pending.
    upto: usize,
}

impl RowLines {
    pub(crate) fn new(lines: Box<dyn Lines>, format: RowFormat) -> Self {
        Self { lines, texts: RowTexts::new(format), pending: Pending::default(), upto: 0 }
    }

    /// Makes lines of as many rows as go into one write.
    fn render(&mut self, rows: &QueuedRows) {
        let RowBatch { table, events, host } = &*rows.batch;
        let out = &mut self.pending.bytes;
        self.upto = rows.from;
        for event in &events[rows.from..] {
            let before = out.len();
            self.texts.write(out, table, event, host);
            if out.len() > CHUNK && before > 0 {
                out.truncate(before);
                return;
            }
            self.upto += 1;
        }
    }
}

impl Deliver<QueuedRows> for RowLines {
    fn deliver(&mut self, items: &mut [QueuedRows], ledger: &Ledger) -> Delivery {
        let Some(rows) = items.first_mut() else { return Delivery::default() };
        if rows.weight() > 0 {
            if self.pending.bytes.is_empty() {
                self.render(rows);
            }
            if let Err(failure) = self.pending.flush(&mut *self.lines) {
                return Delivery { done: 0, failure: Some(failure) };
            }
            ledger.sent(self.upto - rows.from);
            rows.from = self.upto;
        }
        Delivery { done: usize::from(rows.weight() == 0), failure: None }
    }

    fn reset(&mut self) {
        self.pending.clear();
    }
}
