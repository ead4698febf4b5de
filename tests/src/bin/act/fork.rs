//! Forks of several kinds. Each is made while there is one thread.

use std::ffi::CString;
use std::io::Write as _;
use std::process::ExitCode;

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getpid, getppid, pipe, read, write};

use super::{Outcome, execute};

pub(super) fn fork_without_exec() -> Outcome {
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => std::process::exit(7),
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("{child}");
            Ok(ExitCode::from(3))
        }
    }
}

/// The grandchild executes when the child and this process are dead.
pub(super) fn double_fork(words: &[CString]) -> Outcome {
    let own = getpid();
    // Ends when no process but the grandchild has it open any more.
    let (alive, held) = pipe()?;
    let (told, tell) = pipe()?;
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            drop(tell);
            let mut grandchild = [0; 4];
            read(&told, &mut grandchild)?;
            waitpid(child, None)?;
            println!("{child} {}", i32::from_ne_bytes(grandchild));
            std::io::stdout().flush()?;
            // With `held` open to the last.
            std::process::exit(0)
        }
        ForkResult::Child => {
            let parent = getpid();
            // SAFETY: there is one thread.
            match unsafe { fork() }? {
                ForkResult::Parent { child } => {
                    write(&tell, &child.as_raw().to_ne_bytes())?;
                    std::process::exit(0)
                }
                ForkResult::Child => {
                    drop((told, tell, held));
                    read(&alive, &mut [0])?;
                    while [own, parent].contains(&getppid()) {
                        std::thread::yield_now();
                    }
                    execute(words).map(super::never)
                }
            }
        }
    }
}

pub(super) fn pid_namespace(words: &[CString]) -> Outcome {
    unshare(CloneFlags::CLONE_NEWPID)?;
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => execute(words).map(super::never),
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("{child}");
            Ok(ExitCode::SUCCESS)
        }
    }
}
