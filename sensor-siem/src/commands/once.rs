//! One round, and an exit code that says what came of it.

use std::sync::Arc;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{Exit, of_summary, runtime};
use crate::{
    config::Config,
    engine::{Engine, Options, Work},
    metrics::Metrics,
};

pub(super) fn once(config: Config, options: Options) -> Exit {
    let runtime = match runtime(&config) {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("threads cannot be made: {error}");
            return Exit::Failure;
        }
    };
    runtime.block_on(round(config, options))
}

async fn round(config: Config, options: Options) -> Exit {
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
    loop {
        tokio::select! {
            goes_on = work.go_on() => if !goes_on { break },
            _ = term.recv(), if is_whole => is_whole = false,
            _ = int.recv(), if is_whole => is_whole = false,
        }
        if !is_whole {
            // The page that is on its way is handed over.
            let _ = stop.send(true);
        }
    }
    let summary = work.summary();
    let what = if is_dry { "nothing was written; there is: " } else { "" };
    tracing::info!("{what}{summary}");
    match of_summary(&summary) {
        Exit::Fine if !is_whole => Exit::Unavailable,
        exit => exit,
    }
}
