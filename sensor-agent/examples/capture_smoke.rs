//! Loads the kernel programs, runs one command, and shows what was captured of it: the quickest way to see whether a
//! kernel is fine. Statically linked (`-C target-feature=+crt-static`) it runs in any initramfs.
//!
//! ```text
//! cargo run --example capture_smoke -- /bin/true some arguments
//! ```
//!
//! What the command itself loads into the kernel, modules and BPF programs, is shown as well. Shows nothing of other processes.

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use sensor_agent::capture::{Capture, DrainOptions, Options, State};
use sensor_ebpf::classes::bpf::BpfRecord;
use sensor_ebpf::classes::module::ModuleRecord;
use sensor_ebpf::classes::{Class, Classes, Source};
use sensor_ebpf::record::{Act as _, ExecRecord, ExitRecord, ForkRecord, Header, kind};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capture_smoke: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let command = args.next().unwrap_or_else(|| "/bin/true".into());
    let begun = Instant::now();
    let classes = Class::ALL.into_iter().fold(Classes::default(), Classes::with);
    let mut capture = Capture::start(&Options { classes, ..Options::default() })?;
    let drain = capture.drain(&DrainOptions::default())?;
    println!("attached in {:?}", begun.elapsed());
    let baseline = capture.baseline()?;
    let me = std::process::id();
    let found =
        baseline.tasks.records().any(|record| fixed::<ExecRecord>(record).is_some_and(|task| task.process.tgid == me));
    println!(
        "baseline: {} tasks in {} us, this one {}",
        baseline.tasks.len(),
        (baseline.finished - baseline.started) / 1000,
        if found { "found" } else { "MISSING" }
    );

    let mut child = Command::new(command).args(args).spawn()?;
    let pid = child.id();
    child.wait()?;
    // Two that fail: at opening, and later.
    let failing = std::env::temp_dir().join(format!("smoke-{}", std::process::id()));
    let _ = Command::new(failing.with_extension("missing")).spawn();
    std::fs::write(&failing, "\x7fELF of no kind")?;
    std::fs::set_permissions(&failing, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let _ = Command::new(&failing).spawn();
    std::fs::remove_file(&failing)?;
    let mut failed = 0;
    let mut seen = [false; BpfRecord::KIND as usize + 1];
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let Some(batch) = drain.next(Duration::from_millis(100))? else {
            continue;
        };
        for record in &batch {
            if let Some(kind) = show(record, pid) {
                seen[usize::from(kind)] = true;
            }
            let head = fixed::<ExecRecord>(record)
                .filter(|head| head.header.kind == kind::EXEC_FAILED && head.parent.tgid == me);
            if let Some(head) = head {
                println!(
                    "failed exec: error {}, argc {}, {}",
                    head.error,
                    head.argc,
                    record.get(size_of::<ExecRecord>()..).unwrap_or_default().escape_ascii()
                );
                failed += 1;
            }
        }
        drain.recycle(batch);
    }
    let tells_failures =
        capture.status().iter().any(|status| status.source == Source::ExecFailed && status.state == State::Attached);
    capture.detach();
    for status in capture.status() {
        println!(
            "{:10} {:30} {} (runs {}, ns {}, recursion misses {})",
            status.source.name(),
            status.hook,
            status.state,
            status.run_count,
            status.run_time_ns,
            status.recursion_misses
        );
    }
    for counted in capture.counters()? {
        let c = counted.counters;
        println!(
            "{:10} seen {} submitted {} full {} filtered {} failed {} partial {}",
            counted.source.name(),
            c.seen,
            c.submitted,
            c.ring_full,
            c.filtered,
            c.failed,
            c.partial
        );
    }
    println!("{:?}", drain.stats());
    for kind in [kind::FORK, kind::EXEC, kind::EXIT] {
        if !seen[usize::from(kind)] {
            return Err(format!("no record of kind {kind} came").into());
        }
    }
    if tells_failures && failed != 2 {
        return Err(format!("{failed} failed execs came instead of 2").into());
    }
    println!("ok");
    Ok(())
}

/// Shows a record of the process, and tells its kind.
fn show(record: &[u8], pid: u32) -> Option<u16> {
    let header: Header = fixed(record)?;
    match header.kind {
        kind::EXEC => {
            let exec: ExecRecord = fixed(record).filter(|exec: &ExecRecord| exec.process.tgid == pid)?;
            println!("{exec:?}");
            let mut rest = record.get(size_of::<ExecRecord>()..)?;
            for (name, len) in [
                ("path", exec.path_len),
                ("cwd", exec.cwd_len),
                ("filename", exec.filename_len),
                ("interpreter", exec.interpreter_len),
                ("cgroup", exec.cgroup_len),
                ("args head", exec.args_head_len),
                ("args tail", exec.args_tail_len),
            ] {
                let (section, left) = rest.split_at_checked(usize::from(len))?;
                println!("  {name}: {}", section.escape_ascii());
                rest = left;
            }
        }
        kind::FORK => println!("{:?}", fixed(record).filter(|fork: &ForkRecord| fork.process.tgid == pid)?),
        kind::EXIT => println!("{:?}", fixed(record).filter(|exit: &ExitRecord| exit.process.tgid == pid)?),
        ModuleRecord::KIND => {
            let module: ModuleRecord =
                fixed(record).filter(|module: &ModuleRecord| module.actor.process.tgid == pid)?;
            println!("module {:?}: taints {:#x}, by {:?}", text(&module.name), module.taints, module.actor);
        }
        BpfRecord::KIND => {
            let program: BpfRecord = fixed(record).filter(|program: &BpfRecord| program.actor.process.tgid == pid)?;
            println!(
                "BPF program {} {:?}: type {}, attach type {}, for {:?}, {} instructions, tag {:02x?}, by {:?}",
                program.id,
                text(&program.name),
                program.program_type,
                program.attach_type,
                text(&program.target),
                program.instructions,
                program.tag,
                program.actor
            );
        }
        _ => return None,
    }
    Some(header.kind)
}

/// A name that ends at the first zero.
fn text(name: &[u8]) -> String {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.get(..end).unwrap_or_default().escape_ascii().to_string()
}

/// The fixed part of a record.
fn fixed<T: Copy>(record: &[u8]) -> Option<T> {
    // SAFETY: as long as `T`, and the record types are valid for any bits.
    (record.len() >= size_of::<T>()).then(|| unsafe { record.as_ptr().cast::<T>().read_unaligned() })
}
