//! The loop that empties the spool.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message as _;
use sensor_proto::path;
use sensor_proto::v1::{HelloReply, HelloRequest, Rejected};
use tokio::sync::Notify;
use tokio::sync::watch::Receiver;
use uuid::Uuid;

use super::batch::{Batch, Load};
use super::client::{self, Client};
use super::reply::Verdict;
use super::{Bounds, CentralFacts, Hello, McsSettings, Observer, StartError, State, Status, Word, statistics};
use crate::backoff::Backoff;
use crate::spool::{Item, Kind, Spool};

/// Messages refused one by one, with none taken in between, after which it looks like the receiver's fault and not
/// theirs: from then on one at a time is given up, slowly.
const SUSPICIOUS: u32 = 8;
/// Stands for a time that cannot be counted.
const LONGEST: Duration = Duration::from_secs(3600);
/// A sensor whose statistics may go along greets anew this often; before there are any, sooner.
const GREET_EVERY: Duration = Duration::from_secs(3600);
const GREET_SOON: Duration = Duration::from_secs(60);
/// While items are in memory because the disk takes none, the spool is looked at this often.
const DISK_TROUBLE: Duration = Duration::from_secs(10);

pub(super) struct Courier {
    name: String,
    spool: Spool,
    client: Client,
    hello: Hello,
    bounds: Bounds,
    observer: Box<dyn Observer>,
    status: Arc<Mutex<Status>>,
    hurry: Arc<Notify>,
    stopped: Receiver<bool>,
    greeting: Greeting,
    greeting_backoff: Backoff,
    lanes: [Lane; Kind::ALL.len()],
}

/// Whether the sensor has introduced itself.
enum Greeting {
    Done,
    /// To be tried from then on.
    Due(Instant),
}

/// Alerts and telemetry each go their way: a receiver that takes no rows still gets alerts.
struct Lane {
    /// What was taken from the spool, and what of it is still to be sent.
    work: Option<Work>,
    backoff: Backoff,
    fault: Option<Pause>,
    /// Single messages refused since the last that was taken.
    refused_in_row: u32,
}

/// After a fault.
#[derive(Clone, Copy)]
struct Pause {
    state: State,
    /// When it is tried again.
    until: Instant,
    /// Central asked for it.
    asked: bool,
}

struct Work {
    load: Load,
    batches: VecDeque<Batch>,
}

/// Why something was not taken, and how long to leave it.
struct Fault {
    state: State,
    reason: String,
    wait: Duration,
    asked: bool,
}

impl Courier {
    pub(super) fn new(
        settings: McsSettings,
        spool: Spool,
        observer: Box<dyn Observer>,
        status: Arc<Mutex<Status>>,
        hurry: Arc<Notify>,
        stopped: Receiver<bool>,
    ) -> Result<Self, StartError> {
        let (name, hello) = (settings.name.clone(), settings.hello.clone());
        let (bounds, pace) = (settings.bounds, settings.pace);
        let lane = || Lane { work: None, backoff: Backoff::new(pace), fault: None, refused_in_row: 0 };
        Ok(Self {
            name,
            spool,
            client: Client::new(settings)?,
            hello,
            bounds,
            observer,
            status,
            hurry,
            stopped,
            greeting: Greeting::Due(Instant::now()),
            greeting_backoff: Backoff::new(pace),
            lanes: [lane(), lane()],
        })
    }

