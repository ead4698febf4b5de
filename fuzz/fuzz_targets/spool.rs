//! The spool's store, as damage may leave it: whatever it is, what is put in afterwards comes out or is counted as lost.
#![no_main]

use std::fs;

use delivery::spool::{Kind, Limits, NewItem, Spool};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir_in("/dev/shm").expect("there is a /dev/shm");
    let store = folder.path().join("store");
    fs::create_dir(&store).expect("a folder can be made");
    fs::write(store.join("items.db"), bytes).expect("a file can be written");
    let (spool, _) = Spool::open(folder.path(), Limits::default());
    let opened = spool.stats();
    let uuid = Uuid::from_u128(7);
    let alert = NewItem { kind: Kind::Urgent, uuid, records: 1, body: b"an alert".to_vec() };
    spool.append(vec![alert]).expect("there is room");
    let mut came_out = false;
    for _ in 0..1000 {
        let items = spool.next_of(Kind::Urgent, 64, 1 << 20);
        if items.is_empty() {
            break;
        }
        came_out |= items.iter().any(|item| item.uuid == uuid && item.body == b"an alert");
        spool.confirm(&items.iter().map(|item| item.id).collect::<Vec<_>>());
    }
    let stats = spool.stats();
    assert!(came_out || stats.salvages > opened.salvages || stats.given_up.sum() > opened.given_up.sum());
});
