//! A process goes on with other ids or capabilities, by every call that can do that, and is told with what it had and what it has.

use std::process::{Command, Stdio};

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, assert_flood_is_counted, hook};
use sensor_tests::{Ended, Mark, Sensor, programs};
use serde_json::{Value, json};

const POLICY: &str = "Other Credentials";

/// A sensor that alerts on each change of the marked processes; ids that an alert does not tell have rules of their own.
fn sensor(mark: &Mark) -> Sensor {
    let rule = mark.rule();
    let ids = [("newSuid", "newEuid"), ("newSgid", "newEgid"), ("newFsuid", "newEuid"), ("newFsgid", "newEgid")];
    let ids = ids.map(|(id, other)| format!("    - 'match {id} == 1234 and {other} == 0 and {rule}'\n")).concat();
    Sensor::start(&mark.config_with(&format!(
        "{POLICY}:\n  policy: credentialChange\n  rules:\n{ids}    - 'match {rule}'\n    - default ignore\n"
    )))
}

fn changes_of(sensor: &Sensor, pid: u32) -> Vec<Value> {
    let is_one = |alert: &Value| alert["strategy_name"] == POLICY && alert["process_info"]["pid"] == pid;
    sensor.alerts().into_iter().filter(is_one).collect()
}

fn acts(mark: &Mark, way: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.arg("credentials").args(way).arg(mark.word());
    command
}

#[test]
fn every_call_is_told_with_what_was_and_what_is() {
    let _alone = alone();
    let mark = Mark::new("credentials");
    let sensor = sensor(&mark);
    let raw = |parts: &Value, side: &str| {
        let set: u64 = parts[side].as_str().and_then(|set| set.parse().ok()).expect("capabilities");
        set >> 13 & 1
    };
    for (way, call, expected) in [
        ("setuid", "setuid", json!({"old_uid": 0, "new_uid": 1234, "old_euid": 0, "new_euid": 1234})),
        ("setgid", "setgid", json!({"old_gid": 0, "new_gid": 1234, "old_egid": 0, "new_egid": 1234, "new_uid": 0})),
        ("setreuid", "setreuid", json!({"new_uid": 0, "new_euid": 1234})),
        ("setregid", "setregid", json!({"new_gid": 0, "new_egid": 1234})),
        ("setresuid", "setresuid", json!({"new_uid": 0, "new_euid": 0})),
        ("setresgid", "setresgid", json!({"new_gid": 0, "new_egid": 0})),
        ("setfsuid", "setfsuid", json!({"new_uid": 0, "new_euid": 0})),
        ("setfsgid", "setfsgid", json!({"new_gid": 0, "new_egid": 0})),
        ("capset", "capset", json!({"new_uid": 0})),
        ("prctl", "prctl", json!({"new_uid": 0})),
        ("compat", "setuid", json!({"old_uid": 0, "new_uid": 1234})),
        ("thread", "setuid", json!({"old_uid": 0, "new_uid": 1234})),
    ] {
        let matched = match way {
            "setresuid" => "match newSuid",
            "setresgid" => "match newSgid",
            "setfsuid" => "match newFsuid",
            "setfsgid" => "match newFsgid",
            _ => "match (",
        };
        let pid = sensor.finish(&mut acts(&mark, &[way]));
        let changes = sensor.until(way, || Some(changes_of(&sensor, pid)).filter(|changes| !changes.is_empty()));
        assert_eq!(changes.len(), 1, "{way}: {changes:#?}");
        let parts = &changes[0]["notifications"][0]["message_fields"];
        assert_eq!(
            (&parts["credential_call"], &parts["is_credential_change_legal"]),
            (&call.into(), &"true".into()),
            "{way}: {parts:#}"
        );
        let rule = changes[0]["matched_rule"].as_str().unwrap_or_default();
        assert!(rule.starts_with(matched), "{way}: {rule}");
        for (part, value) in expected.as_object().expect("a map") {
            assert_eq!(parts[part], value.to_string(), "{way}: {part} of {parts:#}");
        }
        if way == "capset" {
            assert_eq!((raw(parts, "old_cap_effective"), raw(parts, "new_cap_effective")), (1, 0), "{parts:#}");
        }
    }
    // Who goes into a user namespace of its own has all capabilities there.
    let pid = sensor.finish(&mut acts(&mark, &["unshare"]));
    let changes = sensor.until("unshare", || Some(changes_of(&sensor, pid)).filter(|changes| changes.len() >= 2));
    let parts = &changes[1]["notifications"][0]["message_fields"];
    assert_eq!((&parts["credential_call"], raw(parts, "new_cap_effective")), (&"unshare".into(), 1), "{parts:#}");
    // What changes nothing, and an exec, are none: the alerts of those that came before are there.
    let pid = sensor.finish(&mut acts(&mark, &["same"]));
    let last = sensor.finish(&mut acts(&mark, &["setuid"]));
    sensor.until("the last", || Some(changes_of(&sensor, last)).filter(|changes| !changes.is_empty()));
    assert_eq!(changes_of(&sensor, pid), [Value::Null; 0]);
    assert_accounted(&hook(&sensor, "credential_change"));
}

