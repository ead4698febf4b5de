//! The running sensor and the real Central: alerts and rows arrive once, through restarts, kills and faults of either.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sensor_central::store::Reader;
use sensor_tests::delivery::{
    alert_tester, config, config_of_mcs, marked, mcs, run_marked, until_arrived, until_written, uuids,
};
use sensor_tests::programs::run_storm;
use sensor_tests::{Central, Home, Mark, Said, Sensor, until};
use serde_json::Value;

#[test]
fn alerts_and_rows_arrive() {
    let central = Central::start();
    let mark = Mark::new("arrives");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 20);
    until_arrived(&central, &until_written(&sensor, 20));
    let alert = &central.alerts()[0];
    assert_eq!((&alert["strategy_name"], &alert["policy_type"]), (&"Marked Program".into(), &"program".into()));
    assert_eq!(alert["process_info"]["args"], sensor.alerts()[0]["process_info"]["args"]);

    assert!(central.log().contains("HTTP/2.0"), "{}", central.log());

    let reader = Reader::open(central.path()).unwrap();
    let exits = || {
        let rows = reader.rows("process_events", 1000).unwrap();
        rows.iter().filter(|row| row.contains("_EXIT") && row.contains(mark.word())).count()
    };
    until("20 exits in the rows", || (exits() == 20).then_some(()));
    // What is confirmed is counted a moment after it has left the spool.
    let status = until("empty spools, and all counted", || {
        let status = sensor.status();
        let (alerts, rows) = (mcs(&status, "outputs"), mcs(&status, "sinks"));
        let counted = alerts["confirmed"] == 20 && rows["confirmed"].as_u64() >= Some(20);
        (alerts["queued"] == 0 && rows["queued"] == 0 && counted).then_some(status)
    });
    let to_central = mcs(&status, "outputs");
    assert_eq!(to_central["dropped"], 0, "{to_central}");
    assert_eq!(to_central["failing"], false);
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn the_self_check_waits_for_central() {
    let mut central = Central::start();
    let mark = Mark::new("check");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    home.write_content(&alert_tester());
    let sensor = Sensor::start_in(&home);
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(stage_of_mcs(&said).contains("confirmed"), "{}", said.stderr);
    // Checks of other sensors on the host may be seen as well.
    let own = |central: &Central, sensor: &Sensor| {
        central.alerts().iter().filter(|alert| alert["process_info"]["ppid"] == sensor.pid()).count()
    };
    assert_eq!(own(&central, &sensor), 1);

    // With nobody there it fails, and says which stage and why; the alert is kept.
    central.stop();
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(stage_of_mcs(&said).contains("cannot be reached"), "{}", said.stderr);
    central.resume(&[]);
    // Whoever waits does not wait for the next try of what failed before.
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(own(&central, &sensor), 3);
    let before = central.alerts().len();
    assert_eq!(sensor.stop(), Some(0));

    // Without a running sensor too.
    let said = home.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(central.alerts().len() > before);
}

fn stage_of_mcs(said: &Said) -> &str {
    said.stderr.lines().find(|line| line.contains("output mcs")).unwrap_or_else(|| panic!("{}", said.stderr))
}

/// Waits until so many marked programs are told of in the file, and all that the file got since it had `before` alerts
/// is in the spool too, or through it.
#[track_caller]
fn until_spooled(sensor: &Sensor, before: usize, marked_in_all: usize) {
    sensor.until(&format!("{marked_in_all} alerts on disk"), || {
        let alerts = sensor.alerts();
        let status = sensor.status();
        let spool = &mcs(&status, "outputs")["spool"];
        if spool.is_null() {
            // Not open yet.
            return None;
        }
        assert_eq!((&spool["in_memory"], &spool["trouble"]), (&0.into(), &Value::Null));
        let spooled = spool["taken_in"].as_u64() >= Some((alerts.len() - before) as u64);
        (spooled && marked(alerts).len() == marked_in_all).then_some(())
    });
}

