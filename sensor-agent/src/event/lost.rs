//! What the sensor lost, and the words for where, of what and why: every place that counts a loss uses one of them, and the
//! field registry, its reader and the manual have them from here.

use super::Class;

/// Records that the sensor lost since the last count of the same stage, class and cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where: one of [`STAGES`].
    pub stage: &'static str,
    /// Of what: one of [`LOST`].
    pub class: &'static str,
    /// Why: one of [`CAUSES`].
    pub cause: &'static str,
    pub count: u64,
}

/// Where records can be lost, in the order in which they pass.
pub const STAGES: &[&str] = &["hook", "ring", "decode", "table", "output", "spool"];

/// What can be lost: events of a class, alerts, rows on their way to a sink, and rows of each table.
pub const LOST: &[&str] = &[
    Class::Process.name(),
    Class::Audit.name(),
    Class::Sensor.name(),
    "module",
    "bpf",
    "alerts",
    "rows",
    "process_events",
    "audit_user_msg",
    "sensors",
    "lost_records",
];

/// Why.
pub const CAUSES: &[&str] = &[
    // In the kernel and on the way from there.
    "failed_read",
    "recursion",
    "ring_full",
    "over_budget",
    "undecodable",
    // In the process table and the recorder.
    "evicted",
    "overwritten",
    "memory",
    // In an output's queue, and of receivers that confirm nothing.
    "queue_full",
    "gone",
    "stopped",
    "high_water",
    "no_receiver",
    "unfit",
    // On disk, waiting for a receiver.
    "spool_full",
    "expired",
    "too_large",
    "disk",
    "damaged",
    "rejected",
    "taken_away",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tables::TABLES;

    #[test]
    fn rows_of_every_table_that_is_filled_can_be_lost() {
        for table in TABLES.iter().filter(|table| table.class.is_some()) {
            assert!(LOST.contains(&table.name), "{}", table.name);
        }
        assert!(Class::ALL.iter().all(|class| LOST.contains(&class.name())));
    }
}
