//! One runtime: who it is, and what it answers.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use schema::process::Runtime as Kind;

use crate::call::CallError;
use crate::cri;
use crate::docker::{self, Images};
use crate::status::RuntimeStatus;
use crate::{Facts, PATIENCE};

/// A socket with whoever listens there.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) socket: PathBuf,
    /// Whether it was named by the configuration; one at a usual place may be left over from an engine that was stopped, or be
    /// that of a containerd that serves Docker alone.
    is_named: bool,
    /// Who listens at such a place.
    expected: Option<Kind>,
    state: Mutex<State>,
    images: Images,
}

#[derive(Debug, Default)]
struct State {
    /// Who listens, once that is known.
    speaks: Option<Speaks>,
    status: RuntimeStatus,
}

/// What it is asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Docker(Kind),
    Cri(Kind),
}

impl Speaks {
    fn kind(self) -> Kind {
        match self {
            Self::Docker(kind) | Self::Cri(kind) => kind,
        }
    }
}

impl Runtime {
    pub(crate) fn new(socket: PathBuf, expected: Option<Kind>, is_named: bool) -> Self {
        let status = RuntimeStatus {
            runtime: expected.unwrap_or(Kind::Unknown).word().into(),
            socket: socket.display().to_string(),
            ..RuntimeStatus::default()
        };
        Self {
            socket,
            is_named,
            expected,
            state: Mutex::new(State { speaks: None, status }),
            images: Images::default(),
        }
    }

    pub(crate) fn status(&self) -> RuntimeStatus {
        self.state().status.clone()
    }

    /// Whether it was never asked anything, or did not answer the last time.
    pub(crate) fn is_silent(&self) -> bool {
        self.state().status.answers != Some(true)
    }

    /// What it says of a container; none if it has no such one.
    pub(crate) async fn ask(&self, id: &str, until: Instant) -> Result<Option<Facts>, CallError> {
        let asked = Instant::now();
        let answer = in_time(until, async {
            let speaks = self.speaks().await?;
            match speaks {
                Speaks::Docker(kind) => docker::container(&self.socket, kind, id, &self.images).await,
                Speaks::Cri(kind) => cri::container(&self.socket, kind, id).await,
            }
        })
        .await;
        let mut state = self.state();
        state.status.asked += 1;
        match &answer {
            Ok(Some(facts)) => {
                state.status.named += 1;
                state.status.cut += u64::from(facts.is_cut);
            }
            Ok(None) => state.status.unknown += 1,
            Err(_) => state.status.failed += 1,
        }
        state.answered(asked, answer.as_ref().err(), self.is_named);
        drop(state);
        match answer {
            Err(error) if !self.is_named && is_nobody(&error) => Ok(None),
            answer => answer,
        }
    }

    /// Learns who listens, and whether it answers at all.
    pub(crate) async fn greet(&self) {
        let asked = Instant::now();
        let answer = in_time(asked + PATIENCE, self.speaks()).await;
        self.state().answered(asked, answer.as_ref().err(), self.is_named);
    }

    async fn speaks(&self) -> Result<Speaks, CallError> {
        let known = self.state().speaks;
        if let Some(speaks) = known {
            return Ok(speaks);
        }
        let is_for_kubernetes = matches!(self.expected, Some(Kind::Containerd | Kind::CriO));
        let docker = if is_for_kubernetes { Ok(None) } else { docker::who(&self.socket).await };
        let speaks = match docker {
            Ok(Some(kind)) => Speaks::Docker(kind),
            // What speaks HTTP/2 alone breaks off.
            Ok(None) | Err(CallError::Broken(_)) => Speaks::Cri(cri::who(&self.socket).await?),
            Err(error) => return Err(error),
        };
        let mut state = self.state();
        state.speaks = Some(speaks);
        state.status.runtime = speaks.kind().word().into();
        Ok(speaks)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answered(&mut self, asked: Instant, error: Option<&CallError>, is_named: bool) {
        let took = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = &mut self.status;
        (status.last_ms, status.longest_ms) = (took, status.longest_ms.max(took));
        status.answers = Some(error.is_none());
        if let Some(error) = error {
            status.last_error = Some(error.to_string());
            if is_nobody(error) && !is_named {
                status.answers = None;
            }
            // Who listens there next may be another one.
            self.speaks = None;
        }
    }
}

/// Whether nobody is there to be asked.
fn is_nobody(error: &CallError) -> bool {
    matches!(error, CallError::Connect(_) | CallError::NoInterface)
}

async fn in_time<T>(until: Instant, answer: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    tokio::time::timeout_at(until.into(), answer).await.unwrap_or(Err(CallError::Late))
}
