//! The one thread that turns records into events, and events into rows and alerts.
//!
//! ```text
//! batches ─▶ decode ─▶ process table ─▶ detection ─▶ alerts ─▶ outputs
//!                                          └──────▶ recorder ─▶ rows ─▶ sinks
//! requests (status, reload, watch, stop) ─▶ between two batches
//! ```
//!
//! It waits for batches, requests and what came of policies' actions, and for nothing else: outputs and sinks take what they are given into queues of
//! their own or count it as lost.

mod accounts;
mod given_up;
mod judging;
mod losses;
mod request;
mod responding;
mod rows_given_up;
mod setup;
mod status;
mod viewers;
mod waiting;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, never, select, tick};
use schema::EventType;

pub use accounts::Accounts;
use accounts::Unreported;
use given_up::GivenUp;
pub use losses::LossSource;
pub use request::{Request, Running};
use responding::Responding;
use rows_given_up::RowsGivenUp;
pub use setup::Setup;
use status::Rate;
pub use status::{Counts, EngineStatus};
use viewers::Viewers;
pub use viewers::{Held, Piece, Search};
use waiting::Waiting;
pub use watch::{Sighting, Watch};

use budget::{Budget, Pressure};
use clock::{BootToUnix, SteadyTime, StepWatch, boot_now, unix_now};

use crate::alert::Alert;
use crate::capture::Batch;
use crate::event::decode::decode;
use crate::event::{Detail, Event, Host, Lost, Process, ProcessKey};
use crate::loss::{Ledger, Total, added_up, is_blindness};
use crate::output::{Dispatcher, RowBatch, Sinks};
use crate::policy::Policy;
use crate::process::Table;
use crate::process::baseline::Baseline;
use crate::process::rescan::Rescan;
use crate::recorder::Recorder;
use crate::response::Responder;

/// How often counters of losses are looked at; rows and alerts about losses are at most this late.
const SETTLE: Duration = Duration::from_secs(1);

/// How long the end may take: well below the 10 s after which container runtimes kill.
const LAST_WORDS: Duration = Duration::from_millis(4500);
/// How much of it may go by until all is done that policies do.
const LAST_ANSWERS: Duration = Duration::from_millis(400);
/// How much of it outputs have to send what waits; senders have 3 s.
const LAST_ALERTS: Duration = Duration::from_millis(3100);
/// What sinks have at least, however long the rest took: the last rows tell what was lost by then.
const LAST_ROWS: Duration = Duration::from_secs(1);

/// Records of several CPUs overtake one another on their way into the ring buffer, by less than this: nanoseconds.
const OVERTAKING: u64 = 1_000_000_000;

/// The engine. [`Engine::run`] is its thread.
pub struct Engine {
    host: Arc<Host>,
    /// The sensor's own process, for events about itself.
    own: Arc<Process>,
    table: Table,
    setup: Setup,
    outputs: Arc<Dispatcher>,
    sinks: Arc<Sinks>,
    losses: Box<dyn LossSource>,
    budget: Budget,
    accounts: Option<Accounts>,
    ledger: Ledger,
    /// Until all records from before it have been applied.
    rescan: Option<Box<Rescan>>,
    watches: Vec<Watch>,
    viewers: Viewers,
    /// Counted, and not evaluated yet.
    waiting: Waiting<Event>,
    /// Raised, and not told yet.
    waiting_alerts: Waiting<Alert>,
    responding: Responding,
    findings: Vec<crate::detection::Finding>,
    blind_policy: Arc<Policy>,
    given_up: GivenUp,
    given_up_policy: Arc<Policy>,
    rows_given_up: RowsGivenUp,
    counts: [u64; EventType::ALL.len()],
    alerts: u64,
    undecodable: u64,
    rate: Rate,
    clock: StepWatch,
}