/// What a thread had is known however many others have made calls since it made one.
#[test]
fn a_change_is_told_however_many_threads_there_are() {
    let _alone = alone();
    let mark = Mark::new("threads");
    let sensor = sensor(&mark);
    let pid = sensor.finish(&mut acts(&mark, &["among-threads", "10000"]));
    sensor.until("the change", || changes_of(&sensor, pid).into_iter().next());
    assert_accounted(&hook(&sensor, "credential_change"));
}

#[test]
fn nothing_is_attached_for_it_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["credential_change"]);
}

/// Beyond the budget changes are counted as lost, and processes are told as if there were none.
#[test]
fn a_flood_of_changes_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood");
    let rule = mark.rule();
    let sensor = Sensor::start(&mark.config_with(&format!(
        "{POLICY}:\n  policy: credentialChange\n  rules:\n    - 'match newUid == 1 and {rule}'\n    - default ignore\n"
    )));
    let flooding = sensor.finish(&mut acts(&mark, &["flood", "300000"]));
    assert_flood_is_counted(&sensor, &mark, flooding, "credentials");
}

#[test]
fn a_flood_of_one_user_hides_no_change_of_another() {
    flood_hides_nothing(&["credentials", "user-namespaces", "1234", "100000000"]);
}

/// In a user namespace that 65,536 of them are mapped into.
#[test]
fn a_flood_of_the_ids_that_a_user_has_besides_hides_nothing() {
    flood_hides_nothing(&["many", "subordinate"]);
}

#[test]
fn a_flood_of_a_users_setuid_files_hides_nothing() {
    flood_hides_nothing(&["many", "setuid-file", "1234"]);
}

/// Who has no login can claim any.
#[test]
fn a_flood_of_claimed_logins_hides_nothing() {
    flood_hides_nothing(&["many", "claimed", "4321"]);
}

#[test]
fn a_flood_of_a_containers_root_hides_nothing() {
    flood_hides_nothing(&["many", "container"]);
}

#[test]
fn a_flood_of_a_containers_root_among_the_hosts_pids_hides_nothing() {
    flood_hides_nothing(&["many", "host-pids"]);
}

/// What `act` is told to repeat takes nothing of what is told of others, neither of the host's root nor of another user.
fn flood_hides_nothing(way: &[&str]) {
    const CHANGES: usize = 10;
    let _alone = alone();
    let mark = Mark::new("users");
    let sensor = sensor(&mark);
    let processors = std::thread::available_parallelism().unwrap().get();
    let mut floods: Vec<_> = (0..2 * processors)
        .map(|_| Ended(Command::new(programs::act()).args(way).stderr(Stdio::null()).spawn().unwrap()))
        .collect();
    sensor.until("a flood", || hook(&sensor, "credential_change")["over_budget"].as_u64().filter(|&over| over > 1000));
    let mut others = Vec::new();
    for _ in 0..CHANGES {
        others.push(sensor.finish(&mut acts(&mark, &["setgid"])));
        others.push(sensor.finish(&mut acts(&mark, &["user-namespaces", "4321", "0"])));
    }
    assert!(floods.iter_mut().all(|flood| flood.0.try_wait().unwrap().is_none()), "it has gone on all the while");
    drop(floods);
    for pid in others {
        sensor.until("the change of another", || changes_of(&sensor, pid).into_iter().next());
    }
    assert_accounted(&hook(&sensor, "credential_change"));
}
