//! Compares the stores that the spool could stand on, and prints the table of `docs/delivery.md`, "Why SQLite".
//!
//! ```text
//! make bench-stores                    all of it
//! UPDATE_DOCS=1 make bench-stores      and puts it into docs/delivery.md
//! sensor-stores speed damage           some of it
//! ```
//!
//! What may end the process, or has to be killed, runs in a child process of the same program.

mod child;
mod measure;
mod place;
mod store;
mod table;

use std::env;
use std::process::ExitCode;

use measure::{damage, full, kill, memory, speed};
use place::Place;
use store::Failure;
use table::Row;

/// A kind of measurement, by its name on the command line.
type Part = (&'static str, fn(&Place) -> Result<Vec<Row>, Failure>);

/// In the order of the table's rows.
const PARTS: [Part; 5] = [
    ("speed", speed::rows),
    ("memory", memory::rows),
    ("kill", kill::rows),
    ("full", full::rows),
    ("damage", damage::rows),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == child::MARK => child::main(rest),
        _ => compare(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(names: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let known = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("There is no measurement {unknown:?}; there are {known}.").into());
    }
    if !rustix::process::geteuid().is_root() {
        return Err("This needs root: it mounts a small file system, to fill it.".into());
    }
    let place = Place::new()?;
    let mut rows = Vec::new();
    for (name, measure) in PARTS {
        if names.is_empty() || names.iter().any(|each| each == name) {
            eprintln!("{name} …");
            rows.extend(measure(&place)?);
        }
    }
    let text = table::text(&place.description()?, &rows);
    println!("{text}");
    // A part of the table is not worth keeping.
    if names.is_empty() { table::keep(&text) } else { Ok(()) }
}
