mod damage;
mod full_disk;
mod kill;
mod model;

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

fn alert(number: u32, size: usize) -> NewItem {
    new(Kind::Urgent, number, size)
}

fn telemetry(number: u32, size: usize) -> NewItem {
    new(Kind::Bulk, number, size)
}

/// An item whose uuid and body follow from its number.
fn new(kind: Kind, number: u32, size: usize) -> NewItem {
    NewItem { kind, uuid: uuid::Uuid::from_u128(u128::from(number)), records: 1, body: body(number, size) }
}

fn body(number: u32, size: usize) -> Vec<u8> {
    let mut state = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut body = u32::to_le_bytes(u32::try_from(size).unwrap()).to_vec();
    while body.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.extend(state.to_le_bytes());
    }
    body.truncate(size.max(4));
    body
}

/// The number of an item, checked to be as it was made.
fn number(item: &Item) -> u32 {
    let number = u32::try_from(item.uuid.as_u128()).unwrap();
    let size = u32::from_le_bytes(item.body[..4].try_into().unwrap());
    assert!(item.body == body(number, size as usize), "the body of {number} is not what was put in");
    number
}

fn numbers(items: &[Item]) -> Vec<u32> {
    items.iter().map(number).collect()
}

fn ids(items: &[Item]) -> Vec<ItemId> {
    items.iter().map(|item| item.id).collect()
}

fn open(folder: &Path) -> Spool {
    let (spool, report) = Spool::open(folder, Limits::default());
    assert_eq!((report.salvage, report.trouble), (None, None));
    spool
}

/// Takes everything out, some items at a time.
fn drain(spool: &Spool) -> Vec<u32> {
    let mut all = Vec::new();
    loop {
        let items = spool.next(7, usize::MAX);
        if items.is_empty() {
            return all;
        }
        all.extend(numbers(&items));
        spool.confirm(&ids(&items));
    }
}

#[test]
fn items_come_out_in_order_alerts_first_until_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    spool.append(vec![telemetry(1, 10), alert(2, 10), telemetry(3, 10), alert(4, 10)]).unwrap();
    assert_eq!(numbers(&spool.next(10, 1000)), [2, 4]);
    assert_eq!(numbers(&spool.next(10, 1000)), [2, 4]);
    let first = spool.next(1, 1000);
    spool.confirm(&ids(&first));
    drop(spool);

    let (spool, report) = Spool::open(folder.path(), Limits::default());
    assert_eq!(report.waiting.map(|usage| usage.items), [1, 2]);
    spool.append(vec![alert(5, 10)]).unwrap();
    assert_eq!(drain(&spool), [4, 5, 1, 3]);
    assert_eq!(spool.stats().disk, [Usage::default(); 2]);
    assert!(!spool.has_items());
}

#[test]
fn batches_are_bounded_but_never_empty() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    spool.append((0..5).map(|number| alert(number, 1000)).collect()).unwrap();
    assert_eq!(spool.next(10, 2500).len(), 2);
    assert_eq!(spool.next(10, 1).len(), 1);
    assert_eq!(spool.next(0, 0).len(), 1);
    assert_eq!(spool.next(3, usize::MAX).len(), 3);
}

#[test]
fn telemetry_makes_room_for_alerts_and_never_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { disk_bytes: 10 * item::cost(1000), ..Limits::default() };
    let (spool, _) = Spool::open(folder.path(), limits);
    spool.append((0..8).map(|number| telemetry(number, 1000)).collect()).unwrap();
    spool.append((10..16).map(|number| alert(number, 1000)).collect()).unwrap();
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Full), 4);
    spool.append((20..26).map(|number| alert(number, 1000)).collect()).unwrap();
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Full), 8);
    assert_eq!(spool.stats().given_up.count(Kind::Urgent, Cause::Full), 2);
    spool.append(vec![telemetry(30, 1000), telemetry(31, 100_000)]).unwrap();
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Full), 9);
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::TooLarge), 1);
    assert_eq!(drain(&spool), [12, 13, 14, 15, 20, 21, 22, 23, 24, 25]);
    let told: u64 = spool.stats().given_up.by_cause().values().sum();
    assert_eq!(told, 12);
}

#[test]
fn what_is_on_its_way_is_not_given_up_to_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { disk_bytes: 4 * item::cost(1000), ..Limits::default() };
    let (spool, _) = Spool::open(folder.path(), limits);
    spool.append((0..4).map(|number| alert(number, 1000)).collect()).unwrap();
    let leased = spool.next(2, usize::MAX);
    spool.append(vec![alert(4, 1000), alert(5, 1000), alert(6, 1000)]).unwrap();
    assert_eq!(spool.stats().given_up.count(Kind::Urgent, Cause::Full), 3);
    spool.confirm(&ids(&leased));
    assert_eq!(drain(&spool), [5, 6]);
    assert_eq!(spool.stats().salvages, 0);
}

