use super::*;
use crate::control::status::{
    Canary, ConfigurationFile, Containers, Health, Loss, Memory, Processes, Rate, Response, Runtime,
};

/// A sensor with nothing wrong.
fn healthy() -> Status {
    Status {
        version: "sophoslinuxsensor 1.2.3 (commit 0123456789ab, record layout 1)".into(),
        pid: 4711,
        time: 1_800_000_000,
        uptime_seconds: 93_784,
        kernel: "6.12.48-amd64".into(),
        capabilities: vec!["CAP_KILL".into()],
        state_trouble: None,
        health: Health { engine_answers: true, canary: Canary { passed: 3, ..Canary::default() } },
        events: Vec::new(),
        alerts: 0,
        held_back: 0,
        responses: [("success", 2), ("gone", 1)]
            .map(|(outcome, count)| Response { action: "kill".into(), outcome: outcome.into(), count })
            .into(),
        hooks: vec![
            Hook {
                name: "exec".into(),
                hook: "tp_btf/sched_process_exec".into(),
                rung: 1,
                attached: true,
                runs: Some(1234),
                avg_ns: Some(810),
                seen: 1234,
                submitted: 1234,
                ..Hook::default()
            },
            Hook {
                name: "fork".into(),
                hook: "tp_btf/sched_process_fork".into(),
                rung: 1,
                attached: true,
                seen: 99_000,
                submitted: 1300,
                filtered: 97_700,
                partial: 2,
                ..Hook::default()
            },
        ],
        rates: vec![Rate { class: "process".into(), per_second: 12.34 }],
        containers: Containers {
            unnamed: 0,
            overflowed: 0,
            runtimes: vec![Runtime {
                name: "docker".into(),
                socket: "/run/docker.sock".into(),
                answers: Some(true),
                asked: 15,
                named: 12,
                not_known: 2,
                failed: 1,
                cut: 0,
                last_ms: 4,
                longest_ms: 21,
                last_error: None,
            }],
        },
        processes: Processes { held: 312, limit: 65_536, ..Processes::default() },
        memory: Memory { budget: 128 << 20, taken: [("programs".to_owned(), 3 << 20)].into() },
        policies: 23,
        tables: vec![Table { name: "process_events".into(), rows: 5000, capacity: 50_000, ..Table::default() }],
        losses: vec![],
        outputs: vec![
            Delivery { name: "stdout".into(), kind: "stdout".into(), sent: 3, ..Delivery::default() },
            Delivery {
                name: "siem".into(),
                kind: "syslog".into(),
                sent: 3,
                retried: 1,
                last_error: Some("connection refused".into()),
                ..Delivery::default()
            },
        ],
        sinks: vec![],
        configuration: Configuration {
            files: vec![
                ConfigurationFile { path: "/etc/sophos/runtimedetections.yaml".into(), found: true },
                ConfigurationFile { path: "/etc/sophos/runtimedetections-rules.yaml".into(), found: false },
            ],
            loaded: 1_799_999_000,
            last_reload: Some(Reload { time: 1_799_999_000, accepted: true, findings: vec![] }),
        },
        warnings: vec![],
    }
}

/// The same with one of everything wrong.
fn troubled() -> Status {
    let mut status = healthy();
    status.hooks[0].ring_full = 7;
    status.hooks[1].attached = false;
    status.hooks[1].recursion_misses = 1;
    status.processes.held = status.processes.limit;
    status.containers.unnamed = 3;
    status.containers.runtimes[0].answers = Some(false);
    status.containers.runtimes[0].last_error = Some("no answer in time: a runtime has 2 s".into());
    status.tables[0].overwritten = 400;
    status.outputs[1] = Delivery {
        failing: true,
        queued: 12,
        dropped: 2,
        oldest_age_seconds: Some(200),
        last_error: Some("\x1b]0;owned\x07connection\nrefused".into()),
        ..status.outputs[1].clone()
    };
    status.losses = vec![
        Loss { stage: "ring".into(), class: "process".into(), cause: "the ring buffer was full".into(), count: 7 },
        Loss { stage: "decode".into(), class: "process".into(), cause: "unknown kind".into(), count: 1 },
    ];
    status.configuration.last_reload = Some(Reload {
        time: 1_799_999_990,
        accepted: false,
        findings: vec!["x.yaml:3:1: unknown word\n  | x".into(), "x.yaml:9:1: bad duration".into()],
    });
    status.warnings = vec!["the audit subsystem is switched off".into()];
    status
}

#[test]
fn a_healthy_sensor() {
    insta::assert_snapshot!(status(&healthy()));
}

#[test]
fn what_is_wrong_comes_first() {
    insta::assert_snapshot!(status(&troubled()));
}

#[test]
fn a_loss_is_told_also_where_nothing_else_tells_of_it() {
    let mut status = healthy();
    status.losses = vec![Loss { stage: "ring".into(), class: "file".into(), cause: "full".into(), count: 5 }];
    assert_eq!(problems(&status), ["stage ring: file events lost: 5 (full)"]);
}

#[test]
fn no_control_characters_come_through() {
    let status = Status { warnings: vec!["\x1b[2J\u{9b}\u{202e}".into()], ..troubled() };
    let is_bad = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!super::status(&status).contains(is_bad));
    let json = status_json(&status);
    assert!(!json.contains(is_bad));
    assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
}

#[test]
fn a_status_of_another_version_is_read() {
    let status: Status = serde_json::from_str(r#"{"pid": 3, "hooks": [{"name": "exec", "novel": 1}]}"#).unwrap();
    assert_eq!((status.pid, status.hooks[0].name.as_str()), (3, "exec"));
}

#[test]
fn stages_and_reloads() {
    let line = |outcome, detail: &str| {
        stage(&Stage { name: "output siem".into(), outcome, millis: 12, detail: detail.into() })
    };
    assert_eq!(line(Outcome::Passed, ""), "ok          12 ms  output siem\n");
    assert_eq!(line(Outcome::Failed, "refused\n"), "FAILED      12 ms  output siem: refused\\n\n");
    assert_eq!(line(Outcome::Skipped, "off"), "skipped     12 ms  output siem: off\n");
    let refused = Reload { time: 0, accepted: false, findings: vec!["a:1:1: bad\n | x".into()] };
    assert_eq!(
        reload(&refused),
        "a:1:1: bad\n | x\nThe configuration was refused; the one before it stays in force.\n"
    );
    assert!(reload(&Reload { accepted: true, ..refused }).ends_with("in force.\n"));
}

#[test]
fn durations() {
    let said = [0, 59, 60, 61, 3_599, 3_600, 3_661, 86_400, 90_000, 400_000].map(duration);
    assert_eq!(
        said,
        ["0 s", "59 s", "1 min", "1 min 1 s", "59 min 59 s", "1 h", "1 h 1 min", "1 d", "1 d 1 h", "4 d 15 h"]
    );
}
