use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use proptest::prelude::*;

use super::{script::Script, *};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

fn position(cursor: &str) -> Position {
    Position { cursor: cursor.into(), updated_at: Some(7) }
}

fn set(store: &mut Store, stream: Stream, cursor: &str) {
    store
        .update(|state| state.streams.entry(TENANT.into()).or_default().set(stream, position(cursor)))
        .expect("a folder of our own");
}

fn cursor(store: &Store, stream: Stream) -> Option<&str> {
    store.position(TENANT, None, stream).map(|position| position.cursor.as_str())
}

#[test]
fn what_is_kept_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("state/siem_sophos.json");
    let (mut store, told) = Store::open(&script).unwrap();
    assert_eq!((told, cursor(&store, Stream::Events)), (vec![], None));
    set(&mut store, Stream::Events, "a");
    set(&mut store, Stream::Alerts, "b");
    set(&mut store, Stream::Events, "c");
    assert!(matches!(Store::open(&script), Err(StateError::Locked { .. })));
    drop(store);
    let (store, told) = Store::open(&script).unwrap();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!((cursor(&store, Stream::Events), cursor(&store, Stream::Alerts)), (Some("c"), Some("b")));
    let mode = fs::metadata(folder.path().join("state/siem_sophos.sensor-siem.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!script.exists());
}

#[test]
fn an_export_goes_on_where_the_script_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("siem_sophos.json");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/state.json");
    fs::copy(&golden, &script).unwrap();
    let (mut store, told) = Store::open(&script).unwrap();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(cursor(&store, Stream::Events), Some("ZTAwMDAxNTAw"));
    assert_eq!(store.position(TENANT, None, Stream::Alerts).unwrap().updated_at, Some(1_795_931_802));
    let of_token = store.position("legacy", Some("dG9rZW4tYQ=="), Stream::Alerts).unwrap();
    assert_eq!((of_token.cursor.as_str(), of_token.updated_at), ("YTAwMDAwMDIw", None));
    assert_eq!(store.position("other", None, Stream::Alerts), None);
    set(&mut store, Stream::Events, "new");
    assert_eq!((cursor(&store, Stream::Events), cursor(&store, Stream::Alerts)), (Some("new"), Some("YTAwMDAwMDIw")));
    assert_eq!(fs::read(&script).unwrap(), fs::read(golden).unwrap(), "the script's file is only read");
    let own = fs::read_to_string(folder.path().join("siem_sophos.sensor-siem.json")).unwrap();
    assert!(!own.contains("jwt") && !own.contains("dG9r"), "{own}");
}

#[test]
fn what_cannot_be_read_is_put_aside_and_told() {
    for (content, reason) in [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "another program"),
        (r#"{"tenants": {}}"#, "another program"),
        (r#"{"format": "sensor-siem state", "version": 1}"#, "damaged"),
        (r#"{"format": "sensor-siem state", "version": 1, "streams": {"a": {"event": 7}}}"#, "damaged"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.sensor-siem.json");
        fs::write(&path, content).unwrap();
        let (mut store, told) = Store::open(&folder.path().join("s.json")).unwrap();
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
    let path = folder.path().join("s.sensor-siem.json");
    fs::write(&path, r#"{"format": "sensor-siem state", "version": 2, "streams": 7}"#).unwrap();
    let error = Store::open(&folder.path().join("s.json")).unwrap_err();
    assert!(matches!(error, StateError::Newer { .. }), "{error}");
    assert!(path.exists());
}

#[test]
fn a_foreign_file_in_the_place_of_the_scripts_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.json");
    fs::write(&script, "not JSON").unwrap();
    let (_, told) = Store::open(&script).unwrap();
    assert!(told[0].contains("left alone"), "{told:?}");
    assert_eq!(fs::read_to_string(&script).unwrap(), "not JSON");
}

proptest! {
    #[test]
    fn any_state_is_read_back(
        streams in proptest::collection::btree_map(".*", (proptest::option::of(".*"), proptest::option::of(any::<i64>())), 0..5),
        cut in any::<prop::sample::Index>(),
        file in proptest::option::of((".{0,9}", any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>())),
    ) {
        let streams = streams.into_iter().map(|(tenant, (cursor, updated_at))| {
            let events = cursor.map(|cursor| Position { cursor, updated_at });
            (tenant, Positions { events, alerts: None })
        });
        let file = file.map(|(path, device, inode, length, appending)| Mark {
            path: path.into(), device, inode, length, appending,
        });
        let state = State { streams: streams.collect(), file };
        let bytes = state.to_bytes();
        prop_assert_eq!(State::parse(&bytes), Ok(state));
        let cut = cut.index(bytes.len() - 1);
        prop_assert!(matches!(State::parse(&bytes[..cut]), Err(Unfit::Damaged(_))), "{}", cut);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "[{}\\[\\]\":,a-z0-9 ]{0,60}") {
        let _ = (State::parse(&bytes), Script::parse(&bytes), State::parse(text.as_bytes()), Script::parse(text.as_bytes()));
    }
}
