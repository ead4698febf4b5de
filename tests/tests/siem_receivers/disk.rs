//! Disks that are full, or cannot be written, and files that are moved before they are too large.

use std::fs;

use nix::mount::MsFlags;
use sensor_tests::{Central, Siem, Tmpfs, parse_lines};

use super::fill::{fill, ids};
use super::fine;

const CONFIG: [&str; 2] = ["-c", "config.yaml"];
const OUTPUTS: &str =
    "  - {type: file, path: \"@HOME@/log/items\"}\n  - {type: file, name: other, path: \"@HOME@/items\"}\n";

/// The ids in a file, whose lines are whole.
fn written(siem: &Siem, name: &str) -> Vec<String> {
    let bytes = fs::read(siem.file(name)).unwrap_or_default();
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{name} ends within a line");
    parse_lines(&bytes).iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_full_disk_of_an_output_costs_nothing_and_delays_no_other() {
    let central = Central::start();
    let siem = Siem::with_outputs(&central, OUTPUTS);
    let disk = Tmpfs::mount(&siem.file("log"), 8192);
    fill(&central, 0, 10);
    fine(&siem.run(&CONFIG));
    let filler = disk.fill();
    fill(&central, 10, 2500);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("output file: cannot write to") && said.stderr.contains("No space left"), "{said:?}");
    assert_eq!(written(&siem, "log/items"), ids(0, 10), "nothing of a page that did not fit");
    assert_eq!(written(&siem, "items"), ids(0, 2500));
    let status = siem.run(&["-c", "config.yaml", "status"]);
    assert_eq!(status.code, Some(69));
    assert!(status.stdout.contains("No space left"), "{}", status.stdout);
    fs::remove_file(filler).expect("it is there");
    fine(&siem.run(&CONFIG));
    assert_eq!(written(&siem, "log/items"), ids(0, 2500));

    // A disk that may be read alone.
    fill(&central, 2500, 2510);
    disk.remount(MsFlags::MS_RDONLY);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("Read-only file system"), "{}", said.stderr);
    assert_eq!(siem.run(&["-c", "config.yaml", "check"]).code, Some(1));
    disk.remount(MsFlags::empty());
    fine(&siem.run(&CONFIG));
    assert_eq!(written(&siem, "log/items"), ids(0, 2510), "each once and in order");
    assert_eq!(written(&siem, "items"), ids(0, 2510));
}

#[test]
fn a_full_disk_of_the_state_costs_nothing_and_doubles_nothing() {
    let central = Central::start();
    let siem = Siem::with_outputs(&central, OUTPUTS);
    let disk = Tmpfs::mount(&siem.file("state"), 1024);
    fill(&central, 0, 10);
    fine(&siem.run(&CONFIG));
    fill(&central, 10, 2500);
    let filler = disk.fill();
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("own.jsonl: cannot be written: No space left"), "{}", said.stderr);
    fs::remove_file(filler).expect("it is there");
    fine(&siem.run(&CONFIG));
    for name in ["log/items", "items"] {
        assert_eq!(written(&siem, name), ids(0, 2500), "{name}: each once and in order");
    }
    fill(&central, 2500, 2510);
    disk.remount(MsFlags::MS_RDONLY);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("Read-only file system"), "{}", said.stderr);
    disk.remount(MsFlags::empty());
    fine(&siem.run(&CONFIG));
    for name in ["log/items", "items"] {
        assert_eq!(written(&siem, name), ids(0, 2510), "{name}");
    }
}

#[test]
fn files_that_are_moved_have_each_item_once_through_kills() {
    let central = Central::start();
    let output = "  - {type: file, path: \"@HOME@/log/items\", max_size: 10000}\n";
    let siem = Siem::with_outputs(&central, output);
    fill(&central, 0, 10);
    fine(&siem.run(&CONFIG));
    fill(&central, 10, 20);
    let before = siem.files();
    let mut killed = 0;
    let all = || [written(&siem, "log/items.1"), written(&siem, "log/items")].concat();
    while siem.run_killed(&CONFIG, killed + 1) {
        killed += 1;
        fine(&siem.run(&CONFIG));
        assert_eq!(all(), ids(0, 20), "killed before its call {killed}");
        assert_eq!(fs::read_dir(siem.file("log")).expect("the folder").count(), 2, "it was moved once");
        // The file is the same one again.
        fs::rename(siem.file("log/items.1"), siem.file("log/items")).expect("it was moved");
        siem.put_back(&before);
    }
    assert!(killed > 5, "{killed} kills");
    assert_eq!(all(), ids(0, 20));
}
