//! Copies of the database: made under load, checked, put back, and what a kill in the middle of it leaves.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::program::{Central, alert, reply};

/// What this program brings databases to.
const VERSION: i64 = 12;

fn command(arguments: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sensor-central"));
    command.args(arguments).args(paths);
    command
}

fn run(arguments: &[&str], paths: &[&Path]) -> Output {
    command(arguments, paths).output().unwrap()
}

/// What it says if it goes well.
fn said(arguments: &[&str], paths: &[&Path]) -> String {
    let output = run(arguments, paths);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it says if it does not.
fn refused(arguments: &[&str], paths: &[&Path]) -> String {
    let output = run(arguments, paths);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn back_up(dir: &Path, to: &Path) -> String {
    said(&["backup", "--data-dir"], &[dir, to])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_under_load_has_all_that_was_confirmed_before_and_can_be_put_back() {
    let central = Arc::new(Central::start());
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy");
    let before: Vec<_> = (0..50).map(|_| alert()).collect();
    reply(central.send("before", &before).await).await;
    let busy = tokio::spawn({
        let central = Arc::clone(&central);
        async move {
            for number in 0.. {
                if central.post(sensor_proto::path::ALERTS, &number.to_string()).body(vec![]).send().await.is_err() {
                    break;
                }
                if number > 0 && central.send(&format!("a{number}"), &[alert()]).await.status() != 200 {
                    break;
                }
            }
        }
    });
    let (dir, to) = (central.dir.path().to_owned(), copy.clone());
    let told = tokio::task::spawn_blocking(move || back_up(&dir, &to)).await.unwrap();
    assert!(told.contains(&format!("version {VERSION}, ")), "{told}");
    busy.abort();
    let _ = busy.await;
    assert!(said(&["verify"], &[&copy]).starts_with(&format!("ok: version {VERSION}, ")));
    assert!(said(&["verify"], &[central.dir.path()]).starts_with(&format!("ok: version {VERSION}, ")));
    let again = refused(&["backup", "--data-dir"], &[central.dir.path(), &copy]);
    assert!(again.contains("is there already"), "{again}");
    // Not in the place of what is in use.
    let in_use = refused(&["restore", "--data-dir"], &[central.dir.path(), &copy]);
    assert!(in_use.contains("stop Central first"), "{in_use}");
    let after = alert();
    reply(central.send("after", std::slice::from_ref(&after)).await).await;
    let dir = Arc::into_inner(central).unwrap().kill();
    let told = said(&["restore", "--data-dir"], &[dir.path(), &copy]);
    let kept = dir.path().join("central.db.replaced-1");
    assert!(told.contains(kept.to_str().unwrap()), "{told}");
    let central = Central::start_in(Arc::clone(&dir), &[]);
    let there = central.uuids();
    assert!(before.iter().all(|alert| there.contains(&alert.uuid)) && !there.contains(&after.uuid));
    assert_eq!(central.send("next", &[alert()]).await.status(), 200);
    // What was replaced is whole, with what only its log had.
    central.kill();
    said(&["restore", "--data-dir"], &[dir.path(), &kept]);
    assert!(Central::start_in(dir, &[]).uuids().contains(&after.uuid));
}

#[test]
fn what_is_no_whole_copy_is_told_and_never_put_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let old = filled(dir.path(), 500);
    let whole = dir.path().join("whole");
    said(&["migrate", "--data-dir"], &[dir.path()]);
    back_up(dir.path(), &whole);
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bytes = std::fs::read(&whole).unwrap();
    let mut torn = bytes.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 20_000].fill(0x5a);
    let newer = file("newer", &bytes);
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for (path, why) in [
        (file("text", b"not a database at all, whatever its name says"), "not a database"),
        (file("empty", b""), "no version"),
        (file("short", &bytes[..bytes.len() / 2]), "not a whole database"),
        (file("torn", &torn), "not a whole database"),
        (newer, "newer than this program"),
        (dir.path().join("none"), "cannot open"),
    ] {
        let told = refused(&["verify"], &[&path]);
        assert!(told.contains(why), "{path:?}: {told}");
        let told = refused(&["restore", "--data-dir"], &[dir.path(), &path]);
        assert!(told.contains(why), "{path:?}: {told}");
    }
    assert_eq!(uuids(&dir.path().join("central.db")), old);
    // In the place of what is damaged itself.
    std::fs::write(dir.path().join("central.db"), "gone").unwrap();
    said(&["restore", "--data-dir"], &[dir.path(), &whole]);
    assert_eq!(uuids(&dir.path().join("central.db")), old);
}

#[test]
fn a_database_is_copied_before_it_is_brought_forward_and_can_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let old = filled(dir.path(), 100);
    assert!(said(&["migrate", "--data-dir"], &[dir.path()]).starts_with(&format!("version {VERSION}, 100 alerts")));
    let copy = dir.path().join("central.db.version-9");
    assert!(said(&["verify"], &[&copy]).starts_with("ok: version 9, 100 alerts"));
    said(&["restore", "--data-dir"], &[dir.path(), &copy]);
    let version = |name: &str| {
        let database = Connection::open(dir.path().join(name)).unwrap();
        database.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((version("central.db"), uuids(&dir.path().join("central.db"))), (9, old));
    std::fs::remove_file(&copy).unwrap();
    // Where there is no room for the copy, nothing is done but what is asked for.
    std::fs::create_dir(dir.path().join("central.db.version-9.part")).unwrap();
    let told = refused(&["migrate", "--data-dir"], &[dir.path()]);
    assert!(told.contains("migrate --without-backup"), "{told}");
    assert_eq!(version("central.db"), 9);
    said(&["migrate", "--without-backup", "--data-dir"], &[dir.path()]);
    assert_eq!(version("central.db"), VERSION);
    assert!(!copy.exists());
}

/// Runs a command and kills it as soon as a condition holds, if it has not ended by then.
fn killed_when(arguments: &[&str], paths: &[&Path], holds: impl Fn() -> bool) {
    let mut child = command(arguments, paths).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !holds() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Bytes of a file, 0 if there is none.
fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

#[test]
fn a_kill_amid_a_backup_leaves_no_file_that_looks_like_one() {
    let dir = tempfile::tempdir().unwrap();
    let old = filled(dir.path(), 20_000);
    said(&["migrate", "--data-dir"], &[dir.path()]);
    let copy = dir.path().join("copy");
    for least in [0, 1, 1 << 20, 8 << 20] {
        let part = with_ending(&copy, ".part");
        killed_when(&["backup", "--data-dir"], &[dir.path(), &copy], || part.exists() && size(&part) >= least);
        if copy.exists() {
            assert_eq!(uuids(&copy), old);
            std::fs::remove_file(&copy).unwrap();
        }
    }
    back_up(dir.path(), &copy);
    assert_eq!(uuids(&copy), old);
    // The same for the way back: what is there is the old or the new one, whole.
    let database = dir.path().join("central.db");
    for least in [0, 1, 1 << 20, 8 << 20] {
        let part = with_ending(&database, ".part");
        killed_when(&["restore", "--data-dir"], &[dir.path(), &copy], || part.exists() && size(&part) >= least);
        said(&["verify"], &[dir.path()]);
        assert_eq!(uuids(&database), old);
    }
}

#[test]
fn a_kill_amid_a_migration_leaves_the_old_version_or_the_new_one_and_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let old = filled(dir.path(), 20_000);
    let (copy, log) = (dir.path().join("central.db.version-9"), dir.path().join("central.db-wal"));
    let part = with_ending(&copy, ".part");
    type Moment<'a> = &'a dyn Fn() -> bool;
    let moments: [Moment<'_>; 5] =
        [&|| part.exists(), &|| size(&part) > 1 << 20, &|| copy.exists(), &|| copy.exists() && size(&log) > 0, &|| {
            copy.exists() && size(&log) > 1 << 16
        }];
    for moment in moments {
        killed_when(&["migrate", "--data-dir"], &[dir.path()], moment);
        let told = said(&["verify"], &[dir.path()]);
        assert!(
            told.starts_with("ok: version 9, 20000") || told.starts_with(&format!("ok: version {VERSION}, 20000")),
            "{told}"
        );
        if copy.exists() {
            assert!(said(&["verify"], &[&copy]).starts_with("ok: version 9, 20000 alerts"));
        }
    }
    assert!(said(&["migrate", "--data-dir"], &[dir.path()]).starts_with(&format!("version {VERSION}, 20000 alerts")));
    assert_eq!(uuids(&dir.path().join("central.db")), old);
    assert_eq!(uuids(&copy), old);
}

fn uuids(database: &Path) -> Vec<String> {
    let database = Connection::open(database).unwrap();
    let mut statement = database.prepare("SELECT uuid FROM alerts ORDER BY uuid").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Makes a database of version 9 with so many alerts, and returns their uuids.
fn filled(dir: &Path, alerts: usize) -> Vec<String> {
    let mut old = Connection::open(dir.join("central.db")).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    let transaction = old.transaction().unwrap();
    for step in [
        include_str!("../../src/store/schema/1.sql"),
        include_str!("../../src/store/schema/2.sql"),
        include_str!("../../src/store/schema/3.sql"),
        include_str!("../../src/store/schema/4.sql"),
        include_str!("../../src/store/schema/5.sql"),
        include_str!("../../src/store/schema/6.sql"),
        include_str!("../../src/store/schema/7.sql"),
        include_str!("../../src/store/schema/8.sql"),
        include_str!("../../src/store/schema/9.sql"),
    ] {
        transaction.execute_batch(step).unwrap();
    }
    let tenant = Uuid::new_v4().to_string();
    let json = format!("{{\"a\":\"{}\"}}", "x".repeat(800));
    for number in 0..i64::try_from(alerts).unwrap() {
        let uuid = Uuid::new_v4();
        let host = format!("h{}", number % 97);
        transaction
            .prepare_cached(
                "INSERT INTO alerts (tenant, uuid, sensor, received, time, priority, policy, host, json, public_id, raised)
                 VALUES (?, ?, 's', ?, 1, 'High', 'p', ?, ?, ?, ?)",
            )
            .unwrap()
            .execute(params![tenant, uuid.to_string(), number, host, json, uuid.as_bytes(), number])
            .unwrap();
    }
    transaction.pragma_update(None, "user_version", 9).unwrap();
    transaction.commit().unwrap();
    drop(old);
    uuids(&dir.join("central.db"))
}
