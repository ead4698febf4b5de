//! What the kernel programs cost the processes that they watch: nanoseconds per run, by the kernel's own measure.
//!
//! Starts a tiny program many times (vfork, exec, exit) and reads each program's run time. Needs root. The numbers are
//! the host's, so other processes' events are in them; they differ by the host's load, not by much.
//!
//! ```text
//! cargo bench --bench capture_cost -- 20000
//! ```

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use aya::sys::{Stats, enable_stats};
use sensor_agent::capture::{Capture, DrainOptions, Options};

#[path = "../tests/support/tiny_elf.rs"]
mod tiny_elf;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capture_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let runs: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5000);
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("tiny");
    fs::write(&program, tiny_elf::PROGRAM)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let start = || -> Result<Duration, Box<dyn Error>> {
        let begun = Instant::now();
        for _ in 0..runs {
            Command::new(&program).args(["one", "two", "three"]).status()?;
        }
        Ok(begun.elapsed())
    };

    start()?;
    let bare = start()?;
    let mut capture = Capture::start(&Options::default())?;
    let drain = capture.drain(&DrainOptions::default())?;
    let consumer = std::thread::spawn(move || {
        let mut records = 0;
        while let Ok(batch) = drain.next(Duration::from_secs(1)) {
            let Some(batch) = batch else { break };
            records += batch.len();
            drain.recycle(batch);
        }
        (records, drain.stats())
    });
    let watched = start()?;
    let measured = {
        let _stats = enable_stats(Stats::RunTime)?;
        start()?
    };
    capture.detach();
    let mut sum = 0;
    for status in capture.status() {
        if let Some(each) = status.run_time_ns.checked_div(status.run_count) {
            println!("{:10} {:6} runs {:6} ns each", status.source.name(), status.run_count, each);
            sum += each;
        }
    }
    let (records, stats) = consumer.join().map_err(|_| "the consumer died")?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(runs);
    println!("sum        {sum} ns");
    println!(
        "a start takes {:.1} us bare, {:.1} us watched, {:.1} us measured",
        micros(bare),
        micros(watched),
        micros(measured)
    );
    println!("{records} records drained, {stats:?}");
    for counted in capture.counters()? {
        println!("{:10} {:?}", counted.source.name(), counted.counters);
    }
    Ok(())
}
