//! Whether it would work: the configuration, the credentials, the outputs. Nothing is moved.

use std::{
    io::{self, Write as _},
    path::Path,
};

use rustix::fs::{Access, access};

use super::{Exit, of_fault, runtime};
use crate::{
    config::{Config, Output},
    destination::Destination,
    source::{Pace, Session},
};

/// Waiting for a Central that is away is for the service.
const ONCE: u32 = 1;

pub(super) fn check(config: Config) -> Exit {
    let mut out = io::stdout().lock();
    let mut worst = Exit::Fine;
    let mut tell = |what: &str, found: Result<String, (String, Exit)>| {
        let (mark, text) = match found {
            Ok(text) => ("ok", text),
            Err((text, exit)) => {
                worst = if worst as u8 > exit as u8 { worst } else { exit };
                ("NO", text)
            }
        };
        // Whoever does not read it does not want it.
        let _ = writeln!(out, "{mark}  {what}: {text}");
    };
    tell("configuration", Ok("can be used".into()));
    for output in &config.outputs {
        tell(&format!("output {}", output.name), reach(output).map_err(|reason| (reason, Exit::Failure)));
    }
    tell("state", writable(&config.state).map_err(|reason| (reason, Exit::Failure)));
    let session = Session::new(config.credentials.clone(), &config.connection, Pace { tries: ONCE, ..Pace::default() });
    let tenants = match (session, runtime(&config)) {
        (Ok(session), Ok(runtime)) => {
            runtime.block_on(session.tenants()).map_err(|fault| (fault.to_string(), of_fault(&fault)))
        }
        (Err(error), _) => Err((error.to_string(), Exit::Refused)),
        (_, Err(error)) => Err((error.to_string(), Exit::Failure)),
    };
    match tenants {
        Err(fault) => tell("Central", Err(fault)),
        Ok(tenants) => {
            for tenant in &tenants.found {
                let Some(host) = &tenant.host else {
                    tell("Central", Err((format!("names no host for the tenant {tenant}"), Exit::Refused)));
                    continue;
                };
                tell("Central", Ok(format!("the tenant {tenant} at {}", host.host_str().unwrap_or_default())));
            }
            for (id, fault) in &tenants.faults {
                let text = format!("the tenant {}: {fault}", diagnostic::printable(id));
                tell("Central", Err((text, of_fault(fault))));
            }
        }
    }
    worst
}

/// Where an output is, if it can be written to; else why not.
pub(super) fn reach(output: &Output) -> Result<String, String> {
    match &output.destination {
        Destination::Stdout => Ok(output.destination.to_string()),
        Destination::File(file) => writable(&file.path),
        Destination::Receiver(receiver) => match receiver.reach() {
            Ok(()) => Ok(receiver.place()),
            Err(reason) => Err(format!("{}: {reason}", receiver.place())),
        },
    }
}

/// Whether a file can be written, or made.
fn writable(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let refused = |why: &dyn std::fmt::Display| Err(format!("{shown}: {why}"));
    if path.exists() {
        return match access(path, Access::WRITE_OK) {
            _ if !path.is_file() => refused(&"it is no regular file"),
            Ok(()) => Ok(shown.to_string()),
            Err(error) => refused(&error),
        };
    }
    let folder = there(path);
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(format!("{shown}, which will be made")),
        Err(error) => refused(&format!("nothing can be made in {}: {error}", folder.display())),
    }
}

/// The folder that a file is in, or as much of it as is there: folders that are missing are made.
pub(super) fn there(path: &Path) -> &Path {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("."));
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
