//! A disk without room, a folder without rights: alerts stay in memory, and all goes on when there is room.

use std::fs;
use std::process::Command;

use super::*;

const FOLDER: &str = "SPOOL_TEST_FULL_FOLDER";

/// Runs in a mount namespace of its own, on a small file system.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let disk = Path::new(&folder);
    let folder = disk.join("spool");
    let limits = Limits { memory_bytes: 100 * item::cost(2000), ..Limits::default() };
    let (spool, report) = Spool::open(&folder, limits);
    assert_eq!(report.trouble, None);

    let mut stored = 0;
    let error = loop {
        match spool.append(vec![alert(stored, 2000)]) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(stored > 300, "only {stored} items fit");
    assert!(error.reason.contains("full") && error.held == 1, "{error}");
    for number in stored + 1..stored + 20 {
        assert_eq!(spool.append(vec![alert(number, 2000)]).unwrap_err().held, 1);
    }
    assert_eq!(spool.append(vec![telemetry(9999, 10)]).unwrap_err().given_up, 1);
    assert_eq!(spool.stats().memory.items, 20);
    assert!(spool.stats().trouble.is_some());

    // What is stored is handed out although the disk is full, and confirmed items do leave it.
    fill(&disk.join("ballast"));
    let items = spool.next(50, usize::MAX);
    assert_eq!(numbers(&items), (0..50).collect::<Vec<_>>());
    spool.confirm(&ids(&items));
    assert_eq!(number(&spool.next(1, 0)[0]), 50);
    assert_eq!(spool.stats().disk[0].items, u64::from(stored) - 50);

    // The freed room takes what was in memory, in order.
    spool.retry_now();
    assert_eq!((spool.stats().trouble, spool.stats().memory.items), (None, 0));

    // Killed on a full disk: a second process sees the same.
    fill(&disk.join("ballast2"));
    std::mem::forget(spool);
    let copy = disk.join("ballast");
    fs::remove_file(copy).unwrap();
    let (spool, _) = Spool::open(&folder, limits);
    // The first spool of this process still holds the store, as a killed one would not.
    assert!(spool.stats().trouble.is_some());
}

/// Writes until nothing fits any more.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).unwrap();
    for size in [65_536, 4096, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

/// Opening on a disk that is full from the start.
#[test]
#[ignore = "started by the test below"]
fn child_full_from_the_start() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let disk = Path::new(&folder);
    fill(&disk.join("ballast"));
    let (spool, _) = Spool::open(&disk.join("spool"), Limits::default());
    assert_eq!(spool.append(vec![alert(1, 2000), alert(2, 2000)]).unwrap_err().held, 2);
    let items = spool.next(1, usize::MAX);
    assert_eq!(numbers(&items), [1]);
    spool.confirm(&ids(&items));
    fs::remove_file(disk.join("ballast")).unwrap();
    spool.retry_now();
    assert_eq!(spool.stats().trouble, None);
    drop(spool);
    assert_eq!(drain(&super::open(&disk.join("spool"))), [2]);
}

/// A file system that turns read-only, as one with errors does.
#[test]
#[ignore = "started by the test below"]
fn child_read_only() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let remount = |options: &str| {
        let status = Command::new("mount").args(["-o", options]).arg(&folder).status().unwrap();
        assert!(status.success());
    };
    let path = Path::new(&folder).join("spool");
    super::open(&path).append((0..10).map(|number| alert(number, 100)).collect()).unwrap();
    remount("remount,ro");
    let (spool, report) = Spool::open(&path, Limits::default());
    let error = spool.append(vec![alert(10, 100)]).unwrap_err();
    assert_eq!(error.held, 1, "{error} {report:?}");
    assert!(spool.stats().trouble.is_some());
    remount("remount,rw");
    spool.retry_now();
    assert_eq!(spool.stats().trouble, None);
    assert_eq!(drain(&spool), (0..=10).collect::<Vec<_>>());
}

/// Runs a test of this file on a file system of 2 MiB of its own.
fn on_a_small_disk(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=2m none \"${FOLDER}\" && exec \"$0\" --exact \
         spool::tests::full_disk::{test} --ignored --nocapture --test-threads=1"
    );
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn a_disk_that_fills_up() {
    on_a_small_disk("child");
}

#[test]
fn a_disk_that_is_full_from_the_start() {
    on_a_small_disk("child_full_from_the_start");
}

#[test]
fn a_disk_that_turns_read_only() {
    on_a_small_disk("child_read_only");
}
