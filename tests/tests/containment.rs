//! A process goes on in other namespaces, or changes the tree of mounts, by every call that can do that.

use std::process::Command;

use sensor_tests::hooks::{
    alone, assert_accounted, assert_attached_while_asked_for, assert_flood_is_counted, hook, told_of,
};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const NAMESPACES: &str = "Other Namespaces";
const MOUNTS: &str = "Other Mounts";

/// A sensor that alerts on whatever the marked processes do of it; but not on mounts that only make others private.
fn sensor(mark: &Mark) -> Sensor {
    let rule = mark.rule();
    Sensor::start(&mark.config_with(&format!(
        "{NAMESPACES}:\n  policy: namespace\n  rules:\n    - 'match {rule}'\n    - default ignore\n\
         {MOUNTS}:\n  policy: mount\n  rules:\n    - 'ignore mountTarget == \"/\"'\n    - 'match {rule}'\n    - default ignore\n"
    )))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.arg("contain").args(words).arg(mark.word());
    command
}

#[track_caller]
fn assert_told(way: &str, told: &Value, expected: &Value) {
    for (part, value) in expected.as_object().expect("a map") {
        assert_eq!(told.get(part).unwrap_or(&Value::Null), value, "{way}: {part} of {told:#}");
    }
}

#[test]
fn every_way_into_other_namespaces_is_told() {
    let _alone = alone();
    let mark = Mark::new("namespaces");
    let sensor = sensor(&mark);
    for (way, call, kinds, errno) in [
        ("unshare", "unshare", "ipc,uts", None),
        ("unshare-user", "unshare", "user", None),
        ("compat-unshare", "unshare", "uts", None),
        ("setns", "setns", "uts", None),
        ("setns-pidfd", "setns", "net,uts", None),
        ("setns-refused", "setns", "net", Some("1")),
        ("clone", "clone", "pid,uts", None),
    ] {
        let (pid, said) = sensor.finish_saying(&mut acts(&mark, &[way]));
        let told = sensor.until(way, || Some(told_of(&sensor, NAMESPACES, pid)).filter(|told| !told.is_empty()));
        assert_eq!(told.len(), 1, "{way}: {told:#?}");
        let child = Some(said.trim()).filter(|child| !child.is_empty());
        let expected =
            json!({"namespace_call": call, "namespace_kinds": kinds, "namespace_errno": errno, "child_pid": child});
        assert_told(way, &told[0], &expected);
    }
    // What is no namespace: those that come after are told.
    let pid = sensor.finish(&mut acts(&mark, &["unshare-files"]));
    let last = sensor.finish(&mut acts(&mark, &["unshare"]));
    sensor.until("the last", || told_of(&sensor, NAMESPACES, last).into_iter().next());
    assert_eq!(told_of(&sensor, NAMESPACES, pid), [Value::Null; 0]);
}

#[test]
fn every_change_of_mounts_is_told() {
    let _alone = alone();
    let mark = Mark::new("mounts");
    let sensor = sensor(&mark);
    let folder = sensor.file("mounts");
    let (at, other) = (folder.join("at"), folder.join("other"));
    for folder in [&at, &other] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    let [folder, at, other] = [folder, at, other].map(|path| path.display().to_string());
    let tmpfs = json!({"mount_call": "mount", "mount_source": "some-source", "mount_target": at, "mount_type": "tmpfs", "mount_flags": "2"});
    for (way, expected) in [
        ("mount", vec![tmpfs.clone()]),
        ("mount-refused", vec![json!({"mount_call": "mount", "mount_target": "/tmp", "mount_errno": "1"})]),
        (
            "bind",
            vec![json!({"mount_call": "mount", "mount_source": other, "mount_target": at, "mount_flags": "4096"})],
        ),
        ("umount", vec![tmpfs.clone(), json!({"mount_call": "umount", "mount_target": at, "mount_flags": "2"})]),
        (
            "move_mount",
            vec![
                tmpfs.clone(),
                json!({"mount_call": "move_mount", "mount_source": "some-source", "mount_target": other, "mount_type": "tmpfs"}),
            ],
        ),
        (
            "pivot_root",
            vec![tmpfs, json!({"mount_call": "pivot_root", "mount_source": at, "mount_target": format!("{at}/old")})],
        ),
        ("chroot", vec![json!({"mount_call": "chroot", "mount_target": at, "mount_errno": null})]),
    ] {
        let pid = sensor.finish(&mut acts(&mark, &[way, &folder]));
        let told =
            sensor.until(way, || Some(told_of(&sensor, MOUNTS, pid)).filter(|told| told.len() >= expected.len()));
        assert_eq!(told.len(), expected.len(), "{way}: {told:#?}");
        for (told, expected) in told.iter().zip(&expected) {
            assert_told(way, told, expected);
        }
    }
    assert_accounted(&hook(&sensor, "containment"));
}

#[test]
fn nothing_is_attached_for_it_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["containment"]);
}

/// Beyond the budget they are counted as lost, and processes are told as if there were none.
#[test]
fn a_flood_of_it_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood");
    let rule = mark.rule();
    let sensor = Sensor::start(&mark.config_with(&format!(
        "{NAMESPACES}:\n  policy: namespace\n  rules:\n    - 'match namespaceCall == \"clone\" and {rule}'\n    - default ignore\n"
    )));
    let flooding = sensor.finish(&mut acts(&mark, &["flood", "300000"]));
    assert_flood_is_counted(&sensor, &mark, flooding, "containment");
}
