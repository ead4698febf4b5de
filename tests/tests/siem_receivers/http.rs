//! Splunk's HTTP Event Collector, and webhooks.

use std::fs;

use sensor_tests::{Central, Ended, Siem, parse_lines};
use serde_json::Value;

use super::collector::{Came, Collector, Reply};
use super::fill::{fill, ids};
use super::{authority, counted, fine};

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

fn say(status: u16, body: &str) -> Reply {
    Reply::Say(status, &[], body.to_owned())
}

/// The items in what came to a collector.
fn events(came: &[Came]) -> Vec<Value> {
    came.iter().flat_map(Came::values).map(|event| event["event"].clone()).collect()
}

fn dead_letters(siem: &Siem) -> Vec<Value> {
    parse_lines(&fs::read(siem.file("state/dead-letters.jsonl")).unwrap_or_default())
}

/// How far an output is, as the state says.
fn status(siem: &Siem) -> Value {
    let said = siem.run(&["-c", "config.yaml", "status", "--json"]);
    serde_json::from_str(&said.stdout).expect("JSON")
}

#[test]
fn splunk_has_each_page_before_its_cursor_is_kept() {
    let central = Central::start();
    fill(&central, 0, 2500);
    let collector = Collector::start();
    let output = format!("  - {{type: splunk_hec, url: \"{}\", token: hunter2, index: main}}\n", collector.url());
    let siem = Siem::with_outputs(&central, &output);
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    let checked = collector.came().len();
    assert!(collector.came().iter().all(|came| came.body.is_empty()), "a check moves nothing");

    fine(&siem.run(&CONFIG));
    let came = collector.came().split_off(checked);
    assert_eq!(came.len(), 3, "a request for each page");
    let first = &came[0].values()[0];
    assert_eq!((&first["index"], &first["host"]), (&"main".into(), &"host-a".into()));
    assert!(first["time"].as_str().is_some_and(|time| time.parse::<f64>().is_ok()), "{first}");
    assert_eq!(came[0].header("authorization"), "Splunk hunter2");
    let counts = counted(&events(&came));
    assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), ids(0, 2500));
    assert!(counts.values().all(|count| *count == 1));

    // A token that is not taken any more: the position stays, and it is said without the token.
    fill(&central, 2500, 2510);
    collector.behave(|_| Some(say(403, r#"{"text":"Invalid token hunter2","code":4}"#)));
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("check the token") && !said.stderr.contains("hunter2"), "{}", said.stderr);
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stdout.contains("check the token") && !checked.stdout.contains("hunter2"), "{}", checked.stdout);

    // One that it refuses is set aside, the others of its page go on.
    let before = collector.came().len();
    collector.behave(|came| {
        let bad = came.values().iter().position(|event| event["event"]["id"] == ids(2504, 2505)[0])?;
        Some(say(400, &format!(r#"{{"text":"Invalid data format","code":6,"invalid-event-number":{bad}}}"#)))
    });
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(65), "not every item is where it should go: {}", said.stderr);
    assert!(said.stderr.contains("1 item set aside"), "{}", said.stderr);
    let letters = dead_letters(&siem);
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.contains("Invalid data format")), "{letter}");
    assert!(letter["item"].as_str().is_some_and(|item| item.contains(&ids(2504, 2505)[0])), "{letter}");
    let arrived = counted(&events(&collector.came().split_off(before)));
    assert!(ids(2500, 2510).iter().all(|id| arrived.contains_key(id)));

    // Taken, and never indexed while it was asked: nothing counts as handed over.
    collector.behave(|_| None);
    collector.index(false);
    fill(&central, 2510, 2520);
    let before = status(&siem);
    let mut child = Ended(siem.command(&CONFIG).stderr(std::process::Stdio::null()).spawn().expect("it starts"));
    let came = collector.came().len();
    sensor_tests::until("it to be sent", || (collector.came().len() > came).then_some(()));
    child.0.kill().expect("it is there");
    child.0.wait().expect("it ends");
    assert_eq!(status(&siem)[0]["last_item"], before[0]["last_item"]);
    collector.index(true);
    fine(&siem.run(&CONFIG));
    let arrived = counted(&events(&collector.came().split_off(came)));
    assert_eq!(arrived.keys().cloned().collect::<Vec<_>>(), ids(2510, 2520), "with the same ids");
}

