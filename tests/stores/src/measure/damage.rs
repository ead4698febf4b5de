//! What one flipped bit costs: in a store that was closed in order, and in one that a kill left behind.
//!
//! Each flip happens to a fresh copy. A child then does what a spool does: it opens the store, asks for each item, past
//! those that cannot be read, and goes on appending and deleting.

mod image;

use std::collections::HashMap;
use std::path::Path;
use std::process;

use image::Image;

use super::BATCH;
use crate::child::{self, End};
use crate::place::Place;
use crate::store::{Chance, Failure, Item, Rival, Store};
use crate::table::Row;

/// Bits flipped, one at a time.
const FLIPS: u64 = 1000;
/// Items in the store: 6 MB, so that fjall has some in its tree and some in its journal.
const ITEMS: u64 = 3000;
/// How often something came of a flipped bit.
#[derive(Default)]
struct Outcome {
    died: u64,
    hung: u64,
    /// Opening failed.
    refused: u64,
    /// How many items were lost in stores that could be opened, if any.
    lost: Vec<u64>,
    /// Changed items that look sound.
    forged: u64,
    /// Stores that could be opened and then could not be written to.
    unwritable: u64,
    /// The texts of all that, and how often they came.
    said: HashMap<String, u64>,
}

pub(crate) fn rows(place: &Place) -> Result<Vec<Row>, Failure> {
    let mut outcomes = Vec::new();
    for (rival, image) in [
        (Rival::Redb, "image-closed"),
        (Rival::Fjall, "image-closed"),
        (Rival::Sqlite, "image-closed"),
        (Rival::Redb, "image-killed"),
        (Rival::Fjall, "image-killed"),
        (Rival::Sqlite, "image-killed"),
        (Rival::CheckedRedb, "image-closed"),
    ] {
        let outcome = flips(place, rival, image)?;
        eprintln!("{} {image}: {outcome}", rival.name());
        outcomes.push(outcome);
    }
    let cells = |outcomes: &[Outcome], cell: fn(&Outcome) -> String| {
        let mut cells = outcomes.iter().map(cell);
        [(); 3].map(|()| cells.next().unwrap_or_else(|| "–".to_owned()))
    };
    let states = [
        (&outcomes[..3], "in a closed store"),
        (&outcomes[3..6], "in a store that a kill left"),
        (&outcomes[6..], "in a closed store, integrity checked when opened"),
    ];
    let mut rows = Vec::new();
    for (outcomes, state) in states {
        rows.push(Row::new(
            format!("one bit flipped, {FLIPS} times, {state}: the process died"),
            cells(outcomes, Outcome::deaths),
        ));
        rows.push(Row::new("… the whole store was refused", cells(outcomes, |outcome| outcome.refused.to_string())));
        rows.push(Row::new(format!("… some of {ITEMS} items were lost"), cells(outcomes, Outcome::losses)));
    }
    Ok(rows)
}

impl Outcome {
    fn add(&mut self, end: End) -> Result<(), Failure> {
        let told = match end {
            End::Output(text) => text,
            End::Died(said) => {
                self.died += 1;
                *self.said.entry(without_numbers(&format!("died: {said}"))).or_default() += 1;
                return Ok(());
            }
            End::Hung => {
                self.hung += 1;
                return Ok(());
            }
        };
        for line in told.lines() {
            match line.split_once(' ') {
                Some(("lost", rest)) => {
                    let (count, why) = rest.split_once(' ').ok_or("a loss without a reason")?;
                    self.lost.push(count.parse()?);
                    *self.said.entry(format!("lost {count}: {}", without_numbers(why))).or_default() += 1;
                }
                Some(("forged", count)) => self.forged += count.parse::<u64>()?,
                Some((key @ ("refused" | "unwritable"), _)) => {
                    self.refused += u64::from(key == "refused");
                    self.unwritable += u64::from(key == "unwritable");
                    *self.said.entry(without_numbers(line)).or_default() += 1;
                }
                _ => return Err(format!("the child told {line:?}").into()),
            }
        }
        Ok(())
    }

    fn deaths(&self) -> String {
        let mut text = self.died.to_string();
        if self.hung > 0 {
            text += &format!(", {} hung", self.hung);
        }
        text
    }

