//! Whole rounds against a server that replies as a test says.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

mod health;
mod lost_state;
mod replay;
mod slow;
mod syslog;

use super::*;
use crate::{
    config::{MAIN, Output},
    destination::{Destination, FileOutput, file::Lines},
    format::{Format, Layout},
    item::Stream,
    source::{
        Fault, LONGEST, Start,
        test_server::{Reply, Server, TENANT, ok, page, run, token},
    },
    state::{Change, Moved, Reached},
};

struct Home {
    folder: tempfile::TempDir,
    outputs: Vec<Output>,
    streams: Vec<Stream>,
    options: Options,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = file(MAIN, &folder.path().join("log/result.txt"));
        Self { folder, outputs: vec![output], streams: Stream::ALL.to_vec(), options: Options::default() }
    }

    fn result(&self) -> PathBuf {
        self.folder.path().join("log/result.txt")
    }

    fn config(&self, server: &Server) -> Config {
        Config {
            credentials: server.credentials(),
            connection: Server::connection(),
            streams: self.streams.clone(),
            light: false,
            earlier_minutes: [0, 0],
            overlap: Duration::from_secs(300),
            poll: Duration::from_secs(60),
            outputs: self.outputs.clone(),
            state: self.folder.path().join("state/own.jsonl"),
            script_state: None,
            dead_letters: self.folder.path().join("dead.jsonl"),
            metrics: None,
            log_level: crate::config::LogLevel::Info,
            log_format: crate::config::LogFormat::Text,
            idle: Vec::new(),
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("state/own.jsonl"), None).unwrap().0
    }

    fn text(&self) -> String {
        fs::read_to_string(self.result()).unwrap_or_default()
    }

    fn round(&self, server: &Server) -> Summary {
        let (_stop, stopping) = watch::channel(false);
        let session = server.of_client(None);
        let engine =
            Engine::with(session, self.config(server), self.options.clone(), Arc::default(), stopping).unwrap();
        run(async {
            let mut work = Work::new(Arc::new(engine));
            work.begin();
            while work.go_on().await {}
            work.summary()
        })
    }

    fn cursor(&self, stream: Stream) -> Option<String> {
        self.store().position(MAIN, TENANT, stream).map(|position| position.reached.cursor.clone())
    }
}

fn file(name: &str, path: &Path) -> Output {
    Output {
        name: name.into(),
        destination: Destination::File(FileOutput::new(path.into())),
        layout: Layout { format: Format::Json, compat: true, fqdn: true },
        start: Start::Ago(12 * 3600),
        max_bytes: None,
    }
}

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

/// A page of events and one of alerts.
fn golden_pages() -> [Reply; 2] {
    // Values here do not keep the order of members, so the text of each list is cut out of the file.
    let text = String::from_utf8(golden("items.json")).unwrap();
    let list = |name: &str| {
        let begin = text.find(&format!("\"{name}\": [")).unwrap() + name.len() + 5;
        let end = begin + text[begin..].find("\n ]").unwrap();
        text[begin..end].to_owned()
    };
    [page(&list("events"), false, "e"), page(&list("alerts"), false, "a")]
}

