//! `-test-alert`: by the sensor that runs, or, if none does, by one that runs for this alone.

use settings::Environment;

use super::{configured, fail, paths};
use crate::cli::{Exit, Options};
use crate::control::client::{self, ClientError};
use crate::control::{Outcome, Stage, render};
use crate::sensor::Sensor;

pub(super) fn test_alert(options: &Options) -> Exit {
    match client::test_alert(&options.run_dir.path, |stage| show(&stage)) {
        Ok(true) => Exit::Fine,
        Ok(false) => Exit::Failure,
        Err(ClientError::NotRunning { .. }) => alone(options),
        Err(error) => fail(&error),
    }
}

/// Starts a sensor, checks it, and stops it.
fn alone(options: &Options) -> Exit {
    let paths = paths(options);
    let Ok((config, plan)) = configured(&paths, false) else { return Exit::Config };
    let sensor = match Sensor::start(paths, Environment::of_process(), config, plan) {
        Ok(sensor) => sensor,
        Err(error) => return fail(&error),
    };
    let mut passed = true;
    sensor.test_alert(&mut |stage| {
        passed &= stage.outcome != Outcome::Failed;
        show(&stage);
    });
    sensor.stop("the self check");
    if passed { Exit::Fine } else { Exit::Failure }
}

/// On standard error: standard output may be one of the outputs that are checked.
fn show(stage: &Stage) {
    eprintln!("{}", render::stage(stage).trim_end());
}
