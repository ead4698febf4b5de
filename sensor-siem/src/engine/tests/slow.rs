//! An output that is slow, or fails.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use delivery::{
    http::HttpSettings,
    receivers::webhook::{WebhookMethod, WebhookSettings},
    tls::TlsSettings,
};

use super::*;

/// A webhook that refuses so many requests and then replies to nothing until it is told to; the items that came.
fn webhook(refused: usize) -> (Destination, mpsc::Sender<()>, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let items = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&items);
    let (open, opens) = mpsc::channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let came: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
            let end = "content-length: 0\r\nconnection: close\r\n\r\n";
            if number < refused {
                write!(stream.get_mut(), "HTTP/1.1 503 Busy\r\n{end}").unwrap();
                continue;
            }
            all.lock().unwrap().extend(came.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            if number == refused {
                opens.recv().unwrap();
            }
            write!(stream.get_mut(), "HTTP/1.1 200 OK\r\n{end}").unwrap();
        }
    });
    let http = HttpSettings {
        agent: "test",
        batch_size: 100,
        batch_delay: Duration::ZERO,
        timeout: Duration::from_secs(300),
        retry_min: Duration::ZERO,
        retry_max: Duration::ZERO,
        tls: TlsSettings::default(),
    };
    let settings = WebhookSettings { url, method: WebhookMethod::Post, headers: Vec::new(), http };
    (Destination::Receiver(Arc::new(settings)), open, items)
}

#[test]
fn an_output_that_is_slow_delays_no_other_and_has_all_at_the_end_of_the_round() {
    let (destination, open, items_there) = webhook(0);
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let slow = Output { name: "slow".into(), destination, ..home.outputs[0].clone() };
    home.outputs.push(slow);
    let rest = || [page(&items(2, 4), true, "e2"), page(&items(4, 6), false, "e3")];
    let server = server([page(&items(0, 2), true, "e1")].into_iter().chain(rest()).chain(rest()));
    let (_stop, stopping) = watch::channel(false);
    let session = server.of_client(None);
    let mut engine = Engine::with(session, home.config(&server), Options::default(), Arc::default(), stopping).unwrap();
    engine.patience = Some(Duration::from_secs(2));
    run(async {
        let mut work = Work::new(Arc::new(engine));
        work.begin();
        while !work.is_round_over() {
            assert!(work.go_on().await);
        }
        assert_eq!(ids(&home.text()), numbers(0, 6), "the other has all");
        assert!(!work.is_idle(), "the slow one has not");
        // A round that begins meanwhile leaves it alone.
        assert_eq!(work.summary().refused, 0);
        open.send(()).unwrap();
        while work.go_on().await {}
        assert_eq!(work.summary().refused, 0);
    });
    assert_eq!(*items_there.lock().unwrap(), numbers(0, 6), "each once and in order");
    let cursor = |output: &str| home.store().position(output, TENANT, Stream::Events).unwrap().reached.cursor.clone();
    assert_eq!((cursor(MAIN), cursor("slow")), ("e3".into(), "e3".into()));
    assert_eq!(server.lines()[5], "GET /siem/v1/events?limit=1000&cursor=e1");
}

#[test]
fn an_output_that_failed_is_tried_again_while_no_other_waits_for_it() {
    // As often as it is tried at once.
    let (destination, open, items_there) = webhook(4);
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let failing = Output { name: "failing".into(), destination, ..home.outputs[0].clone() };
    home.outputs.push(failing);
    let mut from_begin = 0;
    let server = Server::answering(move |line| match line {
        _ if line.starts_with("POST ") => token("t"),
        _ if line.contains("/whoami/") => whoami(),
        _ if line.contains("cursor=e1") => page(&items(2, 4), true, "e2"),
        _ if line.contains("cursor=e2") => page(&items(4, 6), true, "e3"),
        _ if line.contains("cursor=e3") => page(&items(6, 8), false, "e4"),
        _ if line.contains("cursor=e4") => page("", false, "e4"),
        // There is more by the second time.
        _ => {
            from_begin += 1;
            page(&items(0, 2), from_begin > 1, "e1")
        }
    });
    let (_stop, stopping) = watch::channel(false);
    let session = server.of_client(None);
    let mut engine = Engine::with(session, home.config(&server), Options::default(), Arc::default(), stopping).unwrap();
    // For longer than any test may take.
    engine.patience = Some(Duration::from_secs(3600));
    run(async {
        let mut work = Work::new(Arc::new(engine));
        work.begin();
        while work.go_on().await {}
        assert_eq!((work.summary().refused, ids(&home.text())), (1, numbers(0, 2)));
        work.begin();
        while !work.is_round_over() {
            assert!(work.go_on().await);
        }
        assert_eq!(ids(&home.text()), numbers(0, 8), "the other has all");
        assert!(!work.is_idle(), "it is still tried");
        open.send(()).unwrap();
        while work.go_on().await {}
        assert_eq!(*items_there.lock().unwrap(), numbers(0, 8));
        // From now on they are read for together again.
        let before = server.lines().len();
        work.begin();
        while work.go_on().await {}
        let asked = server.lines()[before..].iter().filter(|line| line.contains("/events")).count();
        assert_eq!(asked, 1, "{:?}", server.lines());
    });
}