fn whoami() -> Reply {
    ok(format!(r#"{{"id": "{TENANT}", "idType": "tenant", "apiHosts": {{"dataRegion": "SELF"}}}}"#))
}

/// What comes before the pages is replied to too.
fn server(replies: impl IntoIterator<Item = Reply>) -> Server {
    Server::start([token("t"), whoami()].into_iter().chain(replies))
}

fn items(from: u32, to: u32) -> String {
    (from..to).map(|id| format!(r#"{{"id": "{id}"}}"#)).collect::<Vec<_>>().join(", ")
}

fn ids(text: &str) -> Vec<String> {
    let line = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).expect("a whole line")["id"].as_str().unwrap().to_owned()
    };
    text.lines().map(line).collect()
}

fn numbers(from: u32, to: u32) -> Vec<String> {
    (from..to).map(|id| id.to_string()).collect()
}

/// A page with the date of now, so that it is known when the stream was read to its end.
fn dated(items: &str, has_more: bool, cursor: &str) -> Reply {
    let body = format!(r#"{{"has_more": {has_more}, "items": [{items}], "next_cursor": "{cursor}"}}"#);
    Reply::Dated(u64::try_from(now()).unwrap(), body)
}

fn from_date(line: &str) -> i64 {
    line.rsplit_once("from_date=").unwrap_or_else(|| panic!("{line}")).1.parse().unwrap()
}

#[test]
fn a_first_round_writes_what_the_script_writes() {
    let all: serde_json::Value = serde_json::from_slice(&golden("items.json")).unwrap();
    assert_eq!((all["events"].as_array().unwrap().len(), all["alerts"].as_array().unwrap().len()), (14, 6));
    let home = Home::new();
    let server = server(golden_pages());
    assert_eq!(home.round(&server).to_string(), "14 events and 6 alerts of 1 tenant");
    assert_eq!(home.text().as_bytes(), golden("json.txt"));
    assert_eq!(
        (home.cursor(Stream::Events).as_deref(), home.cursor(Stream::Alerts).as_deref()),
        (Some("e"), Some("a"))
    );
}

#[test]
fn rounds_go_on_where_the_last_one_stopped() {
    let home = Home::new();
    home.round(&server([page(&items(0, 3), true, "e1"), page(&items(3, 5), false, "e2"), page("", false, "a1")]));
    let second = server([page(&items(5, 6), false, "e3"), page("", false, "a1")]);
    home.round(&second);
    assert_eq!(ids(&home.text()), numbers(0, 6));
    // Without dates it is not known when a stream was read to its end.
    assert_eq!(
        second.lines()[2..],
        ["GET /siem/v1/events?limit=1000&cursor=e2", "GET /siem/v1/alerts?limit=1000&cursor=a1"]
    );
}

#[test]
fn items_that_come_late_are_found_and_none_is_written_twice() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.round(&server([dated(&items(0, 3), true, "e1"), dated(&items(3, 5), false, "e2")]));
    // 9 came in late: Central lists it among what was read before.
    let again = format!("{}, {}, {}", items(3, 4), items(9, 10), items(4, 6));
    let second = server([dated(&again, true, "e2"), dated(&items(5, 7), false, "e3")]);
    let summary = home.round(&second);
    assert_eq!(summary.events, 3);
    assert_eq!(ids(&home.text()), ["0", "1", "2", "3", "4", "9", "5", "6"]);
    let from = from_date(&second.lines()[2]);
    assert!((now() - from - 300).abs() < 60, "{from}");
}

#[test]
fn a_clock_that_differs_much_is_not_gone_by() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let date = u64::try_from(now()).unwrap() + 3600;
    home.round(&server([Reply::Dated(date, r#"{"has_more": false, "items": [], "next_cursor": "e1"}"#.into())]));
    let second = server([dated("", false, "e2")]);
    home.round(&second);
    assert!(second.lines()[2].ends_with("cursor=e1"), "{:?}", second.lines());
}

#[test]
fn a_page_that_was_not_confirmed_is_cut_off_and_comes_again() {
    let home = Home::new();
    home.round(&server([page(&items(0, 3), false, "e1"), page("", false, "a1")]));
    let before = home.text();
    let state = fs::read(home.folder.path().join("state/own.jsonl")).unwrap();
    // As the process leaves it that is killed within the next page.
    let next: String = (3..6).map(|id| format!("{{\"id\": \"{id}\", \"datastream\": \"event\"}}\n")).collect();
    for kept in [0, 1, next.len() / 2, next.len()] {
        fs::write(home.folder.path().join("state/own.jsonl"), &state).unwrap();
        let mut lines = Lines::open(&home.result()).unwrap();
        let mark = lines.mark(next.as_bytes()).unwrap();
        home.store().record(Change { output: MAIN.into(), file: Some(mark), ..Change::default() }).unwrap();
        fs::write(home.result(), format!("{before}{}", &next[..kept])).unwrap();
        let server = server([page(&items(3, 6), false, "e2"), page("", false, "a2")]);
        home.round(&server);
        assert_eq!(home.text(), format!("{before}{next}"), "{kept}");
        assert_eq!(server.lines()[2], "GET /siem/v1/events?limit=1000&cursor=e1", "{kept}");
        // Back to where it was.
        fs::write(home.result(), &before).unwrap();
    }
}

#[test]
fn what_a_crash_of_the_host_takes_of_the_state_doubles_nothing_in_a_file() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.round(&server([page(&items(0, 3), false, "e1")]));
    let path = home.folder.path().join("state/own.jsonl");
    let before = fs::read(&path).unwrap();
    home.round(&server([page(&items(3, 6), true, "e2"), page(&items(6, 9), false, "e3")]));
    let whole = home.text();
    // The file was waited for, and the state of after it was not: whole lines, and a part of one, stand there.
    for kept in [whole.len(), whole.len() - 9, whole.len() - whole.lines().last().unwrap().len() - 1] {
        fs::write(&path, &before).unwrap();
        fs::OpenOptions::new().write(true).open(home.result()).unwrap().set_len(kept as u64).unwrap();
        let server = server([page(&items(3, 6), true, "e2"), page(&items(6, 10), false, "e4")]);
        let summary = home.round(&server);
        assert_eq!((summary.refused, server.lines()[2].as_str()), (0, "GET /siem/v1/events?limit=1000&cursor=e1"));
        assert_eq!(ids(&home.text()), numbers(0, 10), "{kept}");
        fs::OpenOptions::new().write(true).open(home.result()).unwrap().set_len(whole.len() as u64).unwrap();
    }
    // What is asked for again is written again.
    fs::write(&path, &before).unwrap();
    home.options = Options { since: Some(now() - 100), ..Options::default() };
    home.round(&server([page(&items(0, 9), false, "e3")]));
    assert_eq!(ids(&home.text()).len(), 18);
}

#[test]
fn outputs_go_on_each_from_where_it_is() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let other = home.folder.path().join("other.txt");
    home.outputs.push(file("other", &other));
    home.round(&server([page(&items(0, 2), false, "e1")]));
    assert_eq!((ids(&home.text()), ids(&fs::read_to_string(&other).unwrap())), (numbers(0, 2), numbers(0, 2)));
    // One of them cannot be written for a time.
    let kept = home.folder.path().join("kept.txt");
    fs::rename(&other, &kept).unwrap();
    fs::create_dir(&other).unwrap();
    let summary = home.round(&server([page(&items(2, 4), false, "e2")]));
    assert_eq!((summary.events, summary.refused), (2, 1));
    assert_eq!(ids(&home.text()), numbers(0, 4));
    fs::remove_dir(&other).unwrap();
    fs::rename(&kept, &other).unwrap();
    // Both at once: which asks first is not said.
    let server = server([page(&items(2, 6), false, "e3"), page(&items(2, 6), false, "e3")]);
    let summary = home.round(&server);
    assert_eq!(summary.refused, 0);
    let mut lines = server.lines()[2..].to_vec();
    lines.sort();
    assert_eq!(lines, ["GET /siem/v1/events?limit=1000&cursor=e1", "GET /siem/v1/events?limit=1000&cursor=e2"]);
    assert_eq!((ids(&home.text()), ids(&fs::read_to_string(&other).unwrap())), (numbers(0, 6), numbers(0, 6)));
}

#[test]
fn an_output_that_is_added_begins_where_it_is_said() {
    let mut home = Home::new();
    home.streams = vec![Stream::Alerts];
    home.round(&server([page(&items(0, 2), false, "a1")]));
    let later = home.folder.path().join("later.txt");
    home.outputs.push(Output { start: Start::Now, ..file("later", &later) });
    let server = server([page(&items(2, 3), false, "a2"), page(&items(2, 3), false, "a2")]);
    home.round(&server);
    let asked = server.lines()[2..].join(" ");
    assert!(asked.contains("cursor=a1"), "{asked}");
    let from = asked.split("from_date=").nth(1).unwrap();
    let from: i64 = from.split(' ').next().unwrap().parse().unwrap();
    assert!((now() - from).abs() < 60, "{from}");
    assert_eq!((ids(&home.text()), ids(&fs::read_to_string(later).unwrap())), (numbers(0, 3), numbers(2, 3)));
}

#[test]
fn a_cursor_waits_for_its_page() {
    let mut home = Home::new();
    let folder = home.folder.path().join("folder");
    fs::create_dir(&folder).unwrap();
    // A device that is full is none.
    for path in [folder.as_path(), Path::new("/dev/full")] {
        home.outputs = vec![file(MAIN, path)];
        let server = server([]);
        let summary = home.round(&server);
        assert_eq!((summary.refused, server.lines().len()), (1, 0), "nobody is asked");
    }
    assert_eq!(home.cursor(Stream::Events), None);
    let store = home.store();
    let told = &store.output(MAIN).unwrap().faults[&None];
    assert!(told.reason.contains("no regular file"), "{told:?}");
}

#[test]
fn a_stream_that_fails_does_not_stop_the_next() {
    let home = Home::new();
    let forbidden = Reply::With(403, "", "{}".into());
    let summary = home.round(&server([forbidden, page(&items(0, 1), false, "a")]));
    assert!(matches!(summary.faults[..], [Fault::Refused(_)]), "{summary:?}");
    assert_eq!(summary.to_string(), "0 events and 1 alert of 1 tenant; 1 stream could not be read to the end");
    assert_eq!((ids(&home.text()), home.cursor(Stream::Events)), (numbers(0, 1), None));
    let place = Some((TENANT.to_owned(), Stream::Events));
    assert!(home.store().output(MAIN).unwrap().faults[&place].reason.contains("replied 403"));
    // Until it goes on.
    home.round(&server([page("", false, "e"), page("", false, "a")]));
    assert!(home.store().output(MAIN).unwrap().faults.is_empty());
}

#[test]
fn a_cursor_that_is_not_known_any_more_costs_no_item() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.round(&server([page(&items(0, 1), false, "old")]));
    let server = server([Reply::With(400, "", "{}".into()), page(&items(0, 2), false, "new")]);
    home.round(&server);
    assert_eq!(ids(&home.text()), ["0", "1"]);
    assert!((now() - from_date(&server.lines()[3]) - LONGEST).abs() < 600);
    assert_eq!(home.cursor(Stream::Events).as_deref(), Some("new"));
}

#[test]
fn a_place_that_is_never_taken_is_given_up() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.round(&server([dated(&items(0, 1), false, "old")]));
    let bad = || Reply::With(400, "", "{}".into());
    let server = server([bad(), bad(), bad(), bad()]);
    let summary = home.round(&server);
    assert!(matches!(summary.faults[..], [Fault::Bad(_)]), "{summary:?}");
    assert_eq!(server.lines().len(), 5, "the time, the cursor, as far back as can be");
}

#[test]
fn a_pause_that_is_too_long_is_told_as_a_gap() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let at = now() - 30 * 3600;
    let reached = Reached { cursor: "old".into(), at, complete: Some(at), ..Reached::default() };
    let moved = Moved { tenant: TENANT.into(), stream: Stream::Events, reached, known_from: Some(at), sent: vec![] };
    home.store().record(Change { output: MAIN.into(), moved: Some(moved), ..Change::default() }).unwrap();
    home.round(&server([page(&items(0, 1), false, "new")]));
    let gap = home.store().position(MAIN, TENANT, Stream::Events).unwrap().reached.gap.unwrap();
    assert_eq!(gap.from, at);
    assert!((now() - gap.to - LONGEST).abs() < 600, "{gap:?}");
}

