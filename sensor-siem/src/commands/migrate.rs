//! From the script's configuration to one's own.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{Exit, places, read, say};
use crate::config;

pub(super) fn migrate(from: &Path, to: Option<&Path>) -> Exit {
    let (path, home) = places(from, None);
    let home = match std::path::absolute(&home) {
        Ok(home) => home,
        Err(error) => {
            say(&format!("sensor-siem: the folder of {} is not known: {error}\n", path.display()));
            return Exit::Config;
        }
    };
    let config = match read(&path, &home, false) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let yaml = config::write(&config);
    let (what, written) = match to {
        None => ("standard output".to_owned(), io::stdout().lock().write_all(yaml.as_bytes())),
        Some(to) => {
            // One that is there may be somebody's work.
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
            (to.display().to_string(), file.and_then(|mut file| file.write_all(yaml.as_bytes())))
        }
    };
    match written {
        Ok(()) => Exit::Fine,
        Err(error) => {
            say(&format!("sensor-siem: cannot write {what}: {error}\n"));
            Exit::Failure
        }
    }
}