#[test]
fn a_thousand_alerts_through_twenty_crashes_and_outages_arrive_once() {
    const ROUNDS: usize = 20;
    const EACH: usize = 50;
    let mut central = Central::start();
    let mark = Mark::new("crashes");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    // What goes wrong at Central in each round, one after the other.
    let faults: [&[&str]; 5] = [
        &[],
        // It has the alerts, and the sensor does not learn of it.
        &["--fault", "cut,after,endpoint=alerts,count=3"],
        &["--fault", "status=503,retry-after=1,endpoint=alerts,count=2"],
        &["--fault", "delay-ms=1500,after,endpoint=alerts,count=2"],
        &["--fault", "cut,endpoint=alerts,count=4"],
    ];
    for round in 0..ROUNDS {
        let before = home.alerts().len();
        let sensor = Sensor::start_in(&home);
        // The outage begins at another moment each time, and so does the crash.
        run_marked(&sensor, &mark, EACH / 2);
        if round % 3 == 1 {
            central.kill();
        }
        run_marked(&sensor, &mark, EACH - EACH / 2);
        until_spooled(&sensor, before, (round + 1) * EACH);
        if round % 2 == 1 {
            // In the midst of sending, perhaps.
            std::thread::sleep(std::time::Duration::from_millis(37 * round as u64));
        }
        sensor.kill();
        if round % 3 == 1 {
            central.resume(faults[round % faults.len()]);
        }
    }
    let sensor = Sensor::start_in(&home);
    let wanted = uuids(&marked(sensor.alerts()));
    assert_eq!(wanted.len(), ROUNDS * EACH);
    until_arrived(&central, &wanted);
    let status = sensor.until("an empty spool", || {
        let status = sensor.status();
        (mcs(&status, "outputs")["queued"] == 0).then_some(status)
    });
    assert_eq!(mcs(&status, "outputs")["dropped"], 0);
    // Nothing comes twice from what is left of the spool, either.
    assert_eq!(sensor.stop(), Some(0));
    until_arrived(&central, &wanted);
}

#[test]
fn replies_that_refuse_keep_the_sensor_running_and_the_alerts() {
    for (fault, said) in [
        ("status=401,count=1000", "check mcs.token"),
        ("status=403,count=1000", "check customer_id"),
        ("status=429,retry-after=1,count=3", "429"),
        ("status=500,count=3", "500"),
        ("cut,count=3", "broke off"),
    ] {
        let mut central = Central::start_with(&["--fault", fault]);
        let mark = Mark::new("refused");
        let sensor = Sensor::start(&config(&central, &mark, ""));
        run_marked(&sensor, &mark, 3);
        let status = sensor.until(&format!("`{said}` in the status"), || {
            let status = sensor.status();
            let output = mcs(&status, "outputs");
            let told = output["last_error"].as_str().is_some_and(|error| error.contains(said));
            (told && output["spool"]["taken_in"] == 3).then_some(status)
        });
        assert_eq!(mcs(&status, "outputs")["dropped"], 0);
        if fault.contains("count=1000") {
            assert_eq!(mcs(&status, "outputs")["spool"]["stored"], 3, "{status:#}");
            central.stop();
            central.resume(&[]);
            // A reload that changes the output tries at once.
            sensor.write_config(&config(&central, &mark, "spool: {max_age: 100h}"));
            assert_eq!(sensor.reload().code, Some(0));
        }
        until_arrived(&central, &until_written(&sensor, 3));
    }
}

