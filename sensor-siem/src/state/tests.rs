use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use proptest::prelude::*;

use super::{script::Script, *};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

fn moved(stream: Stream, cursor: &str, sent: &[u64]) -> Change {
    let reached = Reached { cursor: cursor.into(), at: 7, ..Reached::default() };
    let moved = Moved { tenant: TENANT.into(), stream, reached, known_from: None, sent: sent.to_vec() };
    Change { output: "main".into(), moved: Some(moved), ..Change::default() }
}

fn set(store: &mut Store, stream: Stream, cursor: &str) {
    store.record(moved(stream, cursor, &[])).expect("a folder of our own");
}

fn cursor(store: &Store, stream: Stream) -> Option<&str> {
    store.position("main", TENANT, stream).map(|position| position.reached.cursor.as_str())
}

#[test]
fn what_is_kept_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/own.jsonl");
    let (mut store, told) = Store::open(&path, None).unwrap();
    assert_eq!((told, cursor(&store, Stream::Events)), (vec![], None));
    set(&mut store, Stream::Events, "a");
    set(&mut store, Stream::Alerts, "b");
    set(&mut store, Stream::Events, "c");
    store.record(moved(Stream::Alerts, "b", &[3])).unwrap();
    assert!(matches!(Store::open(&path, None), Err(StateError::Locked { .. })));
    assert_eq!(Store::look(&path).unwrap(), *store.state(), "others may look");
    drop(store);
    let (store, told) = Store::open(&path, None).unwrap();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!((cursor(&store, Stream::Events), cursor(&store, Stream::Alerts)), (Some("c"), Some("b")));
    assert!(store.position("main", TENANT, Stream::Alerts).unwrap().sent.has(3));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_line_without_an_end_is_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.jsonl");
    let (mut store, _) = Store::open(&path, None).unwrap();
    set(&mut store, Stream::Events, "a");
    let before = fs::read(&path).unwrap();
    drop(store);
    let line = moved(Stream::Events, "b", &[]).to_line();
    for kept in 0..line.len() {
        fs::write(&path, [&before[..], &line[..kept]].concat()).unwrap();
        let (mut store, told) = Store::open(&path, None).unwrap();
        assert_eq!((told, cursor(&store, Stream::Events)), (vec![], Some("a")), "{kept}");
        set(&mut store, Stream::Events, "c");
        drop(store);
        assert_eq!(cursor(&Store::open(&path, None).unwrap().0, Stream::Events), Some("c"));
    }
}

#[test]
fn what_the_disk_lost_of_what_was_noted_is_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.jsonl");
    let (mut store, _) = Store::open(&path, None).unwrap();
    set(&mut store, Stream::Events, "a");
    let kept = fs::read(&path).unwrap();
    for cursor in ["b", "c", "d"] {
        store.note(moved(Stream::Events, cursor, &[])).unwrap();
    }
    store.settle().unwrap();
    let whole = fs::read(&path).unwrap();
    drop(store);
    assert_eq!(cursor(&Store::open(&path, None).unwrap().0, Stream::Events), Some("d"));
    // The last of it is there, and what stood before is not.
    let mut lost = whole.clone();
    let end = whole.len() - moved(Stream::Events, "d", &[]).to_line().len() / 2;
    lost[kept.len() + 3..end].fill(0);
    assert_eq!(State::parse(&lost).unwrap(), (State::parse(&kept).unwrap().0, kept.len()));
}

#[test]
fn a_long_journal_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.jsonl");
    let (mut store, _) = Store::open(&path, None).unwrap();
    let marks: Vec<u64> = (0..MOST as u64).collect();
    let mut longest = 0;
    for number in 0..40 {
        store.record(moved(Stream::Events, &number.to_string(), &marks)).unwrap();
        longest = longest.max(fs::metadata(&path).unwrap().len());
    }
    // Each has the marks of all, some 400 KB.
    assert!(longest > 3 << 20 && longest < 6 << 20, "{longest}");
    assert_eq!(Store::look(&path).unwrap(), *store.state());
}

#[test]
fn an_export_goes_on_where_the_script_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("siem_sophos.json");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/state.json");
    fs::copy(&golden, &script).unwrap();
    let path = folder.path().join("own.jsonl");
    let (store, told) = Store::open(&path, Some(&script)).unwrap();
    assert_eq!(told, Vec::<String>::new());
    let stopped = store.script(TENANT, None, Stream::Events).unwrap();
    assert_eq!((stopped.cursor.as_str(), stopped.at), ("ZTAwMDAxNTAw", Some(1_795_931_802)));
    let of_token = store.script("legacy", Some("dG9rZW4tYQ=="), Stream::Alerts).unwrap();
    assert_eq!((of_token.cursor.as_str(), of_token.at), ("YTAwMDAwMDIw", None));
    assert_eq!(store.script("other", None, Stream::Alerts), None);
    assert_eq!(fs::read(&script).unwrap(), fs::read(golden).unwrap(), "the script's file is only read");
    let own = fs::read_to_string(&path).unwrap();
    assert!(!own.contains("jwt") && !own.contains("dG9r"), "{own}");
}

