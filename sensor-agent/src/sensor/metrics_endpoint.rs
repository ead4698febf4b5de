//! Where the running sensor offers its metrics, as the configuration in force says.

use std::sync::{Arc, Mutex, PoisonError};

use settings::ListenAddress;

use super::Shared;
use crate::config::Config;
use crate::control::Handler;
use crate::metrics::Server;

/// The socket's name in the run directory.
const SOCKET: &str = "metrics.sock";

/// What listens, or why nothing does.
#[derive(Debug, Default)]
pub(super) struct MetricsEndpoint(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Off,
    Open(Server),
    Failed(String),
}

impl MetricsEndpoint {
    /// What the person in charge should know.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Failed(error) => Some(error.clone()),
            State::Off | State::Open(_) => None,
        }
    }

    pub(super) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Off;
    }
}

/// Opens, moves or closes. A place that cannot be had is told, and costs nothing else.
pub(super) fn open(shared: &Arc<Shared>, config: &Config) {
    let wanted = config.metrics.enabled.then(|| {
        let default = || ListenAddress::Unix(config.locations.run_dir.join(SOCKET));
        config.metrics.listen.clone().unwrap_or_else(default)
    });
    let mut state = shared.metrics_endpoint.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let (State::Open(server), Some(address)) = (&*state, &wanted)
        && server.address() == address
    {
        return;
    }
    // The old place is given up first: the new one may be the same path or port.
    *state = State::Off;
    let Some(address) = wanted else { return };
    let handler: Arc<dyn Handler> = Arc::new(Arc::clone(shared));
    *state = match Server::start(address, handler) {
        Ok(server) => State::Open(server),
        Err(error) => {
            tracing::warn!("{error}");
            State::Failed(error.to_string())
        }
    };
}