#[test]
fn the_token_is_nowhere() {
    // The sink may be first and take two of them, its greeting and its rows.
    let central = Central::start_with(&["--fault", "status=401,count=4"]);
    let mark = Mark::new("secret");
    let token = central.token();
    let secret = "hunter2hunter2";
    // A proxy that nobody runs, with a password of its own.
    let proxy = format!(", proxy: \"http://user:{secret}@127.0.0.1:1\"");
    let keys = [central.keys(""), central.keys(&proxy)];
    let home = Arc::new(Home::new(&config_of_mcs(&keys[0], &mark, "")));
    let sensor = Sensor::start_in(&home);
    let mut told = Vec::new();
    let mut listen = |sensor: &Sensor| {
        for arguments in [&["status"][..], &["status", "-json"], &["reload"]] {
            let said = sensor.ask(arguments);
            told.push(said.stdout + &said.stderr);
        }
        for arguments in [&["-check"][..], &["-test-alert"]] {
            let said = sensor.run(arguments);
            told.push(said.stdout + &said.stderr);
        }
        told.push(std::fs::read_to_string(sensor.file("run/cache_analytics.yaml")).unwrap());
        let process = format!("/proc/{}", sensor.pid());
        told.push(std::fs::read_to_string(format!("{process}/cmdline")).unwrap());
    };
    let failing = |what: &str, part: &str| {
        sensor.until(what, || {
            let status = sensor.status();
            mcs(&status, "outputs")["last_error"].as_str().is_some_and(|error| error.contains(part)).then_some(())
        });
    };
    run_marked(&sensor, &mark, 2);
    failing("a refused token", "mcs.token");
    listen(&sensor);
    // Through the proxy, in vain.
    home.write_config(&config_of_mcs(&keys[1], &mark, ""));
    assert_eq!(sensor.reload().code, Some(0));
    failing("a proxy that is not there", "through the proxy 127.0.0.1:1");
    listen(&sensor);
    // A token that is none, and settings that are refused.
    for (right, wrong) in [(token.as_str(), "SLS-hunter2hunter2\u{7}"), ("https://", "https://user:hunter2hunter2@")] {
        home.write_config(&config_of_mcs(&keys[0].replace(right, wrong), &mark, ""));
        let said = sensor.reload();
        assert_ne!(said.code, Some(0), "{}", said.stdout);
        listen(&sensor);
    }
    assert_eq!(sensor.stop(), Some(0));
    told.push(home.log());
    told.push(home.stdout());
    for alert in home.alerts() {
        told.push(alert.to_string());
    }
    for text in told {
        assert!(!text.contains(&token) && !text.contains(secret), "{text}");
    }
}

#[test]
fn what_had_to_be_given_up_is_told_once_delivery_works_again() {
    let mut central = Central::start();
    central.stop();
    let mark = Mark::new("given-up");
    let small = "spool: {max_bytes: 1MiB}";
    let sensor = Sensor::start(&config(&central, &mark, small));
    // An alert is more than 1 KiB. The storm itself is marked too.
    run_storm(1500, &mark);
    const ALL: u64 = 1501;
    let status = sensor.until("a full spool", || {
        let status = sensor.status();
        let output = mcs(&status, "outputs");
        let all = output["spool"]["taken_in"] == ALL;
        (all && output["dropped_by_cause"]["spool_full"].as_u64() > Some(0)).then_some(status)
    });
    let output = mcs(&status, "outputs");
    let (kept, lost) = (output["spool"]["stored"].as_u64().unwrap(), output["dropped"].as_u64().unwrap());
    assert_eq!(kept + lost, ALL);
    let shown = sensor.ask(&["status"]).stdout;
    assert!(shown.contains(&format!("output mcs: alerts given up: {lost} (spool_full {lost})")), "{shown}");
    let told = |alerts: Vec<Value>| alerts.into_iter().find(|alert| alert["strategy_name"] == "Alerts Given Up");
    assert_eq!(told(sensor.alerts()), None, "not before delivery works again");
    central.resume(&[]);
    sensor.write_config(&config(&central, &mark, "spool: {max_bytes: 2MiB}"));
    assert_eq!(sensor.reload().code, Some(0));
    let alert = until("the alert about what was given up", || told(central.alerts()));
    let rule = alert["matched_rule"].as_str().unwrap();
    assert!(rule.contains("\"mcs\"") && rule.contains(&format!("spool_full {lost}")), "{rule}");
    // All that was kept arrived: what was being sent when there was no more room, and the newest beside it.
    let kept = usize::try_from(kept).unwrap();
    let arrived = until("what was kept", || Some(uuids(&central.alerts())).filter(|arrived| arrived.len() > kept));
    assert_eq!(arrived.len(), kept + 1);
    sensor.until("the same in the file", || {
        let raised = uuids(&sensor.alerts());
        arrived.iter().all(|uuid| raised.contains(uuid)).then_some(())
    });
    until("the loss in the status", || sensor.status()["losses"].to_string().contains("spool_full").then_some(()));
}