#[test]
fn what_cannot_be_read_is_put_aside_and_told() {
    let head = "{\"format\": \"sensor-siem state\", \"version\": 1}\n";
    for (content, reason) in [
        (String::new(), "damaged"),
        ("{".into(), "damaged"),
        ("{\n".into(), "damaged"),
        ("[]\n".into(), "another program"),
        ("{\"tenants\": {}}\n".into(), "another program"),
        (head.replace('1', "0"), "damaged"),
        (format!("{head}{{}}\n"), "line 2 is damaged"),
        (format!("{head}{{\"output\": \"a\", \"moved\": {{\"tenant\": \"t\"}}}}\n"), "line 2 is damaged"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        fs::write(&path, &content).unwrap();
        let (mut store, told) = Store::open(&path, None).unwrap();
        assert!(told.len() == 1 && told[0].contains(reason), "{content}: {told:?}");
        set(&mut store, Stream::Events, "a");
        let aside = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains("damaged-")).collect();
        assert_eq!(fs::read_to_string(&aside[0]).unwrap(), content);
    }
}

#[test]
fn a_newer_state_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    fs::write(&path, "{\"format\": \"sensor-siem state\", \"version\": 2, \"streams\": 7}\n").unwrap();
    let error = Store::open(&path, None).unwrap_err();
    assert!(matches!(error, StateError::Newer { .. }), "{error}");
    assert!(path.exists());
}

#[test]
fn a_foreign_file_in_the_place_of_the_scripts_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.json");
    fs::write(&script, "not JSON").unwrap();
    let (_, told) = Store::open(&folder.path().join("own.jsonl"), Some(&script)).unwrap();
    assert!(told[0].contains("left alone"), "{told:?}");
    assert_eq!(fs::read_to_string(&script).unwrap(), "not JSON");
}

fn any_change() -> impl Strategy<Value = Change> {
    let file = (".{0,9}", any::<[u64; 4]>()).prop_map(|(path, [device, inode, length, appending])| Mark {
        path: path.into(),
        device,
        inode,
        length,
        appending,
    });
    let last =
        (proptest::option::of(".{0,5}"), proptest::option::of(".{0,5}")).prop_map(|(id, time)| Last { id, time });
    let gap = any::<(i64, i64)>().prop_map(|(from, to)| Gap { from, to });
    let reached = (
        ".{0,9}",
        0_i64..9,
        any::<bool>(),
        proptest::option::of(any::<i64>()),
        proptest::option::of(last),
        proptest::option::of(gap),
    )
        .prop_map(|(cursor, at, more, complete, last, gap)| Reached { cursor, at, more, complete, last, gap });
    let known_from = proptest::option::of(0_i64..9);
    let moved = (".{0,2}", any::<bool>(), reached, known_from, proptest::collection::vec(0_u64..20, 0..5));
    let moved = moved.prop_map(|(tenant, is_event, reached, known_from, sent)| {
        let stream = if is_event { Stream::Events } else { Stream::Alerts };
        Moved { tenant, stream, reached, known_from, sent }
    });
    let fault = (proptest::option::of((".{0,2}", Just(Stream::Events))), any::<i64>(), ".{0,9}")
        .prop_map(|(stream, at, reason)| Failed { stream, told: FaultRecord { at, reason } });
    let lost = proptest::option::of(any::<i64>());
    ("[ab]", proptest::option::of(file), proptest::option::of(moved), proptest::option::of(fault), lost)
        .prop_map(|(output, file, moved, fault, lost)| Change { output, file, moved, fault, lost })
}

proptest! {
    #[test]
    fn a_journal_and_what_it_amounts_to_say_the_same(
        changes in proptest::collection::vec(any_change(), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let head = State::default().lines().collect::<Vec<_>>().concat();
        let mut journal = head.clone();
        let mut state = State::default();
        let mut states = vec![(journal.len(), state.clone())];
        for change in changes {
            journal.extend(change.to_line());
            state.apply(change);
            states.push((journal.len(), state.clone()));
        }
        prop_assert_eq!(State::parse(&journal), Ok((state.clone(), journal.len())));
        let anew = state.lines().collect::<Vec<_>>().concat();
        prop_assert_eq!(State::parse(&anew), Ok((state, anew.len())));
        // Wherever a crash cuts it, it says what it said before that line.
        let cut = head.len() + cut.index(journal.len() - head.len() + 1);
        let (whole, before) = states.into_iter().rfind(|(length, _)| *length <= cut).expect("the head is whole");
        prop_assert_eq!(State::parse(&journal[..cut]), Ok((before, whole)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "[{}\\[\\]\":,a-z0-9 \n]{0,60}") {
        let _ = (State::parse(&bytes), Script::parse(&bytes), State::parse(text.as_bytes()), Script::parse(text.as_bytes()));
    }
}
