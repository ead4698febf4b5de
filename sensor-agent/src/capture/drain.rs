//! The thread that empties the ring buffers.
//!
//! It copies and nothing else, so that it is always faster than the kernel fills; whoever consumes the batches may take
//! longer for a while. When the consumer falls behind for good, the channel fills, the thread waits, the ring fills, and
//! the programs count what is lost.
//!
//! The ring of process events comes first: of each of the others at most [`SIDE_BYTES`] are taken before it is looked at again,
//! and what the consumer has no room for waits, so that the process events go on. The others are looked at first and then
//! put among the process events by time: whatever happened before a message is told before it, and a login before the
//! shell that it leads to.
//!
//! Waiting costs the traced tasks nothing: see [`sensor_ebpf::control`]. While events come, the thread looks
//! every [`BUSY_WAIT`]; after [`EMPTY_ROUNDS`] without any it sleeps until the first record.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::control::{ControlMap, Wish};
use super::multicast::Multicast;
use super::order::{Waiting, merge};
use super::{Batch, CaptureError};
use aya::maps::{MapData, RingBuf};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError, bounded};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};

/// Between two looks while events come.
const BUSY_WAIT: Duration = Duration::from_millis(10);
/// Longest sleep when none come.
const IDLE_WAIT: Duration = Duration::from_secs(1);
/// Between two looks at whether anybody still wants the batch that does not fit the queue.
const STALL: Duration = Duration::from_millis(100);
/// Most that is taken from each other ring before that of the process events is looked at.
const SIDE_BYTES: usize = 64 * 1024;
/// Looks in vain before the long sleep.
const EMPTY_ROUNDS: u32 = 4;

const RECORDS: u64 = 0;
const STOP: u64 = 1;

/// Where records come from.
pub(super) enum Input {
    Ring(RingBuf<MapData>),
    Multicast(Multicast),
}

impl Input {
    /// Appends what there is, until the batch has so many bytes.
    fn take(&mut self, batch: &mut Batch, most: usize) -> Round {
        let before = batch.len();
        let has_more = match self {
            Self::Ring(ring) => loop {
                if batch.size() >= most {
                    break true;
                }
                let Some(record) = ring.next() else { break false };
                batch.push(&record);
            },
            Self::Multicast(_) if batch.size() >= most => true,
            Self::Multicast(multicast) => multicast.take(batch),
        };
        match has_more {
            true => Round::Full,
            false if batch.len() > before => Round::Some,
            false => Round::Empty,
        }
    }

    /// Edge-triggered for rings: only the programs' wake-up counts, not that there is unread data.
    fn watch(&self, epoll: &OwnedFd) -> Result<(), CaptureError> {
        let data = EventData::new_u64(RECORDS);
        match self {
            Self::Ring(ring) => epoll::add(epoll, ring, data, EventFlags::IN | EventFlags::ET)
                .map_err(CaptureError::system("watching the ring buffers")),
            Self::Multicast(multicast) => epoll::add(epoll, multicast, data, EventFlags::IN)
                .map_err(CaptureError::system("watching the audit multicast group")),
        }
    }
}

/// What is drained.
pub(super) struct Inputs {
    /// Process events.
    pub(super) first: Input,
    /// The others, by urgency.
    pub(super) others: Vec<Input>,
}

/// One of the others, and what was taken from it and not handed on yet.
struct Side {
    input: Input,
    records: Batch,
}

/// How to drain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainOptions {
    /// Batches that may wait for the consumer.
    pub queue: usize,
    /// Bytes after which a batch is handed on; also the most that is taken from one ring before the next is looked at.
    pub batch_bytes: usize,
}

impl Default for DrainOptions {
    fn default() -> Self {
        Self { queue: 16, batch_bytes: 256 * 1024 }
    }
}

/// What the thread did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainStats {
    pub records: u64,
    pub bytes: u64,
    pub batches: u64,
    /// Times the thread looked at the ring.
    pub rounds: u64,
    /// Times it waited because the consumer had not kept up.
    pub stalls: u64,
}

#[derive(Debug, Default)]
struct Stats {
    records: AtomicU64,
    bytes: AtomicU64,
    batches: AtomicU64,
    rounds: AtomicU64,
    stalls: AtomicU64,
}

