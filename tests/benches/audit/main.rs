//! What the hooks for audit messages cost: those that never send any, and those that do.
//!
//! ```text
//! cargo bench -p sensor-tests --bench audit                  prints the tables, after some four minutes
//! UPDATE_DOCS=1 cargo bench -p sensor-tests --bench audit    and puts them into docs/audit.md
//! cargo bench -p sensor-tests --bench audit -- udp tcp       measures these loads alone
//! ```
//!
//! As root. Other work on the machine makes the intervals wider, not the medians worse.

mod empty;
mod messages;
mod ratios;
mod slices;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use empty::Empty;
use ratios::Median;
use sensor_agent::capture::{Capture, Options, ProgramStatus, State};
use sensor_ebpf::classes::{Class, Source};
use sensor_tests::loads::{Outcome, UNRELATED, pin};
use slices::Cost;

/// Slices of a load with the sensor's hook.
const SLICES: usize = 80;
const BEGIN: &str = "<!-- measured: audit -->\n";
const END: &str = "<!-- end -->";
/// If it is 1, the kernel measures each run of a program, which costs more than the program.
const STATISTICS: &str = "/proc/sys/kernel/bpf_stats_enabled";

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    match report(&wanted).and_then(|text| if wanted.is_empty() { keep(&text) } else { Ok(()) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// All, or about the loads that are wanted.
fn report(wanted: &[String]) -> Outcome<String> {
    if fs::read_to_string(STATISTICS).is_ok_and(|on| on.trim() == "1") {
        return Err(format!("{STATISTICS} is 1: set it to 0").into());
    }
    let mut loads = UNRELATED.to_vec();
    loads.retain(|load| wanted.is_empty() || wanted.iter().any(|wanted| wanted == load));
    // In a thread that ends, as it is pinned.
    let measured = std::thread::spawn(move || unrelated(&loads).map_err(|error| error.to_string()));
    let mut text = measured.join().map_err(|_| "the measuring panicked")??;
    if wanted.is_empty() {
        text.push_str(&with_messages()?);
    }
    println!("{text}");
    Ok(text)
}

/// The loads that never touch audit.
fn unrelated(loads: &[&str]) -> Outcome<String> {
    let mut capture = Capture::start(&Options::default())?;
    let serves = |hook: &ProgramStatus| hook.source == Source::Audit && hook.state == State::Attached;
    let hook = capture.status().into_iter().find(serves).ok_or("no hook for audit messages")?.hook;
    capture.detach_class(Class::Audit);
    pin()?;
    let mut text = format!(
        "{}. In brackets, where the true median is with a probability of 95 %.\n\n\
         | one round of | ns without | `{hook}` adds, ns | ratio with to without | control: without to without |\n\
         | --- | --- | --- | --- | --- |\n",
        machine()
    );
    // Not every kernel has them all.
    let mut others: Vec<Empty> = EMPTY.iter().filter_map(|at| Empty::at(at).ok()).collect();
    let mut comparison = "\nA program that does nothing adds, ns:\n\n| one round of |".to_owned();
    for empty in &others {
        let _ = write!(comparison, " at {} |", empty.place());
    }
    let _ = writeln!(comparison, "\n| --- |{}", " --- |".repeat(others.len()));
    for load in loads {
        eprintln!("{load} …");
        let Cost { without, added, ratio, control } = slices::measure(&mut capture, load, SLICES)?;
        let _ = writeln!(text, "| {load} | {without:.0} | {} | {ratio:.3} | {control:.3} |", signed(added));
        let _ = write!(comparison, "| {load} |");
        for empty in &mut others {
            let cost = slices::measure(empty, load, SLICES / 2)?;
            let _ = write!(comparison, " {} |", signed(cost.added));
        }
        comparison.push('\n');
    }
    Ok(text + &comparison)
}

/// Where an empty program is measured, for comparison: at the place of the second rung, at the kernel's question for a right and
/// the end of each send, and at the begin of each system call.
const EMPTY: &[&[&str]] = &[&["consume_skb"], &["cap_capable", "sock_send_length"], &["sys_enter"]];

fn signed(Median { value, low, high }: Median) -> String {
    format!("{value:+.0} ({low:+.0} to {high:+.0})")
}

/// The loads that consist of messages.
fn with_messages() -> Outcome<String> {
    let mut text = "\nA message and the kernel's answer, with the whole sensor and without it:\n\n\
         | one round of | ns without | ns with | ratio |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for cost in messages::measure()? {
        let _ = writeln!(text, "| {} | {:.0} | {:.0} | {:.2} |", cost.load, cost.without, cost.with, cost.ratio);
    }
    let _ = writeln!(text, "\n{}", messages::of_the_sensor());
    Ok(text)
}

fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Measured on {cpus} CPUs ({model}), Linux {}", kernel.trim())
}

/// Puts the text between the marks in docs/audit.md, if `UPDATE_DOCS` is set.
fn keep(text: &str) -> Outcome<()> {
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/audit.md");
    let page = fs::read_to_string(&path)?;
    let (head, rest) = page.split_once(BEGIN).ok_or("docs/audit.md has lost its marks")?;
    let (_, tail) = rest.split_once(END).ok_or("docs/audit.md has lost its marks")?;
    Ok(fs::write(path, format!("{head}{BEGIN}{text}{END}{tail}"))?)
}
