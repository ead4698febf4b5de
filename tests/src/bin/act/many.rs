//! Changes its credentials again and again, until it is killed, as one who passes for as many users as there are.

use std::ffi::OsString;
use std::fs::write;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::{set_dumpable, set_pdeathsig};
use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Uid, fork, getpid, pipe, read, setresuid};

use super::{Outcome, never, number};

/// Who does it.
const USER: Uid = Uid::from_raw(1234);
/// Nobody has these ids.
const OTHERS: u32 = 200_000;
const IDS: u32 = 1 << 16;
/// Changes as one of them.
const CHANGES: u32 = 50;

pub(super) fn many(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("as whom?")?.to_string_lossy();
    match &*way {
        // Those that a user has besides, in a user namespace of their own.
        "subordinate" => {
            own_namespace()?;
            become_each(0).map(never)
        }
        // Those of a setuid file of theirs, outside of it: with a login that nobody can take back.
        "setuid-file" => {
            let user: u32 = number(words, 1)?;
            let _ = write("/proc/self/loginuid", user.to_string());
            become_each(OTHERS).map(never)
        }
        // All that there are, by root of a container.
        "container" => {
            unshare(CloneFlags::CLONE_NEWPID)?;
            as_child(|| {
                // The first process ends all of the namespace with it.
                set_pdeathsig(Signal::SIGKILL)?;
                as_child(|| become_each(1).map(never))
            })
        }
        // The same where the container shares the pid namespace of the host.
        "host-pids" => {
            unshare(CloneFlags::CLONE_NEWNS)?;
            become_each(1).map(never)
        }
        // By logins, root's and this one, which who has none can claim.
        "claimed" => {
            let other: u32 = number(words, 1)?;
            setresuid(USER, USER, USER)?;
            // As after an exec: else what is in /proc is root's.
            set_dumpable(true)?;
            loop {
                for login in [0, other] {
                    as_child(|| {
                        let _ = write("/proc/self/loginuid", login.to_string());
                        super::credentials::to_and_fro_in_a_namespace()
                    })?;
                }
            }
        }
        _ => Err("unknown; see src/bin/act/many.rs".into()),
    }
}

/// In a process of its own, and waits for it.
fn as_child(what: impl FnOnce() -> Outcome) -> Outcome {
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            Ok(std::process::ExitCode::SUCCESS)
        }
        ForkResult::Child => {
            let failed = what().inspect_err(|error| eprintln!("act many: {error}")).is_err();
            std::process::exit(failed.into())
        }
    }
}

/// Goes, as a user, into a user namespace whose ids root has mapped for them.
fn own_namespace() -> Outcome<()> {
    let own = getpid();
    let (made, tell) = pipe()?;
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(tell);
            let mapped = read(&made, &mut [0]).is_ok()
                && write(format!("/proc/{own}/uid_map"), format!("0 {OTHERS} {IDS}")).is_ok();
            std::process::exit((!mapped).into())
        }
        ForkResult::Parent { child } => {
            setresuid(USER, USER, USER)?;
            unshare(CloneFlags::CLONE_NEWUSER)?;
            drop((made, tell));
            waitpid(child, None)?;
            Ok(setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0))?)
        }
    }
}

/// Each id from this one on, as the real one.
fn become_each(first: u32) -> Outcome<std::convert::Infallible> {
    let (root, unchanged) = (Uid::from_raw(0), Uid::from_raw(u32::MAX));
    loop {
        for id in (first..first + IDS - 1).map(Uid::from_raw) {
            setresuid(id, id, root)?;
            for at in 0..CHANGES {
                setresuid(unchanged, if at % 2 == 0 { root } else { id }, unchanged)?;
            }
            setresuid(unchanged, root, unchanged)?;
        }
    }
}
