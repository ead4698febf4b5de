//! What is passed on of a receiver's words.

use super::*;
use crate::test_receiver::Receiver;

fn client(secrets: Vec<String>) -> Client {
    let settings = HttpSettings {
        agent: "test",
        batch_size: 1,
        batch_delay: Duration::ZERO,
        timeout: Duration::from_secs(1),
        retry_min: Duration::from_secs(1),
        retry_max: Duration::from_secs(1),
        tls: TlsSettings::default(),
    };
    Client::new(settings, HeaderMap::new(), secrets).unwrap()
}

#[test]
fn a_request_without_a_body_says_so() {
    let receiver = Receiver::start(|came| (if came.length.is_some() { 200 } else { 411 }, String::new()));
    for body in ["", "text"] {
        let mut client = client(Vec::new());
        let reply = client.send(&Method::POST, &receiver.url, HeaderMap::new(), body.into());
        assert_eq!(reply.unwrap_or_else(|setback| panic!("{}", setback.reason)).status, 200, "{body:?}");
    }
    assert_eq!(receiver.came("").iter().map(|came| came.length).collect::<Vec<_>>(), [Some(0), Some(4)]);
}

#[test]
fn user_and_password_of_a_url_are_not_passed_on() {
    let url = Url::parse("http://user:hunt%40er2@hooks.example/in").unwrap();
    let client = client(secrets_of_url(&url).collect());
    // `user:hunt@er2` in base 64.
    for echo in ["not hunt@er2", "not hunt%40er2", "not Basic dXNlcjpodW50QGVyMg==", "dXNlcjpodW50QGVyMg"] {
        let words = client.words(echo.as_bytes());
        assert!(words.contains("***") && !words.contains("er2") && !words.contains("dXNl"), "{words}");
    }
    let alone = Url::parse("http://hunter2-token@hooks.example").unwrap();
    let words = self::client(secrets_of_url(&alone).collect()).words(b"hunter2-token aHVudGVyMi10b2tlbjo=");
    assert_eq!(words, "*** ***=");
}

#[test]
fn a_secret_is_replaced_wherever_the_words_are_cut() {
    let secret = "hunter2-".repeat(8);
    let client = client(vec![secret.clone(), "hunter2-hunter2".to_owned()]);
    for before in (0..=4 * MAX_WORDS + 10).chain(MAX_REPLY - secret.len() - 10..MAX_REPLY) {
        // Blanks are pressed together, so that what follows them is among the words that are passed on.
        for filler in [" ", "x"] {
            let mut body = format!("{}{secret}", filler.repeat(before)).into_bytes();
            // What is read of a reply is cut too.
            body.truncate(MAX_REPLY);
            let words = client.words(&body);
            assert!(!words.contains("hunter"), "{before}: {words}");
        }
    }
}
