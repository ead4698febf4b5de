//! What the table lets go of: processes when it is full, and long arguments and paths while memory is scarce.

use std::sync::Arc;

use budget::Pressure;

use super::Table;
use crate::event::Process;

/// Processes with more than this to their programs, bytes, are kept in short while memory is scarce.
const LARGE: usize = 4096;
/// Most that one process more makes room of: large programs, and processes.
const ROOM: usize = 8;
/// However scarce memory is, so many processes are held.
pub(super) const LEAST_PROCESSES: usize = 1024;

impl Table {
    pub(super) fn evict(&mut self) {
        if let Some((_, oldest)) = self.live.pop_front() {
            self.counters.evicted += 1;
            self.pool.recycle(oldest);
        }
    }

    /// A process as the table keeps it: whole, unless memory is scarce.
    pub(super) fn kept(&mut self, process: &Arc<Process>) -> Arc<Process> {
        if process.image.size() <= LARGE {
            return Arc::clone(process);
        }
        if self.pool.budget.pressure() >= Pressure::Table {
            return self.in_short(process);
        }
        if self.large.len() >= 2 * self.limit {
            let live = &self.live;
            self.large.retain(|key| live.get(key).is_some_and(|process| process.image.size() > LARGE));
        }
        self.large.push_back(process.key);
        Arc::clone(process)
    }

    fn in_short(&mut self, process: &Arc<Process>) -> Arc<Process> {
        self.counters.shortened += 1;
        let mut image = process.image.in_short();
        self.pool.charge(&mut image);
        Arc::new(Process { image: Arc::new(image), ..(**process).clone() })
    }

    /// While memory is scarce: keeps in short what was put in whole, and at last lets go of processes.
    pub(super) fn make_room(&mut self) {
        for _ in 0..ROOM {
            if self.pool.budget.pressure() < Pressure::Table {
                return;
            }
            if let Some(key) = self.large.pop_front() {
                if let Some(process) = self.live.get(&key).filter(|process| process.image.size() > LARGE).cloned() {
                    let short = self.in_short(&process);
                    if let Some(place) = self.live.get_mut(&key) {
                        *place = short;
                    }
                }
            } else if self.pool.budget.pressure() == Pressure::Full && self.live.len() > LEAST_PROCESSES {
                self.evict();
            } else {
                return;
            }
        }
    }
}
