//! Files that are made, and opened to be changed, are told with the path that the kernel found, whichever way they were opened.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use sensor_tests::hooks::{
    alone, assert_accounted, assert_attached_while_asked_for, assert_flood_costs_others_nothing, hook,
};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const POLICY: &str = "Marked File";

/// A sensor that records what is done to files in folders of this mark, and alerts on it.
fn sensor(mark: &Mark) -> Sensor {
    Sensor::start(&config(mark, &table(mark)))
}

fn config(mark: &Mark, table: &str) -> String {
    let word = mark.word();
    format!(
        r#"
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
investigations:
  reporting_interval: 200ms
  sinks:
    - {{backend: file, name: "@HOME@/rows.jsonl"}}
  flight_recorder:
    enabled: true
    tables:
      - name: process_events
        filter: ['match {rule}', default ignore]
      - name: lost_records
{table}
{POLICY}:
  policy: fileMonitor
  rules:
    - 'match filePath == "*/{word}*"'
    - default ignore
"#,
        rule = mark.rule(),
    )
}

fn table(mark: &Mark) -> String {
    format!("      - name: file_events\n        filter: ['match filePath == \"*/{}*\"', default ignore]", mark.word())
}

fn rows_of(sensor: &Sensor, pid: u32) -> Vec<Value> {
    let is_one = |row: &Value| row["pid"] == pid;
    sensor.home().rows("file_events").into_iter().filter(is_one).collect()
}

/// Runs `act file` in this way, and waits until this many rows tell of it.
fn told(sensor: &Sensor, way: &str, path: &Path, count: usize) -> (u32, Vec<Value>) {
    let pid = sensor.finish(Command::new(programs::act()).args(["file", way]).arg(path));
    let rows = sensor.until(way, || Some(rows_of(sensor, pid)).filter(|rows| rows.len() >= count));
    (pid, rows)
}

#[test]
fn a_file_is_told_whichever_way_it_is_opened() {
    let _alone = alone();
    let mark = Mark::new("files");
    let sensor = sensor(&mark);
    let home = sensor.home();
    let folder = home.file(mark.word());
    fs::create_dir(&folder).unwrap();
    for way in [
        "open",
        "made-to-read",
        "creat",
        "openat",
        "openat2",
        "compat",
        "root",
        "thread",
        "link",
        "chroot",
        "namespace",
    ] {
        let path = folder.join(way);
        let (pid, rows) = told(&sensor, way, &path, 1);
        let made =
            rows.iter().find(|row| row["event_type"] == "FILE_EVENT_TYPE_CREATE" && row["file_type"] == "regular");
        let row = made.unwrap_or_else(|| panic!("{way}: {rows:#?}"));
        let file = fs::metadata(&path).unwrap();
        let of_host = way != "namespace";
        for (column, value) in [
            ("file_path", json!(path)),
            ("file_inode", json!(file.ino())),
            ("file_device", json!(file.dev())),
            ("new_mode", json!(file.mode())),
            ("new_owner", json!(0)),
            ("is_file_host_mounts", json!(of_host)),
            ("is_file_user_mounts", json!(false)),
            ("path", json!(programs::act().canonicalize().unwrap())),
            ("uid", json!(0)),
            ("file_error", Value::Null),
        ] {
            assert_eq!(row[column], value, "{way}: {column} of {row:#}");
        }
        let alerts = sensor.until(way, || {
            let is_one = |alert: &Value| alert["strategy_name"] == POLICY && alert["process_info"]["pid"] == pid;
            Some(sensor.alerts().into_iter().filter(is_one).collect::<Vec<_>>()).filter(|alerts| !alerts.is_empty())
        });
        assert!(alerts.iter().any(|alert| alert["notifications"][0]["message_fields"]["file_path"] == json!(path)));
    }
    // What is there already is opened to be changed.
    for way in ["append", "both", "truncate", "descriptor"] {
        let path = folder.join("open");
        let (_, rows) = told(&sensor, way, &path, 1);
        let told: Vec<_> = rows.iter().map(|row| (&row["event_type"], &row["file_path"])).collect();
        assert_eq!(told, [(&json!("FILE_EVENT_TYPE_OPEN_FOR_MODIFY"), &json!(path))], "{way}");
    }
    // And who only reads it changes nothing: what comes after is there.
    let path = folder.join("open");
    let reader = sensor.finish(Command::new(programs::act()).args(["file", "read"]).arg(&path));
    told(&sensor, "append", &path, 1);
    assert_eq!(rows_of(&sensor, reader), [Value::Null; 0]);
    let status = sensor.status();
    for hook in status["hooks"].as_array().expect("hooks") {
        let count = |name: &str| hook[name].as_u64().unwrap_or_default();
        let ends = ["submitted", "ring_full", "over_budget", "filtered", "failed"];
        assert_eq!(count("seen"), ends.into_iter().map(count).sum::<u64>(), "{hook:#}");
    }
}

