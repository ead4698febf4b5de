//! An alert that waits for an output.

use std::sync::Arc;

use delivery::{
    outcome::{Awaited, Outcome},
    worker::{queue::Load, sort::Sort},
};

use crate::{alert::Alert, event::UNSET_ID};

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

    /// Of each policy, and of each user.
    fn sort(&self) -> Option<Sort> {
        let ids = &self.alert.event.process.ids;
        let user = if ids.loginuid == UNSET_ID { ids.uid } else { ids.loginuid };
        Some(Sort::of(&self.alert.policy.name, user))
    }

    fn happened(&self) -> Option<u64> {
        Some(self.alert.event.time)
    }

    fn awaited(&self) -> Option<&Awaited> {
        (!self.awaited.watchers.is_empty()).then_some(&self.awaited)
    }

    fn tell(&self, output: &str, outcome: &Outcome) {
        self.awaited.tell(output, outcome);
    }
}
