//! The state, what it says of each output, and what was set aside.

use std::{fs::File, io, path::Path};

use diagnostic::{finding::Finding, printable};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::super::status::{Row, rows};
use crate::{
    config::Config,
    engine::now,
    source::shown,
    state::{State, Store, lock_path},
};

/// An output that is whole as of longer ago than so many polls is behind; and than so long, seconds.
const POLLS: u64 = 10;
const LONG: u64 = 1800;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let place = config.state.display();
    let mut found = Vec::new();
    match Store::look(&config.state) {
        Err(reason) => found.push(Finding::failure(
            "state",
            format!("{place}: {reason}"),
            "a newer program wrote it, or it is damaged: run the newer one, or restore it; a damaged one is put aside at \
             the next start, and the last 24 hours are read again",
        )),
        Ok(_) if !config.state.exists() => {
            found.push(Finding::fine("state", format!("{place}, which will be made: nothing was handed over yet")));
        }
        Ok(state) => {
            let runs = if is_held(&config.state) { "a sensor-siem runs with it" } else { "none runs with it now" };
            found.push(Finding::fine("state", format!("{place}: can be read; {runs}")));
            found.extend(of_outputs(config, &state));
        }
    }
    found.extend(dead_letters(&config.dead_letters));
    found
}

/// Whether a process has it.
fn is_held(state: &Path) -> bool {
    let Ok(lock) = File::open(lock_path(state)) else { return false };
    // It is let go of with the file.
    flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

fn of_outputs(config: &Config, state: &State) -> Vec<Finding> {
    let names: Vec<&str> = config.outputs.iter().map(|output| output.name.as_str()).collect();
    let rows = rows(state, &names, |tenant| config.may_read(tenant), now());
    rows.iter().flat_map(|row| of_row(row, config)).collect()
}

fn of_row(row: &Row<'_>, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let what = match (row.tenant, row.stream) {
        (Some(tenant), Some(stream)) => format!("{}: {}s of {}", row.output, stream.word(), printable(tenant)),
        _ => row.output.to_owned(),
    };
    if let Some(told) = row.error {
        let text = format!("{what}: failed last at {}: {}", shown(told.at), told.reason);
        found.push(Finding::warning(
            "outputs",
            text,
            "see whether it is said above or below as well, and end the reason",
        ));
    }
    if let Some(gap) = row.gap {
        let text = format!("{what}: items {gap} may be missing: Central keeps 24 hours");
        found.push(Finding::warning(
            "outputs",
            text,
            "let it run at least once a day; what is older can be had in Central alone",
        ));
    }
    let late = (config.poll.as_secs() * POLLS).max(LONG);
    if row.lag_seconds.and_then(|lag| u64::try_from(lag).ok()).is_some_and(|lag| lag > late) {
        let text = format!("{what}: whole as of {} s ago", row.lag_seconds.unwrap_or_default());
        found.push(Finding::warning("outputs", text, "see that the service or the timer runs, and what its log says"));
    }
    found
}

fn dead_letters(path: &Path) -> Option<Finding> {
    let place = path.display();
    let text = match std::fs::metadata(path) {
        Ok(there) if there.len() == 0 => return None,
        Ok(there) => format!("{place}: {} bytes of items that were set aside", there.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => format!("{place}: {error}"),
    };
    Some(Finding::warning(
        "dead-letters",
        text,
        "each line has its reason; end it, hand them over with --replay, move the file away",
    ))
}
