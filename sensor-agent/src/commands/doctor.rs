//! `doctor` and `health`: can the sensor work here, and does it.

use std::path::Path;

use settings::Environment;

use super::{fail, paths, print};
use crate::cli::{Exit, Options};
use crate::control::client;
use crate::{doctor, health};

pub(super) fn doctor(options: &Options, json: bool) -> Exit {
    let findings = doctor::examine(&paths(options), &Environment::of_process());
    let text = if json {
        // Text and words always have a JSON form.
        serde_json::to_string_pretty(&findings).unwrap_or_default() + "\n"
    } else {
        doctor::render(&findings)
    };
    match print(&text) {
        Exit::Fine if !doctor::is_fit(&findings) => Exit::Failure,
        exit => exit,
    }
}

/// For container runtimes and scripts, which look at the exit code.
pub(super) fn health(run_dir: &Path) -> Exit {
    match client::status(run_dir) {
        Ok(status) => match health::lacking(&status).as_slice() {
            [] => print("ok\n"),
            lacking => fail(&lacking.join("\n")),
        },
        Err(error) => fail(&error),
    }
}
