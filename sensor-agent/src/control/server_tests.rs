use std::{
    fs,
    io::BufRead,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::{Barrier, mpsc},
};

use super::*;
use crate::control::{
    Line, SOCKET_NAME,
    client::{self, ClientError},
    inventory,
    protocol::REPLY,
};

/// Answers everything at once.
struct Ready;

impl Handler for Ready {
    fn status(&self) -> Status {
        Status { pid: std::process::id(), ..Status::default() }
    }

    fn test_alert(&self, report: &mut dyn FnMut(Stage)) {
        for outcome in [Outcome::Passed, Outcome::Skipped, Outcome::Failed] {
            report(Stage { name: "rules".into(), outcome, millis: 1, detail: String::new() });
        }
    }

    fn reload(&self) -> Reload {
        Reload { time: 1, accepted: false, findings: vec!["line one\nline two".into()] }
    }

    fn inventory(&self) -> Result<Inventory, String> {
        Ok(Inventory { lists: vec![inventory::List { name: "a".into(), ..Default::default() }], ..Default::default() })
    }

    fn show(&self, subject: Subject, query: &Query, tell: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
        if let Some(filter) = &query.filter {
            return Err(format!("a wrong filter: {filter}"));
        }
        tell(Update::Notes(vec![format!("{subject:?}")]));
        tell(Update::Line(Line { pid: 7, ..Line::default() }));
        tell(Update::Json(b"{\"pid\":8}\n"));
        tell(Update::Lost(9));
        // Until nobody listens any more.
        while query.follow && tell(Update::Pause) {
            thread::yield_now();
        }
        tell(Update::End);
        Ok(())
    }
}

fn start(dir: &Path, handler: impl Handler) -> Server {
    Server::start(RunDirectory::claim(dir).unwrap(), Arc::new(handler)).unwrap()
}

fn connect(dir: &Path) -> UnixStream {
    UnixStream::connect(dir.join(SOCKET_NAME)).unwrap()
}

/// Sends bytes and returns all that comes back.
fn say(dir: &Path, bytes: &[u8]) -> String {
    let mut stream = connect(dir);
    // A server that has read enough may close before all is sent.
    let _ = stream.write_all(bytes);
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    reply
}

#[test]
fn requests_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), Ready);
    assert_eq!(client::status(dir.path()).unwrap().pid, std::process::id());
    assert_eq!(client::reload(dir.path()).unwrap(), Ready.reload());
    assert_eq!(client::inventory(dir.path()).unwrap(), Ready.inventory().unwrap());
    let mut outcomes = Vec::new();
    assert!(!client::test_alert(dir.path(), |stage| outcomes.push(stage.outcome)).unwrap());
    assert_eq!(outcomes, [Outcome::Passed, Outcome::Skipped, Outcome::Failed]);
    drop(server);
    assert!(matches!(client::status(dir.path()), Err(ClientError::NotRunning { died: false, .. })));
}

#[test]
fn the_protocol_is_plain_lines() {
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Ready);
    assert_eq!(
        say(dir.path(), b"{\"request\":\"reload\"}\n"),
        "{\"reply\":\"reloaded\",\"time\":1,\"accepted\":false,\"findings\":[\"line one\\nline two\"]}\n"
    );
    let stages = say(dir.path(), b"{\"request\":\"test-alert\"}\n");
    assert_eq!(stages.lines().count(), 4);
    assert_eq!(stages.lines().last(), Some("{\"reply\":\"tested\",\"passed\":false}"));
}

/// What is shown to somebody who looks on.
fn shown(dir: &Path, query: &Query) -> Result<Vec<String>, ClientError> {
    let mut shown = Vec::new();
    let told = |told: Update<'_>| {
        match told {
            Update::Notes(notes) => shown.extend(notes),
            Update::Line(line) => shown.push(line.pid.to_string()),
            Update::Json(json) => shown.push(String::from_utf8_lossy(json).into_owned()),
            Update::Lost(count) => shown.push(format!("{count} lost")),
            Update::Top(_) | Update::End => shown.push("end".into()),
            Update::Pause => {}
        }
        true
    };
    client::show(dir, Subject::Alerts, query, told)?;
    Ok(shown)
}

#[test]
fn who_looks_on_gets_lines_and_objects_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), Ready);
    assert_eq!(shown(dir.path(), &Query::default()).unwrap(), ["Alerts", "7", "{\"pid\":8}\n", "9 lost"]);
    let wrong = Query { filter: Some("x".into()), ..Query::default() };
    assert!(matches!(shown(dir.path(), &wrong), Err(ClientError::Refused(why)) if why == "a wrong filter: x"));
    let first = say(dir.path(), b"{\"request\":\"events\"}\n");
    assert!(first.lines().next().unwrap().as_bytes().starts_with(REPLY), "{first}");
    drop(server);
}