/// What an engine is made of, besides its setup.
pub struct Parts {
    pub host: Arc<Host>,
    /// The sensor's own process.
    pub own: Arc<Process>,
    pub table: Table,
    pub outputs: Arc<Dispatcher>,
    pub sinks: Arc<Sinks>,
    pub losses: Box<dyn LossSource>,
    /// Where the memory of what is remembered and what waits comes from.
    pub budget: Budget,
    /// What is yet to be told, from one run to the next; none keeps nothing.
    pub accounts: Option<Accounts>,
    /// Carries out what policies do; none keeps to telling.
    pub responder: Option<Responder>,
}

impl Engine {
    /// An engine over a process table that may hold the baseline already.
    #[must_use]
    pub fn new(parts: Parts, setup: Setup) -> Self {
        let Parts { host, own, table, outputs, sinks, losses, budget, accounts, responder } = parts;
        let recorder = setup.recorder.within(budget);
        let mut setup = Setup { recorder, ..setup };
        let before = accounts.as_ref().map(|accounts| accounts.before().clone()).unwrap_or_default();
        setup.detection.owe(&before.held_back);
        Self {
            host,
            own,
            table,
            setup,
            outputs,
            sinks,
            losses,
            budget,
            accounts,
            ledger: Ledger::default(),
            rescan: None,
            watches: Vec::new(),
            viewers: Viewers::new(budget),
            waiting: Waiting::default(),
            waiting_alerts: Waiting::default(),
            responding: Responding::new(responder),
            findings: Vec::new(),
            blind_policy: Arc::new(losses::blind_policy()),
            given_up: GivenUp::after(before),
            given_up_policy: Arc::new(given_up::policy()),
            rows_given_up: RowsGivenUp::default(),
            counts: [0; EventType::ALL.len()],
            alerts: 0,
            undecodable: 0,
            rate: Rate { since: Instant::now(), events: 0, per_second: 0.0 },
            clock: StepWatch::new(SteadyTime::now()),
        }
    }

    /// Works until it is told to stop and the batches have ended. `recycle` takes the memory of batches back.
    pub fn run(
        mut self,
        batches: &Receiver<Batch>,
        requests: &Receiver<Request>,
        recycle: impl Fn(Batch),
        baseline: Option<Baseline>,
    ) {
        self.started();
        if let Some(baseline) = baseline {
            self.reconcile(baseline, batches, &recycle);
        }
        let settle = tick(SETTLE);
        let mut report = tick(self.setup.reporting_interval);
        let mut batches = batches.clone();
        let answers = self.responding.answers();
        loop {
            let names = if self.somebody_waits() { after(waiting::LOOK) } else { never() };
            select! {
                recv(batches) -> batch => match batch {
                    Ok(batch) => {
                        self.batch(&batch);
                        recycle(batch);
                    }
                    Err(_) => batches = never(),
                },
                recv(requests) -> request => match request {
                    Ok(Request::Status(reply)) => drop(reply.send(self.status())),
                    Ok(Request::Counts(reply)) => drop(reply.send(self.counts())),
                    Ok(Request::Processes(reply)) => {
                        drop(reply.send(self.running()));
                    }
                    Ok(Request::Reload(setup)) => {
                        report = tick(setup.reporting_interval);
                        self.reload(*setup);
                    }
                    Ok(Request::Watch(watch, kept)) => {
                        self.watches.push(watch);
                        let _ = kept.send(());
                    }
                    Ok(Request::Show(search, reply)) => drop(reply.send(self.search(*search))),
                    Ok(Request::Host(host)) => self.host = host,
                    Ok(Request::Rescan(scan)) => self.rescan = Some(scan),
                    Ok(Request::Descendants(of, reply)) => drop(reply.send(self.descendants(of))),
                    Ok(Request::Tell(policy, rule)) => self.tell(*policy, rule),
                    Ok(Request::Stop) | Err(_) => break,
                },
                recv(answers) -> answer => {
                    if let Some(alert) = answer.ok().and_then(|answer| self.responding.answered(answer)) {
                        self.raise(alert);
                    }
                }
                recv(settle) -> _ => {
                    self.settle();
                    if batches.is_empty() {
                        self.rescan();
                    }
                }
                recv(report) -> _ => self.hand_over(),
                recv(names) -> _ => {}
            }
            self.let_go(false);
        }
        // The drain thread has handed on all that the ring held.
        while let Ok(batch) = batches.try_recv() {
            self.batch(&batch);
            recycle(batch);
        }
        self.let_go(true);
        let until = Instant::now() + LAST_WORDS;
        for alert in self.responding.end(LAST_ANSWERS) {
            self.alert(alert);
        }
        self.settle();
        self.hand_over();
        // What is gathered is safe first, whatever outputs do.
        self.sinks.flush();
        // Sinks end after the outputs, so that what an output could not send any more is still told as rows.
        self.outputs.stop(LAST_ALERTS);
        self.settle();
        self.hand_over();
        self.sinks.stop(until.saturating_duration_since(Instant::now()).max(LAST_ROWS));
        let unreported = self.unreported();
        if let Some(accounts) = self.accounts {
            accounts.close(unreported);
        }
    }