#[test]
fn a_mount_of_a_part_has_the_path_that_it_was_opened_by() {
    let _alone = alone();
    let mark = Mark::new("bind");
    let sensor = sensor(&mark);
    let home = sensor.home();
    let [real, other] = ["real", "other"].map(|name| home.file(&format!("{}-{name}", mark.word())));
    fs::create_dir(&real).unwrap();
    fs::create_dir(&other).unwrap();
    let script = format!(
        "mount --bind {real} {other} && echo >{other}/by-mount",
        real = real.display(),
        other = other.display()
    );
    let pid = sensor.finish(Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let rows = sensor.until("the file", || Some(rows_of(&sensor, pid)).filter(|rows| !rows.is_empty()));
    assert_eq!(rows[0]["file_path"], json!(other.join("by-mount")), "{rows:#?}");
    assert_eq!(rows[0]["file_inode"], json!(fs::metadata(real.join("by-mount")).unwrap().ino()));
}

#[test]
fn nothing_is_attached_for_it_until_somebody_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked-files");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["file"]);
}

/// Beyond the budget what is done to files is counted as lost, and processes are told as if there were none of it.
#[test]
fn a_flood_of_it_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood-of-files");
    // A policy asks, and none of it is anything to it.
    let sensor = Sensor::start(&config(&mark, "").replace("match filePath ==", "match fileError == 5 and filePath =="));
    let path = sensor.home().file(mark.word());
    fs::write(&path, "").unwrap();
    let flooding =
        sensor.finish(Command::new(programs::act()).args(["file", "flood"]).arg(&path).arg("400000").arg(mark.word()));
    assert_flood_costs_others_nothing(&sensor, &mark, flooding, "file");
}

fn alerts_of(sensor: &Sensor, policy: &str, pid: u32) -> Vec<Value> {
    let is_one = |alert: &Value| alert["strategy_name"] == policy && alert["process_info"]["pid"] == pid;
    sensor.alerts().into_iter().filter(is_one).collect()
}

/// Nobody asks for all files: what happens to those that no rule can match is not told at all, and what is read is told of those
/// that a policy names.
#[test]
fn what_no_rule_can_match_ends_in_the_kernel() {
    let _alone = alone();
    let mark = Mark::new("watched");
    let word = mark.word();
    let reads = format!(
        "Watched Read:\n  policy: file\n  rules: ['match filePath == \"*/{word}/*\" and fileType == \"regular\"', default ignore]"
    );
    let config = config(&mark, "").replace(&format!("*/{word}*\"'"), &format!("*/{word}/*\"'"));
    let sensor = Sensor::start(&format!("{config}{reads}\n"));
    let home = sensor.home();
    let folder = home.file(word);
    fs::create_dir(&folder).unwrap();
    let (watched, other) = (folder.join("some-file"), home.file("another-file"));
    fs::write(&other, "").unwrap();
    let act = |way: &str, path: &Path, more: &[&str]| {
        sensor.finish(Command::new(programs::act()).args(["file", way]).arg(path).args(more))
    };
    let count = |name: &str| {
        let status = sensor.status();
        let hooks = status["hooks"].as_array().expect("hooks");
        let hook = hooks.iter().find(|hook| hook["name"] == "file" && hook["attached"] == true).expect("a hook");
        hook[name].as_u64().unwrap_or_default()
    };
    let before = count("filtered");
    let unseen = act("flood", &other, &["20000"]);
    let unread = act("read", &other, &[]);
    let opened = act("open", &watched, &[]);
    let read = act("read", &watched, &[]);
    let until = |policy: &str, pid: u32| {
        sensor.until(policy, || Some(alerts_of(&sensor, policy, pid)).filter(|alerts| !alerts.is_empty()))
    };
    for (policy, pid) in [(POLICY, opened), ("Watched Read", read)] {
        let alerts = until(policy, pid);
        assert_eq!(alerts.len(), 1, "{alerts:#?}");
        assert_eq!(alerts[0]["notifications"][0]["message_fields"]["file_path"], json!(watched));
    }
    assert!(alerts_of(&sensor, POLICY, unseen).is_empty() && alerts_of(&sensor, "Watched Read", unread).is_empty());
    assert!(count("filtered") - before >= 20_000, "{} before, {} after", before, count("filtered"));
    assert!(count("submitted") < 10_000, "{}", count("submitted"));
    // From now on a rule can match any.
    sensor.write_config(&config.replace(&format!("filePath == \"*/{word}/*\""), "filePath == \"*another-f*\""));
    let said = sensor.reload();
    assert!(said.code == Some(0), "{said:?}");
    let seen = act("append", &other, &[]);
    assert_eq!(until(POLICY, seen).len(), 1);
}

