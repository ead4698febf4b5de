//! A sensor that cannot keep up says so: what the kernel could not hand over is counted, told as a row, and alerted on.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use sensor_tests::{Home, Mark, Sensor, of_kind, of_pid, programs};
use serde_json::{Value, json};

/// Larger than what is kept of the arguments of one program.
const ARGUMENT: usize = 100_000;
/// Enough to overfill the ring buffer of 8 MiB with what is kept of them.
const COUNT: usize = 1000;
/// Enough programs without arguments to fill the room that is left then.
const SMALL: usize = 100;
/// Says that it runs, and goes on.
const SCRIPT: &str = "echo; read line";

fn count_of(losses: &Value, stage: &str, cause: &str) -> u64 {
    let losses = losses.as_array().expect("losses");
    let own = losses.iter().filter(|loss| loss["stage"] == stage && loss["cause"] == cause);
    own.map(|loss| loss["count"].as_u64().expect("a count")).sum()
}

#[test]
fn lost_kernel_events_are_counted_told_and_alerted_on() {
    let mark = Mark::new("lost");
    let rule = mark.rule();
    let sensor = Sensor::start(&Mark::config_for(&rule, ""));
    let before = sensor.status();
    assert_eq!(count_of(&before["losses"], "ring", "ring_full"), 0);

    sensor.signal(Signal::SIGSTOP);
    let long = "x".repeat(ARGUMENT);
    for _ in 0..COUNT {
        sensor.finish(Command::new(programs::tiny()).args([mark.word(), &long]));
    }
    sensor.signal(Signal::SIGCONT);

    let lost = sensor.until("losses in the status", || {
        let status = sensor.status();
        (count_of(&status["losses"], "ring", "ring_full") > 0).then_some(status)
    });
    // The hooks that lost them say so too.
    let of_hooks: u64 = lost["hooks"].as_array().unwrap().iter().map(|hook| hook["ring_full"].as_u64().unwrap()).sum();
    assert_eq!(of_hooks, count_of(&lost["losses"], "ring", "ring_full"));
    let said = sensor.ask(&["status"]).stdout;
    assert!(!said.starts_with("No problems") && said.contains("ring_full"), "{said}");

    let row = sensor
        .until("a row of what was lost", || sensor.rows("lost_records").into_iter().find(|row| row["stage"] == "ring"));
    assert_eq!((&row["event_class"], &row["cause"]), (&"process".into(), &"ring_full".into()), "{row:#}");
    let alert = sensor.until("the alert", || {
        sensor.alerts().into_iter().find(|alert| alert["strategy_name"] == "Kernel Events Lost")
    });
    assert_eq!((&alert["priority"], &alert["policy_type"]), (&"High".into(), &"sensor".into()));
    assert_eq!(alert["process_info"]["pid"], sensor.pid());
    assert!(alert["matched_rule"].as_str().unwrap().contains("ring_full"), "{}", alert["matched_rule"]);

    // What was not lost is told, whole and once; what comes later is told as ever.
    let pid = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    sensor.until_exit(pid);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    let rows = home.rows("process_events");
    let execs = of_kind(&rows, "_EXEC");
    let total = count_of(&Value::from(home.rows("lost_records")), "ring", "ring_full");
    assert!(execs.len() < COUNT + 1, "none was lost");
    assert!(execs.len() as u64 + total > COUNT as u64, "{} rows, {total} counted as lost", execs.len());
    let args_bytes = programs::tiny().as_os_str().len() + mark.word().len() + ARGUMENT + 3;
    assert!(execs[..execs.len() - 1].iter().all(|exec| exec["args_bytes"] == args_bytes));
}