    /// What alerts are yet to tell.
    fn unreported(&self) -> Unreported {
        Unreported {
            given_up: self.given_up.unreported(&self.outputs.status()),
            held_back: self.setup.detection.unreported().map(|(policy, count)| (policy.to_owned(), count)).collect(),
        }
    }

    /// Applies what the ring buffer holds from before the end of the baseline's walk, then tells the baseline tasks.
    fn reconcile(&mut self, mut baseline: Baseline, batches: &Receiver<Batch>, recycle: &impl Fn(Batch)) {
        let mut held = Vec::new();
        // The drain thread begins with all that the ring holds, and an empty batch says that this is all.
        while let Ok(batch) = batches.recv() {
            let mut caught_up = batch.is_empty();
            for record in batch.records().filter_map(|bytes| decode(bytes).ok()) {
                baseline.reconcile(&record);
                caught_up |= record.time() > baseline.walked_until().saturating_add(OVERTAKING);
            }
            held.push(batch);
            if caught_up {
                break;
            }
        }
        for event in baseline.into_events() {
            self.event(event, boot_now());
        }
        for batch in held {
            self.batch(&batch);
            recycle(batch);
        }
    }

    fn batch(&mut self, batch: &Batch) {
        let clock = BootToUnix::now();
        for bytes in batch.records() {
            match decode(bytes) {
                Ok(record) => {
                    if let Some(event) = self.table.apply(&record, clock.unix(record.time())) {
                        self.event(event, record.time());
                    }
                }
                Err(_) => self.undecodable += 1,
            }
        }
        if self.budget.pressure() >= Pressure::Table {
            self.sinks.shed();
        }
    }

    /// Tells of processes that run or have ended and were not told, once the records from before the walk have been applied.
    fn rescan(&mut self) {
        let due = |scan: &mut Box<Rescan>| boot_now() > scan.walked_until().saturating_add(OVERTAKING);
        let Some(scan) = self.rescan.take_if(due) else { return };
        let mut found = 0;
        self.table.learn_groups(scan.walked());
        for task in scan.tasks() {
            if let Some(event) = self.table.missed(&task, unix_now()) {
                found += 1;
                self.event(event, boot_now());
            }
        }
        if found > 0 {
            tracing::warn!(
                "{found} running processes had not been told, as records of them were lost: they are told now"
            );
        }
        let gone = self.table.vanished(|process| scan.has_ended(process), unix_now());
        if !gone.is_empty() {
            let count = gone.len();
            tracing::warn!("{count} processes had ended untold, as records of it were lost: it is told now");
        }
        for event in gone {
            self.event(event, boot_now());
        }
    }

    /// Raises an alert about the sensor itself.
    fn tell(&mut self, policy: Policy, rule: &'static str) {
        let event = self.own_event(EventType::SensorStarted, Detail::None);
        self.alert(Alert::new(Arc::new(policy), rule.into(), event, Arc::clone(&self.host)));
    }

