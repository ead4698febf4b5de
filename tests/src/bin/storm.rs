//! Starts and waits for many processes: `storm PROGRAM COUNT THREADS [RATE [ARGUMENT…]]`.
//!
//! Each is one `posix_spawn` (glibc: `clone(CLONE_VM | CLONE_VFORK)`, then `execve`), waited for before the next of
//! its thread. RATE is processes a second of all threads together; 0 is as fast as it goes. Prints the seconds that
//! it took and the processes a second.

use std::ffi::CString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::wait::waitpid;

struct Storm {
    program: CString,
    count: u64,
    threads: u64,
    rate: u64,
    arguments: Vec<CString>,
}

fn main() -> ExitCode {
    let Some(storm) = parse(std::env::args().skip(1).collect()) else {
        eprintln!("usage: storm PROGRAM COUNT THREADS [RATE [ARGUMENT…]]");
        return ExitCode::from(2);
    };
    let begin = Instant::now();
    let storm = &storm;
    let failed: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..storm.threads).map(|index| scope.spawn(move || run(storm, share(storm, index)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(storm.count)).sum()
    });
    let seconds = begin.elapsed().as_secs_f64();
    println!("{seconds:.4} {:.0}", storm.count as f64 / seconds);
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        eprintln!("storm: {failed} processes could not be started");
        ExitCode::FAILURE
    }
}

fn parse(arguments: Vec<String>) -> Option<Storm> {
    let [program, count, threads, rest @ ..] = &arguments[..] else { return None };
    let (rate, rest) = rest.split_first().map_or((Some(0), rest), |(rate, rest)| (rate.parse().ok(), rest));
    let program = CString::new(program.as_str()).ok()?;
    let given: Option<Vec<CString>> = rest.iter().map(|text| CString::new(text.as_str()).ok()).collect();
    Some(Storm {
        arguments: std::iter::once(program.clone()).chain(given?).collect(),
        program,
        count: count.parse().ok()?,
        threads: threads.parse().ok().filter(|&threads| threads > 0)?,
        rate: rate?,
    })
}

/// How many processes the thread of this index starts.
fn share(storm: &Storm, index: u64) -> u64 {
    storm.count / storm.threads + u64::from(index < storm.count % storm.threads)
}

/// Starts so many processes; returns how many could not be started.
fn run(storm: &Storm, count: u64) -> u64 {
    let (Ok(actions), Ok(attributes)) = (PosixSpawnFileActions::init(), PosixSpawnAttr::init()) else { return count };
    let begin = Instant::now();
    let mut failed = 0;
    for index in 0..count {
        match posix_spawn(storm.program.as_c_str(), &actions, &attributes, &storm.arguments, &[] as &[CString]) {
            Ok(child) => failed += u64::from(waitpid(child, None).is_err()),
            Err(_) => failed += 1,
        }
        if storm.rate > 0 {
            let due = Duration::from_secs_f64((index + 1) as f64 * storm.threads as f64 / storm.rate as f64);
            std::thread::sleep(due.saturating_sub(begin.elapsed()));
        }
    }
    failed
}