#[test]
fn odd_items_are_set_aside_and_the_page_goes_on() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.outputs[0].max_bytes = Some(256);
    let long = format!(r#"{{"id": "9", "a": "{}"}}"#, "x".repeat(300));
    let all = format!(r#"{}, [1, null], "text", {long}, {}"#, items(0, 1), items(1, 2));
    let summary = home.round(&server([page(&all, false, "e")]));
    assert_eq!((summary.events, summary.dead_letters), (5, 3));
    assert_eq!(ids(&home.text()), numbers(0, 2));
    let dead = fs::read_to_string(home.folder.path().join("dead.jsonl")).unwrap();
    let dead: Vec<serde_json::Value> = dead.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(dead.len(), 3);
    assert_eq!((&dead[0]["item"], &dead[0]["reason"]), (&"[1, null]".into(), &"it is no object".into()));
    assert!(dead[2]["item"].as_str().unwrap().contains("xxx"));
    assert!(dead[2]["reason"].as_str().unwrap().contains("`max_bytes` is 256"));
}

#[test]
fn what_people_ask_for_again_comes_again_and_a_dry_run_writes_nothing() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    home.round(&server([page(&items(0, 2), false, "e1")]));
    let before = home.text();
    home.options.is_dry = true;
    let summary = home.round(&server([page(&items(2, 4), true, "e2"), page(&items(4, 5), false, "e3")]));
    assert_eq!(summary.events, 3);
    assert_eq!((home.text(), home.cursor(Stream::Events).as_deref()), (before, Some("e1")));
    home.options = Options { since: Some(now() - 100), ..Options::default() };
    home.round(&server([page(&items(0, 2), false, "e1")]));
    assert_eq!(ids(&home.text()), ["0", "1", "0", "1"]);
}

