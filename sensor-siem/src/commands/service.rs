//! As a service: a round at each poll, until a signal ends it. SIGHUP reads the configuration again.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{Interval, MissedTickBehavior, interval, timeout},
};

use super::{Exit, log::Log, once::LOOK, runtime};
use crate::{
    config::Config,
    engine::{Engine, Options, Work},
    metrics::{self, Metrics},
    source::{Pace, Session},
};

/// How long a page that is on its way may take when the service stops.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// Where no watchdog is set, the loop still comes round.
const IDLE: Duration = Duration::from_secs(3600);

struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

pub(super) fn run(config: Config, load: impl Fn() -> Option<Config>, log: &Log) -> Exit {
    let runtime = match runtime(&config) {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("threads cannot be made: {error}");
            return Exit::Failure;
        }
    };
    let exit = runtime.block_on(serve(config, load, log));
    // A write that hangs is not waited for: its position has not moved.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit
}

async fn serve(mut config: Config, load: impl Fn() -> Option<Config>, log: &Log) -> Exit {
    let signals = || -> std::io::Result<Signals> {
        Ok(Signals {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    };
    let mut signals = match signals() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("signals cannot be waited for: {error}");
            return Exit::Failure;
        }
    };
    let metrics = Arc::new(Metrics::default());
    loop {
        log.follow(&config);
        let (stop, stopping) = watch::channel(false);
        let engine = match Engine::new(config.clone(), Options::default(), Arc::clone(&metrics), stopping) {
            Ok(engine) => Arc::new(engine),
            Err(error) => {
                tracing::error!("{error}");
                return Exit::from(&error);
            }
        };
        let served = match &config.metrics {
            None => None,
            Some(address) => match metrics::serve(address, Arc::clone(&metrics)).await {
                Ok(served) => Some(served),
                Err(error) => {
                    tracing::error!("metrics cannot be served at {address}: {error}");
                    return Exit::Failure;
                }
            },
        };
        let mut work = Work::new(engine);
        notify("READY=1");
        let next = rounds(&mut work, config.poll, &mut signals, &load, log).await;
        notify(if next.is_some() { "RELOADING=1" } else { "STOPPING=1" });
        let _ = stop.send(true);
        if timeout(GRACE, async { while work.go_on().await {} }).await.is_err() {
            tracing::warn!("an output has not taken its page within {} s; it is not waited for", GRACE.as_secs());
        }
        drop(work);
        // The next one may listen at the same place.
        if let Some(mut served) = served {
            served.shutdown().await;
        }
        match next {
            Some(next) => config = next,
            None => return Exit::Fine,
        }
    }
}

/// Rounds until a signal: another configuration, or the end.
async fn rounds(
    work: &mut Work,
    poll: Duration,
    signals: &mut Signals,
    load: &impl Fn() -> Option<Config>,
    log: &Log,
) -> Option<Config> {
    let mut look = every(LOOK);
    let has_people = log.has_people();
    let mut poll = every(poll);
    let mut is_over = true;
    let mut alive = every(sd_notify::watchdog_enabled().map_or(IDLE, |most| most / 3));
    loop {
        tokio::select! {
            _ = poll.tick() => {
                work.begin();
                is_over = false;
            }
            _ = work.go_on(), if !work.is_idle() => {
                if !is_over && work.is_round_over() {
                    is_over = true;
                    let summary = work.summary();
                    // What goes on as before is in the status and in the metrics.
                    if summary.is_idle() {
                        tracing::debug!("{summary}");
                    } else {
                        tracing::info!("{summary}");
                    }
                    notify(&format!("STATUS={summary}"));
                }
            }
            _ = look.tick(), if has_people => log.show(work.progress().as_deref()),
            _ = alive.tick() => notify("WATCHDOG=1"),
            _ = signals.terminate.recv() => return None,
            _ = signals.interrupt.recv() => return None,
            _ = signals.hang_up.recv() => match load() {
                Some(config) => match Session::new(config.credentials.clone(), &config.connection, Pace::default()) {
                    Ok(_) => {
                        tracing::info!("goes on with the configuration as it is now");
                        return Some(config);
                    }
                    Err(error) => tracing::error!("{error}; the configuration of before stays"),
                },
                None => tracing::error!("the configuration was refused; the one of before stays"),
            },
        }
    }
}

pub(super) fn every(period: Duration) -> Interval {
    let mut interval = interval(period.max(Duration::from_millis(1)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Tells the service manager; without one, nobody.
fn notify(state: &str) {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Custom(state)]) {
        tracing::debug!("systemd was not notified: {error}");
    }
}
