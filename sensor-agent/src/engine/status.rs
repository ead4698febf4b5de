//! What the engine tells of itself.

use std::time::Instant;

use budget::Part;
use delivery::ledger::OutputStatus;
use schema::EventType;

use super::Engine;
use crate::detection::PolicyCounts;
use crate::loss::Total;
use crate::policy::Action;
use crate::process::TableCounters;
use crate::recorder::{Held, TableStatus};
use crate::response::Outcome;

/// What the engine tells of itself.
#[derive(Clone, Debug, Default)]
pub struct EngineStatus {
    pub processes: usize,
    pub process_limit: usize,
    pub table: TableCounters,
    pub policies: usize,
    pub tables: Vec<TableStatus>,
    /// Events by class and kind since the start.
    pub events: Vec<(EventType, u64)>,
    /// Events a second, over the last interval between two settlements.
    pub events_per_second: f64,
    pub alerts: u64,
    /// Alerts that throttles of policies held back since the start.
    pub held_back: u64,
    pub undecodable: u64,
    /// How often each action of policies came to what, since the start; empty of a sensor whose policies do nothing.
    pub responses: Vec<(Action, Outcome, u64)>,
    /// Everything lost since the start.
    pub losses: Vec<Total>,
    pub outputs: Vec<OutputStatus>,
    pub sinks: Vec<OutputStatus>,
    /// Bytes that what is remembered and what waits may take, and what it takes.
    pub memory_budget: u64,
    pub memory: Vec<(Part, u64)>,
    /// That the clock was set not long ago.
    pub clock_step: Option<String>,
}

/// What each policy in force and each table came to.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub policies: Vec<(String, PolicyCounts)>,
    pub tables: Vec<(TableStatus, Held)>,
}

/// Events a second between two looks.
#[derive(Debug)]
pub(super) struct Rate {
    pub(super) since: Instant,
    pub(super) events: u64,
    pub(super) per_second: f64,
}

impl Engine {
    pub(super) fn counts(&self) -> Counts {
        let recorder = &self.setup.recorder;
        Counts {
            policies: self.setup.detection.counts().map(|(name, counts)| (name.to_owned(), counts)).collect(),
            tables: recorder.status().into_iter().zip(recorder.held()).collect(),
        }
    }

    pub(super) fn status(&mut self) -> EngineStatus {
        EngineStatus {
            processes: self.table.len(),
            process_limit: self.table.limit(),
            table: self.table.counters(),
            policies: self.setup.detection.len(),
            tables: self.setup.recorder.status(),
            events: EventType::ALL.iter().map(|&kind| (kind, self.counts[kind as usize])).collect(),
            events_per_second: self.rate.per_second,
            alerts: self.alerts,
            held_back: self.setup.detection.held_back(),
            undecodable: self.undecodable,
            responses: self.responding.counts(),
            losses: self.totals(),
            outputs: self.outputs.status(),
            sinks: self.sinks.status(),
            memory_budget: self.budget.limit() as u64,
            clock_step: self.clock.recent(),
            memory: Part::ALL.iter().map(|&part| (part, self.budget.charged(part) as u64)).collect(),
        }
    }
}

impl Rate {
    pub(super) fn look(&mut self, events: u64) {
        let seconds = self.since.elapsed().as_secs_f64();
        if seconds > 0.0 {
            self.per_second = (events - self.events) as f64 / seconds;
        }
        self.since = Instant::now();
        self.events = events;
    }
}
