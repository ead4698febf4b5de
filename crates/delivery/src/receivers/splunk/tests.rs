//! The table of codes, against a collector that has it from a test.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::test_receiver::{Came, Receiver};

const EVENTS: &str = "/services/collector/event";
const ACKS: &str = "/services/collector/ack";
const TAKEN: &str = r#"{"text":"Success","code":0,"ackId":7}"#;

fn splunk(receiver: &Receiver, ack: bool) -> Splunk {
    Splunk::new(&SplunkSettings {
        url: receiver.url.clone(),
        token: SecretString::from("hunter2-token"),
        index: None,
        sourcetype: None,
        source: None,
        ack,
        gzip: false,
        http: HttpSettings {
            agent: "test",
            batch_size: 100,
            batch_delay: Duration::ZERO,
            timeout: Duration::from_secs(60),
            retry_min: Duration::from_millis(1),
            retry_max: Duration::from_millis(1),
            tls: crate::tls::TlsSettings::default(),
        },
    })
    .unwrap()
}

/// Events by number, each its own body.
fn bodies(numbers: impl IntoIterator<Item = usize>) -> Vec<(Uuid, String)> {
    numbers.into_iter().map(|number| (Uuid::from_u128(number as u128), format!("{{\"event\":{number}}}"))).collect()
}

fn send(splunk: &mut Splunk, bodies: &[(Uuid, String)]) -> Answer {
    let messages: Vec<_> = bodies.iter().map(|(uuid, body)| Message::new(*uuid, body.as_bytes())).collect();
    splunk.send(&messages)
}

/// The numbers of the events in a request.
fn numbers(came: &Came) -> Vec<usize> {
    came.body
        .lines()
        .map(|line| line.trim_start_matches("{\"event\":").trim_end_matches('}').parse().unwrap())
        .collect()
}

/// Which of the events were refused, for good or for their size; all others are confirmed.
fn refused(answer: &Answer, of: usize) -> Vec<usize> {
    assert_eq!((answer.settled.len(), &answer.setback), (of, &None), "{answer:?}");
    (0..of).filter(|at| matches!(answer.settled[*at], Settled::Rejected(_) | Settled::TooLarge(_))).collect()
}

