//! An exporter that is killed at any moment.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use sensor_tests::{Central, Siem, parse_lines};
use serde_json::Value;

use super::collector::{Came, Collector};
use super::fill::{fill, ids};
use super::{counted, fine};

const CONFIG: [&str; 3] = ["-q", "-c", "config.yaml"];
const KILLS: u128 = 200;
/// Alerts that are new at each.
const NEW: u128 = 20;

/// A syslog receiver over TCP: the items that came, one a line.
fn syslog() -> (u16, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let items = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&items);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let all = Arc::clone(&all);
            std::thread::spawn(move || {
                // The last of a connection that ended within a line is none.
                for line in BufReader::new(stream.expect("a connection")).lines().map_while(Result::ok) {
                    let item =
                        line.split_once(" - {").and_then(|(_, rest)| serde_json::from_str(&format!("{{{rest}")).ok());
                    all.lock().unwrap().extend(item);
                }
            });
        }
    });
    (port, items)
}

#[test]
fn kills_at_random_points_lose_nothing_and_double_nothing_in_the_file() {
    let central = Central::start();
    let collector = Collector::start();
    let (port, syslog) = syslog();
    let outputs = format!(
        "  - {{type: file, path: @HOME@/log/items.json}}\n  \
         - {{type: splunk_hec, url: \"{}\", token: hunter2}}\n  \
         - {{type: syslog, address: \"tcp://127.0.0.1:{port}\", framing: lf}}\n",
        collector.url()
    );
    let siem = Siem::with_outputs(&central, &outputs);
    fill(&central, 0, NEW);
    let begin = Instant::now();
    fine(&siem.run(&CONFIG));
    let whole = begin.elapsed();

    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").subsec_nanos();
    println!("seed {seed}");
    let mut random = u64::from(seed);
    let mut killed = 0;
    for round in 1..=KILLS {
        fill(&central, round * NEW, (round + 1) * NEW);
        let mut child = siem.command(&CONFIG).stderr(std::process::Stdio::null()).spawn().expect("it starts");
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Within a pass, or a little after its end.
        let part = u32::try_from(random >> 40).expect("24 bits");
        std::thread::sleep(whole.mul_f64(f64::from(part) / f64::from(1 << 24) * 1.2));
        let _ = child.kill();
        killed += u32::from(child.wait().expect("it ends").code().is_none());
    }
    assert!(killed > 20, "{killed} of {KILLS} were killed");
    fine(&siem.run(&CONFIG));

    let wanted = ids(0, (KILLS + 1) * NEW);
    let lines = parse_lines(&fs::read(siem.file("log/items.json")).expect("the file"));
    let written: Vec<_> = lines.iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(written, wanted, "each once, whole and in order");
    let events: Vec<Value> =
        collector.came().iter().flat_map(Came::values).map(|event| event["event"].clone()).collect();
    let all = BTreeSet::from_iter(wanted);
    assert_eq!(counted(&events).into_keys().collect::<BTreeSet<_>>(), all);
    // What it took may still be on its way through the thread that reads.
    sensor_tests::until("all to be read", || {
        (counted(&*syslog.lock().unwrap()).into_keys().collect::<BTreeSet<_>>() == all).then_some(())
    });
}

#[test]
fn a_page_waits_for_the_disk_once_for_each_output() {
    let central = Central::start();
    let collector = Collector::start();
    let (port, _) = syslog();
    let outputs = [
        "  - {type: file, path: @HOME@/log/items.json}\n".to_owned(),
        format!("  - {{type: splunk_hec, url: \"{}\", token: hunter2}}\n", collector.url()),
        format!("  - {{type: syslog, address: \"tcp://127.0.0.1:{port}\"}}\n"),
    ];
    // Nothing is read twice, so that it is known how many pages there are.
    let homes = outputs.each_ref().map(|output| Siem::with_outputs(&central, &format!("{output}overlap: 0s\n")));
    let mut at = 1;
    fill(&central, 0, at);
    for siem in &homes {
        fine(&siem.run(&CONFIG));
    }
    let mut next = |pages: u128| {
        fill(&central, at, at + 1000 * pages);
        at += 1000 * pages;
        homes.each_ref().map(|siem| siem.syncs(&CONFIG))
    };
    let (one, six) = (next(1), next(6));
    for ((one, six), output) in one.into_iter().zip(six).zip(outputs) {
        assert_eq!(six - one, 5, "{output}");
        assert!(one <= 5, "{one} in all: {output}");
    }
}

#[test]
fn kills_before_each_call_leave_all_at_the_collector() {
    let central = Central::start();
    fill(&central, 0, 3);
    let collector = Collector::start();
    let outputs = format!("  - {{type: splunk_hec, url: \"{}\", token: hunter2, batch_size: 2}}\n", collector.url());
    let siem = Siem::with_outputs(&central, &outputs);
    fine(&siem.run(&CONFIG));
    fill(&central, 3, 8);
    let files = siem.files();
    // Its threads wake each other by calls that count as well: the one just behind a delivery can be missed.
    let again = (0..10).find_map(|_| {
        let (mut killed, mut again) = (0, 0);
        loop {
            siem.put_back(&files);
            let before = collector.came().len();
            let is_killed = siem.run_killed(&CONFIG, killed + 1);
            fine(&siem.run(&CONFIG));
            let events: Vec<Value> =
                collector.came()[before..].iter().flat_map(Came::values).map(|event| event["event"].clone()).collect();
            let counts = counted(&events);
            assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), ids(3, 8), "killed before its call {killed}");
            assert!(counts.values().all(|count| *count <= 2), "{counts:?}");
            again += usize::from(counts.values().any(|count| *count == 2));
            if !is_killed {
                break;
            }
            killed += 1;
        }
        assert!(killed > 3, "{killed} kills");
        (again > 0).then_some(again)
    });
    assert!(again.is_some(), "no kill came after it was sent");
}
