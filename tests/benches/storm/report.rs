//! The figures as one table, and where they are kept.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use sensor_tests::programs;

use crate::measure::{Load, Outcome};

#[derive(Default)]
pub(crate) struct Report {
    rows: String,
    details: String,
}

impl Report {
    pub(crate) fn load(&mut self, load: &Load, outcome: &Outcome) {
        let (least, most) = outcome
            .ratios
            .iter()
            .fold((f64::MAX, f64::MIN), |(least, most), &ratio| (least.min(ratio), most.max(ratio)));
        let _ = writeln!(
            self.rows,
            "| {} | {:.0} | {:.2} ({least:.2} to {most:.2}) | {:.1} | {:.0} | {:.0} | {} |",
            load.name,
            outcome.rate_without,
            outcome.ratio,
            outcome.cpu_ms,
            outcome.peak_mb,
            outcome.resident_mb,
            outcome.lost
        );
        let threads: Vec<String> = outcome.threads.iter().map(|(name, micros)| format!("{name} {micros:.2}")).collect();
        let _ = writeln!(self.details, "- {}: µs per exec by thread: {}.", load.name, threads.join(", "));
    }

    pub(crate) fn kernel(&mut self, programs: &[(String, f64)]) {
        let total: f64 = programs.iter().map(|(_, nanos)| nanos).sum();
        let each: Vec<String> = programs.iter().map(|(name, nanos)| format!("{name} {:.2}", nanos / 1000.0)).collect();
        let _ = writeln!(
            self.details,
            "- Kernel programs, µs per exec by the kernel's own measure (2 threads): **{:.2}** together: {}.",
            total / 1000.0,
            each.join(", ")
        );
    }

    pub(crate) fn latency(&mut self, samples: &[f64]) {
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
        let _ = writeln!(
            self.details,
            "- Alert latency on a quiet host, program start to line in the file: p50 **{:.1} ms**, p99 **{:.1} ms** \
             ({} samples).",
            at(0.5),
            at(0.99),
            samples.len()
        );
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "{}\n\n| storm of a tiny static program | starts/s without | rate with/without: median (range) | CPU ms per \
             1,000 execs | peak MB | resident MB | lost |\n| --- | --- | --- | --- | --- | --- | --- |\n{}\n{}",
            machine(),
            self.rows,
            self.details
        )
    }
}

fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version =
        Command::new(programs::sensor()).arg("-version").output().map(|output| output.stdout).unwrap_or_default();
    format!("{} on {cpus} CPUs ({model}), Linux {}", String::from_utf8_lossy(&version).trim(), kernel.trim())
}

/// Puts the text between the marks in docs/performance.md, if `UPDATE_DOCS` is set.
pub(crate) fn keep(text: &str) -> io::Result<()> {
    const BEGIN: &str = "<!-- measured: storm -->\n";
    const END: &str = "<!-- end -->";
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let page = fs::read_to_string(&path)?;
    let (head, rest) =
        page.split_once(BEGIN).ok_or_else(|| io::Error::other("docs/performance.md has lost its mark"))?;
    let (_, tail) =
        rest.split_once(END).ok_or_else(|| io::Error::other("docs/performance.md has lost its end mark"))?;
    fs::write(path, format!("{head}{BEGIN}{text}{END}{tail}"))
}
