//! The webhook and Splunk's collector, against a receiver that misbehaves as they do.

use sensor_tests::{Mark, Sensor, until};
use serde_json::Value;

use super::authority::certificates;
use super::collector::{Collector, Reply};
use super::{output, raise, with_outputs};

const QUICK: &str = "timeout: 2s, retry_min: 50ms, retry_max: 300ms";

fn say(status: u16, body: &str) -> Reply {
    Reply::Say(status, &[], body.to_owned())
}

fn pid(alert: &Value) -> Option<u64> {
    alert["process_info"]["pid"].as_u64()
}

/// Waits until so many alerts are settled, confirmed or given up. An empty queue alone says nothing: the alerts may
/// still be on their way to it, and what has left it is counted a moment later.
fn until_settled(sensor: &Sensor, name: &str, alerts: u64) {
    until("everything to be settled", || {
        let status = output(sensor, name);
        let settled: u64 = ["confirmed", "dropped"].iter().filter_map(|key| status[key].as_u64()).sum();
        let counted = status["sent"].as_u64() >= Some(alerts);
        (settled >= alerts && counted && status["queued"] == 0).then_some(())
    });
}

fn until_error(sensor: &Sensor, name: &str, words: &str) {
    until(&format!("an error about {words:?}"), || {
        output(sensor, name)["last_error"].to_string().contains(words).then_some(())
    });
}

#[test]
fn a_webhook_gets_each_alert_through_all_troubles() {
    let mark = Mark::new("hook");
    let collector = Collector::start();
    let config = with_outputs(
        &mark.config(),
        &format!(
            "    - {{type: webhook, url: \"{}/in?key=hunter3\", headers: {{Authorization: \"Bearer hunter2\"}}, {QUICK}}}",
            collector.url()
        ),
    );
    collector.script([
        say(503, "hunter2 is busy"),
        Reply::Say(429, &[("retry-after", "1")], String::new()),
        Reply::Hang,
        say(500, ""),
    ]);
    let sensor = Sensor::start(&config);
    let first = raise(&sensor, &mark);
    let second = raise(&sensor, &mark);
    let came = until("both alerts to be taken", || {
        let came = collector.came();
        (came.len() >= 6).then_some(came)
    });
    until_settled(&sensor, "webhook", 2);
    let pids: Vec<_> = came.iter().map(|came| pid(&came.values()[0])).collect();
    assert_eq!(pids[..5], [Some(u64::from(first)); 5]);
    assert_eq!(pids[5], Some(u64::from(second)));
    assert_eq!(came[0].header("authorization"), "Bearer hunter2");
    assert_eq!(came[0].header("content-type"), "application/json");
    // The same alert has the same key at each try.
    assert!(came[..5].iter().all(|one| one.header("idempotency-key") == came[0].header("idempotency-key")));
    let said = format!("{}{}", sensor.status(), sensor.log());
    assert!(!said.contains("hunter"), "{said}");
}

#[test]
fn a_webhook_finds_the_alert_that_is_refused() {
    let mark = Mark::new("hookbad");
    let collector = Collector::start();
    let config = with_outputs(
        &mark.config(),
        &format!(
            "    - {{type: webhook, url: \"{}\", method: PUT, batch_size: 4, batch_delay: 100ms, template: '{{{{.ProcessInfo.Pid}}}}', {QUICK}}}",
            collector.url()
        ),
    );
    let sensor = Sensor::start(&config);
    // The first, then each half, until one is left.
    collector.script([say(413, "too large"), say(400, "bad"), say(400, "bad")]);
    let pids: Vec<u64> = (0..12).map(|_| raise(&sensor, &mark).into()).collect();
    until_settled(&sensor, "webhook", 12);
    let status = output(&sensor, "webhook");
    let rejected = status["sent"].as_u64().expect("a number") - status["confirmed"].as_u64().expect("a number");
    // A list of one or two has fewer halves: what is refused in the end is one or two, and all else arrives.
    assert!((1..=3).contains(&rejected), "{status:#}");
    let last: Vec<Value> = collector.came().iter().flat_map(|came| came.values()).collect();
    assert!(last.iter().all(Value::is_array));
    for pid in pids {
        assert!(last.iter().flat_map(|list| list.as_array().expect("a list")).any(|one| *one == pid), "{pid}");
    }
}