#[test]
fn without_a_number_the_bad_event_is_found_by_halves() {
    for (status, code) in [(400, 5), (400, 6), (400, 12), (400, 13), (400, 15)] {
        for bad in [0, 5, 8] {
            let receiver = Receiver::start(move |came| match numbers(came).contains(&bad) {
                true => (status, format!(r#"{{"text":"bad","code":{code}}}"#)),
                false => (200, TAKEN.to_owned()),
            });
            let answer = send(&mut splunk(&receiver, false), &bodies(0..9));
            assert_eq!(refused(&answer, 9), [bad], "code {code}");
        }
    }
}

#[test]
fn the_events_that_are_named_are_given_up_and_no_others() {
    let bad = [2, 3, 7];
    let receiver = Receiver::start(move |came| match numbers(came).iter().position(|number| bad.contains(number)) {
        Some(place) => (400, format!(r#"{{"text":"bad","code":6,"invalid-event-number":{place}}}"#)),
        None => (200, TAKEN.to_owned()),
    });
    let answer = send(&mut splunk(&receiver, false), &bodies(0..9));
    assert_eq!(refused(&answer, 9), bad);
    // Nothing that was taken is sent again.
    let taken: Vec<_> =
        receiver.came(EVENTS).iter().map(numbers).filter(|sent| !sent.iter().any(|one| bad.contains(one))).collect();
    let mut once: Vec<usize> = taken.into_iter().flatten().collect();
    once.sort_unstable();
    assert_eq!(once, [0, 1, 4, 5, 6, 8]);
}

#[test]
fn a_number_of_no_event_is_none() {
    let receiver = Receiver::start(|came| match numbers(came).contains(&1) {
        true => (400, r#"{"text":"bad","code":6,"invalid-event-number":-1}"#.to_owned()),
        false => (200, TAKEN.to_owned()),
    });
    assert_eq!(refused(&send(&mut splunk(&receiver, false), &bodies(0..4)), 4), [1]);
}

#[test]
fn what_is_too_large_together_is_sent_in_halves() {
    for words in [r#"{"text":"Request entity too large","code":27}"#, "<html>too large</html>", ""] {
        let receiver = Receiver::start(move |came| match numbers(came) {
            sent if sent.len() > 2 || sent.contains(&4) => (413, words.to_owned()),
            _ => (200, TAKEN.to_owned()),
        });
        let answer = send(&mut splunk(&receiver, false), &bodies(0..9));
        assert_eq!(refused(&answer, 9), [4], "{words}");
    }
}

#[test]
fn a_setback_leaves_what_was_not_settled() {
    let receiver = Receiver::start(|came| match numbers(came) {
        sent if sent.len() > 2 => (413, String::new()),
        sent if sent.contains(&2) => (503, r#"{"text":"Server is busy","code":9}"#.to_owned()),
        _ => (200, TAKEN.to_owned()),
    });
    let answer = send(&mut splunk(&receiver, false), &bodies(0..8));
    assert_eq!(answer.settled, [Settled::Confirmed, Settled::Confirmed]);
    assert!(!answer.setback.unwrap().lasting);
}

#[test]
fn a_collector_that_refuses_everything_gets_no_dead_letters_beyond_a_few() {
    let receiver = Receiver::start(|_| (400, r#"{"text":"No data","code":5}"#.to_owned()));
    let answer = send(&mut splunk(&receiver, false), &bodies(0..30));
    assert_eq!(answer.settled.len(), 8);
    assert!(answer.setback.unwrap().lasting);
}

#[test]
fn a_question_that_is_refused_does_not_send_events_again() {
    for (status, code, lasting) in [
        (400, 10, true),
        (400, 11, true),
        (400, 14, true),
        (403, 4, true),
        (401, 2, true),
        (503, 19, false),
        (400, 16, false),
    ] {
        let refusals = Arc::new(AtomicUsize::new(2));
        let left = Arc::clone(&refusals);
        let receiver = Receiver::start(move |came| match came.path.starts_with(ACKS) {
            true if left.load(Ordering::Relaxed) > 0 => {
                left.fetch_sub(1, Ordering::Relaxed);
                (status, format!(r#"{{"text":"no","code":{code}}}"#))
            }
            true => (200, r#"{"acks":{"7":true}}"#.to_owned()),
            false => (200, TAKEN.to_owned()),
        });
        let mut splunk = splunk(&receiver, true);
        for _ in 0..2 {
            let answer = send(&mut splunk, &bodies(0..3));
            assert_eq!(answer.settled, []);
            let setback = answer.setback.unwrap();
            assert_eq!(setback.lasting, lasting, "code {code}: {setback:?}");
            assert!(setback.reason.contains("acknowledgement") || !lasting || code < 5, "{setback:?}");
        }
        // Meanwhile others have come, which are sent for the first time.
        assert_eq!(refused(&send(&mut splunk, &bodies(0..5)), 5), [0; 0]);
        let sent: Vec<_> = receiver.came(EVENTS).iter().map(numbers).collect();
        assert_eq!(sent, [vec![0, 1, 2], vec![3, 4]], "code {code}");
    }
}

#[test]
fn what_was_not_indexed_in_time_is_sent_again() {
    let receiver = Receiver::start(move |came| match came.path.starts_with(ACKS) {
        true => (200, r#"{"acks":{"7":false}}"#.to_owned()),
        false => (200, TAKEN.to_owned()),
    });
    let mut splunk = splunk(&receiver, true);
    splunk.indexed_within = Duration::ZERO;
    for tries in 1..=2 {
        let answer = send(&mut splunk, &bodies(0..3));
        assert!(answer.setback.unwrap().reason.contains("not indexed"));
        assert_eq!(receiver.came(EVENTS).len(), tries);
    }
}
