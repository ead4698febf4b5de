use std::sync::Arc;

use budget::{Charge, Part};
use diagnostic::{Report, Spanned};
use schema::{EventType, Table};

use super::*;
use crate::event::{Detail, Process, ProcessKey};
use crate::rules::{self, Chain, Lists, MissingDefault, Verdict};

fn recorder(rows: usize, filter: &[&str], has_sinks: bool) -> Recorder {
    let mut report = Report::default();
    let texts: Vec<Spanned<String>> = filter
        .iter()
        .map(|text| {
            let source = report.add_source("test", *text);
            let span = diagnostic::Span { source, bytes: 0..text.len() };
            Spanned { value: (*text).to_owned(), span, verbatim: true }
        })
        .collect();
    let source = report.add_source("test", "");
    let span = diagnostic::Span { source, bytes: 0..0 };
    let chain = Chain {
        name: "process_events",
        rules: &texts,
        span: &span,
        on_missing_default: MissingDefault::Is(Verdict::Match),
    };
    let rules = rules::compile(Class::Process, &[chain], &Lists::default(), &mut report);
    assert!(!report.has_errors(), "{:?}", report.diagnostics());
    let settings = TableSettings { table: Table::by_name("process_events").unwrap(), rows };
    Recorder::new(&[settings], vec![Filters { class: Class::Process, rules, tables: vec![0] }], has_sinks)
}

fn observe(recorder: &mut Recorder, pid: u32) {
    let process = Arc::new(Process { key: ProcessKey::new(pid, 0), ..Process::default() });
    let event = Event { kind: EventType::Exec, time: 0, process, detail: Detail::None };
    recorder.observe(&event, &Host::default());
}

fn taken(recorder: &mut Recorder) -> Vec<u32> {
    recorder.take_unsent().iter().flat_map(|unsent| &unsent.rows).map(|row| row.process.key.tgid).collect()
}

#[test]
fn rows_are_handed_over_once_and_in_order() {
    let mut recorder = recorder(3, &[], true);
    observe(&mut recorder, 1);
    observe(&mut recorder, 2);
    assert!(!recorder.is_pressing());
    assert_eq!(taken(&mut recorder), [1, 2]);
    assert!(taken(&mut recorder).is_empty());
    observe(&mut recorder, 3);
    observe(&mut recorder, 4);
    assert_eq!(taken(&mut recorder), [3, 4]);
    assert_eq!(recorder.status()[0].overwritten, 0);
    assert_eq!(recorder.status()[0].rows, 3);
}

#[test]
fn a_full_ring_asks_to_be_emptied_and_counts_what_it_overwrites() {
    let mut recorder = recorder(2, &[], true);
    for pid in 1..=2 {
        observe(&mut recorder, pid);
    }
    assert!(recorder.is_pressing());
    observe(&mut recorder, 3);
    assert_eq!(recorder.status()[0].overwritten, 1);
    assert_eq!(taken(&mut recorder), [2, 3]);
    assert!(!recorder.is_pressing());
}

#[test]
fn what_is_handed_over_is_bounded_in_bytes_and_what_sinks_have_had_makes_room() {
    let budget = Budget::of(160_000);
    let mut recorder = recorder(1000, &[], true).within(budget);
    let mut pid = 0;
    while !recorder.is_pressing() {
        pid += 1;
        observe(&mut recorder, pid);
    }
    assert!(pid < 100, "{pid} rows are more than a piece");
    assert_eq!(taken(&mut recorder).len(), pid as usize);
    // Others take the memory: rows that the sinks have had go, those that they are to have stay.
    let others = Charge::new(budget, Part::Programs, 80_000);
    observe(&mut recorder, 1000);
    assert!(recorder.status()[0].rows < pid as usize);
    for pid in 1001..1005 {
        observe(&mut recorder, pid);
    }
    assert_eq!(taken(&mut recorder), [1000, 1001, 1002, 1003, 1004]);
    assert_eq!((recorder.status()[0].overwritten, recorder.status()[0].no_memory), (0, 0));
    let all = Charge::new(budget, Part::Network, 80_000);
    observe(&mut recorder, 1005);
    assert_eq!(recorder.status()[0].no_memory, 1);
    drop((others, all));
    observe(&mut recorder, 1006);
    assert_eq!(taken(&mut recorder), [1006]);
}

#[test]
fn without_a_sink_overwriting_is_no_loss() {
    let mut recorder = recorder(1, &[], false);
    observe(&mut recorder, 1);
    observe(&mut recorder, 2);
    assert_eq!(recorder.status()[0].overwritten, 0);
    assert!(!recorder.is_pressing());
}

#[test]
fn the_filter_decides() {
    let mut recorder = recorder(9, &["ignore processPid == 2", "default match"], true);
    for pid in 1..=3 {
        observe(&mut recorder, pid);
    }
    assert_eq!(taken(&mut recorder), [1, 3]);
}

#[test]
fn a_reload_keeps_rows() {
    let mut before = recorder(9, &[], true);
    for pid in 1..=4 {
        observe(&mut before, pid);
    }
    let mut after = before.replaced_by(recorder(2, &["default ignore"], true));
    assert_eq!(after.status()[0].overwritten, 2);
    observe(&mut after, 5);
    assert_eq!(taken(&mut after), [3, 4]);
}

/// The rows from these positions on, and how that went.
fn read(recorder: &Recorder, positions: &mut [Position], most: usize) -> (Vec<u32>, Piece) {
    let mut rows = Vec::new();
    let piece = recorder.read(positions, most, |event| rows.push(event.process.key.tgid));
    (rows, piece)
}

#[test]
fn rows_are_read_piece_by_piece_while_others_come() {
    let mut recorder = recorder(4, &[], false);
    (1..=3).for_each(|pid| observe(&mut recorder, pid));
    let mut at = recorder.beginning();
    assert_eq!(read(&recorder, &mut at, 2), (vec![1, 2], Piece { passed: 0, is_last: false }));
    // Of rows 3 to 8 the ring holds the last four.
    (4..=8).for_each(|pid| observe(&mut recorder, pid));
    assert_eq!(recorder.held()[0].rows, 4);
    assert_eq!(read(&recorder, &mut at, 9), (vec![5, 6, 7, 8], Piece { passed: 2, is_last: true }));
    assert_eq!(read(&recorder, &mut at, 9), (vec![], Piece { passed: 0, is_last: true }));
    // A table that is gone has nothing to be read.
    let nothing = Recorder::new(&[], Vec::new(), false);
    assert_eq!(read(&nothing, &mut at, 9), (vec![], Piece { passed: 0, is_last: true }));
}
