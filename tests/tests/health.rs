//! Whether the sensor works, as container runtimes, Prometheus and people ask it.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::sync::Arc;

use sensor_tests::{Home, Mark, Sensor, http_answer};

#[test]
fn a_canary_makes_it_ready() {
    let mark = Mark::new("health");
    let sensor = Sensor::start(&mark.config());
    sensor.until("health", || (sensor.ask(&["health"]).code == Some(0)).then_some(()));
    assert!(sensor.page("/healthz").starts_with("HTTP/1.1 200"));
    assert!(sensor.page("/readyz").starts_with("HTTP/1.1 200"));
    let metrics = sensor.page("/metrics");
    let value = |name: &str| -> f64 {
        let line =
            metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}\n{metrics}"));
        line.trim().parse().expect("a number")
    };
    assert!(value("sophoslinuxsensor_ready ") == 1.0);
    assert!(value("sophoslinuxsensor_canaries_total{outcome=\"seen\"} ") >= 1.0);
    assert!(value("sophoslinuxsensor_events_total{type=\"PROCESS_EVENT_TYPE_EXEC\"} ") >= 1.0);
    let status = sensor.status();
    assert!(status["health"]["canary"]["passed"].as_u64() >= Some(1), "{status:#}");
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert!(!home.file("run/metrics.sock").exists());
    assert_eq!(home.ask(&["health"]).code, Some(1));
}

/// The stages and causes of losses, as the documentation has them.
fn documented_losses() -> BTreeSet<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/architecture.md");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows =
        text.lines().skip_while(|line| !line.starts_with("| stage |")).skip(2).take_while(|line| !line.is_empty());
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let pairs = rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let stage = words(cells[1]).remove(0);
        words(cells[2]).into_iter().map(move |cause| (stage.clone(), cause))
    });
    pairs.collect()
}

#[test]
fn every_counter_of_a_loss_is_there_before_anything_is_lost() {
    let sensor = Sensor::start(&Mark::new("zeros").config());
    let text = sensor.page("/metrics");
    let lost: Vec<&str> =
        text.lines().filter(|line| line.starts_with("sophoslinuxsensor_events_lost_total{")).collect();
    let label = |line: &str, name: &str| line.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
    let told: BTreeSet<(String, String)> =
        lost.iter().filter_map(|line| Some((label(line, "stage")?, label(line, "cause")?))).collect();
    assert_eq!(told, documented_losses());
    let series: BTreeSet<&str> =
        lost.iter().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
    assert_eq!(series.len(), lost.len(), "a series is there twice: {lost:#?}");
    // Nothing was lost, and the status says so by saying nothing.
    if lost.iter().all(|line| line.ends_with(" 0.0")) {
        assert_eq!(sensor.status()["losses"], serde_json::json!([]));
    }
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn metrics_move_with_a_reload_and_stay_on_this_host() {
    let mark = Mark::new("metrics");
    let sensor = Sensor::start(&mark.config());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    sensor.write_config(&mark.config_with(&format!("metrics: {{listen: '127.0.0.1:{port}'}}\n")));
    assert_eq!(sensor.reload().code, Some(0));
    assert!(
        http_answer(TcpStream::connect(("127.0.0.1", port)).unwrap(), "/metrics").contains("sophoslinuxsensor_healthy")
    );
    assert!(!sensor.file("run/metrics.sock").exists());

    sensor.write_config(&mark.config_with("metrics: {listen: '0.0.0.0:9464'}\n"));
    let said = sensor.reload();
    assert_eq!(said.code, Some(78));
    assert!(said.stdout.contains("allow_remote"), "{said:?}");
    // A place that is taken costs nothing but the metrics.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap();
    sensor.write_config(&mark.config_with(&format!("metrics: {{listen: '{place}'}}\n")));
    assert_eq!(sensor.reload().code, Some(0));
    let warnings = sensor.status()["warnings"].to_string();
    assert!(warnings.contains(&place.to_string()), "{warnings}");
}

#[test]
fn doctor_and_bundle_tell_no_secret() {
    let secret = "SLS-the-token-that-nobody-may-see";
    let mark = Mark::new("doctor");
    let more = format!(
        "customer_id: 1a2345b6-78c9-012d-ef34-5a6b789c0de1\nmcs: {{enabled: true, url: 'https://127.0.0.1:9', token: '{secret}', \
         certs_dir: '@HOME@/certs'}}\n"
    );
    let home = Home::new(&mark.config_with(&more));
    let sensor = Sensor::start_in(&Arc::new(home));
    let said = sensor.run(&["doctor"]);
    // Trust files are missing and nobody listens.
    assert_eq!(said.code, Some(1), "{said:?}");
    let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["FAILURE trust", "FAILURE endpoints", "ok kernel", "Fix: "] {
        assert!(words.contains(word), "{word}\n{}", said.stdout);
    }
    assert!(!said.stdout.contains(secret));

    let bundle = sensor.file("bundle.tar.zst");
    let said = sensor.run(&["support-bundle", bundle.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let tar = std::process::Command::new("sh")
        .args(["-c", "zstd -dc \"$1\" | tar -xO", "sh"])
        .arg(&bundle)
        .output()
        .expect("tar and zstd");
    assert!(tar.status.success(), "{tar:?}");
    let text = String::from_utf8_lossy(&tar.stdout);
    assert!(text.contains("Marked Program") && text.contains("FAILURE    trust"), "{text}");
    assert!(!text.contains(secret), "a secret in the bundle");
    assert!(fs::metadata(&bundle).unwrap().len() > 0);
}
