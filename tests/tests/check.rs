//! `-check`, and what the exit codes say.

use std::path::PathBuf;

use sensor_tests::{Home, Mark, Said};

/// The example configurations, as users find them in documentation.
fn example(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../sensor-agent/tests/config")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Checks a main configuration and rules.
fn check(main: &str, rules: &str, further: &[&str]) -> Said {
    let home = Home::new(main);
    home.write("rules.yaml", rules);
    home.run(&[&["-check"], further].concat())
}

#[test]
fn a_right_configuration_is_summed_up() {
    let said = check(&Mark::new("check").config(), "", &[]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{}", said.stdout);
    for text in ["The configuration is right.", "Marked Program", "process_events (20000 rows)", "alerts.jsonl (file)"]
    {
        assert!(said.stdout.contains(text), "{text}: {}", said.stdout);
    }
}

#[test]
fn the_configuration_that_was_meant_is_accepted() {
    let said = check(&example("meant.yaml"), "", &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    for text in ["process_events (1000 rows)", "Rows go out every 5s", "(stdout)"] {
        assert!(said.stdout.contains(text), "{text}: {}", said.stdout);
    }
}

#[test]
fn the_printed_ones_are_refused_with_all_their_faults() {
    for (name, faults) in [
        ("printed-alerts.yaml", &["config.yaml:6:15", "config.yaml:8:8", "config.yaml:9:8", "config.yaml:15:13"][..]),
        ("printed-data-lake.yaml", &["config.yaml:2:21", "5秒", "config.yaml:16:13", "config.yaml:23:13"]),
        ("printed-minimal.yaml", &["config.yaml:13:"]),
    ] {
        let said = check(&example(name), "", &[]);
        assert_eq!((said.code, said.stdout.as_str()), (Some(78), ""), "{name}: {}", said.stderr);
        for fault in faults {
            assert!(said.stderr.contains(fault), "{name}: {fault}: {}", said.stderr);
        }
    }
}

#[test]
fn errors_of_all_files_come_in_one_report() {
    let main =
        "investigations:\n  reporting_interval: soon\n  flight_recorder:\n    tables:\n      - name: process_event\n";
    let rules = "Bad Rule:\n  policy: program\n  rules:\n    - match programNmae == \"x\"\n    - default ignore\n";
    let said = check(main, rules, &[]);
    assert_eq!(said.code, Some(78));
    for text in ["config.yaml:2:", "soon", "config.yaml:5:", "process_events", "rules.yaml:4:", "programName"] {
        assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
    }
}

#[test]
fn strict_refuses_what_else_is_a_warning() {
    let odd = "cloud_mata: off\n";
    let said = check(odd, "", &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("cloud_mata") && said.stderr.contains("cloud_meta"), "{}", said.stderr);
    let said = check(odd, "", &["-strict"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(78), ""));
    assert!(said.stderr.contains("cloud_mata"), "{}", said.stderr);
    // Two dashes are the same.
    let home = Home::new(odd);
    assert_eq!(home.run(&["--check", "--strict"]).code, Some(78));
    assert_eq!(check("", "", &["-strict"]).code, Some(0), "an empty file is no fault");
}

#[test]
fn what_an_output_can_never_be_is_refused_and_what_it_cannot_be_now_is_noted() {
    let outputs = |output: &str| format!("alert_output: {{outputs: [{output}]}}\n");
    for (output, fault) in [
        (r#"{type: webhook, url: "https://127.0.0.1/", headers: {"X Y": z}}"#, "X Y"),
        ("{type: splunk_hec, url: 'https://127.0.0.1/', token: \"a\\x7fb\"}", "token"),
    ] {
        let said = check(&outputs(output), "", &[]);
        assert_eq!(said.code, Some(78), "{}", said.stdout);
        assert!(said.stderr.contains(fault), "{}", said.stderr);
    }
    let said = check(&outputs("{type: file, name: /dev/null/alerts}"), "", &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("NOTE: cannot write to /dev/null/alerts: "), "{}", said.stdout);
}

#[test]
fn a_refused_configuration_starts_nothing() {
    let home = Home::new("investigations: {reporting_interval: soon}\n");
    let said = home.run(&[]);
    assert_eq!(said.code, Some(78));
    assert!(said.stderr.contains("config.yaml:1:"), "{}", said.stderr);
    assert!(!home.file("run").exists() && !home.file("state").exists());
}

#[test]
fn a_wrong_command_line_is_not_tried() {
    let home = Home::new("");
    for (arguments, expected) in [
        (&["-chekc"][..], "-check"),
        (&["-config"], "-config"),
        (&["stauts"], "status"),
        (&["rules"], "rules"),
        (&["reload", "now"], "now"),
    ] {
        let said = Said::of(&mut home.command(arguments));
        assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    }
}

#[test]
fn asking_where_no_sensor_runs_is_a_failure() {
    let home = Home::new("");
    for arguments in [&["status"][..], &["status", "-json"], &["reload"]] {
        let said = home.ask(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains("no sensor runs with the run directory"), "{}", said.stderr);
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let home = Home::new("");
    std::fs::remove_file(home.file("config.yaml")).unwrap();
    let said = home.run(&["-check"]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("config.yaml"), "{}", said.stderr);
    std::fs::create_dir(home.file("config.yaml")).unwrap();
    let said = home.run(&["-check"]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("directory"), "{}", said.stderr);
}

#[test]
fn version_and_help_go_to_standard_output() {
    let home = Home::new("");
    for (arguments, expected) in [
        (["-version"], "sophoslinuxsensor"),
        (["--version"], "sophoslinuxsensor"),
        (["-help"], "-test-alert"),
        (["fields"], "programName"),
        (["man"], ".TH"),
    ] {
        let said = Said::of(&mut home.command(&arguments));
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(said.stdout.contains(expected), "{arguments:?}: {}", said.stdout);
    }
}

#[test]
fn a_sensor_that_can_alert_on_nothing_or_to_nobody_says_so() {
    let said = check("alert_outputs: {outputs: [{type: stdout}]}\n", "", &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for text in ["no policy is on: there will be no alerts", "no output is enabled: alerts go nowhere"] {
        assert!(said.stdout.contains(text) && said.stderr.contains(text), "{text}: {}{}", said.stdout, said.stderr);
    }
    for heading in ["Alerts go to", "Rows go out", "Tables", "Off"] {
        assert!(!said.stdout.contains(heading), "nothing stands under {heading}: {}", said.stdout);
    }
}

#[test]
fn missing_content_is_a_warning_unless_none_is_wanted() {
    let home = Home::new("");
    let said = || {
        // Without a name for it the place is the default.
        let mut command = std::process::Command::new(sensor_tests::programs::sensor());
        Said::of(command.args(["-check", "-config"]).arg(home.file("config.yaml")))
    };
    let is_told = |said: &Said| said.stderr.contains("the shipped detections are missing");
    let is_missing = !std::path::Path::new("/var/lib/sophos/content/runtimedetections-content.yaml").exists();
    assert_eq!(is_told(&said()), is_missing, "{}", said().stderr);
    home.write_config("enabled_content_groups: []\n");
    assert!(!is_told(&said()), "{}", said().stderr);
}

#[test]
fn policies_that_are_off_are_named_with_the_reason() {
    let rules = "\
Own: {policy: program, enabled: false, rules: [default ignore]}
Grouped: {policy: program, contentGroup: Audit, rules: [default ignore]}
Later: {policy: spectreMeltdown, rules: [default ignore]}
One: {policy: program, rules: [default ignore]}
";
    let said = check("enabled_content_groups: [Smart Policy]\n", rules, &[]);
    for text in [
        "Policies: 1 on, 3 off",
        "Own: switched off",
        "Grouped: its content group `Audit` is not enabled",
        "Later: policies of type `spectreMeltdown` are not built yet",
        "One (1 rule)",
    ] {
        assert!(said.stdout.contains(text), "{text}: {}{}", said.stdout, said.stderr);
    }
}

/// Content with a detection and its list.
const CONTENT: &str = "\
Encoded: {policy: program, contentGroup: Detection Analytics.Execution, rules: ['ignore programName in $Encoded-allowList', default match]}
lists: {Encoded-allowList: {type: paths, values: []}}
";

/// Each is without effect, and told at its place with what was meant.
#[test]
fn what_has_no_effect_is_told_where_it_stands() {
    for (rules, place, told) in [
        (
            "lists: {Encoded-alowList: {add: [/x]}}",
            9,
            "there is no list `Encoded-alowList`|did you mean `Encoded-allowList`?",
        ),
        (
            "lists: {Encoded-alowList: {type: paths, add: [/x]}}",
            9,
            "no rule reads the list `Encoded-alowList`|did you mean `Encoded-allowList`?",
        ),
        ("lists: {Quite_Another: {type: paths, add: [/x]}}", 9, "no rule reads the list `Quite_Another`"),
        ("Encodet: {priority: Low}", 1, "there is no detection `Encodet` to override|did you mean `Encoded`?"),
        ("Encodet: {rules: [default match]}", 1, "the detection `Encodet` has no type|did you mean `Encoded`?"),
        (
            "enabled_content_groups: [Detection Analytics.Exekution]",
            26,
            "no detection is in the content group|did you mean `Detection Analytics.Execution`?",
        ),
        (
            "enabled_content_groups: [Detection Analytics.Execution, Detection Analytics]",
            26,
            "`Detection Analytics.Execution` is on already",
        ),
        ("paths: {state_dir: /x}", 1, "`paths` is read in the main file alone"),
        ("Encoded: {rules: ['match uid == 1']}", 20, "the rules of `Encoded` have no default"),
        (
            "investigations: {flight_recorder: {tables: [{name: process_events}]}}",
            44,
            "`flight_recorder` is not switched on",
        ),
        ("investigations: {sinks: [{backend: stdout}]}", 26, "no rows go to this sink"),
        (
            "investigations: {zeromq: {topics: [{process_events: x}]}, flight_recorder: {enabled: true}}",
            53,
            "nothing goes under this topic",
        ),
        ("mcs: {url: 'https://x.test'}", 13, "`mcs` is not switched on"),
    ] {
        let home = Home::new("");
        home.write_content(CONTENT);
        home.write("rules.yaml", rules);
        let said = home.run(&["-check"]);
        for text in told.split('|').map(str::to_owned).chain([format!("rules.yaml:1:{place}")]) {
            assert!(said.stderr.contains(&text), "{rules}: {text}: {}", said.stderr);
        }
    }
    let home = Home::new("");
    home.write_content(CONTENT);
    home.write("rules.yaml", "lists: {Encoded-allowList: {add: [/x]}}");
    let said = home.run(&["-check"]);
    assert!(!said.stderr.contains("allowList"), "{}", said.stderr);
}