#[test]
fn viewers_are_few_and_keep_nobody_from_asking() {
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Ready);
    let follow = |dir: &Path| {
        let mut stream = connect(dir);
        stream.write_all(b"{\"request\":\"events\",\"query\":{\"follow\":true}}\n").unwrap();
        let mut first = String::new();
        BufReader::new(&stream).read_line(&mut first).unwrap();
        (stream, first)
    };
    let mut followers: Vec<_> = (0..MAX_VIEWERS).map(|_| follow(dir.path())).collect();
    assert!(followers.iter().all(|(_, first)| first.contains("notes")), "{followers:?}");
    let (_, refusal) = follow(dir.path());
    assert!(refusal.contains("4 others look on already"), "{refusal}");
    for _ in 0..2 * MAX_CLIENTS {
        assert!(client::status(dir.path()).is_ok());
    }
    // One that goes makes room.
    drop(followers.pop());
    while !follow(dir.path()).1.contains("notes") {
        thread::yield_now();
    }
}

#[test]
fn a_check_without_stages_has_not_passed() {
    struct Idle;
    impl Handler for Idle {
        fn status(&self) -> Status {
            Status::default()
        }
        fn test_alert(&self, _: &mut dyn FnMut(Stage)) {}
        fn reload(&self) -> Reload {
            Reload::default()
        }
        fn inventory(&self) -> Result<Inventory, String> {
            Err("nothing is known".into())
        }

        fn show(&self, _: Subject, _: &Query, _: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
            Err("nothing to be seen".into())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Idle);
    assert!(!client::test_alert(dir.path(), |_| {}).unwrap());
}

#[test]
fn nonsense_is_refused_and_the_next_client_served() {
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Ready);
    let long = [b"{\"request\":\"".as_slice(), &[b'x'; 2 * MAX_REQUEST], b"\"}\n"].concat();
    let cases: [(&[u8], &str); 8] = [
        (b"garbage\n", "not a request"),
        (b"\xff\xfe\0\n", "not a request"),
        (b"{\"request\":\"shutdown\"}\n", "status, test-alert, reload"),
        (b"{\"request\":\"status\",\"force\":true}\n", "not a request"),
        (b"[[[[[[[[[[[[[[[[[[\n", "not a request"),
        (&long, "at most 16384 bytes"),
        (b"{\"request\":\"status\",\"query\":{}}\n", "a query goes with events, alerts, processes and top"),
        (b"{\"request\":\"events\",\"query\":{\"color\":true}}\n", "unknown field `color`"),
    ];
    for (request, expected) in cases {
        let reply = say(dir.path(), request);
        assert!(reply.starts_with("{\"reply\":\"error\"") && reply.contains(expected), "{reply}");
        assert_eq!(reply.lines().count(), 1);
    }
    drop(connect(dir.path()));
    assert!(client::status(dir.path()).is_ok());
}

#[test]
fn silent_clients_hold_up_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Ready);
    let _silent: Vec<_> = (1..MAX_CLIENTS).map(|_| connect(dir.path())).collect();
    assert!(client::status(dir.path()).is_ok());
}

