//! How much memory a process has that does nothing but feed a store.

use std::path::Path;

use super::{BACKLOG, BATCH, ROUNDS};
use crate::child;
use crate::place::{Place, of_this_process};
use crate::store::{Failure, Item, Rival};
use crate::table::{Row, range};

/// Items that pass through: 40 MB.
const ITEMS: u64 = 20_000;

pub(crate) fn rows(place: &Place) -> Result<Vec<Row>, Failure> {
    let mut cells = Vec::new();
    for rival in Rival::COMPARED {
        let (mut peaks, mut threads) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let folder = place.folder()?;
            let told = child::output("memory", rival, folder.path(), 0)?;
            let mut numbers = told.split_whitespace().map(str::parse::<u64>);
            let (Some(peak), Some(count)) = (numbers.next(), numbers.next()) else {
                return Err(format!("the child told {told:?}").into());
            };
            peaks.push(peak?);
            threads.push(count?);
        }
        let peak = range(&peaks, |peak| format!("{:.1}", peak as f64 / 1000.0));
        cells.push(format!(
            "{peak} MB, {}",
            range(&threads, |count| if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") })
        ));
    }
    let cells = cells.try_into().map_err(|_| "a cell is missing")?;
    Ok(vec![Row::new("memory of the whole process, at most", cells)])
}

pub(crate) fn child(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    let mut store = rival.open(folder)?;
    let mut next = 1;
    while next <= ITEMS {
        store.append(&Item::several(next..next + BATCH))?;
        next += BATCH;
        if next > BACKLOG {
            let numbers: Vec<u64> = store.read(0, BATCH as usize)?.iter().map(|item| item.number).collect();
            store.delete(&numbers)?;
        }
    }
    println!("{} {}", of_this_process("VmHWM")?, of_this_process("Threads")?);
    Ok(())
}
