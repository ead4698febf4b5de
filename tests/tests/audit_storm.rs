//! A hundred thousand audit messages in a moment: each is told once or counted as lost, forged ones do not crowd out those that
//! count, and not one process is missed meanwhile.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::Value;

const MESSAGES: usize = 100_000;
const PROGRAMS: usize = 500;

/// The hooks count the whole host's messages, and so another storm's too.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count")).try_into().expect("a count")
}

fn attached(status: &Value) -> Vec<Value> {
    let hooks = status["hooks"].as_array().expect("hooks").clone();
    hooks.into_iter().filter(|hook| hook["attached"] == true).collect()
}

fn audit(status: &Value) -> Value {
    attached(status).into_iter().find(|hook| hook["name"] == "audit").expect("the hook of audit messages")
}

/// Seen, and what became of it.
fn terms(hook: &Value) -> (usize, usize) {
    let ends = ["submitted", "ring_full", "over_budget", "filtered", "failed"].map(|end| number(&hook[end]));
    (number(&hook["seen"]), ends.iter().sum())
}

fn lost(status: &Value, class: &str) -> usize {
    let losses = status["losses"].as_array().expect("losses");
    losses.iter().filter(|loss| loss["class"] == class).map(|loss| number(&loss["count"])).sum()
}

fn storm(who: &[&str], mark: &Mark) -> std::process::Child {
    let count = (MESSAGES / 2).to_string();
    let mut command = Command::new(programs::tell_audit());
    command.args(who).args(["storm", &count, "1105", &format!("op=storm acct=\"{}\" res=success", mark.word())]);
    command.stdout(Stdio::null()).spawn().expect("the sender runs")
}

fn config(mark: &Mark) -> String {
    let (messages, programs) = (mark.rule_of_message(), mark.rule_of_storm());
    format!(
        r#"
investigations:
  reporting_interval: 200ms
  sinks: [{{backend: file, name: "@HOME@/rows.jsonl"}}]
  flight_recorder:
    enabled: true
    tables:
      - {{name: audit_user_msg, rows: 20000, filter: ['match {messages}', default ignore]}}
      - {{name: process_events, rows: 20000, filter: ['match {programs}', default ignore]}}
      - name: lost_records
"#
    )
}

#[test]
fn a_hundred_thousand_messages_are_told_or_counted_and_no_process_is_missed() {
    let _alone = alone();
    let mark = Mark::new("messages");
    let sensor = Sensor::start(&config(&mark));
    let senders = [storm(&[], &mark), storm(&[], &mark)];
    programs::run_storm(PROGRAMS, &mark);
    for mut sender in senders {
        assert!(sender.wait().expect("the sender ends").success());
    }

    let told = sensor.until("all messages to be told or counted", || {
        let (rows, status) = (sensor.rows("audit_user_msg").len(), sensor.status());
        let all = rows + lost(&status, "audit") + lost(&status, "audit_user_msg") + lost(&status, "rows");
        let balanced = attached(&status).iter().all(|hook| matches!(terms(hook), (seen, ends) if seen == ends));
        (all >= MESSAGES && balanced).then_some(status)
    });
    let hook = audit(&told);
    assert!(number(&hook["seen"]) >= MESSAGES, "{hook:#}");
    assert_eq!((number(&hook["failed"]), number(&hook["refused"])), (0, 0), "{hook:#}");
    assert_eq!(lost(&told, "process"), 0, "{:#}", told["losses"]);

    let home = sensor.home();
    sensor.until("the end of each program", || {
        (of_kind(&home.rows("process_events"), "_EXIT").len() >= PROGRAMS).then_some(())
    });
    assert_eq!(sensor.stop(), Some(0));
    let rows = home.rows("audit_user_msg");
    let each: BTreeSet<(u64, &str)> = rows
        .iter()
        .map(|row| (row["pid"].as_u64().expect("a pid"), row["message"].as_str().expect("a text")))
        .collect();
    assert_eq!(each.len(), rows.len(), "no message is told twice");
    let programs = home.rows("process_events");
    assert_eq!(of_kind(&programs, "_EXEC").len(), PROGRAMS);
    // What was lost is a row as well, and of the right class.
    let told_as_lost: usize = home
        .rows("lost_records")
        .iter()
        .filter(|row| row["event_class"] == "audit")
        .map(|row| number(&row["count"]))
        .sum();
    assert_eq!(told_as_lost, lost(&told, "audit"));
}

#[test]
fn a_storm_of_forged_messages_takes_nothing_from_those_that_count() {
    let _alone = alone();
    let mark = Mark::new("forgers");
    let sensor = Sensor::start(&config(&mark));
    let begun = Instant::now();
    let forgers = [storm(&["unprivileged"], &mark), storm(&["unprivileged"], &mark)];
    for number in 0..50 {
        let text = format!("op=honest mark={} number={number} res=success", mark.word());
        let sent = Command::new(programs::tell_audit()).args(["sendto", "1105", &text]).stdout(Stdio::null()).status();
        assert!(sent.expect("the sender runs").success());
    }
    for mut forger in forgers {
        assert!(forger.wait().expect("the forger ends").success());
    }
    let status = sensor.until("every honest message, and all forged ones counted", || {
        let status = sensor.status();
        let refused = number(&audit(&status)["refused"]);
        (sensor.rows("audit_user_msg").len() == 50 && refused >= MESSAGES).then_some(status)
    });
    assert_eq!((lost(&status, "audit"), lost(&status, "process")), (0, 0), "{:#}", status["losses"]);
    let hook = audit(&status);
    assert!(terms(&hook).0 >= MESSAGES + 50);
    // Of what anybody can repeat at will, so many a second are told on each CPU, and as many at once after a rest.
    let seconds = usize::try_from(begun.elapsed().as_secs() + 2).expect("seconds");
    let budget = 1000 * seconds * std::thread::available_parallelism().expect("CPUs").get();
    assert!(number(&hook["submitted"]) <= 50 + budget, "{hook:#}");
}