#[test]
fn what_was_given_up_before_the_sensor_ended_is_told_by_the_next_one() {
    let mut central = Central::start();
    central.stop();
    let mark = Mark::new("untold");
    let home = Arc::new(Home::new(&config(&central, &mark, "spool: {max_bytes: 1MiB}")));
    let sensor = Sensor::start_in(&home);
    run_storm(1500, &mark);
    const ALL: u64 = 1501;
    let lost = sensor.until("a full spool", || {
        let status = sensor.status();
        let output = mcs(&status, "outputs");
        (output["spool"]["taken_in"] == ALL).then(|| output["dropped"].as_u64().unwrap())
    });
    assert!(lost > 0);
    // Killed, then ended in order: the account outlives both.
    sensor.kill();
    let sensor = Sensor::start_in(&home);
    // The spool is opened by the output's own thread.
    let before = |sensor: &Sensor| {
        sensor.until("an open spool", || {
            let status = sensor.status();
            let output = mcs(&status, "outputs");
            (!output["spool"].is_null()).then(|| output["dropped_before"].as_u64())
        })
    };
    assert_eq!(before(&sensor), Some(lost));
    let shown = sensor.ask(&["status"]).stdout;
    assert!(shown.contains(&format!("output mcs: alerts given up before this start: {lost}")), "{shown}");
    assert_eq!(sensor.stop(), Some(0));
    central.resume(&[]);
    let sensor = Sensor::start_in(&home);
    let told = |alerts: Vec<Value>| alerts.into_iter().find(|alert| alert["strategy_name"] == "Alerts Given Up");
    let alert = sensor.until("the alert about what was given up", || told(central.alerts()));
    let count: u64 = alert["matched_rule"].as_str().and_then(|rule| rule.rsplit(' ').next()).unwrap().parse().unwrap();
    // What the two that began since had to push out for alerts of their own comes with it.
    assert!(count >= lost && count < lost + 10, "{lost}: {}", alert["matched_rule"]);
    // Told is told: it is no problem any more, also before the next start.
    sensor.until("status to know it", || (before(&sensor) == Some(0)).then_some(()));
    let shown = sensor.ask(&["status"]).stdout;
    assert!(!shown.contains("alerts given up before this start"), "{shown}");
    assert_eq!(sensor.stop(), Some(0));
    let sensor = Sensor::start_in(&home);
    assert_eq!(before(&sensor), Some(0), "once");
}

#[test]
fn rows_given_up_before_the_sensor_ended_are_told_by_rows_once() {
    let mut central = Central::start();
    central.stop();
    let mark = Mark::new("untold");
    let config = config(&central, &mark, "spool: {max_bytes: 1MiB}")
        .replace("{backend: mcs}", "{backend: mcs}\n    - {backend: file, name: \"@HOME@/rows.jsonl\"}")
        .replace("    tables:\n", "    tables:\n      - name: lost_records\n");
    let home = Arc::new(Home::new(&config));
    let sensor = Sensor::start_in(&home);
    run_storm(3000, &mark);
    sensor.until("a full spool", || (mcs(&sensor.status(), "sinks")["dropped"].as_u64() > Some(0)).then_some(()));
    // Killed, with what is written of it as it comes; then told and ended in order.
    sensor.kill();
    let told = || -> u64 {
        let rows = home.rows("lost_records");
        let of_spool = rows.iter().filter(|row| row["stage"] == "spool" && row["event_class"] == "rows");
        of_spool.map(|row| row["count"].as_u64().unwrap()).sum()
    };
    let first = told();
    let sensor = Sensor::start_in(&home);
    sensor.until("rows about what was given up before", || (told() > first).then_some(()));
    sensor.until("status to know it", || (mcs(&sensor.status(), "sinks")["dropped_before"] == 0).then_some(()));
    assert!(!sensor.ask(&["status"]).stdout.contains("rows given up before this start"));
    assert_eq!(sensor.stop(), Some(0));
    let second = told();
    let sensor = Sensor::start_in(&home);
    let spool = |status: Value| mcs(&status, "sinks")["spool"].clone();
    sensor.until("an open spool", || (!spool(sensor.status()).is_null()).then_some(()));
    assert_eq!(mcs(&sensor.status(), "sinks")["dropped_before"], 0);
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(told(), second, "told is told");
}