    /// Delivers until it is told to stop.
    pub(super) async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        let status = Arc::clone(&self.status);
        let overtime = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            let grace = lock(&status).grace;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            () = self.deliver() => {}
            () = overtime => {}
        }
    }

    async fn deliver(&mut self) {
        while !*self.stopped.borrow() {
            if matches!(self.greeting, Greeting::Due(at) if at <= Instant::now()) {
                self.greet().await;
                continue;
            }
            for kind in Kind::ALL {
                self.fetch(kind);
            }
            match Kind::ALL.into_iter().find(|kind| self.lanes[*kind as usize].is_ready()) {
                Some(kind) => self.send(kind).await,
                None => self.wait().await,
            }
        }
    }

    /// Waits until something is to be done.
    async fn wait(&mut self) {
        let greeting = match self.greeting {
            Greeting::Done => None,
            Greeting::Due(at) => Some(at),
        };
        // A spool that has items in memory alone puts them on disk when it is asked for some.
        let trouble = self.spool.stats().trouble.map(|_| Instant::now() + DISK_TROUBLE);
        let faults = self.lanes.iter().filter_map(|lane| lane.fault.map(|pause| pause.until));
        let until = faults.chain(greeting).chain(trouble).min();
        let timer = async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        // What arrives matters to a lane that has nothing to do.
        let idle = self.lanes.iter().any(|lane| lane.work.is_none());
        tokio::select! {
            () = self.spool.arrival(), if idle => {}
            () = timer => {}
            () = self.hurry.notified() => {
                let pauses = self.lanes.iter_mut().filter_map(|lane| lane.fault.as_mut());
                pauses.filter(|pause| !pause.asked).for_each(|pause| pause.until = Instant::now());
            }
            _ = self.stopped.wait_for(|stop| *stop) => {}
        }
    }

    /// Takes the next items of a kind from the spool.
    fn fetch(&mut self, kind: Kind) {
        let lane = &mut self.lanes[kind as usize];
        if lane.work.is_some() {
            return;
        }
        // Each item of rows is a batch by itself, under its own key.
        let most = if kind == Kind::Urgent { self.bounds.messages } else { 1 };
        let mut items = self.spool.next_of(kind, most, self.bounds.bytes);
        let load = match (kind, items.pop()) {
            (_, None) => return,
            (Kind::Urgent, Some(last)) => {
                items.push(last);
                Load::alerts(items)
            }
            (Kind::Bulk, Some(item)) => match Load::telemetry(item) {
                Ok(load) => load,
                Err(item) => return self.spool.reject(&item, "it is no batch of rows"),
            },
        };
        let batches = load.batches(self.bounds.messages).collect();
        lane.work = Some(Work { load, batches });
    }

    async fn send(&mut self, kind: Kind) {
        let Some(Work { load, batches }) = &self.lanes[kind as usize].work else { return };
        let Some(batch) = batches.front().cloned() else { return self.finish(kind) };
        let path = match kind {
            Kind::Urgent => path::ALERTS,
            Kind::Bulk => path::EVENTS,
        };
        let (key, body) = (load.key(&batch), load.encode(&batch));
        lock(&self.status).requests += 1;
        let verdict = match self.client.post(path, key, &body).await {
            Ok(reply) => reply.verdict(batch.len(), |text| self.client.say(text)),
            Err(fault) => return self.pause(kind, lost(&self.lanes[kind as usize].backoff, &fault)),
        };
        match verdict {
            Verdict::Taken(rejected) => self.taken(kind, &batch, &rejected),
            Verdict::Split(reason) => self.split(kind, &batch, reason),
            Verdict::TooLarge(reason) => self.too_large(kind, &batch, reason),
            Verdict::Compression if self.client.compress => self.client.compress = false,
            Verdict::Compression => {
                let reason = "the receiver takes no body of this type; check that mcs.url leads to Central".to_owned();
                self.pause(kind, refused(&self.lanes[kind as usize].backoff, reason, None));
            }
            Verdict::Refused(reason, wish) => {
                self.pause(kind, refused(&self.lanes[kind as usize].backoff, reason, wish));
            }
            Verdict::Later(reason, wish) => self.pause(kind, later(&self.lanes[kind as usize].backoff, reason, wish)),
        }
    }

    /// All of a lane's work is done. The item of rows leaves the spool with its last row.
    fn finish(&mut self, kind: Kind) {
        let Some(work) = self.lanes[kind as usize].work.take() else { return };
        if kind == Kind::Bulk {
            self.spool.confirm(&work.load.items.iter().map(|item| item.id).collect::<Vec<_>>());
        }
    }

    /// The batch is stored there, except for what was rejected.
    fn taken(&mut self, kind: Kind, batch: &Batch, rejected: &[Rejected]) {
        self.worked(kind);
        let lane = &mut self.lanes[kind as usize];
        lane.refused_in_row = 0;
        let Some(work) = &mut lane.work else { return };
        work.batches.pop_front();
        let load = &work.load;
        let place = |rejected: &Rejected| usize::try_from(rejected.index).map(|index| batch.0.start + index);
        for rejection in rejected {
            if let Ok(part) = place(rejection) {
                reject(&self.spool, load, part, &self.client.say(rejection.reason.as_bytes()), &*self.observer);
            }
        }
        if kind == Kind::Urgent {
            let rejected: HashSet<usize> = rejected.iter().filter_map(|rejection| place(rejection).ok()).collect();
            let accepted = batch.0.clone().filter(|part| !rejected.contains(part));
            let items: Vec<&Item> = accepted.map(|part| load.item(part)).collect();
            self.spool.confirm(&items.iter().map(|item| item.id).collect::<Vec<_>>());
            for item in items {
                self.observer.word(item.uuid, &Word::Confirmed);
            }
        }
        let delivered = batch.len() - rejected.len();
        lock(&self.status).delivered[kind as usize] += delivered as u64;
        if delivered > 0 {
            self.observer.delivered(delivered);
        }
    }

    /// The batch is not fit as a whole.
    fn split(&mut self, kind: Kind, batch: &Batch, reason: String) {
        let lane = &mut self.lanes[kind as usize];
        let Some(work) = &mut lane.work else { return };
        if let Some(halves) = batch.halves() {
            work.batches.pop_front();
            for half in halves.into_iter().rev() {
                work.batches.push_front(half);
            }
            return;
        }
        lane.refused_in_row += 1;
        if lane.refused_in_row > SUSPICIOUS {
            // It stays for the next try. If that is refused too, it goes.
            lane.refused_in_row = SUSPICIOUS - 1;
            let reason = format!("{reason} (message by message; is it really Central that replies?)");
            let fault = refused(&lane.backoff, reason, None);
            return self.pause(kind, fault);
        }
        work.batches.pop_front();
        reject(&self.spool, &work.load, batch.0.start, &reason, &*self.observer);
    }

    /// The batch is too much as a whole: a single alert is tried again in a shorter form.
    fn too_large(&mut self, kind: Kind, batch: &Batch, reason: String) {
        let work = self.lanes[kind as usize].work.as_mut();
        if batch.len() == 1 && work.is_some_and(|work| work.load.shorten(batch.0.start)) {
            self.observer.too_large(&reason);
        } else {
            self.split(kind, batch, reason);
        }
    }

    fn pause(&mut self, kind: Kind, fault: Fault) {
        self.note_fault(&fault);
        let lane = &mut self.lanes[kind as usize];
        lane.backoff.count();
        for item in lane.work.iter().flat_map(|work| &work.load.items) {
            self.observer.word(item.uuid, &Word::Retrying(fault.reason.clone()));
        }
        lane.fault = Some(Pause { state: fault.state, until: fault.until(), asked: fault.asked });
    }

    /// Introduces the sensor. Whether it works out or not, items are tried next.
    async fn greet(&mut self) {
        let request = HelloRequest {
            sensor_version: self.hello.sensor_version.clone(),
            hostname: self.hello.hostname.clone(),
            metadata: self.hello.metadata.iter().cloned().collect(),
            unix_nano_timestamp: Some(clock::unix_now()),
            statistics: if self.hello.statistics { statistics::newest() } else { BTreeMap::new() },
        };
        let has_statistics = !request.statistics.is_empty();
        lock(&self.status).requests += 1;
        let reply = match self.client.post(path::HELLO, Uuid::new_v4(), &request.encode_to_vec()).await {
            Ok(reply) => reply,
            // Without anything to send, the greeting shows whether delivery would work; so it goes on trying.
            Err(fault) => return self.greet_again(&lost(&self.greeting_backoff, &fault)),
        };
        let hello = HelloReply::decode(&*reply.body).ok().filter(|hello| hello.max_items > 0);
        match (reply.status, hello) {
            (200..=299, Some(hello)) => self.greeted(&hello, has_statistics),
            (200..=299, None) => {
                let status = reply.status;
                let reason = format!("what replied {status} is not Central; is there a proxy or a portal in between?");
                self.greet_again(&later(&self.greeting_backoff, reason, reply.wish));
            }
            // Central of another version does without.
            (400 | 404 | 405 | 413 | 415 | 422, _) => self.greeting = Greeting::Done,
            _ => match reply.verdict(usize::MAX, |text| self.client.say(text)) {
                Verdict::Refused(reason, wish) => self.greet_again(&refused(&self.greeting_backoff, reason, wish)),
                Verdict::Later(reason, wish) => self.greet_again(&later(&self.greeting_backoff, reason, wish)),
                // What is no greeting is none of these.
                Verdict::Taken(_) | Verdict::Split(_) | Verdict::TooLarge(_) | Verdict::Compression => {
                    self.greeting = Greeting::Done;
                }
            },
        }
    }

    fn greet_again(&mut self, fault: &Fault) {
        self.greeting_backoff.count();
        self.greeting = Greeting::Due(fault.until());
        self.note_fault(fault);
    }

    fn greeted(&mut self, hello: &HelloReply, had_statistics: bool) {
        self.greeting = match (self.hello.statistics, had_statistics) {
            (false, _) => Greeting::Done,
            (true, false) => Greeting::Due(Instant::now() + GREET_SOON),
            (true, true) => Greeting::Due(Instant::now() + GREET_EVERY),
        };
        self.greeting_backoff.reset();
        // Central is there, so alerts that wait are tried at once; but not before the time that it asked for.
        match self.lanes[Kind::Urgent as usize].fault {
            Some(pause) if pause.asked => self.note_success(),
            _ => self.worked(Kind::Urgent),
        }
        let at_most = |bound: usize, limit: u64| match usize::try_from(limit) {
            Ok(limit) if limit > 0 => bound.min(limit),
            _ => bound,
        };
        self.bounds.messages = at_most(self.bounds.messages, hello.max_items);
        // Compressed or not, it fits; a little is left for what stands around the messages.
        let bytes = hello.max_decoded_bytes.min(hello.max_body_bytes);
        self.bounds.bytes = at_most(self.bounds.bytes, bytes - bytes / 16);
        let version = self.client.say(hello.central_version.as_bytes());
        lock(&self.status).central = Some(CentralFacts { version, clock_skew: hello.clock_skew_nano });
    }

    fn worked(&mut self, kind: Kind) {
        let lane = &mut self.lanes[kind as usize];
        lane.backoff.reset();
        lane.fault = None;
        self.note_success();
    }

    fn note_success(&self) {
        let other = self.lanes.iter().find_map(|lane| lane.fault);
        let warnings: Vec<String> = self.client.warnings().iter().map(ToString::to_string).collect();
        let mut status = lock(&self.status);
        for warning in warnings.iter().filter(|warning| !status.trust_warnings.contains(warning)) {
            tracing::warn!(output = self.name, "{warning}");
        }
        status.trust_warnings = warnings;
        status.last_success = Some(clock::unix_now());
        let state = other.map_or(State::Working, |pause| pause.state);
        if state == State::Working {
            status.next_try = None;
        }
        status.state = state;
        let status = status.clone();
        self.observer.works(&status);
    }

    fn note_fault(&self, fault: &Fault) {
        self.observer.failed(&fault.reason);
        let mut status = lock(&self.status);
        status.state = fault.state;
        status.failures += 1;
        status.last_error = Some(fault.reason.clone());
        let wait = u64::try_from(fault.wait.as_nanos()).unwrap_or(u64::MAX);
        status.next_try = Some(clock::unix_now().saturating_add(wait));
    }
}

