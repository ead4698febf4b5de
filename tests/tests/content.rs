//! The shipped policies: their own cases, and that everyday work does not set them off.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sensor_tests::{Home, Mark, Sensor, programs};
use serde_json::Value;

fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn content() -> String {
    fs::read_to_string(repository().join("etc/content/runtimedetections-content.yaml")).expect("the shipped content")
}

fn case_files() -> Vec<String> {
    let folder = repository().join("etc/content/tests");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<String> = files
        .map(|file| file.expect("a file").path().to_str().expect("a UTF-8 path").to_owned())
        .filter(|path| path.ends_with(".yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn the_shipped_cases_pass() {
    let home = Home::new("");
    home.write_content(&content());
    let files = case_files();
    assert!(!files.is_empty());
    let mut command = home.command(&["rules", "test", "-content"]);
    command.arg(home.file("content.yaml")).arg("-config").arg(home.file("config.yaml"));
    let said = sensor_tests::Said::of(command.arg("-rules").arg(home.file("rules.yaml")).args(&files));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains(" cases, 0 failed"), "{}", said.stdout);
}

#[test]
fn a_case_that_fails_is_named() {
    let home = Home::new("");
    home.write_content(&content());
    home.write("cases.yaml", "- {policy: Alert Tester, expect: match, event: {programName: /bin/true}}\n");
    let mut command = home.command(&["rules", "test", "-content"]);
    command.arg(home.file("content.yaml")).arg("-config").arg(home.file("config.yaml"));
    let said = sensor_tests::Said::of(command.arg("-rules").arg(home.file("rules.yaml")).arg(home.file("cases.yaml")));
    assert_eq!(said.code, Some(1), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("cases.yaml:1") && said.stdout.contains("1 failed"), "{}", said.stdout);
}

/// A sensor with the shipped policies, and one more that tells when this mark was run.
fn with_content(mark: &Mark) -> Sensor {
    let home = Home::new(&mark.config());
    home.write_content(&content());
    Sensor::start_in(&std::sync::Arc::new(home))
}

/// The alerts about what this process started, of a priority that wakes somebody.
fn high_alerts(sensor: &Sensor, commands: &[u32]) -> Vec<Value> {
    let is_one = |process: &Value| commands.iter().any(|pid| process["pid"] == *pid);
    let own = |alert: &Value| {
        let lineage = alert["lineage"].as_array().expect("a lineage");
        is_one(&alert["process_info"]) || lineage.iter().any(is_one)
    };
    let mut alerts = sensor.alerts();
    alerts.retain(|alert| own(alert) && alert["priority"] == "High" && alert["strategy_name"] != "Marked Program");
    alerts
}

/// Waits until everything before was worked off: the alert about a marked program comes after it.
fn settle(sensor: &Sensor, mark: &Mark) {
    let pid = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    assert!(!sensor.alerts_about(pid, 1).is_empty());
}

#[test]
fn an_attack_under_the_shipped_policies_is_seen() {
    let mark = Mark::new("attack");
    let sensor = with_content(&mark);
    let memfd = sensor.finish(Command::new(programs::act()).args(["memfd", "payload"]).arg(programs::tiny()).arg("x"));
    settle(&sensor, &mark);
    let names: Vec<Value> = high_alerts(&sensor, &[memfd]).iter().map(|alert| alert["strategy_name"].clone()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn installing_a_package_raises_no_high_alert() {
    let mark = Mark::new("apt");
    let sensor = with_content(&mark);
    let mut commands = Vec::new();
    let mut run = |command: &mut Command| {
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        commands.push(child.id());
        child.wait().is_ok_and(|status| status.success())
    };
    let install = ["install", "--reinstall", "--yes", "--no-install-recommends", "hostname"];
    if !run(Command::new("apt-get").args(install)) {
        // Lists may be missing on a fresh machine; without a network nothing can be installed.
        let updated = run(Command::new("apt-get").arg("update"));
        if !updated || !run(Command::new("apt-get").args(install)) {
            eprintln!("not run: apt-get cannot install a package here");
            return;
        }
    }
    settle(&sensor, &mark);
    assert_eq!(high_alerts(&sensor, &commands), Vec::<Value>::new());
}

#[test]
fn building_a_program_raises_no_high_alert() {
    let mark = Mark::new("cargo");
    let sensor = with_content(&mark);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"small\"\nedition = \"2024\"\n[workspace]\n").unwrap();
    // With a build script: programs out of a folder that was just written.
    fs::write(dir.path().join("build.rs"), "fn main() { println!(\"cargo::rustc-cfg=built\"); }\n").unwrap();
    fs::write(dir.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut commands = Vec::new();
    for command in ["build", "run"] {
        let mut cargo = Command::new(&cargo);
        cargo.args([command, "--quiet", "--offline"]).current_dir(dir.path()).env_remove("CARGO_TARGET_DIR");
        let mut child = cargo.spawn().unwrap();
        commands.push(child.id());
        assert!(child.wait().unwrap().success());
    }
    settle(&sensor, &mark);
    assert_eq!(high_alerts(&sensor, &commands), Vec::<Value>::new());
}
