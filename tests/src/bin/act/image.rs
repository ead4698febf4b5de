//! Executables that come about in unusual ways.

use std::convert::Infallible;
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{execve, fexecve};

use super::{Outcome, execute};

const NOTHING: &[&std::ffi::CStr] = &[];

pub(super) fn from_a_thread(words: Vec<CString>) -> Outcome<Infallible> {
    let thread = std::thread::spawn(move || execute(&words).map_err(|error| error.to_string()));
    // The exec ends this thread; it comes back only with a failure.
    match thread.join() {
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(never)) => match never {},
        Err(_) => Err("the thread panicked".into()),
    }
}

pub(super) fn memfd(words: &[CString]) -> Outcome<Infallible> {
    let [name, program, ..] = words else { return Err("a name and a program are missing".into()) };
    let mut file = File::from(memfd_create(name.as_c_str(), MFdFlags::empty())?);
    file.write_all(&fs::read(path(program))?)?;
    Ok(fexecve(file.as_fd(), &words[1..], NOTHING)?)
}

pub(super) fn deleted(words: &[CString]) -> Outcome<Infallible> {
    let [program, ..] = words else { return Err("a program is missing".into()) };
    let file = File::open(path(program))?;
    fs::remove_file(path(program))?;
    Ok(fexecve(file.as_fd(), words, NOTHING)?)
}

pub(super) fn without_arguments(words: &[CString]) -> Outcome<Infallible> {
    let [program, ..] = words else { return Err("a program is missing".into()) };
    Ok(execve(program, NOTHING, NOTHING)?)
}

fn path(text: &CString) -> &Path {
    Path::new(OsStr::from_bytes(text.as_bytes()))
}
