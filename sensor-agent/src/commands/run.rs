//! The sensor in the foreground, until a signal ends it.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{configured, fail, paths};
use crate::cli::{Exit, Options, version};
use crate::config::Environment;
use crate::log;
use crate::sensor::Sensor;
use crate::systemd::{notify, tell_status};

pub(super) fn run(options: &Options) -> Exit {
    log::to_stderr();
    let paths = paths(options);
    let Some((config, plan)) = configured(&paths, false) else {
        tell_status("the configuration is refused: the journal and sophoslinuxsensor -check say why");
        return Exit::Config;
    };
    // Before the start, so that a signal that comes meanwhile is not lost.
    let mut signals = match Signals::new([SIGHUP, SIGINT, SIGTERM]) {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot listen for signals: {error}")),
    };
    let policies = plan.policies.len();
    let sensor = match Sensor::start(paths, Environment::of_process(), &config, plan) {
        Ok(sensor) => sensor,
        Err(error) => {
            tell_status(&error.to_string());
            return fail(&error);
        }
    };
    tracing::info!(policies, pid = std::process::id(), "{} is running", version());
    notify("READY=1\nSTATUS=running");
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
