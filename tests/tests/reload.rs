//! A new configuration for a running sensor: nothing is lost or doubled, and a wrong one changes nothing.

use std::process::Command;

use nix::sys::signal::Signal;
use sensor_tests::{Mark, Sensor, of_kind, of_pid, programs};
use serde_json::Value;

/// The time of the last reload, and whether it was accepted.
fn last_reload(sensor: &Sensor) -> Option<(u64, bool)> {
    let reload = &sensor.status()["configuration"]["last_reload"];
    Some((reload["time"].as_u64()?, reload["accepted"].as_bool()?))
}

fn run_marked(sensor: &Sensor, mark: &Mark) -> u32 {
    sensor.finish(Command::new(programs::tiny()).arg(mark.word()))
}

/// Reloads, once a reload that a signal began is over.
fn accepted(sensor: &Sensor) {
    sensor.until("a reload", || {
        let said = sensor.reload();
        let busy = said.code == Some(1) && said.stderr.contains("another self check or reload is under way");
        assert!(busy || said.code == Some(0), "{:?} {}{}", said.code, said.stdout, said.stderr);
        (!busy).then_some(())
    });
}

#[test]
fn reloads_amid_a_storm_lose_and_double_nothing() {
    const COUNT: usize = 4000;
    let mark = Mark::new("reload");
    let config = |round: usize| {
        Mark::config_for(
            &mark.rule_of_storm(),
            &format!("Other {round}:\n  policy: program\n  rules: [default ignore]\n"),
        )
        .replace("200ms", &format!("{}ms", 200 + round))
        .replace("rows: 20000", &format!("rows: {}", 1000 + 500 * (round % 3)))
    };
    let sensor = Sensor::start(&config(0));
    let mut storm = programs::start_storm(COUNT, 400, &mark);
    let mut round = 0;
    let ended = loop {
        round += 1;
        sensor.write_config(&config(round));
        if round % 2 == 0 {
            accepted(&sensor);
        } else {
            sensor.signal(Signal::SIGHUP);
        }
        if let Some(ended) = storm.try_wait().expect("the storm's state") {
            break ended;
        }
    };
    assert!(ended.success());
    assert!(round > 1);
    accepted(&sensor);
    sensor.until("each exit as a row", || {
        (of_kind(&sensor.rows("process_events"), "_EXIT").len() >= COUNT).then_some(())
    });
    sensor.until_delivered();
    let lost = sensor.status()["losses"].clone();
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(lost.as_array().map(Vec::len), Some(0), "{lost:#}");
    let rows = home.rows("process_events");
    for kind in ["_EXEC", "_EXIT"] {
        let mut processes: Vec<String> =
            of_kind(&rows, kind).iter().map(|row| row["process_uuid"].to_string()).collect();
        assert_eq!(processes.len(), COUNT, "{kind}");
        processes.sort_unstable();
        processes.dedup();
        assert_eq!(processes.len(), COUNT, "{kind}");
    }
    let mut alerts: Vec<String> = home.alerts().iter().map(|alert| alert["uuid"].to_string()).collect();
    assert_eq!(alerts.len(), COUNT);
    alerts.sort_unstable();
    alerts.dedup();
    assert_eq!(alerts.len(), COUNT);
}