#[test]
fn a_server_that_does_not_go_on_does_not_hold_us() {
    let mut home = Home::new();
    home.streams = vec![Stream::Alerts];
    let summary = home.round(&server([page(&items(0, 1), true, "a"), page("", true, "a")]));
    assert!(
        matches!(&summary.faults[..], [Fault::Unavailable(reason)] if reason.contains("same cursor")),
        "{summary:?}"
    );
}

/// Each fault of the API at each request of a round.
#[test]
fn faults_of_central_cost_no_item_and_double_none() {
    let replies = || {
        vec![
            token("t"),
            whoami(),
            dated(&items(0, 2), true, "e1"),
            dated(&items(2, 4), false, "e2"),
            dated(&items(4, 6), false, "a1"),
        ]
    };
    let faults: [fn() -> Vec<Reply>; 7] = [
        || vec![Reply::With(429, "retry-after: 0\r\n", String::new())],
        || vec![Reply::With(500, "", "oops".into())],
        || vec![Reply::With(503, "retry-after: 0\r\n", String::new()), Reply::With(502, "", String::new())],
        || vec![Reply::Cut],
        || vec![Reply::Reset],
        || vec![ok("<html>a portal</html>")],
        // A token that is not good any more.
        || vec![Reply::With(401, "", "{}".into()), token("another")],
    ];
    for at in 0..replies().len() {
        for (number, fault) in faults.iter().enumerate() {
            // A token that is asked for is refused for good.
            if at == 0 && number == faults.len() - 1 {
                continue;
            }
            let mut all = replies();
            all.splice(at..at, fault());
            let home = Home::new();
            let summary = home.round(&Server::start(all));
            assert_eq!((summary.faults.len(), summary.refused), (0, 0), "fault {number} at request {at}: {summary:?}");
            assert_eq!(ids(&home.text()), numbers(0, 6), "fault {number} at request {at}");
        }
    }
}

