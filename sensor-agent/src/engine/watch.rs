//! Who waits for a marked process to come by: the self check.

use crossbeam_channel::{Sender, TrySendError};
use schema::EventType;
use uuid::Uuid;

use crate::alert::Alert;
use crate::event::Event;

/// A wait for a process with an argument that no other has.
#[derive(Debug)]
pub struct Watch {
    /// The argument.
    pub mark: Vec<u8>,
    pub sightings: Sender<Sighting>,
    /// Set once the receiver is gone.
    pub(super) abandoned: bool,
}

/// How far the marked process has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Its exec came out of the ring buffer and is in the process table.
    Seen,
    /// It violated a policy: the alert's uuid and the policy's name.
    Alerted { uuid: Uuid, policy: String },
}

impl Watch {
    #[must_use]
    pub const fn new(mark: Vec<u8>, sightings: Sender<Sighting>) -> Self {
        Self { mark, sightings, abandoned: false }
    }

    pub(super) const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    fn concerns(&self, event: &Event) -> bool {
        event.kind == EventType::Exec && event.process.image.args.iter().any(|argument| argument == self.mark)
    }

    fn tell(&mut self, sighting: Sighting) {
        // A full channel has someone behind it who has heard enough.
        self.abandoned |= matches!(self.sightings.try_send(sighting), Err(TrySendError::Disconnected(_)));
    }
}

pub(super) fn saw(watches: &mut [Watch], event: &Event) {
    for watch in watches.iter_mut().filter(|watch| watch.concerns(event)) {
        watch.tell(Sighting::Seen);
    }
}

/// `event` as it happened, not as the alert tells it.
pub(super) fn alerted(watches: &mut [Watch], event: &Event, alert: &Alert) {
    for watch in watches.iter_mut().filter(|watch| watch.concerns(event)) {
        watch.tell(Sighting::Alerted { uuid: alert.uuid, policy: alert.policy.name.clone() });
    }
}
