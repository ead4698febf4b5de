//! The programs that tests run, all of one build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Mark;

/// The sensor: `SENSOR_BIN`, or the one built beside this test.
///
/// # Panics
/// There is none.
#[must_use]
pub fn sensor() -> PathBuf {
    let named = std::env::var_os("SENSOR_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| beside("sophoslinuxsensor"));
    assert!(
        path.is_file(),
        "{}: the sensor's program is not there. Build it with `make build` and name it in SENSOR_BIN, or run the tests \
         with `make test`, which builds it first",
        path.display()
    );
    path
}

/// The receiving side.
#[must_use]
pub fn central() -> PathBuf {
    beside("sensor-central")
}

/// What hands Central's alerts and events to a SIEM.
#[must_use]
pub fn siem() -> PathBuf {
    beside("sensor-siem")
}

/// Starts programs in unusual ways; see its own documentation.
#[must_use]
pub fn act() -> PathBuf {
    beside("act")
}

/// Sends messages to the kernel's audit; see its own documentation.
#[must_use]
pub fn tell_audit() -> PathBuf {
    beside("tell-audit")
}

/// Starts many processes.
#[must_use]
pub fn storm() -> PathBuf {
    beside("storm")
}

/// Runs `tiny` so often with this mark, from two threads, as fast as it goes or so often a second.
///
/// # Panics
/// It cannot be started.
#[must_use]
pub fn start_storm(count: usize, rate: usize, mark: &Mark) -> Child {
    let words = [count.to_string(), "2".into(), rate.to_string(), mark.word().into()];
    let mut command = Command::new(storm());
    command.arg(tiny()).args(words).stdout(Stdio::null()).spawn().expect("the storm starts")
}

/// The same, to its end.
///
/// # Panics
/// Not all could be started.
pub fn run_storm(count: usize, mark: &Mark) {
    let ended = start_storm(count, 0, mark).wait().expect("the storm ends");
    assert!(ended.success(), "the storm: {ended}");
}

/// Exits with 0 at once; static, so that it runs in an empty root folder too.
#[must_use]
pub fn tiny() -> PathBuf {
    beside("tiny")
}

/// A copy of a program under another name, executable for everyone. Another process makes it: what this one has open for writing, a
/// child that another test starts meanwhile has too, for a moment, and a program that is open for writing does not run (`ETXTBSY`).
///
/// # Panics
/// It cannot be made.
#[must_use]
pub fn copy(program: &Path, to: impl Into<PathBuf>) -> PathBuf {
    let to = to.into();
    let (mut install, new) = maker("install", &to);
    let made = install.args(["-m", "755"]).arg(program).arg(NEW).status().expect("install runs");
    assert!(made.success(), "{} to {}", program.display(), new.display());
    fs::rename(new, &to).expect("its name");
    to
}

/// A program of this text, executable for everyone; made as [`copy`] makes one.
///
/// # Panics
/// It cannot be made.
#[must_use]
pub fn script(to: impl Into<PathBuf>, text: &str) -> PathBuf {
    let to = to.into();
    let (mut shell, new) = maker("sh", &to);
    shell.args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"", NEW, text]);
    let made = shell.status().expect("sh runs");
    assert!(made.success(), "{}", new.display());
    fs::rename(new, &to).expect("its name");
    to
}

/// What a program is called while another process makes it.
const NEW: &str = "made-by-another-process";

/// What makes a program in its folder, and where. Nothing of the place is in its arguments: that may be a mark that a test looks for
/// in what runs.
fn maker(tool: &str, program: &Path) -> (Command, PathBuf) {
    let new = program.with_file_name(NEW);
    let mut command = Command::new(tool);
    command.current_dir(new.parent().expect("a folder"));
    (command, new)
}

/// The program of this name in the folder that cargo builds programs into.
fn beside(name: &str) -> PathBuf {
    // Tests are in target/<profile>/deps.
    let own = std::env::current_exe().expect("the test's own path");
    let folder = own.ancestors().nth(2).expect("a folder of programs");
    folder.join(name)
}
