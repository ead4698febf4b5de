//! ZeroMQ, against libzmq as Python programs use it, and as C programs do.

use nix::sys::signal::Signal;
use sensor_tests::{Central, Siem, free_port, until};
use serde_json::Value;

use super::fill::{fill, ids};
use super::receiver::Receiver;
use super::zeromq_peer::{messages, plain_receiver, receiver};
use super::{counted, fine};

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

/// What came under a topic.
fn items(receiver: &Receiver, topic: &str) -> Vec<Value> {
    let came = messages(receiver).into_iter();
    came.map(|(under, body)| {
        assert_eq!(under, topic);
        serde_json::from_slice(&body).expect("JSON")
    })
    .collect()
}

#[test]
fn subscribers_have_each_item_and_without_one_it_waits() {
    let central = Central::start();
    fill(&central, 0, 1500);
    let endpoint = format!("tcp://127.0.0.1:{}", free_port());
    let siem = Siem::with_outputs(&central, &format!("  - {{type: zeromq, endpoint: \"{endpoint}\", topic: siem}}\n"));
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    fine(&checked);
    assert!(checked.stdout.contains(&endpoint), "{}", checked.stdout);

    // Nobody is there: it is said, and no position moves.
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("nobody has subscribed to `siem`"), "{}", said.stderr);

    let (python, c) =
        (receiver("sub", "connect", &endpoint, &["si"]), plain_receiver("sub", "connect", &endpoint, &[""]));
    // Who comes within a round has not all of it: as many rounds as it takes until both have the first item.
    until("a round to reach somebody", || (siem.run(&CONFIG).code == Some(0)).then_some(()));
    let all = ids(0, 1500);
    let most = until("all to arrive", || {
        let came = [&python, &c].map(|receiver| counted(&items(receiver, "siem")));
        came.into_iter().find(|came| came.len() == all.len())
    });
    assert_eq!(most.into_keys().collect::<Vec<_>>(), all);
    let status = siem.run(&["-c", "config.yaml", "status"]);
    assert!(status.stdout.contains("ZeroMQ confirms nothing"), "{}", status.stdout);

    let (before, other) = (items(&python, "siem").len(), items(&c, "siem").len());
    drop((python, c));
    assert!(before.max(other) >= all.len());
}

#[test]
fn one_of_those_who_pull_has_each_item_once() {
    let central = Central::start();
    fill(&central, 0, 1200);
    let folder = tempfile::tempdir().expect("a folder");
    let endpoint = format!("ipc://{}/pull", folder.path().display());
    let output = format!("  - {{type: zeromq, endpoint: \"{endpoint}\", pattern: push, bind: false, format: cef}}\n");
    let siem = Siem::with_outputs(&central, &output);
    assert_eq!(siem.run(&["-c", "config.yaml", "check"]).code, Some(1), "nobody listens");
    let peer = receiver("pull", "bind", &endpoint, &[]);
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    fine(&siem.run(&CONFIG));
    let came = until("all to arrive", || Some(messages(&peer)).filter(|came| came.len() >= 1200));
    assert_eq!(came.len(), 1200, "each once");
    assert!(came.iter().all(|(topic, line)| topic == "items" && line.starts_with(b"CEF:0|sophos|")));

    // One that hangs is told of, and what it was to get comes once it does not.
    peer.signal(Signal::SIGSTOP);
    fill(&central, 1200, 1210);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("no receiver is connected"), "{}", said.stderr);
    peer.signal(Signal::SIGCONT);
    fine(&siem.run(&CONFIG));
    until("the rest to arrive", || (messages(&peer).len() == 1210).then_some(()));
}
