//! What sinks gave up on disk is told by rows of `lost_records`, and the account that their spools keep of it ends when the
//! rows have been handed over: also of what the run of the sensor before this one left, which no counter of this run holds.

use std::collections::BTreeMap;

use delivery::ledger::{OutputStatus, SpoolStatus};
use foldhash::HashMap;

use crate::event::Lost;

type Counts = BTreeMap<&'static str, u64>;

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct RowsGivenUp {
    by_sink: HashMap<String, Counted>,
    /// What is in rows that have not been handed over, by sink and cause.
    recorded: Vec<(String, Vec<(&'static str, u64)>)>,
}

#[derive(Debug, Default)]
struct Counted {
    /// Of this run: the value of its counters.
    now: Counts,
    /// Of the runs before.
    before: Counts,
}

impl RowsGivenUp {
    /// What sinks gave up in the runs before this one, if it is news. What they gave up in this one is in the counters that
    /// become rows anyway.
    pub(super) fn before(&mut self, sinks: &[OutputStatus]) -> Vec<Lost> {
        sinks.iter().filter_map(|sink| Some(self.of(&sink.name, sink.spool.as_ref()?))).flatten().collect()
    }

    /// The rows that tell of it have been handed over: what they tell, by sink and cause.
    pub(super) fn handed_over(&mut self) -> Vec<(String, Vec<(&'static str, u64)>)> {
        std::mem::take(&mut self.recorded)
    }

    fn of(&mut self, sink: &str, spool: &SpoolStatus) -> Vec<Lost> {
        let mut before = Vec::new();
        if spool.given_up.is_empty() && spool.given_up_before.is_empty() {
            return before;
        }
        let told = self.by_sink.entry(sink.to_owned()).or_default();
        // A counter that starts anew (a sink that was configured anew) counts from zero.
        let news = |(&cause, &count): (&&'static str, &u64)| {
            (cause, count.checked_sub(told.now.get(cause).copied().unwrap_or(0)).unwrap_or(count))
        };
        let mut counts: Vec<_> = spool.given_up.iter().map(news).filter(|(_, count)| *count > 0).collect();
        told.now.clone_from(&spool.given_up);
        if !spool.before_is_told && told.before != spool.given_up_before {
            told.before.clone_from(&spool.given_up_before);
            for (&cause, &count) in &spool.given_up_before {
                tracing::warn!(
                    sink,
                    cause,
                    count,
                    "rows were given up before this start: the table lost_records tells of them"
                );
                before.push(Lost { stage: "spool", class: "rows", cause, count });
                counts.push((cause, count));
            }
        }
        if !counts.is_empty() {
            self.recorded.push((sink.to_owned(), counts));
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink(now: &[(&'static str, u64)], before: &[(&'static str, u64)], before_is_told: bool) -> OutputStatus {
        let spool = SpoolStatus {
            given_up: now.iter().copied().collect(),
            given_up_before: before.iter().copied().collect(),
            before_is_told,
            ..SpoolStatus::default()
        };
        OutputStatus { name: "central".into(), spool: Some(spool), ..OutputStatus::default() }
    }

    #[test]
    fn each_row_given_up_is_told_once_that_of_earlier_runs_by_rows_of_its_own() {
        let mut told = RowsGivenUp::default();
        let told_of = |counts: &[_]| vec![("central".to_owned(), counts.to_vec())];
        assert_eq!(told.before(&[sink(&[], &[], false), OutputStatus::default()]), []);
        assert_eq!(told.handed_over(), []);
        let before = Lost { stage: "spool", class: "rows", cause: "spool_full", count: 7 };
        assert_eq!(told.before(&[sink(&[("expired", 2)], &[("spool_full", 7)], false)]), [before]);
        // The spool hears of it later.
        assert_eq!(told.before(&[sink(&[("expired", 2)], &[("spool_full", 7)], false)]), []);
        assert_eq!(told.handed_over(), told_of(&[("expired", 2), ("spool_full", 7)]));
        assert_eq!(told.before(&[sink(&[("expired", 5)], &[("spool_full", 7)], true)]), []);
        assert_eq!(told.handed_over(), told_of(&[("expired", 3)]));
        assert_eq!(told.before(&[sink(&[("expired", 1)], &[], false)]), []);
        assert_eq!(told.handed_over(), told_of(&[("expired", 1)]), "configured anew");
    }
}
