//! What people and programs see of a round.

use std::process::Command;
use std::time::Duration;

use sensor_tests::{Central, Said, Siem, parse_lines};

use super::collector::{Collector, Reply};
use super::fill::{fill, ids};
use super::fine;

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

#[test]
fn a_log_in_json_has_an_object_for_each_message() {
    let central = Central::start();
    fill(&central, 0, 3);
    let siem = Siem::with_outputs(&central, "  - {type: stdout}\nlog_format: json\n");
    let said = siem.run(&CONFIG);
    fine(&said);
    assert_eq!(parse_lines(said.stdout.as_bytes()).len(), 3, "data alone");
    let log = parse_lines(said.stderr.as_bytes());
    let last = log.last().expect("a message");
    assert_eq!((&last["level"], &last["message"]), (&"INFO".into(), &"0 events and 3 alerts of 1 tenant".into()));
    assert!(last["timestamp"].is_string(), "{last}");
}

#[test]
fn on_a_terminal_a_line_tells_how_far_it_is() {
    let central = Central::start();
    fill(&central, 0, 8000);
    let collector = Collector::start();
    // Longer than a second, however fast it is.
    collector.behave(|_| {
        std::thread::sleep(Duration::from_millis(400));
        None
    });
    let output = format!("  - {{type: webhook, url: \"{}\", batch_size: 1000}}\n", collector.url());
    let siem = Siem::with_outputs(&central, &output);
    let run = siem.command(&CONFIG);
    let words: Vec<_> =
        std::iter::once(run.get_program()).chain(run.get_args()).map(|word| word.to_string_lossy()).collect();
    // It gives the program a terminal.
    let mut script = Command::new("script");
    script
        .args(["-qec", &words.join(" "), "/dev/null"])
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.env("TERM", "xterm").stdin(std::process::Stdio::null());
    let seen = Said::of(&mut script);
    assert_eq!(seen.code, Some(0), "{seen:?}");
    let lines: Vec<&str> = seen.stdout.split("\r\u{1b}[K").collect();
    let told = lines.iter().find(|line| line.contains(" items, ")).unwrap_or_else(|| panic!("{:?}", seen.stdout));
    assert!(told.contains("/s, at 20") && lines.iter().any(|line| line.contains(", ETA ")), "{:?}", seen.stdout);
    assert!(
        lines.last().is_some_and(|line| line.contains("8000 alerts of 1 tenant")),
        "it is gone at the end: {lines:?}"
    );
    // And without one nothing is.
    fill(&central, 8000, 12_000);
    let said = siem.run(&CONFIG);
    fine(&said);
    assert!(!said.stderr.contains(" items, "), "{}", said.stderr);
}

#[test]
fn doctor_says_what_is_wrong_and_what_to_do() {
    let mut central = Central::start();
    fill(&central, 0, 3);
    let collector = Collector::start();
    let refused = ids(1, 2).remove(0);
    collector
        .behave(move |came| came.text().contains(&refused).then(|| Reply::Say(400, &[], "not this one".to_owned())));
    let outputs = format!(
        "  - {{type: file, path: @HOME@/log/items.json}}\n  - {{type: webhook, url: \"{}\"}}\n",
        collector.url()
    );
    let siem = Siem::with_outputs(&central, &outputs);
    let fresh = siem.run(&["-c", "config.yaml", "doctor"]);
    fine(&fresh);
    for part in ["ok         state", "ok         central", "can be read", "ok         clock", "0 failures, 0 warnings"]
    {
        assert!(fresh.stdout.contains(part), "{part} in {}", fresh.stdout);
    }
    assert!(!siem.file("state").exists() && !siem.file("log").exists(), "nothing is made");
    assert!(collector.came().iter().all(|came| came.body.is_empty()), "nothing is sent");
    assert_eq!(siem.run(&CONFIG).code, Some(65), "an item was set aside");
    let after = siem.run(&["-c", "config.yaml", "doctor"]);
    fine(&after);
    assert!(after.stdout.contains("WARNING    dead-letters"), "{}", after.stdout);

    // Central and a receiver are gone, and a folder is in the way.
    drop(collector);
    central.stop();
    std::fs::remove_dir_all(siem.file("log")).expect("it is there");
    std::fs::write(siem.file("log"), "").expect("a file");
    let said = siem.run(&["-c", "config.yaml", "doctor", "--json"]);
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    let found: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let failures: Vec<_> = found.as_array().expect("a list").iter().filter(|one| one["level"] == "failure").collect();
    let areas: Vec<_> = failures.iter().map(|one| one["area"].as_str().expect("a word")).collect();
    assert_eq!(areas, ["outputs", "outputs", "central"], "{found:#}");
    assert!(failures.iter().all(|one| one["fix"] != ""));
}
