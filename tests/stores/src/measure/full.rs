//! What a store still does on a disk that is full to the last byte.
//!
//! The disk is a small tmpfs in a mount namespace of the child's own, so it is gone with the child, however that ends.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::BATCH;
use crate::child::{self, End};
use crate::place::Place;
use crate::store::{Failure, Item, Rival, Store};
use crate::table::Row;

/// Of the file system: 16 MiB.
const SIZE: &std::ffi::CStr = c"size=16m";
/// Bytes that are given free when deleting fails, as the spool does.
const RESERVE: u64 = 512 << 10;

pub(crate) fn rows(place: &Place) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<(String, [String; 3])> = Vec::new();
    for (column, rival) in Rival::COMPARED.into_iter().enumerate() {
        let folder = place.folder()?;
        let told = match child::run("fill", rival, folder.path(), 0)? {
            End::Output(text) => text,
            End::Died(said) => format!("what it does\tdies: {said}"),
            End::Hung => "what it does\thangs".to_owned(),
        };
        for line in told.lines() {
            let mut parts = line.split('\t');
            let (Some(what), Some(answer)) = (parts.next(), parts.next()) else {
                return Err("a line of the child makes no sense".into());
            };
            if let Some(reason) = parts.next() {
                eprintln!("{}, {what}: {answer}: {reason}", rival.name());
            }
            let what = format!("disk full: {what}");
            let row = match rows.iter().position(|row| row.0 == what) {
                Some(row) => row,
                None => {
                    rows.push((what, ["–"; 3].map(str::to_owned)));
                    rows.len() - 1
                }
            };
            rows[row].1[column] = answer.to_owned();
        }
    }
    Ok(rows.into_iter().map(|(what, cells)| Row::new(what, cells)).collect())
}

/// Fills the disk through the store, and tells line by line what goes on.
pub(crate) fn child(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    mount_for_this_process_alone(folder)?;
    child::watch();
    let reserve = folder.join("reserve");
    fallocate(File::create(&reserve)?, FallocateFlags::empty(), 0, RESERVE)?;

    let mut store = rival.open(folder)?;
    let mut next = 1;
    let refusal = loop {
        match store.append(&Item::several(next..next + BATCH)) {
            Ok(()) => next += BATCH,
            Err(error) => break error,
        }
    };
    fill(folder)?;
    println!("what append says\t{}", one_line(&refusal));
    tell("reading goes on", &reads(store.as_mut(), 1));
    let mut deleted = store.delete(&numbers(1));
    tell("deleting works", &deleted);
    if deleted.is_err() {
        fs::remove_file(&reserve)?;
        deleted = store.delete(&numbers(1));
        tell("deleting works with 512 KiB given free", &deleted);
    }
    if deleted.is_err() {
        drop(store);
        match rival.open(folder) {
            Ok(again) => store = again,
            Err(error) => {
                tell("deleting works once it is opened again", &Err(error));
                return Ok(());
            }
        }
        deleted = reads(store.as_mut(), 1).and_then(|()| store.delete(&numbers(1)));
        tell("deleting works once it is opened again", &deleted);
    }
    let from = if deleted.is_ok() { BATCH + 1 } else { 1 };
    drop(store);
    let lost = match rival.open(folder) {
        Ok(mut store) => {
            let there = store.read(0, 100_000)?;
            (from..next).filter(|number| !there.contains(&Item::new(*number))).count()
        }
        Err(_) => (from..next).count(),
    };
    println!("acknowledged items lost\t{lost} of {}", next - 1);
    Ok(())
}

fn mount_for_this_process_alone(folder: &Path) -> io::Result<()> {
    // SAFETY: this process has one thread yet, and its file descriptors stay shared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    Ok(mount("tmpfs", folder, "tmpfs", MountFlags::empty(), SIZE)?)
}

/// Takes what the store has left.
fn fill(folder: &Path) -> io::Result<()> {
    let mut rest = File::create(folder.join("rest"))?;
    loop {
        match rest.write_all(&[0; 512]) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Reads a batch from number `first` on.
fn reads(store: &mut dyn Store, first: u64) -> Result<(), Failure> {
    let items = store.read(0, BATCH as usize)?;
    if items == Item::several(first..first + BATCH) { Ok(()) } else { Err("other items come back".into()) }
}

fn numbers(first: u64) -> Vec<u64> {
    (first..first + BATCH).collect()
}

fn tell(what: &str, outcome: &Result<(), Failure>) {
    match outcome {
        Ok(()) => println!("{what}\tyes"),
        Err(error) => println!("{what}\tno\t{}", one_line(error)),
    }
}

fn one_line(error: &Failure) -> String {
    error.to_string().replace(['\n', '\t', '|'], " ")
}
