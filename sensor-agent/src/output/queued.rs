//! An alert that waits for an output.

use std::sync::Arc;

use delivery::{
    lane::queue::Load,
    outcome::{Awaited, Outcome},
};

use crate::alert::Alert;

/// An alert that waits for an output.
#[derive(Clone)]
pub struct QueuedAlert {
    pub(crate) alert: Arc<Alert>,
    pub(crate) awaited: Awaited,
}

impl Load for QueuedAlert {
    fn weight(&self) -> usize {
        1
    }

    fn size(&self) -> usize {
        self.alert.size()
    }

    fn sort(&self) -> Option<&str> {
        Some(&self.alert.policy.name)
    }

    fn awaited(&self) -> Option<&Awaited> {
        (!self.awaited.watchers.is_empty()).then_some(&self.awaited)
    }

    fn tell(&self, output: &str, outcome: &Outcome) {
        self.awaited.tell(output, outcome);
    }
}
