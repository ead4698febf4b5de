//! The counters of every stage, as losses.

use delivery::{
    cause::{Cause, on_disk},
    ledger::OutputStatus,
};
use schema::Class;

use crate::loss::Total;
use crate::policy::{Confidence, Policy, Priority};
use crate::process::TableCounters;
use crate::recorder::TableStatus;

/// What the records of the kernel are of.
const PROCESS: &str = Class::Process.name();

/// Where the losses in the kernel are told: the counters of the programs and of the kernel itself.
pub trait LossSource: Send {
    /// What was lost there since the start.
    fn totals(&mut self) -> Vec<Total>;
}

/// The policy of the alert that says that the sensor was blind.
pub(super) fn blind_policy() -> Policy {
    Policy {
        name: "Kernel Events Lost".into(),
        policy_type: "sensor".into(),
        priority: Priority::High,
        confidence: Confidence::High,
        description: "The sensor lost events of the kernel: for a moment it did not see everything.".into(),
        comments: "A flood of processes can have hidden something. `sophoslinuxsensor status` and the table \
                   lost_records tell where the loss was."
            .into(),
        categories: vec!["MITRE.Defense Evasion.Impair Defenses".into()],
        ..Policy::default()
    }
}

pub(super) fn of_table(counters: TableCounters, totals: &mut Vec<Total>) {
    totals.push(Total { stage: "table", class: PROCESS, cause: "evicted", count: counters.evicted });
}

pub(super) fn of_recorder(tables: &[TableStatus], totals: &mut Vec<Total>) {
    for table in tables {
        totals.push(Total { stage: "table", class: table.table, cause: "overwritten", count: table.overwritten });
        totals.push(Total { stage: "table", class: table.table, cause: "memory", count: table.no_memory });
    }
}

pub(super) fn of_decoding(undecodable: u64, totals: &mut Vec<Total>) {
    totals.push(Total { stage: "decode", class: PROCESS, cause: "undecodable", count: undecodable });
}

pub(super) fn of_outputs(outputs: &[OutputStatus], sinks: &[OutputStatus], totals: &mut Vec<Total>) {
    for (class, all) in [("alerts", outputs), ("rows", sinks)] {
        // A counter is there before it first counts: who watches for growth needs the zero.
        totals.extend(Cause::ALL.map(|cause| Total { stage: "output", class, cause: cause.word(), count: 0 }));
        totals.extend(on_disk().map(|cause| Total { stage: "spool", class, cause, count: 0 }));
        for output in all {
            for (&cause, &count) in &output.dropped {
                totals.push(Total { stage: "output", class, cause, count });
            }
            for (&cause, &count) in output.spool.iter().flat_map(|spool| &spool.given_up) {
                totals.push(Total { stage: "spool", class, cause, count });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::classes::sensor::{Stage, Subject};
    use schema::{EventType, TABLES, Table, Word as _};

    use super::*;
    use crate::event::json::RowWriter;
    use crate::event::{Detail, Event, Host, build::build};

    /// Each loss that the sensor can tell is a row that its reader takes; what is lost in the kernel is told by
    /// [`crate::sensor`] in words of the same lists.
    #[test]
    fn every_loss_is_a_row_that_can_be_read_back() {
        let filled = TABLES.iter().filter(|table| table.is_filled());
        let statuses: Vec<_> = filled
            .map(|table| TableStatus {
                table: table.name,
                rows: 0,
                capacity: 0,
                recorded: 0,
                overwritten: 0,
                no_memory: 0,
            })
            .collect();
        let mut totals = Vec::new();
        of_table(TableCounters::default(), &mut totals);
        of_recorder(&statuses, &mut totals);
        of_decoding(1, &mut totals);
        of_outputs(&[], &[], &mut totals);
        assert!(totals.len() > 20);
        let writer = RowWriter::new(Table::by_name("lost_records").unwrap());
        for total in totals {
            let lost = Total { count: 7, ..total };
            assert!(
                Stage::WORDS.contains(&lost.stage)
                    && Subject::WORDS.contains(&lost.class)
                    && schema::classes::sensor::Cause::WORDS.contains(&lost.cause),
                "{lost:?}"
            );
            let event =
                Event { kind: EventType::LostRecords, time: 5, process: Arc::default(), detail: Detail::Lost(lost) };
            let mut row = Vec::new();
            writer.write(&mut row, &event, &Host::default());
            let (read, _) =
                build(&serde_json::from_slice(&row).unwrap()).unwrap_or_else(|why| panic!("{lost:?}: {why:?}"));
            assert!(matches!(read.detail, Detail::Lost(read) if read == lost), "{lost:?}");
        }
    }
}
