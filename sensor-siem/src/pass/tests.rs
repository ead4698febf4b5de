//! Whole passes against a server that replies as a test says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    format::Format,
    source::test_server::{Reply, Server, TENANT, ok, page, run, token},
};

struct Home {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Home {
    fn new() -> Self {
        let settings = Settings {
            streams: Stream::ALL.to_vec(),
            light: false,
            since: None,
            earlier_minutes: [0, 0],
            layout: Layout { format: Format::Json, compat: true, fqdn: true },
        };
        Self { folder: tempfile::tempdir().unwrap(), settings }
    }

    fn result(&self) -> PathBuf {
        self.folder.path().join("log/result.txt")
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("state/siem_sophos.json")).unwrap().0
    }

    fn text(&self) -> String {
        fs::read_to_string(self.result()).unwrap_or_default()
    }

    fn pass_to(&self, output: &Path, server: &Server) -> Result<Summary, PassError> {
        let (mut session, mut store) = (server.of_client(None), self.store());
        let pass = Pass::new(&self.settings, &Output::File(output.to_owned()), &mut session, &mut store)?;
        run(pass.run())
    }

    fn pass(&self, server: &Server) -> Result<Summary, PassError> {
        self.pass_to(&self.result(), server)
    }

    fn cursor(&self, stream: Stream) -> Option<String> {
        self.store().position(TENANT, None, stream).map(|position| position.cursor.clone())
    }
}

fn whoami() -> Reply {
    ok(format!(r#"{{"id": "{TENANT}", "idType": "tenant", "apiHosts": {{"dataRegion": "SELF"}}}}"#))
}

/// A server that the tenant's data are at too.
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

#[test]
fn a_first_pass_writes_what_the_script_writes() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let all: serde_json::Value = serde_json::from_slice(&fs::read(golden.join("items.json")).unwrap()).unwrap();
    // Values here do not keep the order of members, so the text of each list is cut out of the file.
    let text = fs::read_to_string(golden.join("items.json")).unwrap();
    let list = |name: &str| {
        let begin = text.find(&format!("\"{name}\": [")).unwrap() + name.len() + 5;
        let end = begin + text[begin..].find("\n ]").unwrap();
        text[begin..end].to_owned()
    };
    assert_eq!((all["events"].as_array().unwrap().len(), all["alerts"].as_array().unwrap().len()), (14, 6));
    let home = Home::new();
    let server = server([page(&list("events"), false, "e"), page(&list("alerts"), false, "a")]);
    let summary = home.pass(&server).unwrap();
    assert_eq!(summary.to_string(), "14 events and 6 alerts of 1 tenant");
    assert_eq!(home.text(), fs::read_to_string(golden.join("json.txt")).unwrap());
    assert_eq!(
        (home.cursor(Stream::Events).as_deref(), home.cursor(Stream::Alerts).as_deref()),
        (Some("e"), Some("a"))
    );
}

#[test]
fn passes_go_on_where_the_last_one_stopped() {
    let home = Home::new();
    home.pass(&server([page(&items(0, 3), true, "e1"), page(&items(3, 5), false, "e2"), page("", false, "a1")]))
        .unwrap();
    let second = server([page(&items(5, 6), false, "e3"), page("", false, "a1")]);
    home.pass(&second).unwrap();
    assert_eq!(ids(&home.text()), numbers(0, 6));
    assert_eq!(
        second.lines()[2..],
        ["GET /siem/v1/events?limit=1000&cursor=e2", "GET /siem/v1/alerts?limit=1000&cursor=a1"]
    );
}

#[test]
fn a_page_that_was_not_confirmed_is_cut_off_and_comes_again() {
    let home = Home::new();
    home.pass(&server([page(&items(0, 3), false, "e1"), page("", false, "a1")])).unwrap();
    let before = home.text();
    // As the process leaves it that is killed within the next page.
    let next: String = (3..6).map(|id| format!("{{\"id\": \"{id}\", \"datastream\": \"event\"}}\n")).collect();
    for kept in [0, 1, next.len() / 2, next.len()] {
        let mut lines = Lines::open(&home.result()).unwrap();
        let mark = lines.mark(next.as_bytes()).unwrap();
        home.store().update(|state| state.file = Some(mark)).unwrap();
        fs::write(home.result(), format!("{before}{}", &next[..kept])).unwrap();
        let server = server([page(&items(3, 6), false, "e2"), page("", false, "a2")]);
        home.pass(&server).unwrap();
        assert_eq!(home.text(), format!("{before}{next}"), "{kept}");
        assert_eq!(server.lines()[2], "GET /siem/v1/events?limit=1000&cursor=e1", "{kept}");
        // Back to where it was.
        fs::write(home.result(), &before).unwrap();
        home.store()
            .update(|state| {
                let position = Position { cursor: "e1".into(), updated_at: Some(now()) };
                state.streams.get_mut(TENANT).unwrap().set(Stream::Events, position);
            })
            .unwrap();
    }
}

#[test]
fn a_cursor_waits_for_its_page() {
    let home = Home::new();
    let folder = home.folder.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let error = home.pass_to(&folder, &server([])).unwrap_err();
    assert!(matches!(&error, PassError::Destination { what, .. } if what.ends_with("folder")), "{error}");
    // A device that is full.
    let error = home.pass_to(Path::new("/dev/full"), &server([])).unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
    assert_eq!(home.cursor(Stream::Events), None);
}

#[test]
fn a_stream_that_fails_does_not_stop_the_next() {
    let home = Home::new();
    let forbidden = Reply::With(403, "", "{}".into());
    let summary = home.pass(&server([forbidden, page(&items(0, 1), false, "a")])).unwrap();
    assert!(matches!(summary.faults[..], [Fault::Refused(_)]), "{summary:?}");
    assert_eq!(summary.to_string(), "0 events and 1 alert of 1 tenant; 1 stream could not be read to the end");
    assert_eq!((ids(&home.text()), home.cursor(Stream::Events)), (numbers(0, 1), None));
}

#[test]
fn a_cursor_that_is_not_known_any_more_costs_no_item() {
    let mut home = Home::new();
    home.settings.streams = vec![Stream::Events];
    home.pass(&server([page(&items(0, 1), false, "old")])).unwrap();
    let server = server([Reply::With(400, "", "{}".into()), page(&items(0, 2), false, "new")]);
    home.pass(&server).unwrap();
    assert_eq!(ids(&home.text()), ["0", "0", "1"]);
    let from = server.lines()[3].rsplit_once("from_date=").unwrap().1.parse::<i64>().unwrap();
    assert!((now() - from - 24 * 3600).abs() < 600, "{from}");
    assert_eq!(home.cursor(Stream::Events).as_deref(), Some("new"));
}

#[test]
fn a_server_that_does_not_go_on_does_not_hold_us() {
    let mut home = Home::new();
    home.settings.streams = vec![Stream::Alerts];
    let summary = home.pass(&server([page(&items(0, 1), true, "a"), page("", true, "a")])).unwrap();
    assert!(
        matches!(&summary.faults[..], [Fault::Unavailable(reason)] if reason.contains("same cursor")),
        "{summary:?}"
    );
}
