//! What the hooks for audit messages cost: those that never send any, and those that do.
//!
//! ```text
//! cargo bench -p sensor-tests --bench audit                  prints the tables, after some three minutes
//! UPDATE_DOCS=1 cargo bench -p sensor-tests --bench audit    and puts them into docs/audit.md
//! ```
//!
//! As root. Other work on the machine makes the intervals wider, not the medians worse.

mod messages;
mod ratios;
mod slices;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use sensor_agent::capture::Options;
use sensor_tests::loads::Outcome;

const BEGIN: &str = "<!-- measured: audit -->\n";
const END: &str = "<!-- end -->";
/// If it is 1, the kernel measures each run of a program, which costs more than the program.
const STATISTICS: &str = "/proc/sys/kernel/bpf_stats_enabled";

fn main() -> ExitCode {
    match report().and_then(|text| keep(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report() -> Outcome<String> {
    if fs::read_to_string(STATISTICS).is_ok_and(|on| on.trim() == "1") {
        return Err(format!("{STATISTICS} is 1: set it to 0").into());
    }
    // In a thread that ends, as it is pinned.
    let measured = std::thread::spawn(|| slices::measure(&Options::default()).map_err(|error| error.to_string()));
    let (hook, costs) = measured.join().map_err(|_| "the measuring panicked")??;
    let mut text = format!("{}; the hook was `{hook}`. In brackets, where the true median is with a probability of 95 %.\n\n", machine());
    text.push_str(
        "| one round of | ns without | the hook adds, ns | ratio with to without | control: without to without |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for cost in costs {
        let added = cost.added;
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:+.1} ({:+.1} to {:+.1}) | {} | {} |",
            cost.load, cost.without, added.value, added.low, added.high, cost.ratio, cost.control
        );
    }
    text.push_str(
        "\nA message and the kernel's answer, with the whole sensor and without it:\n\n\
         | one round of | ns without | ns with | ratio |\n| --- | --- | --- | --- |\n",
    );
    for cost in messages::measure()? {
        let _ = writeln!(text, "| {} | {:.0} | {:.0} | {} |", cost.load, cost.without, cost.with, cost.ratio);
    }
    let _ = writeln!(text, "\n{}", messages::of_the_sensor());
    println!("{text}");
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
