//! A runtime that answers, is slow, is hostile, is gone, is replaced by another.

#[path = "runtime/cri.rs"]
mod cri;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use containers::{Facts, Lookups, Settings, Status, Waiting};
use schema::process::Runtime;

const ID: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// Answers the paths that it is asked for.
type Answer = fn(&str, &mut UnixStream);

/// Listens until nobody needs it any more: the thread is the test's own.
fn serve(socket: &Path, answer: Answer) {
    let listener = UnixListener::bind(socket).expect("a socket");
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            std::thread::spawn(move || {
                let mut line = String::new();
                let mut reader = BufReader::new(connection.try_clone().expect("a second one"));
                let _ = reader.read_line(&mut line);
                answer(line.split(' ').nth(1).unwrap_or_default(), &mut connection);
            });
        }
    });
}

fn reply(connection: &mut UnixStream, status: &str, body: &str) {
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

const MISSING: &str = "404 Not Found";
const OK: &str = "200 OK";

fn engine(path: &str, connection: &mut UnixStream, name: &str) {
    match path {
        "/_ping" => reply(connection, OK, "OK"),
        _ if path == format!("/containers/{ID}/json") => reply(
            connection,
            OK,
            &format!(
                r#"{{"Id": "{ID}", "Name": "/{name}", "Image": "{ID}", "Config": {{"Image": "web:1", "Labels": {{"a": "b"}}}}}}"#
            ),
        ),
        _ if path == format!("/images/sha256:{ID}/json") => {
            reply(connection, OK, &format!(r#"{{"RepoDigests": ["web@sha256:{ID}"]}}"#));
        }
        _ => reply(connection, MISSING, "{}"),
    }
}

fn docker(path: &str, connection: &mut UnixStream) {
    engine(path, connection, "web");
}

fn other(path: &str, connection: &mut UnixStream) {
    engine(path, connection, "other");
}

fn knows_none(path: &str, connection: &mut UnixStream) {
    engine(&path.replace("/containers/", "/none/"), connection, "web");
}

/// Takes questions in and never answers.
fn silent(_: &str, connection: &mut UnixStream) {
    let _ = std::io::copy(connection, &mut std::io::sink());
}

/// An answer without an end.
fn endless(_: &str, connection: &mut UnixStream) {
    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Id\": \"");
    while connection.write_all(&[b'a'; 65536]).is_ok() {}
}

fn nonsense(_: &str, connection: &mut UnixStream) {
    let _ = connection.write_all(b"\x00\x01\x02 not HTTP\r\n\r\n");
}

/// What was told, in order.
struct Waiter(Sender<Option<Facts>>);

impl Waiting for Waiter {
    fn tell(&self, facts: Option<Facts>) {
        let _ = self.0.send(facts);
    }
}

struct Bench {
    folder: tempfile::TempDir,
    lookups: Lookups<Waiter>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings { socket: Some(folder.path().join("sock")), again: Duration::from_millis(20) };
        Self { folder, lookups: Lookups::start(settings).expect("a thread") }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    fn ask(&self, id: &str) -> Receiver<Option<Facts>> {
        let (told, answers) = channel();
        self.lookups.ask(id, Waiter(told));
        answers
    }

    fn until(&self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.lookups.status();
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < end, "{what}: {status:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn next(answers: &Receiver<Option<Facts>>) -> Option<Facts> {
    answers.recv_timeout(Duration::from_secs(60)).expect("an answer")
}

/// The first answer that has facts.
fn named(answers: &Receiver<Option<Facts>>) -> Facts {
    loop {
        if let Some(facts) = next(answers) {
            return facts;
        }
    }
}

#[test]
fn a_runtime_that_answers_is_told_of() {
    let bench = Bench::new();
    serve(&bench.socket(), docker);
    let facts = named(&bench.ask(ID));
    let expected = Facts {
        runtime: Some(Runtime::Docker),
        name: "web".into(),
        image_name: "web".into(),
        image_tag: "1".into(),
        image_id: format!("sha256:{ID}"),
        image_digest: format!("sha256:{ID}"),
        labels: vec![("a".into(), "b".into())],
        ..Facts::default()
    };
    assert_eq!(facts, expected);
    let status = bench.until("its count", |status| status.runtimes.iter().any(|runtime| runtime.named == 1));
    let runtime = &status.runtimes[0];
    assert_eq!((runtime.runtime.as_str(), runtime.answers), ("docker", Some(true)));
    assert_eq!(status.unnamed, 0);
}

#[test]
fn what_is_no_id_is_nobodys_to_ask_for() {
    let bench = Bench::new();
    serve(&bench.socket(), docker);
    for id in ["", "web", "../_ping", &ID[1..], &ID.to_uppercase()] {
        assert_eq!(next(&bench.ask(id)), None, "{id}");
    }
    assert_eq!(bench.lookups.status().runtimes[0].asked, 0);
}

#[test]
fn without_an_answer_there_is_one_that_says_so() {
    for (what, answer) in [
        ("silent", silent as Answer),
        ("endless", endless),
        ("nonsense", nonsense),
        ("without the container", knows_none),
    ] {
        let bench = Bench::new();
        serve(&bench.socket(), answer);
        assert_eq!(next(&bench.ask(ID)), None, "{what}");
        bench.until(what, |status| {
            let runtime = &status.runtimes[0];
            let seen = if what == "without the container" { runtime.unknown } else { runtime.failed };
            status.unnamed == 1 && seen > 0
        });
    }
    let bench = Bench::new();
    assert_eq!(next(&bench.ask(ID)), None, "nobody there");
}

#[test]
fn a_runtime_that_comes_later_or_is_replaced_is_asked_again() {
    let bench = Bench::new();
    let answers = bench.ask(ID);
    assert_eq!(next(&answers), None);
    serve(&bench.socket(), silent);
    bench.until("a question without an answer", |status| status.runtimes[0].answers == Some(false));
    std::fs::remove_file(bench.socket()).expect("the socket");
    serve(&bench.socket(), other);
    assert_eq!(named(&answers).name, "other");
    let status = bench.until("none unnamed", |status| status.unnamed == 0);
    assert_eq!(status.runtimes[0].answers, Some(true));
}
