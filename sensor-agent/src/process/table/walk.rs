//! What a walk over the running tasks tells that no record did. All records from before the walk must have been applied.

use schema::EventType;

use crate::event::decode::Exec;
use crate::event::{Detail, Event, Process, ProcessKey};

use super::Table;

impl Table {
    /// Takes in the control groups that a walk named: each is named once, by whichever task came first.
    pub fn learn_groups<'a>(&mut self, tasks: impl Iterator<Item = Exec<'a>>) {
        for task in tasks {
            self.groups.learn(&task.fixed.place, task.cgroup, task.fixed.flags);
        }
    }

    /// Tells of a task that runs and whose fork or exec was not told.
    pub fn missed(&mut self, task: &Exec<'_>, time: u64) -> Option<Event> {
        // A kernel thread, or one that has ended and was not waited for: it runs nothing.
        if task.fixed.inode == 0 {
            return None;
        }
        let key = task.fixed.process;
        if let Some(held) = self.live.get(&key) {
            return has_executed_since(held, task).then(|| self.executed(task, EventType::Exec, time));
        }
        // One that has ended meanwhile was known; and a full table forgets, which is no sign of a loss.
        if self.ended.get(key).is_some() || self.live.len() >= self.limit {
            return None;
        }
        let forked = self.live.get(&task.fixed.parent).is_some_and(|parent| !has_executed_since(parent, task));
        Some(self.executed(task, if forked { EventType::Fork } else { EventType::Exec }, time))
    }

    /// Tells of processes that have ended without an exit that was told: how they ended, nobody knows.
    pub fn vanished(&mut self, has_ended: impl Fn(ProcessKey) -> bool, time: u64) -> Vec<Event> {
        let gone: Vec<ProcessKey> = self.live.keys().copied().filter(|&key| has_ended(key)).collect();
        gone.into_iter().filter_map(|key| self.end(key, Detail::None, time)).collect()
    }
}

/// Whether the image that a walk found is of a later exec than the one held. Of one that the sensor was not told, the count is
/// not known: then it shows by the file.
fn has_executed_since(held: &Process, walked: &Exec<'_>) -> bool {
    let fixed = &walked.fixed;
    if held.exec_id != 0 && fixed.exec_id != 0 {
        return fixed.exec_id.wrapping_sub(held.exec_id).cast_signed() > 0;
    }
    let file = (fixed.inode, fixed.device);
    held.image.inode != 0 && file != (held.image.inode, held.image.device)
}
