//! An alert that waits for an output, and word of what became of it.

use std::{
    sync::{Arc, mpsc::Sender},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::cause::Cause;
use crate::alert::Alert;

/// What became of an alert at one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has confirmed it.
    Confirmed,
    /// It is out of the sensor's hands, and nobody confirms more: what is known of it, for people.
    HandedOver(&'static str),
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

impl QueuedAlert {
    /// Whether someone waits for word of it.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Passes on to whoever waits what became of it.
    pub(crate) fn tell(&self, output: &str, outcome: &Outcome) {
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