/// What a row says that is the same on every rung.
fn essence(row: &Value) -> Value {
    let event = row["event_type"].as_str().unwrap_or_default().trim_start_matches("FILE_EVENT_TYPE_");
    json!([event, row["file_path"], row["target_path"], row["file_type"], row["attribute"], row["attribute_name"]])
}

/// Runs `act change` in each of these ways, one after the other, and holds against it what is told.
#[track_caller]
fn assert_changes(sensor: &Sensor, run: impl Fn(&[&std::ffi::OsStr]) -> Command, ways: &[(&str, [&Path; 2], Value)]) {
    for (way, [path, other], expected) in ways {
        let pid = sensor.finish(&mut run(&["change".as_ref(), way.as_ref(), path.as_os_str(), other.as_os_str()]));
        let count = expected.as_array().expect("a list").len();
        let rows = sensor.until(way, || Some(rows_of(sensor, pid)).filter(|rows| rows.len() >= count));
        assert_eq!(json!(rows.iter().map(essence).collect::<Vec<_>>()), *expected, "{way}: {rows:#?}");
    }
}

/// On the file system of this folder.
fn every_change_is_told_in(sensor: &Sensor, folder: &Path, run: impl Fn(&[&std::ffi::OsStr]) -> Command) {
    // Where no function is asked, an overlay tells neither what its symbolic links hold nor what else is linked.
    let is_blind = folder.ends_with("merged") && hook(sensor, "file")["rung"] != 1;
    let held = if is_blind { Value::Null } else { json!("../elsewhere") };
    let [a, b, c, sub] = ["a", "b", "c", "sub"].map(|name| folder.join(name));
    let (pipe, socket, link) = (folder.join("pipe"), folder.join("socket"), folder.join("link"));
    let in_sub = sub.join("deeper");
    for file in [&a, &b] {
        fs::write(file, "").unwrap();
    }
    let none = Value::Null;
    let did = |what: &str, path: &Path, target: &Path| json!([what, path, target, "regular", none, none]);
    let linked = |path: &Path, target: &Path| if is_blind { json!([]) } else { json!([did("LINK", path, target)]) };
    let made = |path: &Path, is: &str| json!([["CREATE", path, none, is, none, none]]);
    let gone = |path: &Path, is: &str| json!([["DELETE", path, none, is, none, none]]);
    let has = |path: &Path, attribute: &str| json!([["ATTRIBUTE_CHANGE", path, none, "regular", attribute, none]]);
    let xattr = |attribute: &str| json!([["ATTRIBUTE_CHANGE", a, none, "regular", attribute, "user.marked"]]);
    let resized = json!(["MODIFY", a, none, "regular", none, none]);
    let opened = json!(["OPEN_FOR_MODIFY", a, none, "regular", none, none]);
    assert_changes(
        sensor,
        run,
        &[
            ("mkdir", [&sub, &sub], made(&sub, "directory")),
            ("rename", [&b, &c], json!([did("RENAME", &b, &c)])),
            ("renameat", [&c, &in_sub], json!([did("RENAME", &c, &in_sub)])),
            ("renameat2", [&in_sub, &b], json!([did("RENAME", &in_sub, &b)])),
            ("exchange", [&a, &b], json!([did("RENAME", &a, &b)])),
            ("link", [&a, &c], linked(&a, &c)),
            // Of two names of one file in one folder the right one.
            ("unlink", [&a, &a], gone(&a, "regular")),
            ("linkat", [&c, &a], linked(&c, &a)),
            ("unlinkat", [&c, &c], gone(&c, "regular")),
            ("symlink", [&link, &link], json!([["CREATE", link, held, "symlink", none, none]])),
            ("unlink", [&link, &link], gone(&link, "symlink")),
            ("mknod", [&pipe, &pipe], made(&pipe, "fifo")),
            ("unlink", [&pipe, &pipe], gone(&pipe, "fifo")),
            ("bind", [&socket, &socket], made(&socket, "socket")),
            ("unlink", [&socket, &socket], gone(&socket, "socket")),
            ("chmod", [&a, &a], has(&a, "mode")),
            ("fchmod", [&a, &a], has(&a, "mode")),
            ("fchmodat", [&a, &a], has(&a, "mode")),
            ("chown", [&a, &a], has(&a, "owner")),
            ("fchownat", [&a, &a], has(&a, "owner")),
            ("utimensat", [&a, &a], has(&a, "times")),
            ("futimens", [&a, &a], has(&a, "times")),
            ("setxattr", [&a, &a], xattr("xattr")),
            ("removexattr", [&a, &a], xattr("xattr_removed")),
            ("truncate", [&a, &a], json!([resized])),
            ("ftruncate", [&a, &a], json!([opened, resized])),
            // Over one that is there.
            ("rename", [&a, &b], json!([did("RENAME", &a, &b)])),
            ("rmdir", [&sub, &sub], gone(&sub, "directory")),
            ("mkdirat", [&sub, &sub], made(&sub, "directory")),
        ],
    );
}

