//! Hands rows to the sinks.

use std::time::Duration;

use budget::Budget;
use delivery::{
    ledger::OutputStatus,
    open_error::OpenError,
    worker::group::{Group, Prepared},
};

use super::{
    rows::{QueuedRows, RowBatch},
    settings::SinkSettings,
};

/// All sinks.
pub struct Sinks {
    group: Group<SinkSettings>,
}

impl Sinks {
    /// Starts the sinks. See [`super::Dispatcher::start`].
    ///
    /// # Errors
    ///
    /// Two have the same name, and then none is started; or there can be no more threads.
    pub fn start(settings: Vec<SinkSettings>) -> Result<Self, Vec<OpenError>> {
        Self::start_within(Budget::unlimited(), settings)
    }

    /// The same with the memory of what waits taken out of a budget.
    ///
    /// # Errors
    ///
    /// See [`super::Dispatcher::start`].
    pub fn start_within(budget: Budget, settings: Vec<SinkSettings>) -> Result<Self, Vec<OpenError>> {
        let group: Group<_> = Group::within(budget);
        group.reconfigure(settings)?;
        Ok(Self { group })
    }

    /// Hands rows to every sink without waiting. What a sink has no room for is lost to it, and counted.
    pub fn send(&self, batch: RowBatch) {
        if !batch.events.is_empty() {
            self.group.send(&QueuedRows::new(batch));
        }
    }

    /// Puts other settings in force; what waits goes on to the same sink. Returns each sink that could not be opened at
    /// once. See [`super::Dispatcher::reconfigure`].
    ///
    /// # Errors
    ///
    /// Two have the same name, and then everything stays as it was; or there can be no more threads.
    pub fn reconfigure(&self, settings: Vec<SinkSettings>) -> Result<Vec<OpenError>, Vec<OpenError>> {
        self.group.reconfigure(settings)
    }

    /// The first step of [`Self::reconfigure`]: makes everything ready and changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Self::reconfigure`].
    pub fn prepare(&self, settings: Vec<SinkSettings>) -> Result<PreparedSinks<'_>, Vec<OpenError>> {
        self.group.prepare(settings).map(PreparedSinks)
    }

    /// Gives up rows that wait, the oldest first, while memory is scarce.
    pub fn shed(&self) {
        self.group.shed();
    }

    /// Rows that were handed over tell of what this sink gave up, by cause: no later run of the sensor need tell it.
    pub fn reported(&self, sink: &str, given_up: &[(&'static str, u64)]) {
        self.group.reported(sink, given_up);
    }

    /// Has each sink write what it has gathered, without waiting: the sensor is about to end.
    pub fn flush(&self) {
        self.group.flush();
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

/// Sinks that can come into force.
pub struct PreparedSinks<'a>(Prepared<'a, SinkSettings>);

impl PreparedSinks<'_> {
    /// Puts them in force. Returns each that could not be opened at once.
    #[must_use]
    pub fn commit(self) -> Vec<OpenError> {
        self.0.commit()
    }
}
