//! Ends by a signal that tells of a fault, in each way that there is.

use std::ffi::OsString;
use std::hint::black_box;
use std::io::Error;
use std::process::ExitCode;
use std::ptr::null_mut;

use super::Outcome;

const PAGE: usize = 4096;
/// Not an address: bits 47 and on are not all the same.
#[cfg(target_arch = "x86_64")]
const NO_ADDRESS: usize = 1 << 63;

/// What the first word says.
pub(super) fn crash(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    // The language's runtime handles faults itself, and ends the program by another signal then.
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        handle(signal, libc::SIG_DFL);
    }
    let cores = libc::rlimit { rlim_cur: if way == "dumped" { 64 << 20 } else { 0 }, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: reads what it is given.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const cores) };
    match &*way {
        "null" | "dumped" => read(8),
        "write-text" => write(crash as *const () as usize),
        "run-null" => run(0),
        "run-stack" => {
            let room = black_box([0_u8; 64]);
            run((&raw const room) as usize);
        }
        "overflow" => _ = overflow(0),
        "overflow-thread" => in_thread(|| _ = overflow(0)),
        // SAFETY: only told.
        "heap" => read((unsafe { libc::sbrk(0) } as usize).next_multiple_of(PAGE)),
        "kernel" => read(0xffff_8000_0000_0000),
        "wild" => read(0x1234_5678_9000),
        "beyond-file" => read(beyond_file()?),
        "abort" => std::process::abort(),
        "sent" => send(libc::SIGSEGV),
        "handled" => {
            extern "C" fn nothing(_: libc::c_int) {}
            handle(libc::SIGSEGV, nothing as *const () as libc::sighandler_t);
            send(libc::SIGSEGV);
            return Ok(ExitCode::SUCCESS);
        }
        // The kernel does not let a program go on after a fault, whatever it asked for.
        "ignored" => {
            handle(libc::SIGSEGV, libc::SIG_IGN);
            read(8);
        }
        "blocked" => {
            // SAFETY: a set of signals that is its own.
            unsafe {
                let mut all = std::mem::zeroed();
                libc::sigfillset(&raw mut all);
                libc::sigprocmask(libc::SIG_BLOCK, &raw const all, null_mut());
            }
            read(8);
        }
        "thread" => in_thread(|| read(8)),
        "seccomp" => no_more_calls(libc::SECCOMP_RET_KILL_PROCESS)?,
        "killed" => send(libc::SIGKILL),
        "quit" => send(libc::SIGQUIT),
        other => instruction(other)?,
    }
    Err("it went on".into())
}

#[cfg(target_arch = "x86_64")]
fn instruction(way: &str) -> Outcome<()> {
    use std::arch::asm;
    // SAFETY: none of them comes back.
    unsafe {
        match way {
            "illegal" => asm!("ud2"),
            "divide" => asm!("div {zero:e}", zero = in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _),
            "trap" => asm!("int3"),
            "protected" => asm!("hlt"),
            "no-address" => read(NO_ADDRESS),
            "no-address-stack" => asm!("mov rsp, {stack}", "push rax", stack = in(reg) NO_ADDRESS),
            _ => return Err("unknown; see src/bin/act/crash.rs".into()),
        }
    }
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction(_: &str) -> Outcome<()> {
    Err("not on this machine".into())
}

fn read(address: usize) {
    // SAFETY: it is what the program ends by.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {byte}, byte ptr [{address}]", byte = out(reg_byte) _, address = in(reg) address);
        #[cfg(not(target_arch = "x86_64"))]
        black_box((address as *const u8).read_volatile());
    }
}

fn write(address: usize) {
    // SAFETY: likewise.
    unsafe { (address as *mut u8).write_volatile(0) };
}

fn run(address: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: likewise.
    unsafe {
        std::arch::asm!("jmp {address}", address = in(reg) address);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[expect(unconditional_recursion, reason = "that is the fault")]
fn overflow(depth: usize) -> usize {
    let room = black_box([depth; 128]);
    overflow(room[0] + 1) + black_box(room)[1]
}

fn in_thread(fault: impl FnOnce() + Send) {
    std::thread::scope(|threads| {
        // Some more, which end with it.
        for _ in 0..3 {
            threads.spawn(std::thread::park);
        }
        threads.spawn(fault);
    });
}

fn handle(signal: libc::c_int, handler: libc::sighandler_t) {
    // SAFETY: a handler that does nothing, or none.
    unsafe { libc::signal(signal, handler) };
}

fn send(signal: libc::c_int) {
    // SAFETY: numbers.
    unsafe { libc::kill(libc::getpid(), signal) };
}

/// An address in a mapping, behind the end of its file.
fn beyond_file() -> Outcome<usize> {
    // SAFETY: new memory, wherever the kernel wants it, of a file that has no byte.
    unsafe {
        let file = libc::memfd_create(c"empty".as_ptr(), 0);
        let memory = libc::mmap(null_mut(), PAGE, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        if memory == libc::MAP_FAILED { Err(Error::last_os_error().into()) } else { Ok(memory as usize) }
    }
}

/// The next system call has this outcome.
fn no_more_calls(outcome: u32) -> Outcome<()> {
    let mut filter = libc::sock_filter { code: 6, jt: 0, jf: 0, k: outcome };
    let program = libc::sock_fprog { len: 1, filter: &raw mut filter };
    // SAFETY: reads what it is given.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) < 0 {
            return Err(Error::last_os_error().into());
        }
        libc::getpid();
        libc::syscall(libc::SYS_getpid);
    }
    Ok(())
}
