//! What becomes of what is sent, and word of it for whoever waits.

use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::cause::Cause;

/// What became of an item at one output.
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

/// Word of an item that someone waits for.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The output's name.
    pub output: String,
    /// The item's.
    pub uuid: Uuid,
    pub outcome: Outcome,
    /// Since the item was handed to the outputs.
    pub took: Duration,
}

/// An item by its name, and those who wait for word of it.
#[derive(Clone, Debug)]
pub struct Awaited {
    pub uuid: Uuid,
    /// When it was handed to the outputs.
    pub since: Instant,
    pub watchers: Vec<Sender<Receipt>>,
}

impl Awaited {
    /// Passes on to whoever waits what became of it.
    pub fn tell(&self, output: &str, outcome: &Outcome) {
        for watcher in &self.watchers {
            // Who does not wait any more need not be told.
            let _ = watcher.send(Receipt {
                output: output.to_owned(),
                uuid: self.uuid,
                outcome: outcome.clone(),
                took: self.since.elapsed(),
            });
        }
    }
}
