//! One round, and an exit code that says what came of it.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Exit,
    log::Log,
    of_summary, runtime,
    service::{GRACE, every},
};
use crate::{
    config::Config,
    engine::{Engine, Options, Work},
    metrics::Metrics,
};

/// How often people are told how far it is.
pub(super) const LOOK: Duration = Duration::from_millis(200);

pub(super) fn once(config: Config, options: Options, log: &Log) -> Exit {
    let runtime = match runtime(&config) {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("threads cannot be made: {error}");
            return Exit::Failure;
        }
    };
    let exit = runtime.block_on(round(config, options, log));
    // A write that hangs is not waited for: its position has not moved.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit
}

async fn round(config: Config, options: Options, log: &Log) -> Exit {
    let is_dry = options.is_dry;
    let (stop, stopping) = watch::channel(false);
    let engine = match Engine::new(config, options, Arc::new(Metrics::default()), stopping) {
        Ok(engine) => Arc::new(engine),
        Err(error) => {
            tracing::error!("{error}");
            return Exit::from(&error);
        }
    };
    let mut work = Work::new(engine);
    work.begin();
    let (mut term, mut int) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(term), Ok(int)) => (term, int),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!("signals cannot be waited for: {error}");
            return Exit::Failure;
        }
    };
    let mut is_whole = true;
    let mut end = None;
    let mut look = every(LOOK);
    let has_people = log.has_people();
    loop {
        tokio::select! {
            goes_on = work.go_on() => if !goes_on { break },
            _ = term.recv(), if is_whole => is_whole = false,
            _ = int.recv(), if is_whole => is_whole = false,
            () = at(end) => {
                tracing::warn!("an output has not taken its page within {} s; it is not waited for", GRACE.as_secs());
                break;
            }
            _ = look.tick(), if has_people => log.show(work.progress().as_deref()),
        }
        if !is_whole {
            // The page that is on its way is handed over.
            let _ = stop.send(true);
            end.get_or_insert(Instant::now() + GRACE);
        }
    }
    log.show(None);
    let summary = work.summary();
    let what = if is_dry { "nothing was written; there is: " } else { "" };
    tracing::info!("{what}{summary}");
    match of_summary(&summary) {
        Exit::Fine if !is_whole => Exit::Unavailable,
        exit => exit,
    }
}

/// Waits until then; without a time, for ever.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
