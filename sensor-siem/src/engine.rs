//! Rounds: every stream of every tenant to its end, for every output.
//!
//! ```text
//! Work ── a task for each tenant ── stream ── a group of outputs that go on at the same place
//!                                                page ─▶ lines ─▶ hand over, keep the cursor
//! ```
//!
//! Tenants are read side by side; what is slow or fails with one delays no other. How many replies are in memory at the
//! same time is bounded ([`crate::config::REPLIES`]), and so is the time that an output is waited for ([`PATIENCE`]): one
//! that does not take a page in that time goes on without the others, a page at a time, until it has all that there is.
//! An output that fails is left alone until the next round, and tried then without the others waiting for it.

mod dead_letters;
mod group;
mod health;
mod outlet;
mod page;
mod progress;
mod work;

pub use dead_letters::DeadLetters;
pub use work::{Summary, Work};

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use crate::{
    config::Config,
    metrics::Metrics,
    source::{Pace, Session},
    state::{Change, StateError, Store},
};
use health::Known;
use outlet::Outlet;
use progress::Progress;

/// How long an output is waited for. What it has not taken by then, it takes without the others.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the command line says of a round.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Read from this time on (Unix seconds), not from where the last round stopped; nothing is left out for having been
    /// handed over before.
    pub since: Option<i64>,
    /// Nothing is written anywhere.
    pub is_dry: bool,
    pub replay: Option<Replay>,
}

/// A time that is read once more for one output. Positions stay where they are.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Unix seconds: from when on, and until when.
    pub from: i64,
    pub to: i64,
    /// The output's name.
    pub output: String,
}

impl Options {
    /// Where reading begins, if people say it.
    fn begin(&self) -> Option<i64> {
        self.replay.as_ref().map(|replay| replay.from).or(self.since)
    }

    /// How long an output is waited for; none if it is waited for in any case. Where reading begins at a time that people
    /// say, an output that goes on by itself would begin there once more.
    fn patience(&self, patience: Duration) -> Option<Duration> {
        self.begin().is_none().then_some(patience)
    }

    /// Whether it is for an output of this name.
    fn is_for(&self, output: &str) -> bool {
        self.replay.as_ref().is_none_or(|replay| replay.output == output)
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Connection(String),
}

/// All that a round needs.
pub struct Engine {
    config: Config,
    options: Options,
    session: Session,
    store: Mutex<Store>,
    outlets: Vec<Arc<Outlet>>,
    dead_letters: DeadLetters,
    metrics: Arc<Metrics>,
    progress: Progress,
    known: Mutex<Known>,
    patience: Option<Duration>,
    stop: watch::Receiver<bool>,
}

impl Engine {
    /// One that has asked nothing yet. It stops between pages once `stop` says so.
    ///
    /// # Errors
    /// The state cannot be had, or the authorities to trust cannot be read.
    pub fn new(
        config: Config,
        options: Options,
        metrics: Arc<Metrics>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, EngineError> {
        let session = Session::new(config.credentials.clone(), &config.connection, Pace::default());
        let session = session.map_err(|error| EngineError::Connection(error.to_string()))?;
        Ok(Self::with(session, config, options, metrics, stop)?)
    }

    /// The same with a session of one's own.
    pub(crate) fn with(
        session: Session,
        config: Config,
        options: Options,
        metrics: Arc<Metrics>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, StateError> {
        let open = if options.is_dry { Store::rehearse } else { Store::open };
        let (mut store, told) = open(&config.state, config.script_state.as_deref())?;
        for told in told {
            tracing::warn!("{told}");
        }
        if store.is_lost() {
            // Kept, since this round may not come to its end.
            for output in &config.outputs {
                store.record(Change { output: output.name.clone(), lost: Some(now()), ..Change::default() })?;
            }
        }
        let outputs = config.outputs.iter().filter(|output| options.is_for(&output.name));
        let outlets = outputs.map(|output| Arc::new(Outlet::new(output.clone(), options.is_dry)));
        Ok(Self {
            session,
            store: Mutex::new(store),
            outlets: outlets.collect(),
            dead_letters: DeadLetters::new(config.dead_letters.clone()),
            patience: options.patience(PATIENCE),
            config,
            options,
            metrics,
            progress: Progress::default(),
            known: Mutex::default(),
            stop,
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends once it is to stop.
    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // Whoever cannot say it any more has not said it.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