#[test]
fn what_a_flood_has_hidden_is_told_as_long_as_it_runs() {
    let mark = Mark::new("hidden");
    let sensor = Sensor::start(&Mark::config_for(&mark.rule(), ""));
    let mut gone = start_script(&mark);
    sensor.until("the exec of a program", || of_pid(&sensor.rows("process_events"), gone.id()).first().map(|_| ()));
    sensor.signal(Signal::SIGSTOP);
    let long = "x".repeat(ARGUMENT);
    for _ in 0..COUNT {
        sensor.finish(Command::new(programs::tiny()).arg(&long));
    }
    // The gaps that are left are too small for another long record.
    for _ in 0..SMALL {
        sensor.finish(&mut Command::new(programs::tiny()));
    }
    let mut hidden = start_script(&mark);
    gone.kill().expect("it is running");
    gone.wait().expect("it ends");
    sensor.signal(Signal::SIGCONT);
    let row = sensor.until("the row of the hidden program", || {
        of_pid(&sensor.rows("process_events"), hidden.id()).into_iter().next()
    });
    let alert = sensor
        .until("its alert", || sensor.alerts().into_iter().find(|alert| alert["process_info"]["pid"] == hidden.id()));
    sensor.until("word that the flood hid it", || sensor.log().contains("had not been told").then_some(()));
    hidden.kill().expect("it is running");
    hidden.wait().expect("it ends");
    assert_eq!(row["event_type"], "PROCESS_EVENT_TYPE_EXEC", "{row:#}");
    assert_eq!(row["args"], json!(["sh", "-c", SCRIPT, mark.word()]), "{row:#}");
    assert_eq!((&row["ppid"], &row["path"]), (&json!(std::process::id()), &json!("/usr/bin/dash")), "{row:#}");
    assert_eq!(alert["process_info"]["args"], row["args"]);
    sensor.until_exit(hidden.id());

    // An end that the flood has hidden is told, too; how it came is lost.
    let ends = of_kind(&sensor.until_exit(gone.id()), "_EXIT");
    sensor.until("word that the flood hid it", || sensor.log().contains("had ended untold").then_some(()));
    assert_eq!(ends.len(), 1, "{ends:#?}");
    assert_eq!((&ends[0]["exit_code"], &ends[0]["exit_signal"]), (&Value::Null, &Value::Null), "{:#}", ends[0]);
}

/// Starts a program with the mark that goes on until its input ends.
fn start_script(mark: &Mark) -> Child {
    let mut script = Command::new("sh");
    script.args(["-c", SCRIPT, mark.word()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().expect("sh runs");
    // Whoever spawns goes on a little before the exec is told.
    script.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("it says so");
    script
}

#[test]
fn alerts_that_the_end_leaves_no_time_for_are_told_as_lost() {
    let mark = Mark::new("stuck");
    let config =
        Mark::config_for(&mark.rule_of_storm(), "").replace("  outputs:\n", "  outputs:\n    - {type: stdout}\n");
    let home = Arc::new(Home::new(&config));
    // Nobody reads what the pipe holds.
    let sensor = Sensor::launch_into(&home, Stdio::piped()).answering();
    programs::run_storm(COUNT, &mark);
    // How many there are: not one for each program if what else runs here overfills the ring.
    let look = || {
        let status = sensor.status();
        let outputs = status["outputs"].as_array().expect("outputs");
        let stuck = outputs.iter().find(|output| output["kind"] == "stdout").expect("the output");
        [&status["alerts"], &stuck["queued"]].map(|count| count.as_u64().expect("a count"))
    };
    // The pipe takes some before it is full.
    let mut last = [0; 2];
    sensor.until("all alerts in the file, and some in a queue that stays as it is", || {
        let before = std::mem::replace(&mut last, look());
        let [raised, queued] = last;
        (home.alerts().len() as u64 == raised && queued > 0 && last == before).then_some(())
    });
    assert_eq!(sensor.stop(), Some(0));
    let stopped = count_of(&Value::from(home.rows("lost_records")), "output", "stopped");
    assert!(stopped >= last[1], "{stopped}, and {} waited", last[1]);
}