fn run_here(words: &[&std::ffi::OsStr]) -> Command {
    let mut command = Command::new(programs::act());
    command.args(words);
    command
}

#[test]
fn whatever_is_done_to_a_file_is_told() {
    let _alone = alone();
    let mark = Mark::new("changes");
    let sensor = sensor(&mark);
    let folder = sensor.home().file(mark.word());
    fs::create_dir(&folder).unwrap();
    every_change_is_told_in(&sensor, &folder, run_here);
    // The file system that is in memory alone.
    let memory = Path::new("/dev/shm").join(mark.word());
    fs::create_dir(&memory).unwrap();
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        every_change_is_told_in(&sensor, &memory, run_here);
    }));
    fs::remove_dir_all(&memory).unwrap();
    told.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert_accounted(&hook(&sensor, "file"));
}

/// What is done to an overlay is told of the overlay, and nothing of its layers.
#[test]
fn whatever_is_done_in_an_overlay_is_told_of_the_overlay() {
    let _alone = alone();
    let mark = Mark::new("overlay-of-files");
    let sensor = sensor(&mark);
    let folder = sensor.home().file(mark.word());
    let [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map(|name| folder.join(name));
    for part in [&lower, &upper, &work, &merged] {
        fs::create_dir_all(part).unwrap();
    }
    fs::write(lower.join("low"), "").unwrap();
    let overlay = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    let mount = |words: &[&str]| {
        let done = Command::new(words[0]).args(&words[1..]).arg(&merged).status().unwrap();
        assert!(done.success(), "{words:?}: {done}");
    };
    mount(&["mount", "-t", "overlay", "overlay", "-o", &overlay]);
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        every_change_is_told_in(&sensor, &merged, run_here);
        let low = merged.join("low");
        let gone = json!([["DELETE", low, null, "regular", null, null]]);
        assert_changes(&sensor, run_here, &[("unlink", [&low, &low], gone)]);
    }));
    mount(&["umount", "-l"]);
    told.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// What programs of every day do of it, wherever they stand.