    fn losses(&self) -> String {
        let mut lost = self.lost.clone();
        lost.sort_unstable();
        let mut text = match (lost.get(lost.len() / 2), lost.last()) {
            (Some(&median), Some(&most)) => {
                let plural = if median == 1 { "item" } else { "items" };
                let more = lost.iter().filter(|&&count| count > median).count();
                let rest = if more > 0 { format!(", more in {more}, at most {most}") } else { String::new() };
                format!("{} (median {median} {plural}{rest})", lost.len())
            }
            _ => "0".to_owned(),
        };
        if self.forged > 0 {
            text += &format!("; {} items changed unnoticed", self.forged);
        }
        text
    }
}

fn flips(place: &Place, rival: Rival, image: &str) -> Result<Outcome, Failure> {
    let folder = place.folder()?;
    child::output(image, rival, folder.path(), 0)?;
    let image = Image::of(folder.path())?;
    let mut chance = Chance(1);
    let mut outcome = Outcome::default();
    for _ in 0..FLIPS {
        let folder = place.folder()?;
        image.put_damaged(folder.path(), &mut chance)?;
        outcome.add(child::run("read-damaged", rival, folder.path(), 0)?)?;
    }
    Ok(outcome)
}

/// For whoever wants to know why.
impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "died {}, refused {}, lost some {}, not writable {}",
            self.deaths(),
            self.refused,
            self.losses(),
            self.unwritable
        )?;
        let mut said: Vec<_> = self.said.iter().collect();
        said.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (text, count) in said.into_iter().take(10) {
            write!(formatter, "\n  {count} times {text}")?;
        }
        Ok(())
    }
}

/// So that texts are the same that differ in addresses or checksums alone.
fn without_numbers(text: &str) -> String {
    let parts = text.split(|letter: char| letter.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.collect::<Vec<&str>>().join("…")
}

/// Makes a store and closes it.
pub(crate) fn make_closed(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    make(rival, folder).map(drop)
}

/// Makes a store and ends as if killed: nothing is closed.
pub(crate) fn make_killed(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    let _open = make(rival, folder)?;
    process::exit(0)
}

/// A store with [`ITEMS`] items, from which older ones were deleted.
fn make(rival: Rival, folder: &Path) -> Result<Box<dyn Store>, Failure> {
    let mut store = rival.open(folder)?;
    for number in 1..=BATCH {
        store.append(&[Item::new(number)])?;
    }
    for items in Item::several(BATCH + 1..=BATCH + ITEMS).chunks(BATCH as usize) {
        store.append(items)?;
    }
    store.delete(&(1..=BATCH).collect::<Vec<u64>>())?;
    Ok(store)
}

/// Does with a damaged store what a spool does, and tells what comes of it.
pub(crate) fn read(rival: Rival, folder: &Path, _: u64) -> Result<(), Failure> {
    child::watch();
    let line = |error: Failure| error.to_string().replace('\n', " ");
    let mut store = match rival.open(folder) {
        Ok(store) => store,
        Err(error) => {
            println!("refused {}", line(error));
            return Ok(());
        }
    };
    let (mut lost, mut forged, mut failure) = (0, 0, None);
    for number in BATCH + 1..=BATCH + ITEMS {
        match store.read(number - 1, 1) {
            Ok(items) => match items.as_slice() {
                [item] if item.number == number && item.is_sound() => forged += u64::from(*item != Item::new(number)),
                _ => lost += 1,
            },
            Err(error) => {
                lost += 1;
                failure = Some(error);
            }
        }
    }
    if lost > 0 {
        println!("lost {lost} {}", failure.map_or_else(|| "told by checksums or not there".to_owned(), line));
    }
    if forged > 0 {
        println!("forged {forged}");
    }
    let new = BATCH + ITEMS + 1..BATCH + ITEMS + 1 + BATCH;
    let old: Vec<u64> = (BATCH + 1..=2 * BATCH).collect();
    if let Err(error) = store.append(&Item::several(new)).and_then(|()| store.delete(&old)) {
        println!("unwritable {}", line(error));
    }
    Ok(())
}
