//! Rows of the flight recorder's tables, and the sinks that they go to.

mod ocsf;
mod text;

use std::{sync::Arc, time::Duration};

pub(crate) use self::text::RowTexts;
use super::{
    alerts::Outcome,
    lane::group::Group,
    lane::queue::{Deliver, Delivery, Load},
    local::lines::{Lines, Pending},
    metrics::{Ledger, OutputStatus},
    settings::{OpenError, RowFormat, SinkSettings},
};
use crate::event::{Event, Host, tables::Table};

/// Most bytes in one write, but for a row that is longer.
const CHUNK: usize = 256 * 1024;

/// Rows of one table, as the recorder hands them over: events yet, because sinks differ in what they make of them.
#[derive(Clone, Debug)]
pub struct RowBatch {
    pub table: &'static Table,
    pub events: Vec<Event>,
    pub host: Arc<Host>,
}

/// All sinks.
pub struct Sinks {
    group: Group<SinkSettings>,
}

impl Sinks {
    /// Opens and starts the sinks.
    ///
    /// # Errors
    ///
    /// Each sink that cannot be opened; then none is started.
    pub fn start(settings: Vec<SinkSettings>) -> Result<Self, Vec<OpenError>> {
        let group = Group::default();
        group.reconfigure(settings)?;
        Ok(Self { group })
    }

    /// Hands rows to every sink without waiting. What a sink has no room for is lost to it, and counted.
    pub fn send(&self, batch: RowBatch) {
        if !batch.events.is_empty() {
            self.group.send(&QueuedRows::new(batch));
        }
    }

    /// Puts other settings in force; what waits goes on to the same sink. See [`super::Dispatcher::reconfigure`].
    ///
    /// # Errors
    ///
    /// Each sink that cannot be opened; then everything stays as it was.
    pub fn reconfigure(&self, settings: Vec<SinkSettings>) -> Result<(), Vec<OpenError>> {
        self.group.reconfigure(settings)
    }

    /// What each sink did.
    #[must_use]
    pub fn status(&self) -> Vec<OutputStatus> {
        self.group.status()
    }

    /// Lets what waits go out for at most so long and gives up the rest. Returns what each sink did, as
    /// [`Self::status`] does from then on.
    pub fn stop(&self, within: Duration) -> Vec<OutputStatus> {
        self.group.stop(within)
    }
}

/// Rows that wait for a sink.
#[derive(Clone)]
pub(crate) struct QueuedRows {
    pub(crate) batch: Arc<RowBatch>,
    /// The first row that the sink has not got.
    pub(super) from: usize,
}

impl QueuedRows {
    pub(crate) fn new(batch: RowBatch) -> Self {
        Self { batch: Arc::new(batch), from: 0 }
    }
}

impl Load for QueuedRows {
    fn weight(&self) -> usize {
        self.batch.events.len() - self.from
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
        let mut done = 0;
        for rows in items {
            while rows.weight() > 0 {
                if self.pending.bytes.is_empty() {
                    self.render(rows);
                }
                if let Err(failure) = self.pending.flush(&mut *self.lines) {
                    return Delivery { done, failure: Some(failure) };
                }
                ledger.sent(self.upto - rows.from);
                rows.from = self.upto;
            }
            done += 1;
        }
        Delivery { done, failure: None }
    }

    fn reset(&mut self) {
        self.pending.clear();
    }
}