#[test]
fn a_tenant_that_does_not_answer_delays_no_other() {
    let other = "33333333-2222-4333-8444-555555555555";
    // It takes the request and does not reply for as long as this is there.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_at = silent.local_addr().unwrap();
    let listed = format!(
        r#"{{"items": [{{"id": "{other}", "apiHost": "http://{silent_at}"}}, {{"id": "{TENANT}", "apiHost": "SELF"}}, {{"id": "wrong", "apiHost": "no URL"}}], "pages": {{"total": 1}}}}"#
    );
    let partner = r#"{"id": "22222222-2222-4333-8444-555555555555", "idType": "partner", "apiHosts": {}}"#;
    let server = Server::start([token("t"), ok(partner), ok(listed), page(&items(0, 3), false, "e")]);
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let (stop, stopping) = watch::channel(false);
    let session = server.of_client(None);
    let engine = Engine::with(session, home.config(&server), home.options.clone(), Arc::default(), stopping).unwrap();
    run(async {
        let mut work = Work::new(Arc::new(engine));
        work.begin();
        // Which tenants there are, and then all of the one.
        assert!(work.go_on().await && work.go_on().await);
        assert_eq!(ids(&home.text()), numbers(0, 3));
        assert!(!work.is_idle(), "the other is still asked");
        // A round that begins meanwhile leaves it alone, and a stop ends it.
        stop.send(true).unwrap();
        while work.go_on().await {}
        let summary = work.summary();
        assert_eq!((summary.tenants, summary.events), (3, 3));
        assert!(matches!(&summary.faults[..], [Fault::Refused(reason)] if reason.contains("no URL")), "{summary:?}");
    });
}
