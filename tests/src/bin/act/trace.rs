//! Gets at another process, a child that waits, in each way that there is; prints the child's id.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Error, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command, ExitCode, Stdio};

use super::{Outcome, number};

/// Nobody has this id.
pub(super) const OTHER: libc::uid_t = 1234;

/// What the first word says; some take a number. The rest goes to the child, so that it is marked as well.
pub(super) fn trace(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    if way == "traceme" {
        ptrace(libc::PTRACE_TRACEME, 0)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut child = hold(&words[1..])?;
    let pid = libc::pid_t::try_from(child.id())?;
    println!("{pid}");
    let done = get_at(&way, pid, words);
    // A child that is traced does not see its input end; one of another user's cannot be killed.
    drop(child.stdin.take());
    let _ = child.kill();
    child.wait()?;
    done.map(|()| ExitCode::SUCCESS)
}

fn get_at(way: &str, pid: libc::pid_t, words: &[OsString]) -> Outcome<()> {
    match way {
        "attach" => ptrace(libc::PTRACE_ATTACH, pid)?,
        "seize" => ptrace(libc::PTRACE_SEIZE, pid)?,
        "compat-attach" => compat(26, [libc::PTRACE_ATTACH.into(), pid.into(), 0, 0])?,
        "process_vm_writev" => vm_writev(pid)?,
        "mem_write" => write_memory(&format!("/proc/{pid}/mem"), pid)?,
        "thread-mem_write" => write_memory(&format!("/proc/{pid}/task/{pid}/mem"), pid)?,
        "own-mem_write" => write_memory("/proc/self/mem", libc::pid_t::try_from(std::process::id())?)?,
        "pidfd_getfd" => getfd(pid)?,
        "refused" => {
            // SAFETY: takes a number.
            call(unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) })?;
            assert!(ptrace(libc::PTRACE_ATTACH, pid).is_err(), "it is root's");
        }
        "nobody" => assert!(ptrace(libc::PTRACE_ATTACH, (1 << 22) - 1).is_err(), "it is no process's id"),
        // What other files are written, and calls that are none.
        "nothing" => {
            File::create("/dev/null")?.write_all(b"x")?;
            OpenOptions::new().write(true).open("/proc/self/comm")?.write_all(b"other")?;
            // SAFETY: takes numbers.
            unsafe { libc::ptrace(libc::PTRACE_CONT, pid, 0, 0) };
        }
        "flood" => {
            for _ in 0..number::<u32>(words, 1)? {
                vm_writev(pid)?;
            }
        }
        _ => return Err("unknown; see src/bin/act/trace.rs".into()),
    }
    Ok(())
}

/// A child that waits until its input ends.
pub(super) fn hold(words: &[OsString]) -> Outcome<Child> {
    let program = std::env::current_exe()?;
    let mut child = Command::new(program).arg("hold").args(words).stdin(Stdio::piped()).spawn()?;
    // It is heard of before its exec is over: until it has read what is written to it.
    let input = child.stdin.as_mut().ok_or("it has no input")?;
    input.write_all(b"x")?;
    let mut unread: libc::c_int = 1;
    while unread > 0 {
        std::thread::yield_now();
        // SAFETY: the call writes an integer.
        call(unsafe { libc::ioctl(input.as_raw_fd(), libc::FIONREAD, &raw mut unread) }.into())?;
    }
    Ok(child)
}

fn call(returned: libc::c_long) -> Outcome<()> {
    if returned < 0 { Err(Error::last_os_error().into()) } else { Ok(()) }
}

fn ptrace(request: libc::c_uint, pid: libc::pid_t) -> Outcome<()> {
    // SAFETY: requests that take numbers alone.
    call(unsafe { libc::ptrace(request, pid, 0, 0) })
}

/// The last byte of a process's stack, which is the zero at the end of its program's name.
fn last_byte(pid: libc::pid_t) -> Outcome<u64> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).ok_or("no stack")?;
    let (_, end) = stack.split_once(' ').and_then(|(range, _)| range.split_once('-')).ok_or("no range")?;
    Ok(u64::from_str_radix(end, 16)? - 1)
}

fn vm_writev(pid: libc::pid_t) -> Outcome<()> {
    let byte = [0_u8];
    let there = usize::try_from(last_byte(pid)?)? as *mut libc::c_void;
    let local = libc::iovec { iov_base: byte.as_ptr().cast_mut().cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: there, iov_len: 1 };
    // SAFETY: one byte here; there the kernel checks.
    call(unsafe { libc::process_vm_writev(pid, &raw const local, 1, &raw const remote, 1, 0) }.try_into()?)
}

fn write_memory(path: &str, pid: libc::pid_t) -> Outcome<()> {
    OpenOptions::new().write(true).open(path)?.write_all_at(&[0], last_byte(pid)?)?;
    Ok(())
}

/// Takes the child's standard input.
fn getfd(pid: libc::pid_t) -> Outcome<()> {
    // SAFETY: calls that take numbers alone; what they open ends with this process.
    unsafe {
        let process = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        call(process)?;
        call(libc::syscall(libc::SYS_pidfd_getfd, process, std::io::stdin().as_raw_fd(), 0))
    }
}

/// A call of the interface of 32 bits.
#[cfg(target_arch = "x86_64")]
pub(super) fn compat(number: u64, [first, second, third, fourth]: [i64; 4]) -> Outcome<()> {
    let mut result = number;
    // SAFETY: the first argument of such a call is in `rbx`, which is put back.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {first}",
            "int 0x80",
            "xchg rbx, {first}",
            first = inout(reg) first => _,
            in("rcx") second,
            in("rdx") third,
            in("rsi") fourth,
            in("rdi") 0_i64,
            inout("rax") result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    let result = result.cast_signed() as i32;
    if result < 0 { Err(Error::from_raw_os_error(-result).into()) } else { Ok(()) }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn compat(_: u64, _: [i64; 4]) -> Outcome<()> {
    Err("not on this machine".into())
}