#[test]
fn a_client_too_many_is_told_to_come_again() {
    struct Waiting {
        begun: Mutex<mpsc::Sender<()>>,
        go_on: Arc<Barrier>,
    }
    impl Handler for Waiting {
        fn status(&self) -> Status {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go_on.wait();
            Status::default()
        }
        fn test_alert(&self, _: &mut dyn FnMut(Stage)) {}
        fn reload(&self) -> Reload {
            Reload::default()
        }
        fn inventory(&self) -> Result<Inventory, String> {
            Err("nothing is known".into())
        }

        fn show(&self, _: Subject, _: &Query, _: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
            Err("nothing to be seen".into())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (begun, has_begun) = mpsc::channel();
    let go_on = Arc::new(Barrier::new(MAX_CLIENTS + 1));
    let _server = start(dir.path(), Waiting { begun: Mutex::new(begun), go_on: Arc::clone(&go_on) });
    thread::scope(|scope| {
        let served: Vec<_> = (0..MAX_CLIENTS).map(|_| scope.spawn(|| client::status(dir.path()))).collect();
        for _ in 0..MAX_CLIENTS {
            has_begun.recv().unwrap();
        }
        let refusal = client::status(dir.path()).unwrap_err();
        assert!(matches!(&refusal, ClientError::Refused(message) if message.contains("busy")), "{refusal}");
        go_on.wait();
        assert!(served.into_iter().all(|client| client.join().unwrap().is_ok()));
    });
}

#[test]
fn changes_are_made_one_at_a_time_and_status_goes_on() {
    struct Slow {
        begun: Mutex<mpsc::Sender<()>>,
        go_on: Arc<Barrier>,
    }
    impl Handler for Slow {
        fn status(&self) -> Status {
            Status::default()
        }
        fn test_alert(&self, _: &mut dyn FnMut(Stage)) {}
        fn reload(&self) -> Reload {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go_on.wait();
            Reload { accepted: true, ..Reload::default() }
        }
        fn inventory(&self) -> Result<Inventory, String> {
            Err("nothing is known".into())
        }

        fn show(&self, _: Subject, _: &Query, _: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
            Err("nothing to be seen".into())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (begun, first_has_begun) = mpsc::channel();
    let go_on = Arc::new(Barrier::new(2));
    let _server = start(dir.path(), Slow { begun: Mutex::new(begun), go_on: Arc::clone(&go_on) });
    thread::scope(|scope| {
        let first = scope.spawn(|| client::reload(dir.path()));
        first_has_begun.recv().unwrap();
        let refusal = client::test_alert(dir.path(), |_| {}).unwrap_err();
        assert!(matches!(&refusal, ClientError::Refused(message) if message.contains("under way")), "{refusal}");
        assert!(client::status(dir.path()).is_ok());
        go_on.wait();
        assert!(first.join().unwrap().unwrap().accepted);
    });
}

#[test]
fn without_a_sensor_the_client_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = client::status(dir.path()).unwrap_err();
    assert!(error.to_string().contains("no sensor runs with the run directory"), "{error}");
    drop(UnixListener::bind(dir.path().join(SOCKET_NAME)).unwrap());
    assert!(matches!(client::status(dir.path()), Err(ClientError::NotRunning { died: true, .. })));
}

#[test]
fn a_sensor_that_breaks_off_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join(SOCKET_NAME)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for reply in
                ["", "{\"reply\":\"tested\",\"passed\":true}", "{\"reply\":\"tested\",\"passed\":true}\n", "junk\n"]
            {
                let (mut stream, _) = listener.accept().unwrap();
                BufReader::new(&stream).read_until(b'\n', &mut Vec::new()).unwrap();
                stream.write_all(reply.as_bytes()).unwrap();
            }
        });
        for _ in 0..4 {
            assert!(matches!(client::status(dir.path()), Err(ClientError::NotUnderstood(_))));
        }
    });
}

/// The user `nobody` of Linux.
const NOBODY: u32 = 65_534;
/// Tells [`as_another_user`] where to call.
const SOCKET_VARIABLE: &str = "CONTROL_TEST_SOCKET";

/// Not a test of its own: the other process of the next one.
#[test]
fn as_another_user() {
    if let Some(path) = std::env::var_os(SOCKET_VARIABLE) {
        match UnixStream::connect(path) {
            Err(error) => println!("REPLY {:?}", error.kind()),
            Ok(mut stream) => {
                let _ = stream.write_all(b"{\"request\":\"status\"}\n");
                let mut reply = String::new();
                let _ = stream.read_to_string(&mut reply);
                println!("REPLY {reply}");
            }
        }
    }
}

#[test]
fn another_user_is_turned_away() {
    use std::os::unix::process::CommandExt;

    assert_eq!(own_uid(), 0, "the tests run as root, who alone can become another user");
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path(), Ready);
    let socket = dir.path().join(SOCKET_NAME);
    // The test's own program may lie where nobody else can reach it.
    let program = dir.path().join("client");
    // Another process makes the copy: one that a child of this one has open for writing would not run.
    let mut copy = Command::new("install");
    copy.args(["-m", "755"]).arg(std::env::current_exe().unwrap()).arg(&program);
    assert!(copy.status().unwrap().success());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ask = || {
        let output = Command::new(&program)
            .args(["--exact", "control::server::tests::as_another_user", "--nocapture"])
            .env(SOCKET_VARIABLE, &socket)
            .current_dir("/")
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let reply = ask();
    assert!(reply.contains("REPLY PermissionDenied"), "the socket's mode keeps others out: {reply}");
    // If something loosened the mode, the server itself still asks who is there.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    let reply = ask();
    assert!(reply.contains("only root and the sensor's own user may ask"), "{reply}");
    assert!(!reply.contains("\"status\""), "{reply}");
}
