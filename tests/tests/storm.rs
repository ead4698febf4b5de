//! Thousands of programs in a moment: each is told once or counted as lost, and the counters add up.

use std::collections::BTreeSet;

use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::Value;

const COUNT: usize = 10_000;

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count")).try_into().unwrap()
}

/// The terms of a hook's identity: seen, and what became of it.
fn terms(hook: &Value) -> (usize, usize) {
    let ends = ["submitted", "ring_full", "over_budget", "filtered", "failed"].map(|end| number(&hook[end]));
    (number(&hook["seen"]), ends.iter().sum())
}

fn hooks(status: &Value) -> Vec<Value> {
    let hooks = status["hooks"].as_array().expect("hooks").clone();
    hooks.into_iter().filter(|hook| hook["attached"] == true).collect()
}

/// Whether it was lost before it was an event, of this host's programs and so perhaps of others than the test's.
fn in_kernel(loss: &Value) -> bool {
    ["hook", "ring", "decode"].iter().any(|stage| loss["stage"] == *stage)
}

/// Whether it was lost of the test's own rows.
fn of_rows(loss: &Value) -> bool {
    class(loss) == "rows" || class(loss) == "process_events"
}

/// What was lost, in the words of the status or of a row.
fn class(loss: &Value) -> &Value {
    loss.get("class").unwrap_or_else(|| &loss["event_class"])
}

/// How much was lost, of what the status or the table `lost_records` tells.
fn lost(losses: &[Value], which: impl Fn(&Value) -> bool) -> usize {
    losses.iter().filter(|loss| which(loss)).map(|loss| number(&loss["count"])).sum()
}

/// Distinct processes.
fn processes(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().map(|row| row["process_uuid"].as_str().expect("a process_uuid")).collect()
}

/// As many as were run are written or counted as lost, and none is written twice.
fn all_accounted_for(what: &str, written: usize, lost_for_certain: usize, lost_perhaps: usize) {
    let least = COUNT.saturating_sub(lost_for_certain + lost_perhaps);
    let most = COUNT - lost_for_certain;
    assert!(
        (least..=most).contains(&written),
        "{written} {what}, {lost_for_certain} and {lost_perhaps} counted as lost"
    );
}

#[test]
fn ten_thousand_programs_are_told_or_counted() {
    let mark = Mark::new("storm");
    let sensor = Sensor::start(&Mark::config_for(&mark.rule_of_storm(), ""));
    let before = sensor.status();
    programs::run_storm(COUNT, &mark);

    // Counters move while they are read: the identity holds whenever no program is under way.
    let status = sensor.until("the counters of each hook to add up", || {
        let status = sensor.status();
        hooks(&status).iter().all(|hook| matches!(terms(hook), (seen, ends) if seen == ends)).then_some(status)
    });
    for name in ["exec", "fork", "exit"] {
        let seen = |status| {
            let hook = hooks(status).into_iter().find(|hook| hook["name"] == name).expect("the hook");
            number(&hook["seen"])
        };
        assert!(seen(&status) - seen(&before) >= COUNT, "{name}");
    }

    // What was lost is known once everything that the ring held was worked off: when rows stand still and add up.
    sensor.until("10,000 rows, or counted losses", || {
        let rows = sensor.rows("process_events");
        let status = sensor.status();
        let lost = lost(status["losses"].as_array().expect("losses"), |loss| in_kernel(loss) || of_rows(loss));
        let enough = |kind| of_kind(&rows, kind).len() + lost >= COUNT;
        (enough("_EXEC") && enough("_EXIT")).then_some(())
    });
    sensor.until_delivered();
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));

    let rows = home.rows("process_events");
    let (execs, exits) = (of_kind(&rows, "_EXEC"), of_kind(&rows, "_EXIT"));
    assert_eq!(processes(&execs).len(), execs.len(), "no exec is told twice");
    assert_eq!(processes(&exits).len(), exits.len(), "no exit is told twice");

    // Every loss is a row too, what the end left no time for included.
    let losses = home.rows("lost_records");
    let (kernel, rows_lost) = (lost(&losses, in_kernel), lost(&losses, of_rows));
    if rows_lost == 0 {
        all_accounted_for("execs", execs.len(), 0, kernel);
        all_accounted_for("exits", exits.len(), 0, kernel);
    }
    assert!(execs.len() + exits.len() + rows_lost >= 2 * (COUNT - kernel.min(COUNT)));
    assert!(execs.len() + exits.len() + rows_lost <= 2 * COUNT);
    all_accounted_for("alerts", home.alerts().len(), lost(&losses, |loss| class(loss) == "alerts"), kernel);
}

#[test]
fn a_full_table_without_sinks_is_no_loss() {
    let mark = Mark::new("ring");
    let rule = mark.rule_of_storm();
    let sensor = Sensor::start(&format!(
        "investigations:\n  flight_recorder:\n    enabled: true\n    tables:\n      - name: process_events\n        rows: 100\n        \
         filter: ['match {rule} and eventType == \"PROCESS_EVENT_TYPE_EXEC\"', default ignore]\n"
    ));
    programs::run_storm(1000, &mark);
    let table = |status: &Value| {
        let tables = status["tables"].as_array().expect("tables").clone();
        tables.into_iter().find(|table| table["name"] == "process_events").expect("the table")
    };
    let full = sensor.until("a full table", || {
        let table = table(&sensor.status());
        (table["rows"] == 100).then_some(table)
    });
    assert_eq!((number(&full["capacity"]), number(&full["overwritten"])), (100, 0));
}

#[test]
fn a_table_smaller_than_a_burst_is_handed_over_in_time() {
    let mark = Mark::new("burst");
    let rule = mark.rule_of_storm();
    let sensor = Sensor::start(&format!(
        "investigations:\n  reporting_interval: 1h\n  sinks: [{{backend: file, name: \"@HOME@/rows.jsonl\"}}]\n  \
         flight_recorder:\n    enabled: true\n    tables:\n      - name: process_events\n        rows: 10\n        \
         filter: ['match {rule} and eventType == \"PROCESS_EVENT_TYPE_EXEC\"', default ignore]\n      \
         - {{name: lost_records}}\n"
    ));
    programs::run_storm(1005, &mark);
    let home = sensor.home();
    sensor.until("the rows of full rings", || (home.rows("process_events").len() >= 1000).then_some(()));
    // The interval is an hour: the end hands over what is left.
    assert_eq!(sensor.stop(), Some(0));
    let rows = home.rows("process_events");
    assert_eq!(processes(&rows).len() + lost(&home.rows("lost_records"), |_| true), 1005);
    assert_eq!(rows.len(), processes(&rows).len());
}