#[test]
fn old_items_are_given_up_and_told() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).append(vec![alert(1, 10), telemetry(2, 10)]).unwrap();
    let (spool, report) = Spool::open(folder.path(), Limits { age: Duration::ZERO, ..Limits::default() });
    assert_eq!(report.waiting.map(|usage| usage.items), [1, 1]);
    assert_eq!(drain(&spool), [] as [u32; 0]);
    assert_eq!(spool.stats().given_up.count(Kind::Urgent, Cause::Expired), 1);
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Expired), 1);
}

#[test]
fn what_was_spooled_under_a_wrong_clock_is_as_old_as_it_is() {
    // A clock that is behind by eleven days, as on a host without a battery for it.
    fn wrong() -> SteadyTime {
        SteadyTime::at(clock::unix_now() - 11 * 24 * 3600 * 1_000_000_000, clock::boot_now())
    }
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { age: Duration::from_secs(7 * 24 * 3600), ..Limits::default() };
    let right = SteadyTime::now();
    let (mut inner, _) = Inner::open(folder.path(), limits);
    inner.clocks = wrong;
    inner.append([alert(1, 10), telemetry(2, 10)].into_iter());
    assert!(
        inner.stats().oldest.iter().all(|time| right.stepped(SteadyTime::at(time.unwrap(), clock::boot_now())) < 0)
    );
    drop(inner);
    // Set right meanwhile; the sensor is started anew.
    let (inner, report) = Inner::open(folder.path(), limits);
    assert_eq!(report.waiting.map(|usage| usage.items), [1, 1]);
    let times = inner.stats().oldest.map(Option::unwrap);
    assert!(times.iter().all(|time| right.stepped(SteadyTime::at(*time, clock::boot_now())) == 0), "{times:?}");
    drop(inner);
    assert_eq!(drain(&open(folder.path())), [1, 2]);
}

#[test]
fn what_was_given_up_is_owed_until_it_is_told_whatever_ends_the_sensor() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { disk_bytes: 10_000, ..Limits::default() };
    let path = folder.path().join("first");
    let spool = Spool::open(&path, limits).0;
    for number in 0..100 {
        spool.append(vec![alert(number, 1000)]).unwrap();
    }
    spool.reject(&spool.next(1, 0)[0], "because");
    let given_up = spool.stats().given_up;
    let full = given_up.count(Kind::Urgent, Cause::Full);
    assert!(full > 80);
    // As a kill leaves it, and after an orderly end.
    let killed = folder.path().join("killed");
    damage::copy(&path, &killed);
    drop(spool);
    for path in [path, killed] {
        let spool = Spool::open(&path, limits).0;
        assert_eq!((spool.stats().given_up.sum(), spool.stats().given_up_before), (0, given_up));
        spool.append(vec![alert(200, 5000), alert(201, 5000)]).unwrap();
        let more = spool.stats().given_up.count(Kind::Urgent, Cause::Full);
        spool.reported(&[("spool_full", full)]);
        drop(spool);
        let spool = Spool::open(&path, limits).0;
        let before = spool.stats().given_up_before;
        assert_eq!([Cause::Full, Cause::Rejected].map(|cause| before.count(Kind::Urgent, cause)), [more, 1]);
        spool.reported(&[("spool_full", more), ("rejected", 1)]);
        drop(spool);
        assert_eq!(Spool::open(&path, limits).0.stats().given_up_before.sum(), 0);
    }
}

#[test]
fn rejected_items_are_kept_apart_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { dead_letter_bytes: 3000, ..Limits::default() };
    let (spool, _) = Spool::open(folder.path(), limits);
    spool.append((0..5).map(|number| alert(number, 1000)).collect()).unwrap();
    for item in spool.next(4, usize::MAX) {
        spool.reject(&item, "no such field");
    }
    assert_eq!(spool.stats().given_up.count(Kind::Urgent, Cause::Rejected), 4);
    assert_eq!(spool.stats().dead_letters, 2);
    assert_eq!(drain(&spool), [4]);

    spool.append(vec![NewItem { records: 7, ..telemetry(5, 1000) }]).unwrap();
    let item = spool.next(1, 0).remove(0);
    spool.reject_part(&item, 3, "no such column", b"three rows");
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Rejected), 3);
    assert_eq!(drain(&spool), [5]);
}

#[test]
fn losses_are_counted_in_records() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), Limits { disk_bytes: item::cost(1000), ..Limits::default() });
    let rows = |number, records| NewItem { records, ..telemetry(number, 1000) };
    spool.append(vec![rows(1, 5), rows(2, 30), alert(3, 1000), rows(4, 200)]).unwrap();
    assert_eq!(spool.stats().given_up.count(Kind::Bulk, Cause::Full), 235);
}

