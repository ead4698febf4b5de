//! Does things that the sensor should see, one for each first word:
//!
//! | command | what it does |
//! | --- | --- |
//! | `exit CODE [ARG…]` | ends with this code |
//! | `signal NUMBER [ARG…]` | ends itself with this signal |
//! | `hold [ARG…]` | waits until its standard input ends |
//! | `fork [ARG…]` | forks a child that ends with 7, prints its pid, ends with 3 |
//! | `thread-exec PROGRAM [ARG…]` | executes it from a thread that is not the leader |
//! | `memfd NAME PROGRAM [ARG…]` | executes a copy of it in a memfd |
//! | `deleted PROGRAM [ARG…]` | deletes it and executes it |
//! | `empty-argv PROGRAM` | executes it with no arguments at all, not even a name |
//! | `double-fork PROGRAM [ARG…]` | prints the pids of a child and a grandchild; the grandchild executes it once both its ancestors are dead |
//! | `pid-namespace PROGRAM [ARG…]` | runs it as the first process of a pid namespace and prints its pid outside |
//! | `deep-cwd FOLDER DEPTH NAME PROGRAM [ARG…]` | executes it so many folders deep, all of this name |
//! | `chroot FOLDER PROGRAM [ARG…]` | executes it within this root |
//! | `overlay FOLDER PROGRAM NAME` | runs copies of it in an overlay: `NAME-low` of its lower layer, `NAME-up` of the upper; prints their pids |
//! | `credentials WAY [ARG…]` | goes on with other ids or capabilities by this system call |
//! | `many WAY [LOGIN]` | changes its credentials without end, as many users |
//! | `trace WAY [ARG…]` | starts a child that waits, prints its pid, and gets at it in this way |
//! | `network WAY ADDRESS:PORT [COUNT]` | connects, or is connected to, in this way |
//! | `contain WAY [ARG…]` | goes on in other namespaces, or changes mounts in the folder that is named, by this call |
//! | `file WAY PATH [ARG…]` | opens this file to change it, in this way |
//! | `change WAY PATH [OTHER]` | does something else to it, by this call |
//! | `memory WAY [ARG…]` | makes memory executable, a file in memory, or a handler of faults, in this way |
//! | `crash WAY [ARG…]` | ends by a signal that tells of a fault, in this way |
//! | `set WAY FILE TEXT [ARG…]` | writes this text to a setting of the kernel, by this call |
//! | `ring WAY [ARG…]` | makes a ring of io_uring |
//! | `perf WAY [ARG…]` | opens a performance event; of a child that waits, prints its pid |
//! | `kexec WAY [ARG…]` | asks for another kernel to be started next, in vain, or takes it back |
//! | `bpf WAY [ID] [ARG…]` | attaches a BPF program, or gets at the object that has this id |
//! | `raw WAY [ARG…]` | makes a socket that takes whole packets, in this way |
//! | `local WAY PATH [ARG…]` | listens at a socket of this host, and connects to it, in this way |
//! | `cgroup FOLDER PROGRAM [ARG…]` | moves into this control group and executes it |
//!
//! Where it executes a program, the arguments are given as they are, the program's own name first among them.

mod bpf;
mod change;
mod contain;
mod crash;
mod credentials;
mod file;
mod fork;
mod image;
mod kernel;
mod kexec;
mod many;
mod memory;
mod network;
mod perf;
mod place;
mod sockets;
mod trace;

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

use nix::sys::signal::{Signal, raise};

/// What goes wrong, in words.
type Outcome<T = ExitCode> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.is_empty() {
        eprintln!("act: what? See src/bin/act/main.rs");
        return ExitCode::from(2);
    }
    let command = words.remove(0);
    match act(&command.to_string_lossy(), words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("act {}: {error}", command.to_string_lossy());
            ExitCode::FAILURE
        }
    }
}

fn act(command: &str, words: Vec<OsString>) -> Outcome {
    match command {
        "exit" => Ok(ExitCode::from(number::<u8>(&words, 0)?)),
        "signal" => {
            raise(Signal::try_from(number::<i32>(&words, 0)?)?)?;
            Err("the signal did not end it".into())
        }
        "hold" => {
            std::io::stdin().read_to_end(&mut Vec::new())?;
            Ok(ExitCode::SUCCESS)
        }
        "fork" => fork::fork_without_exec(),
        "double-fork" => fork::double_fork(&strings(words)?),
        "pid-namespace" => fork::pid_namespace(&strings(words)?),
        "thread-exec" => image::from_a_thread(strings(words)?).map(never),
        "memfd" => image::memfd(&strings(words)?).map(never),
        "deleted" => image::deleted(&strings(words)?).map(never),
        "empty-argv" => image::without_arguments(&strings(words)?).map(never),
        "deep-cwd" => place::deep(words).map(never),
        "deep-program" => place::deep_program(&words).map(never),
        "chroot" => place::chroot(words).map(never),
        "overlay" => place::overlay(&words),
        "credentials" => credentials::change(&words),
        "many" => many::many(&words),
        "trace" => trace::trace(&words),
        "network" => network::go(&words),
        "contain" => contain::contain(&words),
        "change" => change::change(&words),
        "file" => file::open(&words),
        "memory" => memory::change(&words),
        "crash" => crash::crash(&words),
        "set" => kernel::set(&words),
        "ring" => kernel::ring(&words),
        "perf" => perf::open(&words),
        "kexec" => kexec::load(&words),
        "bpf" => bpf::act(&words),
        "raw" => sockets::raw(&words),
        "local" => sockets::local(&words),
        "cgroup" => place::cgroup(words).map(never),
        _ => Err("unknown; see src/bin/act/main.rs".into()),
    }
}

fn never(nothing: Infallible) -> ExitCode {
    match nothing {}
}

fn number<T: std::str::FromStr>(words: &[OsString], at: usize) -> Outcome<T> {
    let word = words.get(at).and_then(|word| word.to_str()).ok_or("a number is missing")?;
    word.parse().map_err(|_| format!("`{word}` is no such number").into())
}

fn strings(words: Vec<OsString>) -> Outcome<Vec<CString>> {
    Ok(words.into_iter().map(|word| CString::new(word.into_vec())).collect::<Result<_, _>>()?)
}

/// A program and its arguments, the program's own name first; executes it.
fn execute(words: &[CString]) -> Outcome<Infallible> {
    let program = words.first().ok_or("a program is missing")?;
    Ok(nix::unistd::execv(program, words)?)
}
