//! Files that were cut, overwritten or lost: it opens, hands out nothing wrong, and works on.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const ITEMS: u32 = 300;

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A store with items in several commits; with `open`, a copy taken as if the sensor was killed.
fn store(folder: &Path, killed: bool) -> PathBuf {
    let (live, killed_copy) = (folder.join("live"), folder.join("killed"));
    let spool = super::open(&live);
    for first in (0..ITEMS).step_by(10) {
        spool
            .append(
                (first..first + 10)
                    .map(|number| if number % 3 == 0 { telemetry(number, 900) } else { alert(number, 300) })
                    .collect(),
            )
            .unwrap();
    }
    if killed {
        copy(&live, &killed_copy);
        return killed_copy;
    }
    live
}

/// Opens a damaged store and sees that it works on. Yields how many items were had back.
fn survive(folder: &Path) -> (usize, Stats) {
    let (spool, _) = Spool::open(folder, Limits::default());
    let items = drain(&spool);
    let unique: HashSet<u32> = items.iter().copied().collect();
    assert_eq!(unique.len(), items.len(), "an item came twice");
    assert!(items.iter().all(|number| *number < ITEMS));
    let stats = spool.stats();
    spool.append(vec![alert(1000, 10), telemetry(1001, 5000)]).unwrap();
    drop(spool);
    let (spool, report) = Spool::open(folder, Limits::default());
    assert_eq!((report.salvage, report.trouble), (None, None));
    assert_eq!(drain(&spool), [1000, 1001]);
    (items.len(), stats)
}

/// Numbers that look random and are the same each time.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 1).unwrap() % below
    }
}

#[test]
fn a_flipped_bit_costs_little_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let base = store(folder.path(), false);
    let original = fs::read(base.join("store/items.db")).unwrap();
    let mut random = random();
    let mut worst = ITEMS as usize;
    for round in 0..150 {
        let work = folder.path().join("work");
        copy(&base, &work);
        let mut bytes = original.clone();
        // The first pages hold the schema, so they get more than their share.
        let place = random(if round % 3 == 0 { 4096 } else { bytes.len() });
        let bit = 1 << random(8);
        bytes[place] ^= bit;
        fs::write(work.join("store/items.db"), bytes).unwrap();
        let (had, stats) = survive(&work);
        if had < ITEMS as usize {
            assert!(stats.given_up.sum() > 0, "items went missing in silence: byte {place}, bit {bit}");
        }
        // Page 1 is the schema; without it no row can be found.
        if place >= 4096 {
            worst = worst.min(had);
        }
        fs::remove_dir_all(&work).unwrap();
    }
    assert!(worst >= 250, "one bit cost {} items of {ITEMS}", ITEMS as usize - worst);
}

#[test]
fn damage_to_the_log_loses_no_more_than_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let base = store(folder.path(), true);
    let log = fs::read(base.join("store/items.db-wal")).unwrap();
    assert!(log.len() > 10_000);
    let mut random = random();
    for round in 0..60 {
        let work = folder.path().join("work");
        copy(&base, &work);
        let mut bytes = log.clone();
        let place = random(bytes.len());
        match round % 3 {
            0 => bytes[place] ^= 1 << random(8),
            1 => bytes.truncate(place),
            _ => bytes[place..].fill(0),
        }
        fs::write(work.join("store/items.db-wal"), bytes).unwrap();
        survive(&work);
        fs::remove_dir_all(&work).unwrap();
    }
}

#[test]
fn a_cut_or_overwritten_store_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let base = store(folder.path(), false);
    let original = fs::read(base.join("store/items.db")).unwrap();
    let mut random = random();
    for round in 0..40 {
        let work = folder.path().join("work");
        copy(&base, &work);
        let mut bytes = original.clone();
        let place = random(bytes.len());
        match round % 4 {
            0 => bytes.truncate(place),
            1 => bytes[place..].fill(0),
            2 => {
                let end = bytes.len().min(place + 8192);
                bytes[place..end].fill(0xff);
            }
            _ => {
                let end = bytes.len().min(place + 40_000);
                bytes[place..end].iter_mut().for_each(|byte| *byte = random(256).to_le_bytes()[0]);
            }
        }
        fs::write(work.join("store/items.db"), bytes).unwrap();
        let (had, stats) = survive(&work);
        assert!(had == ITEMS as usize || stats.given_up.sum() > 0 || place == 0, "lost in silence");
        fs::remove_dir_all(&work).unwrap();
    }
}

#[test]
fn another_kind_of_file_is_set_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("store")).unwrap();
    fs::write(folder.path().join("store/items.db"), "not a database, but long enough to look like none").unwrap();
    let (spool, report) = Spool::open(folder.path(), Limits::default());
    let salvage = report.salvage.unwrap();
    assert_eq!(salvage.recovered, 0);
    assert!(salvage.aside.join("items.db").exists());
    assert_eq!(spool.stats().salvages, 1);
    spool.append(vec![alert(1, 10)]).unwrap();
    assert_eq!(drain(&spool), [1]);
}

#[test]
fn a_store_whose_columns_were_hit_takes_nothing_that_it_could_not_give_back() {
    let folder = tempfile::tempdir().unwrap();
    let base = store(folder.path(), false);
    let file = base.join("store/items.db");
    let mut bytes = fs::read(&file).unwrap();
    let column = memchr::memmem::find(&bytes, b"crc integer").unwrap();
    bytes[column..column + 3].copy_from_slice(b"cra");
    fs::write(&file, bytes).unwrap();
    let (spool, report) = Spool::open(&base, Limits::default());
    assert!(report.salvage.is_some());
    spool.append(vec![alert(1000, 10)]).unwrap();
    assert!(drain(&spool).contains(&1000));
}

#[test]
fn salvage_that_was_cut_off_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let base = store(folder.path(), false);
    fs::rename(base.join("store"), base.join("salvaging")).unwrap();
    let (spool, report) = Spool::open(&base, Limits::default());
    assert_eq!(report.salvage.unwrap().recovered, u64::from(ITEMS));
    assert_eq!(drain(&spool).len(), ITEMS as usize);
}
