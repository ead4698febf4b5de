//! How long a commit takes.

use std::time::{Duration, Instant};

use super::{BATCH, ROUNDS};
use crate::place::Place;
use crate::store::{Failure, Item, Rival};
use crate::table::{Row, Sample, number, range};

/// Appends of one item, and then of many, in a round.
const SINGLES: u64 = 500;
const BATCHES: u64 = 100;

/// What one round took.
struct Round {
    single: Sample,
    batch: Sample,
    read: Sample,
    delete: Sample,
}

pub(crate) fn rows(place: &Place) -> Result<Vec<Row>, Failure> {
    let mut rounds = Rival::COMPARED.map(|_| Vec::new());
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for (rival, rounds) in Rival::COMPARED.into_iter().zip(&mut rounds) {
            rounds.push(round(place, rival)?);
        }
    }
    let row = |what: String, part: fn(&Round) -> &Sample| {
        let cell = |rounds: &Vec<Round>| {
            let at = |place| rounds.iter().map(|round| part(round).at(place)).collect::<Vec<Duration>>();
            format!("{} ms ({})", range(&at(0.5), number), range(&at(0.99), number))
        };
        Row::new(what, rounds.each_ref().map(cell))
    };
    Ok(vec![
        row("append 1 item, median (99th percentile)".to_owned(), |round| &round.single),
        row(format!("append {BATCH} items"), |round| &round.batch),
        row(format!("delete {BATCH} items"), |round| &round.delete),
        row(format!("read the oldest {BATCH} items"), |round| &round.read),
    ])
}

fn round(place: &Place, rival: Rival) -> Result<Round, Failure> {
    let folder = place.folder()?;
    let mut store = rival.open(folder.path())?;
    let (mut single, mut batch, mut read, mut delete) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 1..=SINGLES {
        let items = [Item::new(number)];
        single.push(timed(|| store.append(&items))?.0);
    }
    for number in 0..BATCHES {
        let first = SINGLES + number * BATCH + 1;
        let items = Item::several(first..first + BATCH);
        batch.push(timed(|| store.append(&items))?.0);
    }
    let mut next = 1;
    while next <= SINGLES + BATCHES * BATCH {
        let (time, items) = timed(|| store.read(0, BATCH as usize))?;
        read.push(time);
        let numbers: Vec<u64> = items.iter().filter(|item| item.is_sound()).map(|item| item.number).collect();
        if numbers.first() != Some(&next) {
            return Err(format!("{} does not give item {next} back", rival.name()).into());
        }
        next += numbers.len() as u64;
        delete.push(timed(|| store.delete(&numbers))?.0);
    }
    let [single, batch, read, delete] = [single, batch, read, delete].map(Sample::new);
    Ok(Round { single, batch, read, delete })
}

fn timed<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(Duration, T), Failure> {
    let begin = Instant::now();
    let value = work()?;
    Ok((begin.elapsed(), value))
}
