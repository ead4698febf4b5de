//! How programs attach to the kernel, at each sort of place.

use std::io;
use std::thread;
use std::time::Duration;

use aya::Btf;
use aya::programs::links::FdLink;
use aya::programs::{BtfTracePoint, FEntry, FExit, Iter, Program, ProgramError};
use sensor_ebpf::hooks::{Kind, Point};

/// How often a program is loaded that signals interrupt, and how long between: under load they come in showers.
const LOAD_TRIES: u32 = 100;
const LOAD_PAUSE: Duration = Duration::from_millis(10);

/// Whether of several programs at one place the last one attached runs first, as at functions (`hlist_add_head` in the
/// kernel's kernel/bpf/trampoline.c).
pub(super) const fn runs_last_first(kind: Kind) -> bool {
    matches!(kind, Kind::Entry | Kind::Return)
}

/// Loads a program for its place.
///
/// # Errors
/// Why the kernel refuses it.
pub(super) fn load(program: &mut Program, point: Point, btf: &Btf) -> Result<(), String> {
    let mut tries = 1;
    loop {
        match load_once(program, point, btf) {
            Err(error) if was_interrupted(&error) && tries < LOAD_TRIES => {
                tries += 1;
                thread::sleep(LOAD_PAUSE);
            }
            loaded => return loaded.map_err(|error| reason(&error)),
        }
    }
}

fn load_once(program: &mut Program, Point { kind, target, .. }: Point, btf: &Btf) -> Result<(), ProgramError> {
    match kind {
        Kind::Tracepoint => <&mut BtfTracePoint>::try_from(program)?.load(target, btf),
        Kind::Entry => <&mut FEntry>::try_from(program)?.load(target, btf),
        Kind::Return => <&mut FExit>::try_from(program)?.load(target, btf),
        Kind::Iterator => <&mut Iter>::try_from(program)?.load(target, btf),
    }
}

/// The verifier gives up for a signal that waits for the thread (`signal_pending` in the kernel's `do_check`).
fn was_interrupted(error: &ProgramError) -> bool {
    matches!(error, ProgramError::LoadError { io_error, .. } if io_error.kind() == io::ErrorKind::WouldBlock)
}

/// Attaches a program that runs by itself.
///
/// # Errors
/// Why the kernel refuses it.
pub(super) fn attach(program: &mut Program, kind: Kind) -> Result<FdLink, String> {
    let link = match kind {
        Kind::Tracepoint => <&mut BtfTracePoint>::try_from(program)
            .and_then(|program| program.attach().and_then(|link| program.take_link(link)))
            .map(FdLink::from),
        Kind::Entry => <&mut FEntry>::try_from(program)
            .and_then(|program| program.attach().and_then(|link| program.take_link(link)))
            .map(FdLink::from),
        Kind::Return => <&mut FExit>::try_from(program)
            .and_then(|program| program.attach().and_then(|link| program.take_link(link)))
            .map(FdLink::from),
        Kind::Iterator => return Err("attached when it is read".to_owned()),
    };
    link.map_err(|error| reason(&error))
}

/// Gives a program back to the kernel. One that cannot be unloaded is gone with the sensor.
pub(super) fn unload(program: &mut Program) {
    let _ = match program {
        Program::BtfTracePoint(program) => program.unload(),
        Program::FEntry(program) => program.unload(),
        Program::FExit(program) => program.unload(),
        _ => Ok(()),
    };
}

/// Why the kernel refused a program. The verifier's log can be megabytes long; what matters stands at its end.
fn reason(error: &ProgramError) -> String {
    const LINES: usize = 12;
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return with_causes(error);
    };
    let log = verifier_log.to_string();
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return io_error.to_string();
    }
    let end = &lines[lines.len().saturating_sub(LINES)..];
    format!("{io_error}; the verifier's last words: {}", end.join(" | "))
}

/// An error and what caused it, in one line each.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
