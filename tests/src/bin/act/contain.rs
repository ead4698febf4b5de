//! Goes on in other namespaces, or changes the tree of mounts or the root, by each call that can do that.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::Error;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

use super::trace::compat;
use super::{Outcome, number};

/// Nobody has this id.
const OTHER: libc::uid_t = 1234;
/// `OPEN_TREE_CLONE` and `MOVE_MOUNT_F_EMPTY_PATH` of Linux.
const CLONE_TREE: libc::c_long = 1;
const EMPTY_PATH: libc::c_long = 4;

/// What the first word says; those that change mounts do so in a namespace of their own, in the folder that comes next.
pub(super) fn contain(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    match &*way {
        "unshare" => unshare(libc::CLONE_NEWUTS | libc::CLONE_NEWIPC)?,
        "unshare-user" => unshare(libc::CLONE_NEWUSER)?,
        "compat-unshare" => compat(310, [libc::CLONE_NEWUTS.into(), 0, 0, 0])?,
        // Which is no namespace.
        "unshare-files" => unshare(libc::CLONE_FILES)?,
        "setns" => setns(&File::open("/proc/self/ns/uts")?, 0)?,
        "setns-pidfd" => {
            // SAFETY: takes numbers; what it opens ends with this process.
            let process = unsafe { libc::syscall(libc::SYS_pidfd_open, std::process::id(), 0) };
            call(process)?;
            // SAFETY: takes numbers.
            call(unsafe { libc::syscall(libc::SYS_setns, process, libc::CLONE_NEWUTS | libc::CLONE_NEWNET) })?;
        }
        "setns-refused" => {
            let namespace = File::open("/proc/self/ns/net")?;
            become_other()?;
            assert!(setns(&namespace, libc::CLONE_NEWNET).is_err(), "it is root's");
        }
        "clone" => clone()?,
        "flood" => {
            for _ in 0..number::<u32>(words, 1)? {
                // SAFETY: takes numbers.
                assert!(unsafe { libc::setns(-1, libc::CLONE_NEWUTS) } < 0, "it is no descriptor");
            }
        }
        _ => return mount(&way, words),
    }
    Ok(ExitCode::SUCCESS)
}

fn mount(way: &str, words: &[OsString]) -> Outcome {
    let folder = words.get(1).ok_or("which folder?")?.clone().into_vec();
    let below = |name: &str| CString::new([&folder[..], b"/", name.as_bytes()].concat());
    let (at, other) = (below("at")?, below("other")?);
    unshare(libc::CLONE_NEWNS)?;
    let none: *const libc::c_char = std::ptr::null();
    let attach = |source: &std::ffi::CStr, to: &std::ffi::CStr, kind: *const libc::c_char, flags| {
        // SAFETY: texts that end in zero.
        call(unsafe { libc::mount(source.as_ptr(), to.as_ptr(), kind, flags, none.cast()) }.into())
    };
    attach(c"none", c"/", none, libc::MS_REC | libc::MS_PRIVATE)?;
    let tmpfs = |source| attach(source, &at, c"tmpfs".as_ptr(), libc::MS_NOSUID);
    // SAFETY: of all calls: texts that end in zero, and numbers.
    unsafe {
        match way {
            "mount" => tmpfs(c"some-source")?,
            "mount-refused" => {
                become_other()?;
                assert!(attach(c"some-source", c"/tmp", c"tmpfs".as_ptr(), 0).is_err(), "it takes root");
            }
            "bind" => attach(&other, &at, none, libc::MS_BIND)?,
            "umount" => {
                tmpfs(c"some-source")?;
                call(libc::umount2(at.as_ptr(), libc::MNT_DETACH).into())?;
            }
            "move_mount" => {
                tmpfs(c"some-source")?;
                let tree = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, at.as_ptr(), CLONE_TREE);
                call(tree)?;
                let empty = c"".as_ptr();
                let moved =
                    libc::syscall(libc::SYS_move_mount, tree, empty, libc::AT_FDCWD, other.as_ptr(), EMPTY_PATH);
                call(moved)?;
            }
            "pivot_root" => {
                tmpfs(c"some-source")?;
                let old = below("at/old")?;
                call(libc::mkdir(old.as_ptr(), 0o700).into())?;
                call(libc::syscall(libc::SYS_pivot_root, at.as_ptr(), old.as_ptr()))?;
            }
            "chroot" => call(libc::chroot(at.as_ptr()).into())?,
            _ => return Err("unknown; see src/bin/act/contain.rs".into()),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn call(returned: libc::c_long) -> Outcome<()> {
    if returned < 0 { Err(Error::last_os_error().into()) } else { Ok(()) }
}

fn unshare(kinds: libc::c_int) -> Outcome<()> {
    // SAFETY: takes a number.
    call(unsafe { libc::unshare(kinds) }.into())
}

fn setns(namespace: &File, kind: libc::c_int) -> Outcome<()> {
    // SAFETY: takes numbers.
    call(unsafe { libc::setns(namespace.as_raw_fd(), kind) }.into())
}

fn become_other() -> Outcome<()> {
    // SAFETY: takes numbers.
    call(unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) })
}

/// Makes a child in a namespace of its own, which ends at once, and prints its id.
fn clone() -> Outcome<()> {
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWPID | libc::SIGCHLD;
    // SAFETY: without a stack it goes on as a fork does; there is one thread.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    call(child)?;
    if child == 0 {
        // SAFETY: ends this process.
        unsafe { libc::_exit(0) };
    }
    println!("{child}");
    // SAFETY: takes a number.
    call(unsafe { libc::waitpid(libc::pid_t::try_from(child)?, std::ptr::null_mut(), 0) }.into())
}