#[test]
fn files_are_told_by_the_path_that_they_have() {
    let _alone = alone();
    let mark = Mark::new("places-of-files");
    let sensor = sensor(&mark);
    let home = sensor.home();
    let folder = home.file(mark.word());
    // Longer than any buffer for one name, and deeper than a walk of one round.
    let deep = (0..150).fold(folder.clone(), |path, level| path.join(format!("folder-number-{level}")));
    fs::create_dir_all(&deep).unwrap();
    let [a, b] = ["a", "b"].map(|name| folder.join(name));
    let none = Value::Null;
    let renamed = |from: &Path, to: &Path| json!([["RENAME", from, to, "regular", none, none]]);
    fs::write(&a, "").unwrap();
    assert_changes(&sensor, run_here, &[("chroot", [&a, &b], renamed(&a, &b))]);
    let below = deep.join("b");
    assert_changes(&sensor, run_here, &[("rename", [&b, &below], renamed(&b, &below))]);
    assert_changes(&sensor, run_here, &[("rename", [&below, &a], renamed(&below, &a))]);
    // In another mount namespace, by a mount of a part.
    let other = home.file(&format!("{}-other", mark.word()));
    fs::create_dir(&other).unwrap();
    let by_mount = |words: &[&std::ffi::OsStr]| {
        let script = format!(
            "mount --bind '{}' '{}' && cd '{}' && shift && exec '{}' change \"$@\"",
            folder.display(),
            other.display(),
            other.display(),
            programs::act().display()
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, "sh"]).args(words);
        command
    };
    let pid = sensor.finish(&mut by_mount(&["change", "rename", "a", "b"].map(std::ffi::OsStr::new)));
    let rows = sensor.until("by a mount", || Some(rows_of(&sensor, pid)).filter(|rows| !rows.is_empty()));
    assert_eq!(json!(rows.iter().map(essence).collect::<Vec<_>>()), renamed(&other.join("a"), &other.join("b")));
    assert_eq!(rows[0]["is_file_host_mounts"], false, "{rows:#?}");

    let told = |program: &str, words: &[&str], last: &str| {
        let pid = sensor.finish(Command::new(program).args(words).current_dir(&folder));
        let is_last = |rows: &Vec<Value>| {
            rows.last().is_some_and(|row| row["event_type"] == json!(format!("FILE_EVENT_TYPE_{last}")))
        };
        sensor.until(program, || Some(rows_of(&sensor, pid)).filter(is_last))
    };
    fs::write(folder.join("link"), "").unwrap();
    let rows = told("ln", &["-sf", "nowhere", "link"], "RENAME");
    assert_eq!(rows.last().unwrap()["target_path"], json!(folder.join("link")), "{rows:#?}");
    // It has many names on the way, each the next one's old one.
    let rows = told("shred", &["-u", "b"], "DELETE");
    let mut name = json!(folder.join("b"));
    for row in rows.iter().filter(|row| row["event_type"] == "FILE_EVENT_TYPE_RENAME") {
        assert_eq!(row["file_path"], name, "{rows:#?}");
        name = row["target_path"].clone();
    }
    assert_eq!(rows.last().unwrap()["file_path"], name, "{rows:#?}");
    assert_ne!(name, json!(folder.join("b")));
    // A file without a name gets one.
    let made = folder.join("made");
    let pid = sensor.finish(&mut run_here(&["change".as_ref(), "tmpfile".as_ref(), made.as_os_str()]));
    let is_link = |row: &&Value| row["event_type"] == "FILE_EVENT_TYPE_LINK";
    sensor.until("a link", || {
        rows_of(&sensor, pid).iter().find(is_link).filter(|row| row["target_path"] == json!(made)).cloned()
    });
    // And a reader can empty it.
    let pid = sensor.finish(&mut run_here(&["file".as_ref(), "empty".as_ref(), made.as_os_str()]));
    let rows = sensor.until("emptied", || Some(rows_of(&sensor, pid)).filter(|rows| !rows.is_empty()));
    assert_eq!(
        (&rows[0]["event_type"], &rows[0]["file_path"]),
        (&json!("FILE_EVENT_TYPE_OPEN_FOR_MODIFY"), &json!(made))
    );
}
