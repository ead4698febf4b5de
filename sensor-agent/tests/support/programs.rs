//! Programs that tests run, as files.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The tiny program as a file.
pub(crate) fn tiny(path: PathBuf) -> PathBuf {
    executable(path, super::tiny_elf::PROGRAM)
}

/// A program of these bytes. Another process writes it: what this one has open for writing, a child that another test starts
/// meanwhile has too, for a moment, and a program that is open for writing does not run (`ETXTBSY`).
pub(crate) fn executable(path: PathBuf, program: &[u8]) -> PathBuf {
    let mut shell = Command::new("sh");
    // Its own name is a mark that tests look for in what runs.
    let new = path.with_file_name("made-by-another-process");
    shell.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(&new).stdin(Stdio::piped());
    let mut writer = shell.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(program).unwrap();
    assert!(writer.wait().unwrap().success());
    fs::rename(new, &path).unwrap();
    path
}