#[test]
fn a_wrong_configuration_is_refused_and_changes_nothing() {
    let mark = Mark::new("wrong");
    let sensor = Sensor::start(&mark.config());
    let config = mark.config();
    let wrong = [
        config.replace("reporting_interval: 200ms", "reporting_interval: 5秒"),
        config.replace("programName", "programNmae"),
        config.replace("investigations:", "investigations: ["),
        config.replace("type: file", "type: pigeon"),
    ];
    for (config, expected) in wrong.iter().zip(["5秒", "programNmae", "config.yaml:", "pigeon"]) {
        sensor.write_config(config);
        let said = sensor.reload();
        assert_eq!(said.code, Some(78), "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
        assert_eq!(last_reload(&sensor).map(|(_, accepted)| accepted), Some(false));
        // The one before it is in force, and goes on.
        let pid = run_marked(&sensor, &mark);
        assert_eq!(sensor.alerts_about(pid, 1).len(), 1);
        assert_eq!(sensor.exec_of(pid)["path"], programs::tiny().to_str().unwrap());
    }
    assert!(sensor.ask(&["status"]).stdout.contains("REFUSED"));

    // By signal, the log tells.
    let refusals = || sensor.log().matches("the new configuration was refused").count();
    let before = refusals();
    sensor.write_config(&wrong[0]);
    sensor.signal(Signal::SIGHUP);
    sensor.until("a refusal in the log", || (refusals() > before).then_some(()));
    sensor.until("its reason", || sensor.log().contains("5秒").then_some(()));

    // An output that cannot be opened now may be later: that is said, and no refusal.
    sensor.write_config(&config.replace("@HOME@/alerts.jsonl", "@HOME@"));
    let said = sensor.reload();
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("directory"), "{}", said.stdout);

    sensor.write_config(&config);
    let said = sensor.reload();
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(last_reload(&sensor).map(|(_, accepted)| accepted), Some(true));
}

#[test]
fn a_changed_filter_takes_effect_and_rows_stay() {
    let (first, second) = (Mark::new("first"), Mark::new("second"));
    let sensor = Sensor::start(&first.config());
    let home = sensor.home();
    let recorded = |pid| !of_pid(&home.rows("process_events"), pid).is_empty();
    let marked = |pids: [u32; 2]| pids.map(recorded);

    let before = [run_marked(&sensor, &first), run_marked(&sensor, &second)];
    sensor.until_exit(before[0]);
    sensor.write_config(&second.config());
    assert_eq!(sensor.reload().code, Some(0));
    let after = [run_marked(&sensor, &first), run_marked(&sensor, &second)];
    sensor.until_exit(after[1]);
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!((marked(before), marked(after)), ([true, false], [false, true]));
    let alerted: Vec<Value> = home.alerts().iter().map(|alert| alert["process_info"]["pid"].clone()).collect();
    assert_eq!(alerted, [before[0], after[1]]);
}

#[test]
fn outputs_come_and_go_with_the_configuration() {
    let mark = Mark::new("outputs");
    let sensor = Sensor::start(&mark.config());
    let first = run_marked(&sensor, &mark);
    assert_eq!(sensor.alerts_about(first, 1).len(), 1);
    let text = mark.config().replace("alerts.jsonl\"", "short.txt\", template: '{{.StrategyName}}'");
    sensor.write_config(&text);
    let said = sensor.reload();
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    run_marked(&sensor, &mark);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(std::fs::read_to_string(home.file("short.txt")).unwrap(), "Marked Program\n");
    assert_eq!(home.alerts().len(), 1);
}

#[test]
fn what_a_throttle_held_back_outlives_a_reload() {
    let mark = Mark::new("throttle");
    let config = |throttle: &str, interval: &str| {
        mark.config()
            .replace("200ms", interval)
            .replace("  alertMessage:", &format!("  throttle: {throttle}\n  alertMessage:"))
    };
    let sensor = Sensor::start(&config("{count: 1, per: 24h}", "200ms"));
    let held_back = |count: u64| {
        sensor.until("what is held back", || (sensor.status()["held_back"] == count).then_some(()));
    };
    for _ in 0..3 {
        run_marked(&sensor, &mark);
    }
    held_back(2);
    // Another change leaves the throttle as it is: its time goes on.
    sensor.write_config(&config("{count: 1, per: 24h}", "250ms"));
    assert_eq!(sensor.reload().code, Some(0));
    run_marked(&sensor, &mark);
    held_back(3);
    assert!(sensor.ask(&["status"]).stdout.contains("1 alerts raised, 3 held back by throttles"));
    // With another throttle the next alert tells what the one before held back.
    sensor.write_config(&config("{count: 100, per: 24h}", "250ms"));
    assert_eq!(sensor.reload().code, Some(0));
    let pid = run_marked(&sensor, &mark);
    let alert = &sensor.alerts_about(pid, 1)[0];
    assert_eq!(alert["notifications"][1]["message_fields"]["held_back"], "3", "{alert:#}");
    assert_eq!(sensor.alerts().len(), 2);
}