/// The running drain thread. It stops when this is dropped.
///
/// One batch is empty: it comes when all that the rings held at the start was handed on.
#[derive(Debug)]
pub struct Drain {
    batches: Option<Receiver<Batch>>,
    used: Sender<Batch>,
    stop: Arc<OwnedFd>,
    /// Set when nobody will receive any more, although a clone of the receiver may be left.
    abandoned: Arc<AtomicBool>,
    stats: Arc<Stats>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    pub(super) fn start(
        inputs: Inputs,
        control: Arc<ControlMap>,
        options: &DrainOptions,
    ) -> Result<Self, CaptureError> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(CaptureError::system("creating an epoll instance"))?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(CaptureError::system("creating an eventfd"))?;
        let stop = Arc::new(stop);
        for input in inputs.others.iter().chain([&inputs.first]) {
            input.watch(&epoll)?;
        }
        epoll::add(&epoll, &*stop, EventData::new_u64(STOP), EventFlags::IN)
            .map_err(CaptureError::system("watching the stop signal"))?;
        let (send, batches) = bounded(options.queue.max(1));
        let (used, recycled) = bounded(options.queue.max(1) + 1);
        let stats = Arc::new(Stats::default());
        let abandoned = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            abandoned: Arc::clone(&abandoned),
            first: inputs.first,
            sides: inputs.others.into_iter().map(|input| Side { input, records: Batch::default() }).collect(),
            stopping: false,
            control,
            epoll,
            send,
            recycled,
            stats: Arc::clone(&stats),
            batch: Batch::with_capacity(options.batch_bytes),
            batch_bytes: options.batch_bytes,
        };
        let thread = thread::Builder::new()
            .name("drain".to_owned())
            .spawn(move || worker.run())
            .map_err(CaptureError::system("starting the drain thread"))?;
        Ok(Self { batches: Some(batches), used, stop, abandoned, stats, thread: Some(thread) })
    }

    /// The next batch; waits for it at most so long. `Ok(None)` if none came.
    ///
    /// # Errors
    ///
    /// If the thread has ended and all its batches were received.
    pub fn next(&self, wait: Duration) -> Result<Option<Batch>, Ended> {
        let batches = self.batches.as_ref().ok_or(Ended)?;
        match batches.recv_timeout(wait) {
            Ok(batch) => Ok(Some(batch)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// The batches, for a consumer that waits for other things as well. Disconnected once the thread has ended.
    #[must_use]
    pub fn batches(&self) -> Receiver<Batch> {
        self.batches.clone().unwrap_or_else(crossbeam_channel::never)
    }

    /// Takes batches back, for a consumer on another thread.
    #[must_use]
    pub fn recycler(&self) -> Recycler {
        Recycler(self.used.clone())
    }

    /// Gives a batch's memory back. Optional.
    pub fn recycle(&self, batch: Batch) {
        self.recycler().recycle(batch);
    }

    /// Waits until the thread has handed on what is in the rings, and ended. Whoever holds [`Drain::batches`] must go on
    /// receiving meanwhile. Call [`super::Capture::detach`] before, or there may be no end.
    pub fn finish(mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// What the thread did so far.
    #[must_use]
    pub fn stats(&self) -> DrainStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DrainStats {
            records: read(&self.stats.records),
            bytes: read(&self.stats.bytes),
            batches: read(&self.stats.batches),
            rounds: read(&self.stats.rounds),
            stalls: read(&self.stats.stalls),
        }
    }

    /// Asks the thread to hand on what is in the rings and end; [`Drain::next`] then goes on until it is [`Ended`]. Without
    /// [`super::Capture::detach`] before, events after this stay in the ring.
    pub fn stop(&self) {
        // It can only fail if the counter overflows, and then the thread is awake.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.stop();
        // A thread that waits for the consumer gives up.
        self.abandoned.store(true, Ordering::Relaxed);
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The way back for batches.
#[derive(Clone, Debug)]
pub struct Recycler(Sender<Batch>);

impl Recycler {
    /// Gives a batch's memory back.
    pub fn recycle(&self, mut batch: Batch) {
        batch.clear();
        // If there are more than enough, this one is freed.
        let _ = self.0.try_send(batch);
    }
}

/// The drain thread has ended, and all its batches were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the drain thread has ended")]
pub struct Ended;

/// How one look at the ring went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Round {
    Empty,
    /// All there was.
    Some,
    /// As much as one round may take.
    Full,
}

struct Worker {
    abandoned: Arc<AtomicBool>,
    first: Input,
    sides: Vec<Side>,
    stopping: bool,
    control: Arc<ControlMap>,
    epoll: OwnedFd,
    send: Sender<Batch>,
    recycled: Receiver<Batch>,
    stats: Arc<Stats>,
    batch: Batch,
    batch_bytes: usize,
}

impl Side {
    fn take(&mut self) -> Round {
        self.input.take(&mut self.records, SIDE_BYTES)
    }
}

impl Worker {
    fn run(mut self) {
        // An error means that the consumer is gone.
        let _ = self.drain();
        self.control.wish(Wish::Never);
    }

    fn drain(&mut self) -> Result<(), Ended> {
        let mut empty = 0;
        let mut caught_up = false;
        loop {
            let round = self.round()?;
            if round != Round::Full && !caught_up {
                caught_up = true;
                // Empty: what the rings held at the start has been handed on.
                self.hand_on()?;
            }
            match round {
                Round::Full => continue,
                Round::Some => empty = 0,
                Round::Empty if self.stopping => return Ok(()),
                Round::Empty => empty += 1,
            }
            if self.stopping {
                continue;
            }
            let idle = empty >= EMPTY_ROUNDS;
            self.control.wish(if idle { Wish::AtOnce } else { Wish::AtWatermark });
            // A record that came before the wish was seen wakes nobody.
            if idle && self.round()? != Round::Empty {
                empty = 0;
                continue;
            }
            self.stopping = self.wait(if idle { IDLE_WAIT } else { BUSY_WAIT });
            self.control.wish(Wish::Never);
        }
    }

    /// Copies what is in the rings, up to one batch, and hands it on.
    fn round(&mut self) -> Result<Round, Ended> {
        // What waits goes first.
        let fresh: Vec<bool> = self.sides.iter().map(|side| side.records.is_empty()).collect();
        let mut side = if fresh.contains(&false) { Round::Some } else { Round::Empty };
        for (other, _) in self.sides.iter_mut().zip(&fresh).filter(|(_, fresh)| **fresh) {
            side = side.max(other.take());
        }
        let before: Vec<usize> = self.sides.iter().map(|side| side.records.len()).collect();
        let first = self.first.take(&mut self.batch, self.batch_bytes);
        if first != Round::Empty {
            // What was written meanwhile can be older than some of the process events.
            for other in &mut self.sides {
                side = side.max(other.take());
            }
        }
        self.stats.rounds.fetch_add(1, Ordering::Relaxed);
        let is_held = self.sides.iter().any(|side| !side.records.is_empty());
        let waits = is_held && !self.has_room_for_sides()?;
        if is_held && !waits {
            self.merge(&before, first);
        }
        if !self.batch.is_empty() {
            self.hand_on()?;
        }
        Ok(match (first, side) {
            (Round::Full, _) => Round::Full,
            // There is more, or there may be.
            (_, Round::Full) if !waits => Round::Full,
            (Round::Empty, Round::Empty) if !waits => Round::Empty,
            _ => Round::Some,
        })
    }

    /// Whether the consumer has room to spare for what was taken from other rings.
    fn has_room_for_sides(&self) -> Result<bool, Ended> {
        // The other half of the queue is for process events. At the end there will be no more of these.
        let spare = self.send.len() * 2 < self.send.capacity().unwrap_or(usize::MAX).max(2);
        if !spare && self.abandoned.load(Ordering::Relaxed) {
            return Err(Ended);
        }
        Ok(spare || self.stopping)
    }

    /// Puts what was taken from other rings among the process events. `before` tells how many were there before these were
    /// looked at: none of the process events that are left is older, unless there were too many to take them all.
    fn merge(&mut self, before: &[usize], first: Round) {
        let mut merged = self.recycled.try_recv().unwrap_or_default();
        let sides = self.sides.iter_mut().zip(before);
        let mut waiting: Vec<_> = sides
            .map(|(side, &before)| Waiting {
                records: &mut side.records,
                may_be_last: if first == Round::Full { 0 } else { before },
            })
            .collect();
        merge(&self.batch, &mut waiting, &mut merged);
        self.batch = merged;
    }

    fn hand_on(&mut self) -> Result<(), Ended> {
        let fresh = match self.recycled.try_recv() {
            Ok(batch) => batch,
            Err(_) => Batch::with_capacity(self.batch_bytes),
        };
        let batch = std::mem::replace(&mut self.batch, fresh);
        self.send(batch)
    }

    fn send(&self, batch: Batch) -> Result<(), Ended> {
        self.stats.records.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.stats.bytes.fetch_add(batch.size() as u64, Ordering::Relaxed);
        self.stats.batches.fetch_add(1, Ordering::Relaxed);
        let batch = match self.send.try_send(batch) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(batch)) => batch,
            Err(TrySendError::Disconnected(_)) => return Err(Ended),
        };
        self.stats.stalls.fetch_add(1, Ordering::Relaxed);
        let mut batch = batch;
        loop {
            batch = match self.send.send_timeout(batch, STALL) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(batch)) if !self.abandoned.load(Ordering::Relaxed) => batch,
                Err(_) => return Err(Ended),
            };
        }
    }

    /// Sleeps; true if it is time to stop.
    fn wait(&self, longest: Duration) -> bool {
        let timeout =
            Timespec { tv_sec: i64::try_from(longest.as_secs()).unwrap_or(1), tv_nsec: longest.subsec_nanos().into() };
        let mut events = [const { std::mem::MaybeUninit::uninit() }; 8];
        match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok((events, _)) => events.iter().any(|event| event.data.u64() == STOP),
            // A signal; the caller looks again.
            Err(_) => false,
        }
    }
}