#[test]
fn the_end_does_not_wait_for_a_central_that_hangs() {
    let mut central = Central::start_with(&["--fault", "delay-ms=3600000,endpoint=alerts,count=1000"]);
    let mark = Mark::new("hangs");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 3);
    until_spooled(&sensor, 0, 3);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    central.kill();
    central.resume(&[]);
    let sensor = Sensor::start_in(&home);
    until_arrived(&central, &uuids(&sensor.alerts()));
}

/// A proxy that lets through who shows this, and counts whom it let.
fn proxy(credentials: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, passed) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&passed);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || tunnel(client?, credentials, &counter));
        }
    });
    (port, passed)
}

fn tunnel(mut client: TcpStream, credentials: &str, passed: &AtomicUsize) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if !head.contains(credentials) {
        return client.write_all(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n");
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    passed.fetch_add(1, Relaxed);
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    std::io::copy(&mut client, &mut server).map(drop)
}

#[test]
fn a_proxy_is_gone_through_with_its_password() {
    let central = Central::start();
    let mark = Mark::new("proxy");
    // `user:hunter2` in base64.
    let (port, passed) = proxy("Basic dXNlcjpodW50ZXIy");
    let keys = |password: &str| central.keys(&format!(", proxy: \"http://user:{password}@127.0.0.1:{port}\""));
    let sensor = Sensor::start(&config_of_mcs(&keys("wrong-one"), &mark, ""));
    run_marked(&sensor, &mark, 2);
    sensor.until("the proxy's refusal", || {
        let error = mcs(&sensor.status(), "outputs")["last_error"].clone();
        error.as_str().is_some_and(|error| error.contains(&format!("through the proxy 127.0.0.1:{port}"))).then_some(())
    });
    assert_eq!((passed.load(Relaxed), central.alerts().len()), (0, 0));
    sensor.write_config(&config_of_mcs(&keys("hunter2"), &mark, ""));
    assert_eq!(sensor.reload().code, Some(0));
    until_arrived(&central, &until_written(&sensor, 2));
    assert!(passed.load(Relaxed) > 0);
}

#[test]
fn statistics_go_along_only_when_they_may() {
    let central = Central::start();
    let mark = Mark::new("statistics");
    let statistics = || central.sensors().first().map(|sensor| sensor["statistics"].clone());
    let silent = Sensor::start(&config(&central, &mark, ""));
    assert_eq!(until("a greeting", statistics), serde_json::json!({}));
    assert_eq!(silent.stop(), Some(0));

    let sensor = Sensor::start(&config(&central, &mark, "send_labs_telemetry: true"));
    sensor.until("a canary", || (sensor.status()["health"]["canary"]["passed"].as_u64() > Some(0)).then_some(()));
    // A changed output greets anew.
    let changed = config_of_mcs(&central.keys(", crl_policy: warn"), &mark, "send_labs_telemetry: true");
    sensor.write_config(&changed);
    assert_eq!(sensor.reload().code, Some(0), "{}", sensor.log());
    let told = until("statistics", || {
        let sensors = central.sensors();
        let mut told = sensors.iter().map(|sensor| sensor["statistics"].clone());
        told.find(|told| *told != serde_json::json!({}))
    });
    assert_eq!(told["healthy"], 1.0, "{told:#}");
    // What outputs are called is the user's.
    assert!(!told.to_string().contains("alerts.jsonl"), "{told:#}");
    assert!(told["events{type=\"PROCESS_EVENT_TYPE_EXEC\"}"].as_f64() > Some(0.0), "{told:#}");
}
