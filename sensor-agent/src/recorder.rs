//! The flight recorder: the newest rows of each table, and what of them the sinks have not had yet.
//!
//! A table is a ring of `rows` events. Its filter decides which events it takes; a full ring overwrites its oldest
//! row. Every reporting interval the rows that no sink has had are handed over, once and in order. A ring about to
//! overwrite such rows says so ([`Recorder::is_pressing`]) and is handed over early, so that a burst longer than the
//! ring loses nothing as long as the sinks keep up; a row that is overwritten all the same is counted. So it is with
//! rows that are large: what is handed over at once is bounded in bytes. While memory is scarce, rows that the sinks have
//! had leave the ring before it is full.

mod read;

use std::collections::VecDeque;

use budget::{Budget, Pressure};
use schema::{Class, EventType, Table};

use crate::event::{Event, Host};
use crate::rules::{ChainIndex, RuleSet, Scratch};
pub use read::{Held, Piece, Position};

/// The tables that are on.
#[derive(Debug)]
pub struct Recorder {
    recordings: Vec<Recording>,
    filters: Vec<Filters>,
    scratch: Scratch,
    /// Whether there is anyone to hand rows to; with no sink, overwriting is what the ring is for.
    has_sinks: bool,
    pressing: bool,
    budget: Budget,
}

/// How one table is recorded.
#[derive(Clone, Copy, Debug)]
pub struct TableSettings {
    pub table: &'static Table,
    /// Rows kept.
    pub rows: usize,
}

/// The compiled filters of the tables of one class. Chain `n` decides for the `n`-th of `tables`, an index into the
/// settings.
#[derive(Debug)]
pub struct Filters {
    pub class: Class,
    pub rules: RuleSet,
    pub tables: Vec<usize>,
}

/// Rows for the sinks.
#[derive(Debug)]
pub struct Unsent {
    pub table: &'static Table,
    /// Oldest first.
    pub rows: Vec<Event>,
}

/// What `status` tells of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableStatus {
    pub table: &'static str,
    pub rows: usize,
    pub capacity: usize,
    /// Rows taken since the start.
    pub recorded: u64,
    /// Rows overwritten before any sink had them.
    pub overwritten: u64,
    /// Rows that there was no memory for.
    pub no_memory: u64,
}

#[derive(Debug)]
struct Recording {
    table: &'static Table,
    capacity: usize,
    rows: VecDeque<Event>,
    /// How many rows at the back no sink has had.
    unsent: usize,
    /// Bytes of those.
    unsent_bytes: usize,
    recorded: u64,
    overwritten: u64,
    no_memory: u64,
}

/// Most rows that leave a ring for one that comes in, while memory is scarce.
const ROOM: usize = 8;

impl Recorder {
    /// Records these tables with these filters.
    #[must_use]
    pub fn new(tables: &[TableSettings], filters: Vec<Filters>, has_sinks: bool) -> Self {
        Self {
            recordings: tables.iter().map(Recording::new).collect(),
            filters,
            scratch: Scratch::default(),
            has_sinks,
            pressing: false,
            budget: Budget::unlimited(),
        }
    }

    /// The same, as long as there is room in a budget.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Goes on with other settings; tables that stay keep their rows.
    #[must_use]
    pub fn replaced_by(self, mut next: Self) -> Self {
        for before in self.recordings {
            if let Some(after) = next.recordings.iter_mut().find(|after| after.table.name == before.table.name) {
                let Recording { table, capacity, .. } = *after;
                *after = Recording { table, capacity, ..before };
                while after.rows.len() > capacity {
                    after.overwrite(next.has_sinks);
                }
            }
        }
        next
    }

    /// Offers an event to the tables of its class.
    pub fn observe(&mut self, event: &Event, host: &Host) {
        let class = event.kind.class();
        for filters in self.filters.iter().filter(|filters| filters.class == class) {
            let (recordings, pressing, has_sinks) = (&mut self.recordings, &mut self.pressing, self.has_sinks);
            let budget = self.budget;
            filters.rules.matches(event, host, &mut self.scratch, &mut |chain, _| {
                let Some(recording) = filters.tables.get(chain.0).and_then(|&index| recordings.get_mut(index)) else {
                    return;
                };
                if recording.table.kinds.contains(&event.kind) {
                    if budget.pressure() == Pressure::Full {
                        recording.no_memory += 1;
                        return;
                    }
                    recording.push(event.clone(), has_sinks);
                    let is_full = recording.unsent == recording.capacity || recording.unsent_bytes >= budget.piece();
                    *pressing |= has_sinks && is_full;
                }
            });
        }
        if self.budget.pressure() > Pressure::None {
            self.let_go();
        }
    }

    /// Lets go of rows that no sink is to have any more.
    fn let_go(&mut self) {
        for recording in &mut self.recordings {
            let kept = if self.has_sinks { recording.unsent } else { 1 };
            let count = recording.rows.len().saturating_sub(kept).min(ROOM);
            recording.rows.drain(..count);
            recording.unsent = recording.unsent.min(recording.rows.len());
        }
    }

    /// Whether a table may take events of this kind.
    #[must_use]
    pub fn records(&self, kind: EventType) -> bool {
        self.filters.iter().filter(|filters| filters.class == kind.class()).any(|filters| {
            filters.tables.iter().enumerate().any(|(chain, &index)| {
                let table = self.recordings.get(index).map(|recording| recording.table);
                table.is_some_and(|table| table.kinds.contains(&kind))
                    && filters.rules.may_match(ChainIndex(chain), kind)
            })
        })
    }

    /// Whether a ring is full of rows that no sink has had: take them now.
    #[must_use]
    pub const fn is_pressing(&self) -> bool {
        self.pressing
    }

    /// The rows that no sink has had, table by table. They count as had from now on.
    pub fn take_unsent(&mut self) -> Vec<Unsent> {
        self.pressing = false;
        self.recordings
            .iter_mut()
            .filter(|recording| recording.unsent > 0)
            .map(|recording| {
                let from = recording.rows.len() - recording.unsent;
                (recording.unsent, recording.unsent_bytes) = (0, 0);
                Unsent { table: recording.table, rows: recording.rows.range(from..).cloned().collect() }
            })
            .collect()
    }

    #[must_use]
    pub fn status(&self) -> Vec<TableStatus> {
        self.recordings
            .iter()
            .map(|recording| TableStatus {
                table: recording.table.name,
                rows: recording.rows.len(),
                capacity: recording.capacity,
                recorded: recording.recorded,
                overwritten: recording.overwritten,
                no_memory: recording.no_memory,
            })
            .collect()
    }
}

impl Recording {
    fn new(settings: &TableSettings) -> Self {
        Self {
            table: settings.table,
            capacity: settings.rows.max(1),
            rows: VecDeque::new(),
            unsent: 0,
            unsent_bytes: 0,
            recorded: 0,
            overwritten: 0,
            no_memory: 0,
        }
    }

    fn push(&mut self, event: Event, has_sinks: bool) {
        if self.rows.len() >= self.capacity {
            self.overwrite(has_sinks);
        }
        self.unsent_bytes += event.size();
        self.rows.push_back(event);
        self.unsent += 1;
        self.recorded += 1;
    }

    fn overwrite(&mut self, has_sinks: bool) {
        let lost = self.unsent == self.rows.len();
        let oldest = self.rows.pop_front();
        if lost {
            self.unsent -= 1;
            self.unsent_bytes = self.unsent_bytes.saturating_sub(oldest.map_or(0, |oldest| oldest.size()));
            self.overwritten += u64::from(has_sinks);
        }
    }
}

#[cfg(test)]
mod tests;
