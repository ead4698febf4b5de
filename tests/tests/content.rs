//! The shipped policies: their own cases, and that everyday work does not set them off.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sensor_tests::{Home, Mark, Sensor, programs};
use serde_json::Value;

/// Whoever else installs something just now is waited for.
const WAIT: &str = "-oDPkg::Lock::Timeout=300";

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

/// What packages' scripts do when they are installed and removed.
const AFTER_INSTALL: &str = "#!/bin/sh
set -e
getent passwd root >/dev/null
install -d -m 750 -o root -g adm /var/log/PACKAGE
touch /var/log/PACKAGE/log && chown root:adm /var/log/PACKAGE/log && chmod 640 /var/log/PACKAGE/log
update-alternatives --quiet --install /usr/bin/PACKAGE-tool PACKAGE-tool /usr/bin/PACKAGE 10
ldconfig
";
const AFTER_REMOVAL: &str = "#!/bin/sh
set -e
update-alternatives --quiet --remove PACKAGE-tool /usr/bin/PACKAGE
rm -rf /var/log/PACKAGE
";

#[test]
fn installing_a_package_raises_no_high_alert() {
    let mark = Mark::new("apt");
    let sensor = with_content(&mark);
    let mut commands = Vec::new();
    let mut run = |command: &mut Command| {
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        commands.push(child.id());
        child.wait().unwrap().success()
    };
    // One of its own, as the network may not be there.
    let name = "sensor-test-package";
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("DEBIAN")).unwrap();
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    let control = format!(
        "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: x\n"
    );
    fs::write(root.join("DEBIAN/control"), control).unwrap();
    let program = |path: &str, text: &str| {
        fs::write(root.join(path), text.replace("PACKAGE", name)).unwrap();
        fs::set_permissions(root.join(path), Permissions::from_mode(0o755)).unwrap();
    };
    program("DEBIAN/postinst", AFTER_INSTALL);
    program("DEBIAN/prerm", AFTER_REMOVAL);
    program(&format!("usr/bin/{name}"), "#!/bin/sh\n");
    let package = folder.path().join("package.deb");
    assert!(run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&root).arg(&package)));
    let installed = run(Command::new("apt-get").args([WAIT, "install", "--yes", "-q"]).arg(&package));
    let removed = run(Command::new("apt-get").args([WAIT, "purge", "--yes", "-q", name]));
    assert!(installed && removed, "apt-get: installed {installed}, removed {removed}");
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
