//! A new configuration while the sensor runs. It is taken whole or not at all; no event and no row is lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use budget::Budget;
use clock::unix_now;
use delivery::open_error::OpenError;
use diagnostic::{Appearance, Report};
use sensor_ebpf::classes::Classes;

use super::{Shared, Tamper, configure, give_memory_back, inventory, metrics_endpoint, status};
use crate::capture::{Capture, CaptureError, Files};
use crate::config::Config;
use crate::control::Reload;
use crate::engine::Request;

pub(super) fn reload(shared: &Arc<Shared>) -> Reload {
    let result = take(shared);
    give_memory_back();
    let mut held = shared.configuration.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    held.last_reload = Some(result.clone());
    if result.accepted {
        held.loaded = result.time;
        tracing::info!("the configuration was read again and is in force");
        for finding in &result.findings {
            tracing::warn!("{finding}");
        }
    } else {
        tracing::error!(
            "the new configuration was refused; the one before it stays in force:\n{}",
            result.findings.join("\n")
        );
    }
    result
}

fn take(shared: &Arc<Shared>) -> Reload {
    let time = unix_now() / 1_000_000_000;
    let mut report = Report::default();
    let (config, plan) = configure(&shared.paths, &shared.environment, &mut report);
    let mut findings =
        if report.diagnostics().is_empty() { Vec::new() } else { vec![report.render(Appearance::PLAIN)] };
    let refused = |findings| Reload { time, accepted: false, findings };
    if report.has_errors() {
        return refused(findings);
    }
    let gaps = crate::plan::gaps(&config, &plan);
    if !gaps.diagnostics().is_empty() {
        findings.push(gaps.render(Appearance::PLAIN));
    }
    let texts = |errors: Vec<OpenError>| errors.iter().map(ToString::to_string).collect();
    let inventory = inventory::of(&config, &plan);
    let orphaned_spools = (plan.outputs.clone(), plan.sinks.clone());
    // All that can fail comes before anything changes.
    let outputs = match shared.outputs.prepare(plan.outputs) {
        Ok(outputs) => outputs,
        Err(errors) => return refused(texts(errors)),
    };
    let sinks = match shared.sinks.prepare(plan.sinks) {
        Ok(sinks) => sinks,
        Err(errors) => return refused(texts(errors)),
    };
    // Before its policies are in force, so that they miss nothing.
    match ask_for(&mut shared.capture(), plan.setup.classes()) {
        Ok(unseen) => findings.extend(unseen),
        Err(error) => return refused(vec![error.to_string()]),
    }
    crate::output::tell_of_orphaned_spools(
        &config.locations.state_dir.join("spool"),
        &orphaned_spools.0,
        &orphaned_spools.1,
    );
    Budget::of_sensor().set_limit(config.memory_budget);
    findings.extend(outputs.commit().iter().chain(&sinks.commit()).map(tried_again));
    let (failed_execs, files) = (plan.setup.failed_execs(), plan.setup.files());
    // Until its rules are in force both those that they ask for are told, and those that were.
    shared.capture().watch(&files.clone().map(|files| if files == Files::None { files } else { Files::All }));
    if shared.engine.send(Request::Reload(Box::new(plan.setup))).is_err() {
        return refused(vec!["the sensor is ending".into()]);
    }
    *shared.inventory.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = inventory;
    shared.capture().ask_for_failed_execs(failed_execs);
    shared.capture().watch(&files);
    metrics_endpoint::open(shared, &config);
    shared.containers.set(config.crisensor.lookups());
    *shared.tamper.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Tamper::new(&config);
    shared.limited.store(config.use_resource_limits, Ordering::Relaxed);
    shared.statistics.store(config.send_labs_telemetry, Ordering::Relaxed);
    if let Err(error) = config.write_merged(&config.locations.run_dir) {
        tracing::warn!("the merged configuration was not written: {error}");
    }
    let mut held = shared.configuration.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    held.files = status::configuration(&config).files;
    findings.extend(left_for_a_restart(shared, &config));
    findings.extend(without_the_right(shared, &config));
    Reload { time, accepted: true, findings }
}

/// Asks the kernel for what a configuration wants told. Says what the configuration before it did not want and cannot be had here.
fn ask_for(capture: &mut Capture, classes: Classes) -> Result<Vec<String>, CaptureError> {
    let known = capture.unseen();
    capture.ask_for(classes)?;
    Ok(capture.unseen().into_iter().filter(|sentence| !known.contains(sentence)).collect())
}

fn tried_again(error: &OpenError) -> String {
    format!("{error}. It is tried again; what is for it is queued meanwhile")
}

/// What the new configuration wants and a running sensor cannot give it: it has no right any more to load programs or to join a
/// multicast group.
fn left_for_a_restart(shared: &Shared, config: &Config) -> Option<String> {
    let (now, wanted) = (shared.audit, config.audit);
    (now != wanted).then(|| {
        format!(
            "audit: `hooks` and `multicast_fallback` are read at the start alone; the sensor runs on with `hooks: {}` and \
             `multicast_fallback: {}`. Restart it to have them changed: systemctl restart sophoslinuxsensor",
            now.hooks.word(),
            now.multicast_fallback
        )
    })
}

/// That policies may act from now on, and the sensor has given the right to do so up.
fn without_the_right(shared: &Shared, config: &Config) -> Option<String> {
    (config.response.enabled && !shared.responds).then(|| {
        "response: `enabled` is read at the start, and the sensor has given up the right to act: its policies only alert, and \
         say so. Restart it: systemctl restart sophoslinuxsensor"
            .to_owned()
    })
}
