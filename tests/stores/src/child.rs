//! Child processes of the same program: for what may end a process, has to be killed, or is measured of a whole process.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::measure::{damage, full, kill, memory};
use crate::store::{Failure, Rival};

/// The first argument of a child.
pub(crate) const MARK: &str = "child";
/// How long a child may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);
/// Exit code of a child that took longer.
const HUNG: i32 = 70;

/// How a child ended.
pub(crate) enum End {
    /// In order; this is what it wrote.
    Output(String),
    /// A signal ended it, mostly because of a panic; this is what it said last.
    Died(String),
    Hung,
}

/// What a child has to do, with a store in a folder; and a number whose meaning is the task's.
type Task = fn(Rival, &Path, u64) -> Result<(), Failure>;

const TASKS: [(&str, Task); 7] = [
    ("memory", memory::child),
    ("work", kill::work),
    ("reopen", kill::reopen),
    ("fill", full::child),
    ("image-closed", damage::make_closed),
    ("image-killed", damage::make_killed),
    ("read-damaged", damage::read),
];

/// Runs a child to its end. An error is one of the child's own, not of what it measures.
pub(crate) fn run(task: &str, rival: Rival, folder: &Path, number: u64) -> Result<End, Failure> {
    let output = command(task, rival, folder, number)?.stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Ok(End::Output(String::from_utf8(output.stdout)?)),
        (Some(HUNG), _) => Ok(End::Hung),
        (_, Some(signal)) => Ok(End::Died(format!("signal {signal}: {said}"))),
        _ => Err(format!("{} {task}: {said}", rival.name()).into()),
    }
}

/// As [`run`], where anything but an orderly end is an error.
pub(crate) fn output(task: &str, rival: Rival, folder: &Path, number: u64) -> Result<String, Failure> {
    match run(task, rival, folder, number)? {
        End::Output(text) => Ok(text),
        End::Died(said) => Err(format!("{} {task}: {said}", rival.name()).into()),
        End::Hung => Err(format!("{} {task}: no end after {PATIENCE:?}", rival.name()).into()),
    }
}

/// A child that is not started yet; its output is piped.
pub(crate) fn command(task: &str, rival: Rival, folder: &Path, number: u64) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([MARK, task, rival.name()]).arg(folder).arg(number.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command)
}

/// What a child does.
pub(crate) fn main(arguments: &[String]) -> Result<(), Failure> {
    let [task, rival, folder, number] = arguments else { return Err("a child takes four arguments".into()) };
    let known = TASKS.iter().find(|(name, _)| name == task);
    let (_, task) = known.ok_or_else(|| format!("no task {task:?}"))?;
    let rival = Rival::named(rival).ok_or_else(|| format!("no store {rival:?}"))?;
    task(rival, Path::new(folder), number.parse()?)
}

/// Ends this process when it takes too long.
pub(crate) fn watch() {
    thread::spawn(|| {
        thread::sleep(PATIENCE);
        process::exit(HUNG);
    });
}
