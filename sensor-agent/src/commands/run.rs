//! The sensor in the foreground, until a signal ends it.

use settings::Environment;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::exfiltrator::origin::Origin;

use super::{configured, fail, paths};
use crate::cli::{Exit, Options, version};
use crate::log;
use crate::sensor::Sensor;
use crate::silent;
use crate::systemd::{notify, tell_status};

pub(super) fn run(options: &Options) -> Exit {
    log::to_stderr();
    let paths = paths(options);
    let (config, plan) = match configured(&paths, false) {
        Ok(configured) => configured,
        Err(first) => {
            tell_status(&format!("configuration refused: {first}"));
            return Exit::Config;
        }
    };
    // Before the start, so that a signal that comes meanwhile is not lost.
    let mut signals = match SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGTERM]) {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("cannot listen for signals: {error}")),
    };
    let (policies, outputs) = (plan.policies.len(), plan.outputs.len());
    let sensor = match Sensor::start(paths, Environment::of_process(), config, plan) {
        Ok(sensor) => sensor,
        Err(error) => {
            tell_status(&error.to_string());
            return fail(&error);
        }
    };
    tracing::info!(policies, pid = std::process::id(), "{} is running", version());
    let silent: Vec<&str> = silent::sentences(policies, outputs).collect();
    for sentence in &silent {
        tracing::warn!("{sentence}");
    }
    let but = if silent.is_empty() { String::new() } else { format!("; {}", silent.join("; ")) };
    notify(&format!("READY=1\nSTATUS=running{but}"));
    let mut by = String::from("nobody");
    for origin in signals.forever() {
        if origin.signal == SIGHUP {
            notify("RELOADING=1");
            // The log tells how it went.
            let _ = sensor.reload();
            notify("READY=1");
        } else {
            by = sender(&origin);
            tracing::info!("told to stop by {by}");
            break;
        }
    }
    notify("STOPPING=1");
    sensor.stop(&by);
    tracing::info!("stopped");
    Exit::Fine
}

/// Who sent a signal.
fn sender(origin: &Origin) -> String {
    let signal = if origin.signal == SIGINT { "SIGINT" } else { "SIGTERM" };
    match origin.process {
        Some(process) => format!("{signal} of pid {} (uid {})", process.pid, process.uid),
        // A terminal sends it, which the kernel does for it.
        None if origin.signal == SIGINT => "Ctrl-C".to_owned(),
        None => format!("{signal} of the kernel"),
    }
}
