//! The running sensor with a spool on a disk that fails it: full, not writable, damaged. It starts, goes on, tells, and
//! loses nothing that could be kept.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use std::sync::Arc;

use nix::mount::MsFlags;
use sensor_tests::delivery::{config, marked, mcs, run_marked, until_arrived, until_written, uuids};
use sensor_tests::{Central, Home, Mark, Sensor, Tmpfs};

#[test]
fn a_full_disk_delays_alerts_and_loses_none() {
    let mut central = Central::start();
    let mark = Mark::new("full");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    let disk = Tmpfs::mount(&home.file("state/spool"), 4096);
    central.stop();
    let sensor = Sensor::start_in(&home);
    run_marked(&sensor, &mark, 5);
    let output = |sensor: &Sensor| mcs(&sensor.status(), "outputs").clone();
    sensor.until("5 alerts on disk", || (output(&sensor)["spool"]["stored"] == 5).then_some(()));
    let filler = disk.fill();
    run_marked(&sensor, &mark, 5);
    sensor.until("alerts in memory", || {
        let output = output(&sensor);
        let full = output["spool"]["trouble"].as_str().is_some_and(|trouble| trouble.contains("full"));
        (full && output["queued"] == 10).then_some(())
    });
    let shown = sensor.ask(&["status"]).stdout;
    assert!(shown.contains("nothing goes to disk: the disk is full"), "{shown}");
    // They go out all the same.
    central.resume(&[]);
    sensor.write_config(&config(&central, &mark, "spool: {max_age: 100h}"));
    assert_eq!(sensor.reload().code, Some(0));
    until_arrived(&central, &until_written(&sensor, 10));
    sensor.until("an empty spool", || (output(&sensor)["queued"] == 0).then_some(()));
    // With room again, alerts go to disk again.
    fs::remove_file(filler).unwrap();
    run_marked(&sensor, &mark, 1);
    sensor.until("the end of the trouble", || output(&sensor)["spool"]["trouble"].is_null().then_some(()));
    until_arrived(&central, &until_written(&sensor, 11));
    assert_eq!(output(&sensor)["dropped"], 0);
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn a_folder_that_cannot_be_written_delays_no_alert() {
    let central = Central::start();
    let mark = Mark::new("readonly");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    let disk = Tmpfs::mount(&home.file("state/spool"), 4096);
    disk.remount(MsFlags::MS_RDONLY);
    let sensor = Sensor::start_in(&home);
    run_marked(&sensor, &mark, 3);
    until_arrived(&central, &until_written(&sensor, 3));
    let trouble = mcs(&sensor.status(), "outputs")["spool"]["trouble"].clone();
    assert!(trouble.as_str().is_some_and(|trouble| trouble.contains("ead-only")), "{trouble}");
    // Once it can be written, it is.
    disk.remount(MsFlags::empty());
    run_marked(&sensor, &mark, 1);
    sensor.until("the end of the trouble", || {
        mcs(&sensor.status(), "outputs")["spool"]["trouble"].is_null().then_some(())
    });
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn flipped_bits_cost_what_they_hit_and_are_told() {
    let mut central = Central::start();
    central.stop();
    let mark = Mark::new("bits");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    let store = home.file("state/spool/alerts/output-mcs%3Amcs/store/items.db");
    let mut wanted = 0;
    for round in 0..6_u64 {
        let sensor = Sensor::start_in(&home);
        run_marked(&sensor, &mark, 20);
        wanted += 20;
        sensor.until("20 alerts on disk", || {
            let status = sensor.status();
            (mcs(&status, "outputs")["spool"]["taken_in"] == 20).then_some(())
        });
        // An orderly end, so that everything is in this one file.
        assert_eq!(sensor.stop(), Some(0));
        let file = File::options().read(true).write(true).open(&store).unwrap();
        let length = file.metadata().unwrap().len();
        for flip in 0..3 {
            let at = (round * 7919 + flip * 104_729 + 4_099 * (round + flip)) % length;
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ (1 << ((at + flip) % 8))], at).unwrap();
        }
    }
    central.resume(&[]);
    let sensor = Sensor::start_in(&home);
    let output = sensor.until("an empty spool", || {
        let output = mcs(&sensor.status(), "outputs").clone();
        (output["queued"] == 0 && output["confirmed"].as_u64() > Some(0)).then_some(output)
    });
    // Most of it is there, nothing twice, and nothing that never was.
    let raised = uuids(&marked(sensor.alerts()));
    assert_eq!(raised.len(), wanted);
    let arrived = uuids(&central.alerts());
    let of_marked: Vec<&String> = arrived.iter().filter(|uuid| raised.contains(uuid)).collect();
    assert!(of_marked.len() >= wanted / 2, "{} of {wanted}: {output:#}", of_marked.len());
    let distinct: std::collections::HashSet<_> = arrived.iter().collect();
    assert_eq!(distinct.len(), arrived.len());
    // Flips that hit an alert were found by one of the runs, and told.
    let log = sensor.log();
    assert!(of_marked.len() < wanted, "no flip hit anything: hit more");
    assert!(log.contains("was damaged") || log.contains("given up"), "{log}");
    assert_eq!(sensor.stop(), Some(0));
}
