//! What a `kill -9` costs: a process that appends and deletes is killed at any moment, again and again.
//!
//! What it had acknowledged must be there afterwards. The kernel's caches survive a kill, so this says nothing about a
//! loss of power.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{BACKLOG, BATCH};
use crate::child;
use crate::place::Place;
use crate::store::{Chance, Failure, Item, Rival};
use crate::table::{Row, Sample, milliseconds, number};

const KILLS: u64 = 100;
/// Milliseconds of work before the kill, at most.
const WORK: u64 = 60;

struct Outcome {
    opening: Sample,
    lost: usize,
}

pub(crate) fn rows(place: &Place) -> Result<Vec<Row>, Failure> {
    let mut opening = Vec::new();
    let mut lost = Vec::new();
    for rival in Rival::COMPARED {
        let outcome = kills(place, rival)?;
        let (median, slowest) = (outcome.opening.at(0.5), outcome.opening.at(1.0));
        opening.push(format!("{} (median {})", milliseconds(slowest), number(median)));
        lost.push(outcome.lost.to_string());
    }
    let cells = |cells: Vec<String>| cells.try_into().map_err(|_| "a cell is missing");
    Ok(vec![
        Row::new(
            format!("opening after a kill and reading the {BACKLOG} that wait, slowest of {KILLS}"),
            cells(opening)?,
        ),
        Row::new(format!("acknowledged items lost in {KILLS} kills"), cells(lost)?),
    ])
}

fn kills(place: &Place, rival: Rival) -> Result<Outcome, Failure> {
    let folder = place.folder()?;
    let mut chance = Chance(1);
    let mut store = rival.open(folder.path())?;
    store.append(&Item::several(1..=BACKLOG))?;
    drop(store);
    // All after `deleted` up to `appended` is to be there.
    let (mut appended, mut deleted) = (BACKLOG, 0);
    let (mut times, mut lost) = (Vec::new(), HashSet::new());
    for _ in 0..KILLS {
        let mut worker = child::command("work", rival, folder.path(), chance.next())?.spawn()?;
        let mut output = BufReader::new(worker.stdout.take().ok_or("no output")?);
        let mut first = String::new();
        let outcome = output.read_line(&mut first);
        thread::sleep(Duration::from_micros(chance.below(WORK * 1000)));
        worker.kill()?;
        worker.wait()?;
        outcome?;
        if first.is_empty() {
            return Err(format!("{} cannot be opened: see above", rival.name()).into());
        }
        for line in output.lines() {
            match line?.split_once(' ') {
                Some(("appended", number)) => appended = number.parse()?,
                Some(("deleting", number)) => deleted = deleted.max(number.parse()?),
                _ => return Err("a line of the child makes no sense".into()),
            }
        }
        let told = child::output("reopen", rival, folder.path(), 0)?;
        let mut numbers = told.split_whitespace().map(str::parse::<u64>);
        let micros = numbers.next().ok_or("the child told nothing")??;
        times.push(Duration::from_micros(micros));
        let there: HashSet<u64> = numbers.collect::<Result<_, _>>()?;
        lost.extend((deleted + 1..=appended).filter(|number| !there.contains(number)));
    }
    Ok(Outcome { opening: Sample::new(times), lost: lost.len() })
}

/// Appends and deletes until it is killed, and tells of each commit: of an append after it, of a deletion before it.
pub(crate) fn work(rival: Rival, folder: &Path, seed: u64) -> Result<(), Failure> {
    let mut chance = Chance(seed);
    let mut store = rival.open(folder)?;
    let mut waiting: Vec<u64> = store.read(0, 100_000)?.iter().map(|item| item.number).collect();
    let mut next = waiting.last().map_or(1, |last| last + 1);
    writeln!(stdout(), "open")?;
    loop {
        let count = if chance.below(2) == 0 { 1 } else { BATCH };
        store.append(&Item::several(next..next + count))?;
        waiting.extend(next..next + count);
        next += count;
        writeln!(stdout(), "appended {}", next - 1)?;
        if waiting.len() as u64 >= BACKLOG + BATCH {
            let done: Vec<u64> = waiting.drain(..BATCH as usize).collect();
            writeln!(stdout(), "deleting {}", done[done.len() - 1])?;
            store.delete(&done)?;
        }
    }
}

/// Opens the store and reads all of it. Tells how many microseconds that took, and the numbers of the sound items.
pub(crate) fn reopen(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    child::watch();
    let begin = Instant::now();
    let mut store = rival.open(folder)?;
    let items = store.read(0, 100_000)?;
    let time = begin.elapsed();
    let mut text = time.as_micros().to_string();
    for item in items.iter().filter(|item| item.is_sound()) {
        text += &format!(" {}", item.number);
    }
    println!("{text}");
    Ok(())
}
