//! Looking on: `events` and `alerts`, what is held and what happens.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use sensor_tests::{Home, Mark, Said, Sensor, programs, until};
use serde_json::Value;

/// A command that looks on; killed when this is dropped.
struct Follower {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Follower {
    /// Starts one, and waits until the sensor has taken it in: until it shows an event of its own.
    fn start(sensor: &Sensor, mark: &Mark, arguments: &[&str]) -> Self {
        let mut follower = Self::launch(sensor, arguments);
        let first = Mark::new("begun");
        let word = format!("{}-{}", mark.word(), first.word());
        // It may come before the follower does.
        let seen = std::thread::scope(|scope| {
            let reading = scope.spawn(|| follower.until(&word));
            while !reading.is_finished() {
                sensor.finish(Command::new(programs::tiny()).arg(&word));
            }
            reading.join().unwrap()
        });
        assert!(seen.contains(&word));
        follower
    }

    fn launch(sensor: &Sensor, arguments: &[&str]) -> Self {
        let mut command = sensor.command(arguments);
        command.arg("-run-dir").arg(sensor.file("run"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, out }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.out.read_line(&mut line).expect("lines of text");
        (read > 0).then_some(line)
    }

    /// The next line that has this word.
    fn until(&mut self, word: &str) -> String {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("it ended before it told of {word}"));
            if line.contains(word) {
                return line;
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(sensor: &Sensor, words: &[&str]) -> u32 {
    sensor.finish(Command::new(programs::tiny()).args(words))
}

#[test]
fn what_is_held_is_shown_and_then_what_happens() {
    let mark = Mark::new("look");
    let sensor = Sensor::start(&mark.config());
    let before = run(&sensor, &[mark.word(), "before"]);
    let held = sensor.until("the exec among the events", || {
        let said = sensor.ask(&["events"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.stdout.contains(" before").then_some(said)
    });
    let exec = held.stdout.lines().find(|line| line.contains(" before")).unwrap();
    assert!(exec.contains(" exec ") && exec.contains(&format!(" {before} ")) && exec.contains("› "), "{exec}");
    assert!(held.stderr.contains("process_events: "), "{}", held.stderr);
    assert!(held.stderr.contains("the classes module, bpf"), "{}", held.stderr);

    let mut follower = Follower::launch(&sensor, &["events", "-follow", "-since", "1h", "-filter", &mark.rule()]);
    follower.until(" before");
    // It is told what was held: now it follows.
    let mut alerts = Follower::launch(&sensor, &["alerts", "-follow", "-since", "1h"]);
    alerts.until(" before");
    run(&sensor, &[mark.word(), "\x1b[2J\u{9b}hostile\n\u{202e}"]);
    let line = follower.until("hostile");
    assert!(line.contains(r"'\u{1b}[2J\u{9b}hostile\n\u{202e}'"), "{line:?}");
    let alert = alerts.until("hostile");
    assert!(alert.contains(" High ") && alert.contains(" Marked Program: "), "{alert}");
    assert!(!alert.contains('\x1b') && !line.contains('\x1b'));

    assert_eq!(sensor.stop(), Some(0));
    while follower.line().is_some() {}
    let ended = follower.child.wait().unwrap();
    assert_eq!(ended.code(), Some(1));
    let said = std::io::read_to_string(follower.child.stderr.take().unwrap()).unwrap();
    assert!(said.contains("the sensor has ended"), "{said}");
}

#[test]
fn json_is_what_outputs_have_and_what_rules_are_explained_with() {
    let mark = Mark::new("lookjson");
    let sensor = Sensor::start(&mark.config());
    let pid = run(&sensor, &[mark.word()]);
    let alert = sensor.alerts_about(pid, 1).remove(0);
    let said = sensor.ask(&["alerts", "-json", "-pid", &pid.to_string()]);
    let shown: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(shown, [alert], "{said:?}");

    sensor.until_exit(pid);
    let filter = "eventType == \"PROCESS_EVENT_TYPE_EXEC\"";
    let said = sensor.ask(&["events", "-json", "-pid", &pid.to_string(), "-filter", filter]);
    let events: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [event] = events.as_slice() else { panic!("{said:?}") };
    assert_eq!(event["pid"], pid);
    assert_eq!(event["lineage"][0]["pid"], std::process::id());
    sensor.write("event.json", &said.stdout);
    let mut explain = sensor.command(&["rules", "explain"]);
    for (flag, file) in [("-config", "config.yaml"), ("-content", "content.yaml"), ("-rules", "rules.yaml")] {
        explain.arg(flag).arg(sensor.file(file));
    }
    let said = Said::of(explain.arg(sensor.file("event.json")));
    assert!(said.code == Some(0) && said.stdout.contains("Marked Program"), "{said:?}");
}

#[test]
fn secrets_are_told_to_nobody_and_rules_see_them() {
    let mark = Mark::new("looksecret");
    let rule = format!("match {} and args == \"--token=*-of-ours\"", mark.rule());
    let more = format!("Secret Seen:\n  policy: program\n  rules: ['{rule}', default ignore]\n");
    let sensor = Sensor::start(&mark.config_with(&more));
    let pid = run(&sensor, &[mark.word(), "--token=s3cr3t-of-ours", "said"]);
    let alerts = sensor.alerts_about(pid, 2);
    assert!(alerts.iter().any(|alert| alert["strategy_name"] == "Secret Seen"), "{alerts:?}");
    sensor.until_exit(pid);
    for words in [&["events"][..], &["events", "-json"], &["alerts"], &["alerts", "-json"]] {
        let said = sensor.ask(&[words, &["-filter", &mark.rule()]].concat()).stdout;
        assert!(said.contains("--token=[redacted]") && said.contains("said"), "{said}");
        assert!(!said.contains("s3cr3t"), "{said}");
    }
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    // What outputs and sinks wrote, and what is kept from one run to the next.
    let found = Command::new("grep").args(["-rlae", "s3cr3t-of-ours"]).arg(home.path()).output().expect("grep runs");
    assert_eq!((String::from_utf8_lossy(&found.stdout), found.status.code()), ("".into(), Some(1)));
}

#[test]
fn a_slow_reader_loses_lines_that_are_counted_and_the_sensor_none() {
    let mark = Mark::new("lookslow");
    // A sixty-fourth of it may wait for a follower.
    let home = Home::new(&mark.config_with("memory_budget: 32MiB\n").replace("rows: 20000", "rows: 200000"));
    let sensor = Sensor::start_in(&Arc::new(home));
    let filter = mark.rule();
    let mut follower = Follower::start(&sensor, &mark, &["events", "-follow", "-json", "-filter", &filter]);
    let lines = |follower: &mut Follower, word: &str| {
        let (mut told, mut lost) = (0_u64, 0_u64);
        loop {
            let line = follower.line().expect("it goes on");
            let value: Value = serde_json::from_str(&line).expect("JSON");
            match value["lost"].as_u64() {
                Some(count) => lost += count,
                None => told += 1,
            }
            if line.contains(word) && value["event_type"] == "PROCESS_EVENT_TYPE_EXIT" {
                return (told, lost);
            }
        }
    };
    // From here to there, so that both count the same events.
    let from = format!("{}-from", mark.word());
    sensor.finish(Command::new(programs::tiny()).arg(&from));
    lines(&mut follower, &from);
    let mut storms = 0;
    // Nobody reads: pipe, socket and queue become full.
    let lost_some = |sensor: &Sensor| sensor.rows("process_events").len() > 9000;
    while !lost_some(&sensor) {
        programs::run_storm(1000, &mark);
        storms += 1;
        assert!(storms < 100);
    }
    let to = format!("{}-to", mark.word());
    let (mut told, mut lost) = (0_u64, 0_u64);
    // The last one is lost as long as there is no room.
    let last = std::thread::scope(|scope| {
        let reading = scope.spawn(|| lines(&mut follower, &to));
        let mut pid = 0;
        while !reading.is_finished() {
            pid = sensor.finish(Command::new(programs::tiny()).arg(&to));
        }
        (told, lost) = reading.join().unwrap();
        pid
    });
    sensor.until_exit(last);
    assert!(lost > 0, "{told} told");
    let rows = sensor.rows("process_events");
    let is_end = |row: &&Value, word: &str| {
        row["event_type"] == "PROCESS_EVENT_TYPE_EXIT" && row["cmdline"].as_str().is_some_and(|it| it.contains(word))
    };
    let begin = rows.iter().position(|row| is_end(&row, &from)).expect("the first");
    // So many rows later stands the end that the follower saw.
    let last = &rows[begin + usize::try_from(told + lost).unwrap()];
    assert!(is_end(&last, &to), "{told} and {lost} lead to {last}");
}

#[test]
fn what_is_wrong_with_a_filter_is_told_at_its_place() {
    let mark = Mark::new("lookwrong");
    let sensor = Sensor::start(&mark.config());
    let said = sensor.ask(&["events", "-filter", "uid = 0"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("--> -filter:1:5") && said.stderr.contains("did you mean `==`?"), "{said:?}");
    let said = sensor.ask(&["alerts", "-class", "proces"]);
    assert!(said.code == Some(2) && said.stderr.contains("did you mean process?"), "{said:?}");
    let said = sensor.ask(&["events", "-filter", "messageTypeName == \"USER_LOGIN\""]);
    assert!(said.code == Some(0) && said.stderr.contains("Only events of the class audit"), "{said:?}");
}

#[test]
fn what_is_configured_is_listed_with_what_came_of_it() {
    let mark = Mark::new("lists");
    let more = format!(
        r#"
lists:
  Tools: {{type: paths, values: [/usr/bin/nothing, /usr/bin/none]}}
  Spare: {{type: numbers, values: [1]}}
Held Back:
  policy: program
  throttle: {{count: 1, per: 1h}}
  rules:
    - ignore programName in $Tools
    - 'match {}'
    - default ignore
Switched Off:
  policy: program
  enabled: false
  rules: [default ignore]
"#,
        mark.rule()
    );
    let sensor = Sensor::start(&mark.config_with(&more));
    let json = |arguments: &[&str]| -> Value {
        let said = sensor.ask(&[arguments, &["-json"]].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        serde_json::from_str(&said.stdout).expect("JSON")
    };
    let named = |items: Value, name: &str| -> Value {
        items.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    for _ in 0..3 {
        run(&sensor, &[mark.word()]);
    }
    let held = sensor.until("three violations", || {
        let policy = named(json(&["policies"]), "Held Back");
        (policy["held_back"] == 2).then_some(policy)
    });
    assert!(held["alerts"] == 1 && held["last"].as_u64() > Some(0) && held["on"] == true, "{held}");
    assert_eq!(sensor.reload().code, Some(0));
    assert_eq!(named(json(&["policies"]), "Held Back"), held, "a reload goes on counting");
    let off = json(&["policies", "-off"]);
    assert_eq!(off.as_array().unwrap().len(), 1, "{off}");
    assert!(off[0]["why_off"].as_str().unwrap().contains("enabled: false"), "{off}");
    assert_eq!(json(&["policies", "-type", "bpfExec"]), serde_json::json!([]));

    let table = named(json(&["tables"]), "process_events");
    assert!(table["rows"].as_u64() >= Some(3) && table["capacity"] == 20000 && table["on"] == true, "{table}");
    assert!(table["columns"].as_array().unwrap().contains(&"cmdline".into()), "{table}");
    assert_eq!(table["filter"][1], "default ignore");
    assert_eq!(named(json(&["tables"]), "audit_user_msg")["on"], false);

    let tools = named(json(&["lists"]), "Tools");
    assert_eq!((&tools["entries"], &tools["type"]), (&2.into(), &"paths".into()));
    assert_eq!(tools["used_by"], serde_json::json!(["Held Back"]));
    let text = sensor.ask(&["lists"]).stdout;
    assert!(text.lines().any(|line| line.starts_with("Spare") && line.ends_with("no rule")), "{text}");

    let outputs = json(&["outputs"]);
    assert_eq!(outputs[0]["takes"], serde_json::json!(["alert", "smart_policy"]));
    assert_eq!((&outputs[1]["takes"][0], &outputs[1]["kind"]), (&"rows".into(), &"file".into()));
    assert!(outputs[0]["sent"].as_u64() >= Some(1), "{outputs}");
    let text = sensor.ask(&["policies"]).stdout;
    assert!(text.starts_with("NAME ") && text.contains("off: switched off"), "{text}");
}

#[test]
fn exceptions_take_alerts_are_counted_and_are_proposed_for_one() {
    let mark = Mark::new("except");
    let more = |exceptions: &str| {
        let rule = mark.rule();
        format!("Tuned:\n  policy: program\n  rules: ['match {rule}', default ignore]\n{exceptions}")
    };
    let sensor = Sensor::start(&mark.config_with(&more("")));
    let pid = run(&sensor, &[mark.word(), "one"]);
    let alerts = sensor.alerts_about(pid, 2);
    let tuned = alerts.iter().find(|alert| alert["strategy_name"] == "Tuned").expect("it is told");
    run(&sensor, &[mark.word(), "two"]);
    let uuid = tuned["uuid"].as_str().unwrap();
    let said = sensor.until("the second alert", || {
        let said = sensor.ask(&["rules", "except", uuid]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.stdout.contains("silences 1 more of 2").then_some(said)
    });
    let narrow = said.stdout.find("silences no other").expect("the narrowest silences this one alone");
    assert!(narrow < said.stdout.find("silences 1 more").unwrap(), "{}", said.stdout);

    // As it is printed it is taken, once somebody has said why.
    let written = said.stdout.replace("comment: \"\"", "comment: a test");
    sensor.write("rules.yaml", &written);
    assert_eq!(sensor.reload().code, Some(0));
    run(&sensor, &[mark.word(), "one"]);
    let excepted = sensor.until("the exception's count", || {
        let policies: Value = serde_json::from_str(&sensor.ask(&["policies", "-json"]).stdout).expect("JSON");
        let policy = policies.as_array().unwrap().iter().find(|policy| policy["name"] == "Tuned").unwrap().clone();
        (policy["excepted"] == 1).then_some(policy)
    });
    assert_eq!((&excepted["alerts"], &excepted["exceptions"][0]["alerts"]), (&2.into(), &1.into()), "{excepted}");
    // Without the comment it is an error.
    sensor.write("rules.yaml", &said.stdout);
    assert_eq!(sensor.reload().code, Some(78));
}

#[test]
fn what_was_recorded_is_held_against_policies_again() {
    let mark = Mark::new("record");
    let sensor = Sensor::start(&mark.config());
    let pid = run(&sensor, &[mark.word(), "--token=s3cr3t"]);
    sensor.until_exit(pid);
    let file = sensor.file("stream.json");
    let file = file.to_str().unwrap();
    let recorded = sensor.ask(&["record", file, "-since", "1h", "-for", "1s", "-pid", &pid.to_string()]);
    assert!(recorded.code == Some(0) && recorded.stderr.contains(" event"), "{recorded:?}");
    let again = sensor.ask(&["record", file]);
    assert!(again.code == Some(1) && again.stderr.contains("is there already"), "{again:?}");
    assert!(!std::fs::read_to_string(file).unwrap().contains("s3cr3t"));
    let with_files = |words: &[&str]| {
        let mut command = sensor.command(words);
        for (flag, file) in [("-config", "config.yaml"), ("-content", "content.yaml"), ("-rules", "rules.yaml")] {
            command.arg(flag).arg(sensor.file(file));
        }
        Said::of(&mut command)
    };
    let said = with_files(&["replay", "-json", file]);
    let told: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let marked = told["policies"].as_array().unwrap().iter().find(|it| it["policy"] == "Marked Program").unwrap();
    assert_eq!(marked["alerts"], 1, "{told}");
    let said = with_files(&["rules", "bench", file]);
    assert!(said.code == Some(0) && said.stdout.contains("Marked Program"), "{said:?}");
    let text = with_files(&["replay", file]).stdout;
    assert!(text.contains("1 alert\n") && text.contains("Marked Program"), "{text}");
}

#[test]
fn running_processes_are_a_tree() {
    let mark = Mark::new("ps");
    let sensor = Sensor::start(&mark.config());
    let act = programs::act();
    let mut child =
        Command::new(&act).args(["hold", mark.word()]).stdin(Stdio::piped()).spawn().expect("it can be started");
    let pid = child.id().to_string();
    let line = sensor.until("the process in the tree", || {
        let said = sensor.ask(&["ps", "-pid", &pid]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.stdout.lines().find(|line| line.contains(mark.word())).map(str::to_owned)
    });
    assert!(line.trim_start().starts_with(&pid) && line.contains("act hold "), "{line}");
    // The alert on it began an incident.
    assert!(line.contains(" ! "), "{line}");
    let said = sensor.ask(&["ps"]);
    let depth = |pid: u32| {
        let pid = pid.to_string();
        let line = said.stdout.lines().find(|line| line.split_whitespace().next() == Some(&pid));
        let line = line.unwrap_or_else(|| panic!("{pid}\n{}", said.stdout));
        line.chars().take_while(|char| *char != '/').filter(|char| "│├└─".contains(*char)).count()
    };
    assert!(depth(child.id()) > 0 && depth(sensor.pid()) > 0, "{}", said.stdout);
    let said = sensor.ask(&["ps", "-json", "-filter", &mark.rule()]);
    let shown: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(shown.iter().any(|it| it["pid"] == child.id()), "{said:?}");
    assert!(shown.iter().all(|it| it["cmdline"].as_str().unwrap().contains(mark.word())), "{said:?}");
    drop(child.stdin.take());
    child.wait().unwrap();
    sensor.until("the process to be gone", || {
        let said = sensor.ask(&["ps", "-pid", &pid]);
        (!said.stdout.lines().any(|line| line.trim_start().starts_with(&pid))).then_some(())
    });
}

#[test]
fn what_keeps_the_sensor_busy_is_told_in_rounds() {
    let mark = Mark::new("top");
    let sensor = Sensor::start(&mark.config());
    let mut top = Follower::launch(&sensor, &["top", "-json"]);
    let tiny = programs::tiny().display().to_string();
    let round = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            loop {
                let line = top.line().expect("it goes on");
                let round: Value = serde_json::from_str(&line).expect("JSON");
                if round["policies"][0]["name"] == "Marked Program" {
                    return round;
                }
            }
        });
        while !reading.is_finished() {
            run(&sensor, &[mark.word()]);
        }
        reading.join().unwrap()
    });
    assert!(round["policies"][0]["alerts"].as_u64() > Some(0), "{round}");
    assert!(round["seconds"].as_f64() > Some(1.0), "{round}");
    let named = |of: &str, name: &str| round[of].as_array().unwrap().iter().any(|it| it["name"] == name);
    // On a busy machine others may run more.
    assert!(named("programs", &tiny) || round["programs"].as_array().unwrap().len() == 8, "{round}");
    assert!(named("containers", "(host)") && named("threads", "engine") && named("classes", "process"), "{round}");
    // A quiet host runs nothing else in the meantime.
    let said = std::thread::scope(|scope| {
        let asking = scope.spawn(|| sensor.ask(&["top", "-once"]));
        while !asking.is_finished() {
            run(&sensor, &[mark.word()]);
        }
        asking.join().unwrap()
    });
    assert!(
        said.code == Some(0) && said.stdout.contains("\nPROGRAM ") && said.stdout.contains(" events/s"),
        "{said:?}"
    );
}

#[test]
fn who_has_gone_makes_room() {
    let mark = Mark::new("lookgone");
    let sensor = Sensor::start(&mark.config());
    let filter = mark.rule();
    for _ in 0..6 {
        let followers: Vec<Follower> = (0..4)
            .map(|_| {
                until("a follower to be taken in", || {
                    let mut follower = Follower::launch(&sensor, &["events", "-follow", "-json", "-filter", &filter]);
                    std::thread::scope(|scope| {
                        let reading = scope.spawn(|| follower.line());
                        while !reading.is_finished() {
                            run(&sensor, &[mark.word()]);
                        }
                        reading.join().unwrap()
                    })
                    .map(|_| follower)
                })
            })
            .collect();
        let said = sensor.ask(&["events", "-follow"]);
        assert!(said.code == Some(1) && said.stderr.contains("4 others look on already"), "{said:?}");
        assert!(sensor.status_if_any().is_some());
        drop(followers);
    }
}