impl Fault {
    /// When it is tried again.
    fn until(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.wait).unwrap_or(now + LONGEST)
    }
}

/// No reply came.
fn lost(backoff: &Backoff, fault: &client::Fault) -> Fault {
    let state = match fault {
        client::Fault::Trust(_) | client::Fault::Peer { .. } => State::Untrusted,
        _ => State::Waiting,
    };
    Fault { state, reason: fault.to_string(), wait: backoff.wait_after_fault(None), asked: false }
}

fn refused(backoff: &Backoff, reason: String, wish: Option<Duration>) -> Fault {
    Fault { state: State::Refused, reason, wait: backoff.wait_after_refusal(wish), asked: wish.is_some() }
}

fn later(backoff: &Backoff, reason: String, wish: Option<Duration>) -> Fault {
    Fault { state: State::Waiting, reason, wait: backoff.wait_after_fault(wish), asked: wish.is_some() }
}

impl Lane {
    /// Whether it has something to do, and may.
    fn is_ready(&self) -> bool {
        self.work.is_some() && self.fault.is_none_or(|pause| pause.until <= Instant::now())
    }
}

/// Gives up a message: an alert with its item, a row by itself.
fn reject(spool: &Spool, load: &Load, part: usize, reason: &str, observer: &dyn Observer) {
    let item = load.item(part);
    match load.kind {
        Kind::Urgent => {
            spool.reject(item, reason);
            observer.word(item.uuid, &Word::Rejected(reason.to_owned()));
        }
        Kind::Bulk => spool.reject_part(item, 1, reason, load.message(part)),
    }
    tracing::warn!(uuid = %item.uuid, "the receiver will never take it, it is kept among the dead letters: {reason}");
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
