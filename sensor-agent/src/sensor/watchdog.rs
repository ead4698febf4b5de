//! The thread that keeps asking whether the sensor still hears, and answers systemd's watchdog for the engine.
//!
//! It also looks whether the host is called otherwise by now, and for meddling: hooks detached, files changed, a debugger.
//! Where something may have made the sensor deaf, a canary is run sooner than at its time.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clock::unix_now;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use delivery::mcs::publish_statistics;
use schema::Class;
use uuid::Uuid;

use super::{STATE_NOT_KEPT, Shared, kernel, self_check, status, tamper};
use crate::control::status::Canary;
use crate::engine::{Request, Sighting, Watch};
use crate::event::Host;
use crate::health::DEAF_AFTER;
use crate::host;
use crate::loss::Total;
use crate::metrics;
use crate::policy::Policy;
use crate::process::rescan::Rescan;
use crate::systemd;

/// The first argument of a canary. Its second is a word of its own.
pub const CANARY: &str = "-canary";
/// From one canary to the next.
const EVERY: Duration = Duration::from_secs(60);
/// The same after one that was not seen, and where something may have made the sensor deaf.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a canary may take to come out of the kernel.
const PATIENCE: Duration = Duration::from_secs(15);
/// Looks between two canaries when no watchdog wants more.
const LOOK: Duration = Duration::from_secs(15);

/// How the canaries went.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Canary>);

impl Record {
    pub(super) fn get(&self) -> Canary {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, outcome: Result<Duration, String>) -> u64 {
        let mut canary = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(took) => {
                if canary.failed_in_a_row > 0 {
                    tracing::info!("canary programs are seen again");
                }
                canary.passed += 1;
                canary.failed_in_a_row = 0;
                canary.last_seen = Some(unix_now() / 1_000_000_000);
                canary.millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                canary.last_error = None;
            }
            Err(error) => {
                canary.failed += 1;
                canary.failed_in_a_row += 1;
                tracing::error!(in_a_row = canary.failed_in_a_row, "a canary program was not seen: {error}");
                canary.last_error = Some(error);
            }
        }
        canary.failed_in_a_row
    }
}

/// Ends with this value.
#[derive(Debug)]
pub(super) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(super) fn start(shared: Arc<Shared>, host: Arc<Host>) -> std::io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let thread =
            std::thread::Builder::new().name("watchdog".into()).spawn(move || keep(&shared, host, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(shared: &Shared, mut host: Arc<Host>, stopped: &Receiver<()>) {
    let watchdog = systemd::watchdog();
    let look = watchdog.map_or(LOOK, |limit| LOOK.min(limit / 4)).max(Duration::from_millis(100));
    let mut next = Instant::now();
    let mut flown = next;
    let mut deaf = false;
    let mut lost = 0;
    loop {
        if Instant::now() >= next {
            let outcome = fly(shared, stopped);
            let Some(outcome) = outcome else { return };
            let wait = if outcome.is_ok() { EVERY } else { AGAIN };
            deaf = shared.canary.note(outcome) >= DEAF_AFTER;
            flown = Instant::now();
            next = flown + wait;
            if shared.statistics.load(Relaxed) {
                publish_statistics(metrics::statistics(&status::status(shared)));
            }
        }
        if let Some(now) = host::changed(&host) {
            host = Arc::new(now);
            let _ = shared.engine.send_timeout(Request::Host(Arc::clone(&host)), PATIENCE);
        }
        let again = shared.capture().recheck();
        let lost_before = std::mem::replace(&mut lost, lost_in_kernel(shared));
        if !again.is_empty() || lost > lost_before {
            next = next.min(flown + AGAIN);
            rescan(shared);
        }
        let mut meddled: Vec<Policy> = again.iter().map(tamper::detached).collect();
        meddled.extend(shared.tamper.lock().unwrap_or_else(PoisonError::into_inner).look());
        let meddled = meddled.into_iter().map(|policy| (policy, "the sensor was meddled with"));
        for (policy, rule) in meddled.chain(shared.state.look().map(|policy| (policy, STATE_NOT_KEPT))) {
            tracing::error!("{}", policy.description);
            let _ = shared.engine.send_timeout(Request::Tell(Box::new(policy), rule), PATIENCE);
        }
        // A sensor that hears nothing is as good as dead, so it is started anew like one, which can also load anew what this
        // process can attach no more.
        if watchdog.is_some() && !deaf && !shared.capture().lacks_hooks() && shared.engine_status().is_some() {
            systemd::notify("WATCHDOG=1");
        }
        let pause = look.min(next.saturating_duration_since(Instant::now()));
        match stopped.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What was lost of processes in the kernel since the start. What is beyond a budget are attempts, of which none is running.
fn lost_in_kernel(shared: &Shared) -> u64 {
    let of_processes = |loss: &&Total| loss.class == Class::Process.name() && loss.cause != kernel::OVER_BUDGET;
    kernel::losses(&shared.capture()).iter().filter(of_processes).map(|loss| loss.count).sum()
}

/// Has the engine look for processes of which records were lost.
fn rescan(shared: &Shared) {
    let walked = shared.capture().baseline();
    match walked {
        Ok(walk) => {
            let scan = Box::new(Rescan::new(walk));
            let _ = shared.engine.send_timeout(Request::Rescan(scan), PATIENCE);
        }
        Err(error) => tracing::warn!("records of processes were lost, and who runs cannot be looked up: {error}"),
    }
}

/// Runs a canary and waits for its exec; none if the sensor ends meanwhile.
fn fly(shared: &Shared, stopped: &Receiver<()>) -> Option<Result<Duration, String>> {
    let begun = Instant::now();
    let mark = Uuid::new_v4().to_string().into_bytes();
    let (sender, sightings) = bounded(4);
    let (kept, is_kept) = bounded(1);
    let asked = shared.engine.send_timeout(Request::Watch(Watch::new(mark.clone(), sender), kept), PATIENCE);
    if asked.is_err() || is_kept.recv_timeout(PATIENCE).is_err() {
        return Some(Err("the engine does not answer".into()));
    }
    if let Err(error) = self_check::exec_marked(CANARY, &mark) {
        return Some(Err(format!("it cannot be run: {error}")));
    }
    let until = crossbeam_channel::at(begun + PATIENCE);
    loop {
        crossbeam_channel::select! {
            recv(sightings) -> sighting => match sighting {
                Ok(Sighting::Seen) => return Some(Ok(begun.elapsed())),
                // A policy that matches everything matches this, too.
                Ok(Sighting::Alerted { .. }) => {}
                Err(_) => return Some(Err("the engine ended".into())),
            },
            recv(until) -> _ => return Some(Err("its exec did not come out of the kernel".into())),
            recv(stopped) -> _ => return None,
        }
    }
}