    /// Turns what was lost since the last time into rows, and into an alert if it means blindness.
    fn settle(&mut self) {
        for alert in self.responding.overdue() {
            self.raise(alert);
        }
        if let Some(step) = self.clock.look(SteadyTime::now()) {
            tracing::warn!("{step}");
        }
        let totals = self.totals();
        for lost in self.ledger.settle(totals) {
            if is_blindness(&lost) {
                let event = self.own_event(EventType::LostRecords, Detail::Lost(lost));
                let rule = format!("stage == \"{}\" and cause == \"{}\"", lost.stage, lost.cause);
                let policy = Arc::clone(&self.blind_policy);
                self.alert(Alert::new(policy, rule.into(), event, Arc::clone(&self.host)));
            }
            self.record_loss(lost);
        }
        for lost in self.rows_given_up.before(&self.sinks.status()) {
            self.record_loss(lost);
        }
        for loss in self.given_up.news(&self.outputs.status()) {
            let event = self.own_event(EventType::LostRecords, Detail::Lost(loss.lost));
            let policy = Arc::clone(&self.given_up_policy);
            self.alert(Alert::new(policy, loss.rule.into(), event, Arc::clone(&self.host)));
            self.outputs.reported(&loss.output, &loss.news);
        }
        let unreported = self.unreported();
        if let Some(accounts) = &mut self.accounts {
            accounts.keep(unreported);
        }
        for (policy, rule) in self.setup.detection.expired(unix_now()) {
            tracing::warn!("the exception `{rule}` of the policy {policy} has expired: from now on it takes nothing");
        }
        self.rate.look(self.counts.iter().sum());
        self.watches.retain(|watch| !watch.is_abandoned());
        self.viewers.prune();
    }

    fn record_loss(&mut self, lost: Lost) {
        let event = self.own_event(EventType::LostRecords, Detail::Lost(lost));
        self.counts[event.kind as usize] += 1;
        self.show(&event);
    }

    fn hand_over(&mut self) {
        for unsent in self.setup.recorder.take_unsent() {
            let mut events = unsent.rows;
            events.iter_mut().for_each(|event| self.setup.redaction.take_out(event));
            self.sinks.send(RowBatch { table: unsent.table, events, host: Arc::clone(&self.host) });
        }
        for (sink, counts) in self.rows_given_up.handed_over() {
            self.sinks.reported(&sink, &counts);
        }
    }

    /// The row that tells of the sensor's start.
    fn started(&mut self) {
        let event = self.own_event(EventType::SensorStarted, Detail::None);
        self.counts[event.kind as usize] += 1;
        self.show(&event);
    }

    fn descendants(&self, of: ProcessKey) -> Vec<Arc<Process>> {
        let is_one = |process: &&Arc<Process>| process.ancestors().any(|ancestor| ancestor.key == of);
        self.table.running().filter(is_one).cloned().collect()
    }

    fn running(&self) -> Running {
        let redaction = Arc::clone(&self.setup.redaction);
        Running { processes: self.table.running().cloned().collect(), host: Arc::clone(&self.host), redaction }
    }

    fn own_event(&self, kind: EventType, detail: Detail) -> Event {
        Event { kind, time: unix_now(), process: self.setup.redaction.process(&self.own), detail }
    }

    fn reload(&mut self, next: Setup) {
        self.hand_over();
        let before = std::mem::replace(&mut self.setup, next);
        if self.setup.redaction.is_like(&before.redaction) {
            // What it found is kept.
            self.setup.redaction = before.redaction;
        }
        self.setup.detection = std::mem::take(&mut self.setup.detection).after(before.detection);
        let nothing = Recorder::new(&[], Vec::new(), false);
        let recorder = std::mem::replace(&mut self.setup.recorder, nothing).within(self.budget);
        self.setup.recorder = before.recorder.replaced_by(recorder);
    }

    /// Every loss since the start, by stage, class and cause; also where nothing was lost.
    fn totals(&mut self) -> Vec<Total> {
        let mut totals = self.losses.totals();
        losses::of_table(self.table.counters(), &mut totals);
        losses::of_recorder(&self.setup.recorder.status(), &mut totals);
        losses::of_decoding(self.undecodable, &mut totals);
        losses::of_outputs(&self.outputs.status(), &self.sinks.status(), &mut totals);
        added_up(totals)
    }
}
