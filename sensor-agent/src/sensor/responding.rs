//! What carries out what policies do, if they may do anything.

use std::io;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::Shared;
use crate::config::Config;
use crate::engine::Request;
use crate::event::{Host, Process};
use crate::privilege::Capability;
use crate::response::{Descendants, OffLimits, Responder};

/// How long the engine may take to say who the descendants of a process are.
const ANSWER: Duration = Duration::from_secs(1);

/// Starts it, unless the configuration leaves it off.
pub(super) fn start(config: &Config, shared: &Shared, host: &Host, own: &Process) -> io::Result<Option<Responder>> {
    if !config.response.enabled {
        return Ok(None);
    }
    if host.sensor.is_none() {
        tracing::warn!(
            "policies cannot act: the sensor does not run in the host's pid namespace, and its pids are others there"
        );
    }
    if let Some(trouble) = trouble(shared) {
        tracing::warn!("{trouble}");
    }
    let engine = shared.engine.clone();
    let descendants: Descendants = Box::new(move |of| {
        let (reply, answer) = bounded(1);
        engine.send_timeout(Request::Descendants(of, reply), ANSWER).ok()?;
        answer.recv_timeout(ANSWER).ok()
    });
    Responder::start(OffLimits::new(host.sensor, own), descendants).map(Some)
}

/// What keeps policies from acting as they should.
pub(super) fn trouble(shared: &Shared) -> Option<String> {
    let lacks = shared.responds && !shared.kept.has(Capability::Kill);
    lacks.then(|| crate::privilege::Missing(Capability::Kill).to_string())
}
