//! Files, and rows on the standard output.

use std::fs::{self, OpenOptions};
use std::path::Path;

use sensor_tests::until;

use super::{Effect, Place, alert, rows, status};

pub(super) const OUTPUT: &[Effect] =
    &[("max_size", a_full_file_is_moved_out_of_the_way), ("max_backups", only_so_many_old_files_are_kept)];

pub(super) const SINK: &[Effect] = &[
    ("max_size", a_full_file_of_rows_is_moved_out_of_the_way),
    ("max_backups", only_so_many_old_files_of_rows_are_kept),
    ("format", rows_are_events_of_a_schema),
];

pub(super) const STDOUT_SINK: &[Effect] = &[("format", rows_on_the_standard_output_are_events_of_a_schema)];

/// Makes the file as long as if so much had been written, and ends its last line.
fn grow(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("the file");
    file.set_len(bytes).expect("its length");
}

/// Starts an output or a sink with such a bound; what it returns writes to the file `a`.
type Start = fn(&Place, &str) -> Box<dyn Fn()>;

/// Writes to a file that is made so long after each of some writes; the old files that are left then, with their sizes in
/// megabytes.
fn left(start: Start, bound: &str, megabytes: u64, times: u64) -> Vec<(String, u64)> {
    let place = Place::new();
    let write = start(&place, bound);
    for _ in 0..times {
        write();
        grow(&place.path("a"), megabytes * 1_000_000);
    }
    write();
    let mut left: Vec<_> = fs::read_dir(place.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("a."))
        .map(|entry| {
            (entry.file_name().into_string().expect("a name"), entry.metadata().expect("it").len() / 1_000_000)
        })
        .collect();
    left.sort();
    left
}

fn alerts(place: &Place, bound: &str) -> Box<dyn Fn()> {
    let outputs = place.outputs(&format!("{{type: file, name: \"@HERE@/a\", {bound}}}"));
    Box::new(move || {
        let before = status(&outputs).sent;
        outputs.send(alert());
        until("the alert", || (status(&outputs).sent > before).then_some(()));
    })
}

fn rows_of(place: &Place, bound: &str) -> Box<dyn Fn()> {
    let sinks = place.sinks(&format!("{{backend: file, name: \"@HERE@/a\", {bound}}}"));
    Box::new(move || {
        let before = sinks.status()[0].sent;
        sinks.send(rows(1));
        until("the row", || (sinks.status()[0].sent > before).then_some(()));
    })
}

fn one_old_file(start: Start) {
    assert_eq!(left(start, "max_size: 1", 5, 1), [("a.1".to_owned(), 5)]);
    // Not before, and without it at 100.
    assert_eq!(left(start, "max_size: 6", 5, 1), []);
    assert_eq!(left(start, "max_backups: 9", 99, 1), []);
    assert_eq!(left(start, "max_backups: 9", 150, 1), [("a.1".to_owned(), 150)]);
}

fn two_of_three(start: Start) {
    assert_eq!(left(start, "max_size: 1, max_backups: 2", 2, 3), [("a.2".to_owned(), 2), ("a.3".to_owned(), 2)]);
    assert_eq!(left(start, "max_size: 1", 2, 3).len(), 3);
}

#[test]
fn a_full_file_is_moved_out_of_the_way() {
    one_old_file(alerts);
}

#[test]
fn only_so_many_old_files_are_kept() {
    two_of_three(alerts);
}

#[test]
fn a_full_file_of_rows_is_moved_out_of_the_way() {
    one_old_file(rows_of);
}

#[test]
fn only_so_many_old_files_of_rows_are_kept() {
    two_of_three(rows_of);
}

#[test]
fn rows_are_events_of_a_schema() {
    for (format, words) in [("ocsf", "\"class_uid\":1007"), ("json", "\"table\":\"process_events\"")] {
        let place = Place::new();
        let sinks = place.sinks(&format!("{{backend: file, name: \"@HERE@/a\", format: {format}}}"));
        sinks.send(rows(1));
        let row = until("the row", || Some(place.read("a")).filter(|text| text.ends_with('\n')));
        assert!(row.contains(words), "{row}");
    }
}

/// What is written there is this process's own output, which the test's report shows: the settings tell.
#[test]
fn rows_on_the_standard_output_are_events_of_a_schema() {
    let plan = Place::new().plan(&super::sinks("{backend: stdout, format: ocsf}")).0;
    assert_eq!(plan.sinks[0].format, sensor_agent::output::RowFormat::Ocsf);
}
