//! Goes on with other ids or capabilities, by each system call that can do that.

use std::ffi::OsString;
use std::io::Error;
use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Outcome, number};

/// Nobody has this id.
const OTHER: libc::c_long = 1234;
/// `CAP_NET_RAW` of Linux, `_LINUX_CAPABILITY_VERSION_3`.
const NET_RAW: libc::c_long = 13;
const VERSION: u32 = 0x2008_0522;

/// What the first word says; some take a number.
pub(super) fn change(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which call?")?.to_string_lossy();
    match &*way {
        "setuid" => call(libc::SYS_setuid, [OTHER, 0, 0])?,
        "setgid" => call(libc::SYS_setgid, [OTHER, 0, 0])?,
        "setreuid" => call(libc::SYS_setreuid, [-1, OTHER, 0])?,
        "setregid" => call(libc::SYS_setregid, [-1, OTHER, 0])?,
        "setresuid" => call(libc::SYS_setresuid, [-1, -1, OTHER])?,
        "setresgid" => call(libc::SYS_setresgid, [-1, -1, OTHER])?,
        "setfsuid" => call(libc::SYS_setfsuid, [OTHER, 0, 0])?,
        "setfsgid" => call(libc::SYS_setfsgid, [OTHER, 0, 0])?,
        "capset" => capset()?,
        "prctl" => call(libc::SYS_prctl, [libc::PR_CAPBSET_DROP.into(), NET_RAW, 0])?,
        "unshare" => {
            call(libc::SYS_setresuid, [OTHER, OTHER, OTHER])?;
            call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0])?;
        }
        "compat" => compat()?,
        // In a thread of its own: the ids of others stay.
        "thread" => std::thread::spawn(|| call(libc::SYS_setuid, [OTHER, 0, 0]).map_err(|error| error.to_string()))
            .join()
            .map_err(|_| "the thread panicked")??,
        // After so many other threads have made calls.
        "among-threads" => among_threads(number(words, 1)?)?,
        // What is there already.
        "same" => call(libc::SYS_setuid, [0, 0, 0])?,
        // As often as asked, to and fro.
        "flood" => {
            for at in 0..number::<libc::c_long>(words, 1)? {
                call(libc::SYS_setfsuid, [if at % 2 == 0 { OTHER } else { 0 }, 0, 0])?;
            }
        }
        // As a user without rights, and no login of another: into a user namespace of one's own, once or again and again.
        "user-namespaces" => {
            let user: u32 = number(words, 1)?;
            // Refused where the login cannot be changed.
            let _ = std::fs::write("/proc/self/loginuid", user.to_string());
            call(libc::SYS_setresuid, [user.into(); 3])?;
            for _ in 0..number::<u32>(words, 2)? {
                in_user_namespace()?;
            }
        }
        _ => return Err("unknown; see src/bin/act/credentials.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The system call itself: libc's functions change all threads.
fn call(number: libc::c_long, [first, second, third]: [libc::c_long; 3]) -> Outcome<()> {
    // SAFETY: calls that take numbers alone.
    match unsafe { libc::syscall(number, first, second, third, 0, 0) } {
        -1 => Err(Error::last_os_error().into()),
        _ => Ok(()),
    }
}

/// By a thread that makes no call while this many others make some, and go on after it.
fn among_threads(count: usize) -> Outcome<()> {
    let (called, go_on) = (AtomicBool::new(false), AtomicBool::new(false));
    let (all, changed) = (Barrier::new(count + 1), Barrier::new(count + 1));
    let wait = |on: &AtomicBool| {
        while !on.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let _ = call(libc::SYS_getppid, [0; 3]);
            called.store(true, Ordering::Release);
            wait(&go_on);
            call(libc::SYS_setgid, [OTHER, 0, 0]).map_err(|error| error.to_string())
        });
        wait(&called);
        for _ in 0..count {
            let small = std::thread::Builder::new().stack_size(16 * 1024);
            small
                .spawn_scoped(scope, || {
                    all.wait();
                    changed.wait();
                })
                .expect("a thread");
        }
        all.wait();
        go_on.store(true, Ordering::Release);
        let outcome = changes.join().expect("no panic");
        changed.wait();
        Ok(outcome?)
    })
}

/// In a process of its own, as they cannot be nested at will.
fn in_user_namespace() -> Outcome<()> {
    // SAFETY: there is one thread.
    match unsafe { libc::fork() } {
        -1 => Err(Error::last_os_error().into()),
        // SAFETY: takes a number.
        0 => unsafe { libc::_exit(to_and_fro_in_a_namespace().is_err().into()) },
        child => {
            let mut status = 0;
            // SAFETY: the status is the call's to write.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            if status == 0 { Ok(()) } else { Err("users get no user namespaces".into()) }
        }
    }
}

/// Goes into a user namespace, and lays all capabilities down and takes them up again there.
pub(super) fn to_and_fro_in_a_namespace() -> Outcome {
    call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0])?;
    for at in 0..200 {
        let mut sets = [[0_u32; 3]; 2];
        let header = [VERSION, 0];
        // SAFETY: the structures of the calls, see `capset`.
        unsafe {
            libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr());
            sets[0][0] = if at % 2 == 0 { 0 } else { sets[0][1] };
            libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lays down an effective capability.
fn capset() -> Outcome<()> {
    let header = [VERSION, 0];
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: the structures of the calls: version and pid; effective, permitted and inheritable, of two words each.
    let done = unsafe {
        libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) == 0 && {
            sets[0][0] &= !(1 << NET_RAW);
            libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) == 0
        }
    };
    if done { Ok(()) } else { Err(Error::last_os_error().into()) }
}

/// `setuid` by the interface of 32 bits, where it has another number.
#[cfg(target_arch = "x86_64")]
fn compat() -> Outcome<()> {
    const SETUID: u64 = 213;
    let mut result = SETUID;
    // SAFETY: the first argument of such a call is in `rbx`, which is put back.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {id}",
            "int 0x80",
            "xchg rbx, {id}",
            id = inout(reg) u64::try_from(OTHER)? => _,
            inout("rax") result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result == 0 { Ok(()) } else { Err("the kernel takes no such calls".into()) }
}

#[cfg(not(target_arch = "x86_64"))]
fn compat() -> Outcome<()> {
    Err("not on this machine".into())
}
