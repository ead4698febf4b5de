//! The sensor in the foreground, until a signal ends it.

use std::io::IsTerminal as _;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{configured, fail, paths};
use crate::cli::{Exit, Options, version};
use crate::config::Environment;
use crate::sensor::Sensor;

pub(super) fn run(options: &Options) -> Exit {
    log_to_stderr();
    let paths = paths(options);
    let Some((config, plan)) = configured(&paths, false) else { return Exit::Config };
    // Before the start, so that a signal that comes meanwhile is not lost.
    let mut signals = match Signals::new([SIGHUP, SIGINT, SIGTERM]) {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot listen for signals: {error}")),
    };
    let policies = plan.policies.len();
    let sensor = match Sensor::start(paths, Environment::of_process(), &config, plan) {
        Ok(sensor) => sensor,
        Err(error) => return fail(&error),
    };
    tracing::info!(policies, pid = std::process::id(), "{} is running", version());
    notify("READY=1");
    for signal in signals.forever() {
        if signal == SIGHUP {
            notify("RELOADING=1");
            // The log tells how it went.
            let _ = sensor.reload();
            notify("READY=1");
        } else {
            break;
        }
    }
    notify("STOPPING=1");
    sensor.stop();
    tracing::info!("stopped");
    Exit::Fine
}

/// Tells systemd, if it started this process (sd_notify(3)).
fn notify(state: &str) {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Custom(state)]) {
        tracing::debug!("systemd was not notified: {error}");
    }
}

/// The sensor's own log: standard error, which systemd takes to the journal. `SENSOR_LOG` sets the level.
fn log_to_stderr() {
    use tracing_subscriber::filter::EnvFilter;
    let filter = EnvFilter::try_from_env("SENSOR_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(color);
    // The journal has its own time stamps.
    let result =
        if std::env::var_os("JOURNAL_STREAM").is_some() { log.without_time().try_init() } else { log.try_init() };
    if let Err(error) = result {
        eprintln!("the log cannot be set up: {error}");
    }
}