#[test]
fn a_webhook_that_wants_other_credentials_gets_nothing_lost() {
    let mark = Mark::new("hookauth");
    let collector = Collector::start();
    let config = |port: &str| {
        let output = format!("    - {{type: webhook, url: \"{port}\", headers: {{X-Key: wrong}}, {QUICK}}}");
        with_outputs(&mark.config(), &output)
    };
    collector.script((0..1000).map(|_| say(401, "who are you?")));
    let sensor = Sensor::start(&config(&collector.url()));
    let pid_of_first = raise(&sensor, &mark);
    until_error(&sensor, "webhook", "check the token or the headers");
    // Another receiver, by a reload: what waited goes there.
    let other = Collector::start();
    sensor.write_config(&config(&other.url()));
    assert_eq!(sensor.reload().code, Some(0));
    until("the alert to go there", || {
        other.came().iter().any(|came| pid(&came.values()[0]) == Some(pid_of_first.into())).then_some(())
    });
}

#[test]
fn splunk_confirms_when_it_has_indexed() {
    let mark = Mark::new("hec");
    let collector = Collector::start();
    let config = with_outputs(
        &mark.config(),
        &format!(
            "    - {{type: splunk_hec, url: \"{}\", token: hunter2, index: main, sourcetype: \"linux:alert\", batch_delay: 50ms, {QUICK}}}",
            collector.url()
        ),
    );
    collector.index(false);
    let sensor = Sensor::start(&config);
    let first = raise(&sensor, &mark);
    until("the event", || (!collector.came().is_empty()).then_some(()));
    assert_eq!(output(&sensor, "splunk_hec")["confirmed"], 0);
    collector.index(true);
    until_settled(&sensor, "splunk_hec", 1);
    assert_eq!(output(&sensor, "splunk_hec")["confirmed"], 1);
    let came = &collector.came()[0];
    assert_eq!(came.path, "/services/collector/event");
    assert_eq!((came.header("authorization"), came.header("content-encoding")), ("Splunk hunter2", "gzip"));
    assert!(!came.header("x-splunk-request-channel").is_empty());
    let event = &came.values()[0];
    assert_eq!((&event["index"], &event["sourcetype"]), (&"main".into(), &"linux:alert".into()));
    assert_eq!(pid(&event["event"]), Some(first.into()));

    // A bad event among good ones is set aside, the others are sent again.
    collector.script([
        say(503, r#"{"text":"Server is busy","code":9}"#),
        say(400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#),
    ]);
    let pids: Vec<u64> = (0..5).map(|_| raise(&sensor, &mark).into()).collect();
    until_settled(&sensor, "splunk_hec", 5);
    let status = output(&sensor, "splunk_hec");
    assert_eq!(status["sent"].as_u64().expect("a number") - status["confirmed"].as_u64().expect("a number"), 1);
    let arrived: Vec<u64> = collector
        .came()
        .iter()
        .skip(3)
        .flat_map(|came| came.values())
        .filter_map(|event| pid(&event["event"]))
        .collect();
    assert!(pids[1..].iter().all(|pid| arrived.contains(pid)), "{pids:?} {arrived:?}");

    // A token that is not taken any more: nothing is lost, and it is said without the token.
    collector.script((0..1000).map(|_| say(403, r#"{"text":"Invalid token hunter2","code":4}"#)));
    let last = raise(&sensor, &mark);
    until_error(&sensor, "splunk_hec", "check the token");
    let status = output(&sensor, "splunk_hec");
    assert_eq!(status["queued"], 1, "{last}: {status:#}");
    assert!(!format!("{}{}", sensor.status(), sensor.log()).contains("hunter2"));
}

/// Sends some alerts together to a collector that refuses one of them, or all that are too many, with these words.
fn splunk_refuses(name: &str, most: usize, words: impl Fn(usize) -> (u16, String) + Clone + Send + 'static) {
    let mark = Mark::new(name);
    let collector = Collector::start();
    let config = with_outputs(
        &mark.config(),
        &format!(
            "    - {{type: splunk_hec, url: \"{}\", token: hunter2, batch_delay: 50ms, {QUICK}}}",
            collector.url()
        ),
    );
    collector.behave(|_| Some(say(503, r#"{"text":"Server is busy","code":9}"#)));
    let sensor = Sensor::start(&config);
    let pids: Vec<u64> = (0..5).map(|_| raise(&sensor, &mark).into()).collect();
    until("all to wait", || (output(&sensor, "splunk_hec")["queued"] == 5).then_some(()));
    let bad = pids[2];
    collector.behave(move |came| {
        let events = came.values();
        let place = events.iter().position(|event| pid(&event["event"]) == Some(bad));
        let (status, words) = match place {
            Some(place) => words(place),
            None if events.len() > most => words(0),
            None => return None,
        };
        Some(say(status, &words))
    });
    until_settled(&sensor, "splunk_hec", 5);
    let status = output(&sensor, "splunk_hec");
    assert_eq!((&status["sent"], &status["confirmed"]), (&5.into(), &4.into()), "{status:#}");
}

#[test]
fn splunk_names_a_bad_event_in_the_middle() {
    splunk_refuses("hecnumber", 5, |place| {
        (400, format!(r#"{{"text":"Event field is required","code":12,"invalid-event-number":{place}}}"#))
    });
}

#[test]
fn splunk_does_not_say_which_event_is_bad() {
    splunk_refuses("hechalves", 5, |_| (400, r#"{"text":"Invalid data format","code":6}"#.to_owned()));
}

#[test]
fn splunk_takes_no_more_than_so_much_at_once() {
    splunk_refuses("hecsize", 1, |_| (413, "<html>too large</html>".to_owned()));
}

#[test]
fn over_tls_a_webhook_and_splunk_go_to_who_is_trusted_alone() {
    let mark = Mark::new("https");
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    certificates(stranger.path());
    let collector = Collector::start_tls(folder.path());
    let at = folder.path().display();
    let files = |ca: &std::path::Path| {
        format!("ca_file: {}/ca.pem, cert_file: {at}/client.pem, key_file: {at}/client.key", ca.display())
    };
    let (url, known) = (collector.url(), files(folder.path()));
    // The certificate is that of another name.
    let other_name = url.replace("localhost", "127.0.0.1");
    let webhook = |name: &str, url: &str, files: &str| {
        format!("    - {{type: webhook, name: {name}, url: \"{url}/{name}\", {files}, {QUICK}}}\n")
    };
    let splunk = |name: &str, url: &str, files: &str| {
        format!(
            "    - {{type: splunk_hec, name: {name}, url: \"{url}\", token: hunter2-{name}, batch_delay: 50ms, {files}, \
             {QUICK}}}\n"
        )
    };
    let mut outputs = String::new();
    let mut refused = Vec::new();
    for (sort, output) in [("hook", &webhook as &dyn Fn(&str, &str, &str) -> String), ("hec", &splunk)] {
        outputs += &output(&format!("{sort}-right"), &url, &known);
        for (fault, url, files, words) in [
            ("name", &other_name, known.clone(), "not valid for name"),
            ("authority", &url, files(stranger.path()), "invalid peer certificate"),
            // It trusts the receiver, which asks who it is.
            ("nobody", &url, format!("ca_file: {at}/ca.pem"), "CertificateRequired"),
        ] {
            let name = format!("{sort}-{fault}");
            outputs += &output(&name, url, &files);
            refused.push((name, words));
        }
    }
    let sensor = Sensor::start(&with_outputs(&mark.config(), outputs.trim_end()));
    let raised = raise(&sensor, &mark);
    for name in ["hook-right", "hec-right"] {
        until_settled(&sensor, name, 1);
    }
    for (name, words) in &refused {
        until_error(&sensor, name, words);
    }
    let came = collector.came();
    let about: Vec<_> = came.iter().map(|came| (came.path.as_str(), came.header("authorization"))).collect();
    let right = [("/hook-right", ""), ("/services/collector/event", "Splunk hunter2-hec-right")];
    assert!(about.iter().all(|one| right.contains(one)), "{about:?}");
    assert!(right.iter().all(|one| about.contains(one)), "{about:?}");
    let alerts: Vec<_> = came.iter().flat_map(super::collector::Came::values).collect();
    assert!(alerts.iter().any(|alert| pid(alert) == Some(raised.into())));
    assert!(alerts.iter().any(|event| pid(&event["event"]) == Some(raised.into())));
    // What was refused waits.
    for (name, _) in &refused {
        assert_eq!(output(&sensor, name)["queued"], 1, "{name}");
    }
}