#[test]
fn many_threads_share_commits_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let spool = &spool;
            scope.spawn(move || {
                for round in 0..20 {
                    spool.append(vec![alert(thread * 100 + round, 100)]).unwrap();
                }
            });
        }
    });
    let mut all = drain(&spool);
    all.sort_unstable();
    let expected: Vec<u32> = (0..16).flat_map(|thread| (0..20).map(move |round| thread * 100 + round)).collect();
    assert_eq!(all, expected);
    let stats = spool.stats();
    assert_eq!(stats.appended, 320);
    assert!(stats.commits <= 320);
}

#[test]
fn a_folder_that_cannot_be_made_keeps_alerts_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let obstacle = folder.path().join("file");
    std::fs::write(&obstacle, "").unwrap();
    let limits = Limits { memory_bytes: 3 * item::cost(10), ..Limits::default() };
    let (spool, report) = Spool::open(&obstacle.join("spool"), limits);
    assert!(report.trouble.is_some());
    let error = spool.append(vec![alert(1, 10), alert(2, 10), telemetry(3, 10)]).unwrap_err();
    assert_eq!((error.held, error.given_up), (2, 1));
    assert!(error.to_string().contains("file/spool"), "{error}");
    let first = spool.next(1, 100);
    spool.append(vec![alert(4, 10), alert(5, 10)]).unwrap_err();
    assert_eq!(spool.stats().given_up.count(Kind::Urgent, Cause::Disk), 1);
    assert_eq!(numbers(&spool.next(9, 100)), [1, 4, 5]);

    // It heals: what is in memory goes to disk and keeps its identity.
    std::fs::remove_file(&obstacle).unwrap();
    spool.retry_now();
    spool.append(vec![alert(6, 10)]).unwrap();
    assert_eq!((spool.stats().trouble, spool.stats().memory), (None, Usage::default()));
    spool.confirm(&ids(&first));
    drop(spool);
    assert_eq!(drain(&open(&obstacle.join("spool"))), [4, 5, 6]);
}

#[test]
fn one_process_holds_the_store_and_the_other_waits() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.append(vec![alert(1, 10)]).unwrap();
    let (second, report) = Spool::open(folder.path(), Limits::default());
    assert!(report.trouble.is_some_and(|trouble| trouble.reason.contains("another process")));
    second.append(vec![alert(2, 10)]).unwrap_err();
    drop(first);
    second.retry_now();
    assert_eq!(drain(&second), [1, 2]);
}

#[test]
fn numbers_in_memory_never_overwrite_those_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.lock_inner().next_seq = [i64::MAX >> 4; 2];
    first.append((0..5).map(|number| alert(number, 10)).collect()).unwrap();
    let (second, _) = Spool::open(folder.path(), Limits::default());
    second.append(vec![alert(10, 10), alert(11, 10)]).unwrap_err();
    let leased = second.next(1, 100);
    drop(first);
    second.retry_now();
    second.confirm(&ids(&leased));
    assert_eq!(drain(&second), [0, 1, 2, 3, 4, 10, 11]);
}

#[test]
fn an_emptied_store_gives_its_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    spool.append((0..200).map(|number| telemetry(number, 40_000)).collect()).unwrap();
    drain(&spool);
    drop(spool);
    let size = std::fs::metadata(folder.path().join("store/items.db")).unwrap().len();
    assert!(size < 1 << 20, "{size} bytes");
}

#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder.path().join("spool"));
    spool.append(vec![alert(1, 10)]).unwrap();
    for path in ["spool", "spool/store", "spool/store/items.db", "spool/store/items.db-wal", "spool/reserve"] {
        let mode = std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} {mode:o}");
    }
}

#[test]
fn a_store_that_others_could_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    std::fs::set_permissions(folder.path().join("store"), std::fs::Permissions::from_mode(0o733)).unwrap();
    let (spool, report) = Spool::open(folder.path(), Limits::default());
    assert!(report.trouble.unwrap().reason.contains("chmod go-w"));
    assert!(spool.append(vec![alert(1, 10)]).is_err());
    assert_eq!(drain(&spool), [1], "from memory");
}

#[test]
fn folders_of_outputs_are_their_own_and_stay_inside() {
    let names = ["mcs", "../mcs", "a/b", "a%2Fb", "Ä", "", ".", ".."];
    let folders: std::collections::HashSet<String> = names.iter().map(|name| folder_name(name)).collect();
    assert_eq!(folders.len(), names.len());
    assert!(folders.iter().all(|name| name.starts_with("output-") && !name.contains('/')));
    assert_ne!(folder_name(&"x".repeat(300)), folder_name(&format!("{}y", "x".repeat(300))));
    assert!(folder_name(&"/".repeat(300)).len() < 255);
}

impl Spool {
    /// As if the time to try again had come.
    fn retry_now(&self) {
        self.change(|inner| {
            inner.retry = Instant::now();
            inner.recover();
        });
    }

    fn lock_inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0.inner)
    }
}
