//! What programs set up in the kernel: its settings, by every call that writes, and rings of `io_uring`.

use std::process::Command;

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const SETTING: &str = "Setting Written";
const RING: &str = "Ring Made";

fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    Sensor::start(&mark.config_with(&[policy(SETTING, "sysctl"), policy(RING, "ioUringSetup")].concat()))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.args(words).arg(mark.word());
    command
}

fn is_told(sensor: &Sensor, policy: &str, command: &mut Command) -> Value {
    let pid = sensor.finish_saying(command).0;
    let told = sensor.until(policy, || Some(told_of(sensor, policy, pid)).filter(|told| !told.is_empty()));
    assert_eq!(told.len(), 1, "{command:?}: {told:#?}");
    told[0].clone()
}

/// In a network namespace of its own, whose settings are nobody else's; a text is written as it is.
#[test]
fn settings_are_told_as_the_kernel_has_them() {
    const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
    const PATTERN: &str = "/proc/sys/kernel/core_pattern";
    let _alone = alone();
    let mark = Mark::new("settings");
    let sensor = sensor(&mark);
    let alone_in_network = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.arg("--net").arg(programs::act()).args(words).arg(mark.word());
        command
    };
    for way in ["write", "pwrite", "writev", "compat-write", "sendfile", "splice"] {
        let told = is_told(&sensor, SETTING, &mut alone_in_network(&["set", way, FORWARD, "1"]));
        let part = |name: &str| told.get(name).unwrap_or(&Value::Null);
        let parts = ["sysctl_name", "sysctl_value", "sysctl_errno"].map(part);
        assert_eq!(parts, [&json!("net.ipv4.ip_forward"), &json!("1"), &Value::Null], "{way}");
    }
    let told = is_told(&sensor, SETTING, &mut alone_in_network(&["set", "refused", FORWARD, "nonsense"]));
    assert_eq!(
        (&told["sysctl_name"], &told["sysctl_errno"]),
        (&json!("net.ipv4.ip_forward"), &json!("22")),
        "{told:#}"
    );
    assert_eq!(told.get("sysctl_value"), None, "{told:#}");

    let pattern = std::fs::read_to_string(PATTERN).expect("a pattern");
    let told = is_told(&sensor, SETTING, &mut acts(&mark, &["set", "write", PATTERN, pattern.trim_end()]));
    assert_eq!(told["sysctl_name"], "kernel.core_pattern");
    assert_eq!(told["sysctl_value"], pattern.trim_end());
    assert_accounted(&hook(&sensor, "sysctl"));
}

/// By another name, in a mount namespace of its own.
#[test]
fn a_setting_is_the_same_wherever_its_file_is() {
    let _alone = alone();
    let mark = Mark::new("elsewhere");
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("harmless");
    std::fs::write(&other, "").expect("a file");
    let sensor = sensor(&mark);
    let mut command = Command::new("unshare");
    command.args([
        "--net",
        "--mount",
        "sh",
        "-c",
        r#"mount --bind /proc/sys/net/ipv4/ip_forward "$1" && exec "$0" set write "$1" 1 "$2""#,
    ]);
    command.arg(programs::act()).arg(&other).arg(mark.word());
    let told = is_told(&sensor, SETTING, &mut command);
    assert_eq!((&told["sysctl_name"], &told["sysctl_value"]), (&json!("net.ipv4.ip_forward"), &json!("1")), "{told:#}");
}

#[test]
fn rings_are_told_by_what_they_are() {
    let _alone = alone();
    let mark = Mark::new("rings");
    let sensor = sensor(&mark);
    for (way, is_polled) in [("plain", "false"), ("polled", "true")] {
        let told = is_told(&sensor, RING, &mut acts(&mark, &["ring", way]));
        assert_eq!(
            (&told["io_uring_entries"], &told["is_io_uring_polled"]),
            (&json!("8"), &json!(is_polled)),
            "{told:#}"
        );
    }
    assert_accounted(&hook(&sensor, "io_uring_setup"));
}

#[test]
fn nothing_is_attached_for_either_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["sysctl", "io_uring_setup"]);
}