#[test]
fn a_webhook_has_lists_of_items() {
    let central = Central::start();
    fill(&central, 0, 250);
    let collector = Collector::start();
    let outputs = format!(
        "  - {{type: webhook, name: lists, url: \"{0}/lists\", headers: {{x-a: b}}}}\n  \
         - {{type: webhook, name: each, url: \"{0}/each\", batch_size: 1, format: cef, method: PUT}}\n",
        collector.url()
    );
    let siem = Siem::with_outputs(&central, &outputs);
    let refused = ids(7, 8).remove(0);
    collector.behave(move |came| came.text().contains(&refused).then(|| say(422, "not this one")));
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(65), "{}", said.stderr);
    let (lists, each): (Vec<_>, Vec<_>) = collector.came().into_iter().partition(|came| came.path == "/lists");
    let keys: std::collections::BTreeSet<_> = lists.iter().map(|came| came.header("idempotency-key")).collect();
    assert_eq!(keys.len(), lists.len(), "each has its own");
    assert!(lists.iter().all(|came| (came.method.as_str(), came.header("x-a")) == ("POST", "b")));
    let items: Vec<Value> =
        lists.iter().flat_map(|came| came.values().remove(0).as_array().expect("a list").clone()).collect();
    assert_eq!(counted(&items).len(), 250, "the refused one was sent too");
    assert_eq!(each.len(), 250);
    assert!(each.iter().all(|came| came.method == "PUT" && came.text().starts_with("CEF:0|sophos|")));
    let letters = dead_letters(&siem);
    let mut outputs: Vec<_> = letters.iter().map(|letter| letter["output"].as_str().expect("a name")).collect();
    outputs.sort_unstable();
    assert_eq!(outputs, ["each", "lists"]);

    // What fails at once and works then costs nothing.
    let before = collector.came().len();
    collector.script([say(503, "busy"), say(429, "slowly")]);
    fill(&central, 250, 260);
    fine(&siem.run(&CONFIG));
    let came = collector.came().split_off(before);
    let keys: Vec<_> =
        came.iter().filter(|came| came.path == "/lists").map(|came| came.header("idempotency-key")).collect();
    assert!(keys.windows(2).all(|two| two[0] == two[1]), "the same at each try: {keys:?}");
}

#[test]
fn over_tls_it_goes_to_who_is_trusted_alone() {
    let central = Central::start();
    fill(&central, 0, 5);
    let (folder, stranger) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    authority::certificates(folder.path());
    authority::certificates(stranger.path());
    let collector = Collector::start_tls(folder.path());
    let at = folder.path().display();
    let own = format!("cert_file: {at}/client.pem, key_file: {at}/client.key");
    let mut outputs = String::new();
    for (name, ca, own) in [("right", folder.path(), own.as_str()), ("authority", stranger.path(), &own)] {
        for (sort, more) in [("splunk_hec", "token: hunter2, "), ("webhook", "")] {
            outputs += &format!(
                "  - {{type: {sort}, name: {sort}-{name}, url: \"{}\", {more}ca_file: {}/ca.pem, {own}}}\n",
                collector.url(),
                ca.display()
            );
        }
    }
    let siem = Siem::with_outputs(&central, &outputs);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let came = collector.came();
    let of = |path: &str| came.iter().filter(|came| came.path == path).count();
    assert_eq!((of("/services/collector/event"), of("/"), came.len()), (1, 1, 2));
    for refused in ["splunk_hec-authority", "webhook-authority"] {
        let told = said.stderr.lines().find(|line| line.contains(refused)).unwrap_or_default();
        assert!(told.contains("invalid peer certificate"), "{refused}: {}", said.stderr);
    }
}
