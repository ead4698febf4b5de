//! The state of a running sensor, as `status` shows it.
//!
//! Everything has a default, so that a client of one version can read what a sensor of another version sends.

use std::collections::BTreeMap;

use delivery::latency::LatencyStatus;
use serde::{Deserialize, Serialize, Serializer};

use super::Reload;

/// How the sensor is doing. Counts are since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The line that `-version` prints.
    pub version: String,
    pub pid: u32,
    /// When this was taken: seconds since the Unix epoch.
    pub time: u64,
    pub uptime_seconds: u64,
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
    /// The capabilities that the sensor kept, such as `CAP_BPF`.
    pub capabilities: Vec<String>,
    /// Why nothing is kept in the state directory.
    pub state_trouble: Option<String>,
    pub health: Health,
    pub hooks: Vec<Hook>,
    /// Over the last interval.
    pub rates: Vec<Rate>,
    pub processes: Processes,
    pub containers: Containers,
    pub memory: Memory,
    /// Events handled, by type.
    pub events: Vec<EventCount>,
    /// Alerts raised.
    pub alerts: u64,
    /// Alerts that throttles of policies held back.
    pub held_back: u64,
    /// What came of what policies did; as JSON, what came at all.
    #[serde(serialize_with = "only_done")]
    pub responses: Vec<Response>,
    /// Policies that are enabled.
    pub policies: u64,
    pub tables: Vec<Table>,
    /// Of a sensor's own, also where nothing was lost; as JSON, where something was.
    #[serde(serialize_with = "only_losses")]
    pub losses: Vec<Loss>,
    /// Where alerts go.
    pub outputs: Vec<Delivery>,
    /// Where table rows go.
    pub sinks: Vec<Delivery>,
    pub configuration: Configuration,
    /// What else the person in charge should know, each one sentence.
    pub warnings: Vec<String>,
}

/// Whether the sensor hears what happens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Whether the thread that handles events answered in time.
    pub engine_answers: bool,
    pub canary: Canary,
}

/// The programs that the sensor runs now and then, to see whether it sees them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Canary {
    pub passed: u64,
    pub failed: u64,
    /// Those not seen since the last one that was.
    pub failed_in_a_row: u64,
    /// When the last one was seen: seconds since the Unix epoch.
    pub last_seen: Option<u64>,
    /// How long that took, from before its start to the engine: milliseconds.
    pub millis: u64,
    /// Why the last one was not seen; none if it was.
    pub last_error: Option<String>,
}

/// A kernel program at its hook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// What it is for: `exec`.
    pub name: String,
    /// Where it sits: `tp_btf/sched_process_exec`.
    pub hook: String,
    /// Which of the possible hooks that is: 1 is the best.
    pub rung: u32,
    pub attached: bool,
    /// Why the sensor does without this hook here: the kernel does not offer it, or another tells the same.
    pub absent: Option<String>,
    /// What is not seen, or not known, because the kernel does not offer it; none if nothing is.
    pub missed: Option<String>,
    /// Why it is not attached although it was: somebody detached it.
    pub lost: Option<String>,
    /// How often somebody detached it and the sensor attached it again.
    pub reattached: u64,
    /// Times it ran, and nanoseconds per run, when the kernel counts them (`kernel.bpf_stats_enabled`).
    pub runs: Option<u64>,
    pub avg_ns: Option<u64>,
    pub seen: u64,
    pub submitted: u64,
    /// Events lost because the ring buffer was full.
    pub ring_full: u64,
    /// Events left out because somebody repeats at will what costs nothing.
    pub over_budget: u64,
    pub filtered: u64,
    /// Events lost because something indispensable could not be read.
    pub failed: u64,
    /// Of the submitted, those with a part unreadable.
    pub partial: u64,
    /// Of all seen, what the kernel refused: forged audit messages.
    pub refused: u64,
    /// Events lost because the kernel left the program out, which was already running on that CPU.
    pub recursion_misses: u64,
}

/// Events of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rate {
    pub class: String,
    pub per_second: f64,
}

/// Events of one type since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventCount {
    /// As in the field `eventType`.
    pub event_type: String,
    pub count: u64,
}

/// The process table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processes {
    pub held: u64,
    /// Zero if there is none.
    pub limit: u64,
    /// Lineages that were too long and lost their middle, since the start.
    pub lineages_cut: u64,
    /// Programs run in containers of an unknown runtime, and of which it could not be told whether they were in one.
    pub containers_unknown: u64,
    pub containers_undecided: u64,
    /// How often arguments and paths of a process were kept in short, for want of memory.
    pub shortened: u64,
}

/// Containers, and the runtimes that are asked for their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Containers {
    /// Those that no runtime has named so far and that are asked for again.
    pub unnamed: u64,
    /// Questions that were given up because too many waited.
    pub overflowed: u64,
    pub runtimes: Vec<Runtime>,
}

/// A container runtime whose socket was found. Counts are of questions about containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runtime {
    /// Who it says it is: `docker`, `podman`; `unknown` before it has answered.
    pub name: String,
    pub socket: String,
    /// Whether it answered the last time; none before the first, and of a socket at a usual place where nobody who could be
    /// asked listens.
    pub answers: Option<bool>,
    pub asked: u64,
    /// It told of the container.
    pub named: u64,
    /// It has no such container.
    pub not_known: u64,
    /// It did not answer, or too late, or in a way that cannot be understood.
    pub failed: u64,
    /// Something that it told was too long to be kept whole.
    pub cut: u64,
    /// How long the last answer took, and the longest one: milliseconds.
    pub last_ms: u64,
    pub longest_ms: u64,
    /// Why it failed the last time, also when it has answered since.
    pub last_error: Option<String>,
}

/// Memory of what is remembered and what waits, bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub budget: u64,
    /// What is taken, by what it is for.
    pub taken: BTreeMap<String, u64>,
}

impl Memory {
    /// All that is taken.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.taken.values().sum()
    }
}

/// A table of the flight recorder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    pub name: String,
    pub rows: u64,
    pub capacity: u64,
    /// Rows that newer ones displaced before any sink had them.
    pub overwritten: u64,
    /// Rows that there was no memory for.
    pub no_memory: u64,
}

/// What was lost at one place for one cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loss {
    /// hook, ring, decode, table, spool, output.
    pub stage: String,
    pub class: String,
    pub cause: String,
    pub count: u64,
}

fn only_losses<S: Serializer>(losses: &[Loss], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(losses.iter().filter(|loss| loss.count > 0))
}

/// How often an action of policies came to this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Response {
    /// Such as `kill`.
    pub action: String,
    /// `success`, `dry_run`, `refused`, `gone`, `failed`.
    pub outcome: String,
    pub count: u64,
}

fn only_done<S: Serializer>(responses: &[Response], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(responses.iter().filter(|response| response.count > 0))
}

/// An output or a sink.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    pub name: String,
    /// `syslog`, `webhook`, `file` and so on.
    pub kind: String,
    /// Whether the last attempt failed.
    pub failing: bool,
    /// Waiting to be sent.
    pub queued: u64,
    /// Handed over; of a receiver that confirms, what it has answered for.
    pub sent: u64,
    /// Of that, what the receiver has confirmed; none of receivers that do not.
    pub confirmed: Option<u64>,
    /// Receivers that connected and cannot be served.
    pub turned_away: u64,
    /// Attempts made again.
    pub retried: u64,
    /// Sent in the output's format because its template could not be filled.
    pub template_failed: u64,
    /// Given up.
    pub dropped: u64,
    /// The same by cause.
    pub dropped_by_cause: BTreeMap<String, u64>,
    /// Besides: given up in earlier runs of the sensor, and not told yet.
    pub dropped_before: u64,
    /// Of those that keep on disk what is not confirmed.
    pub spool: Option<Spool>,
    /// Age of the oldest that waits, seconds.
    pub oldest_age_seconds: Option<u64>,
    /// From what happened until it was handed over; of outputs.
    pub latency: LatencyStatus,
    /// The latest error, also when it has gone since.
    pub last_error: Option<String>,
    /// What else is to be said of it, each a sentence.
    pub notes: Vec<String>,
}

/// What waits on disk. Numbers are alerts, of a sink rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spool {
    /// Taken in since the start.
    pub taken_in: u64,
    pub stored: u64,
    /// In memory, because the disk takes none.
    pub in_memory: u64,
    /// Size of what is stored.
    pub bytes: u64,
    /// What the receiver refused for good and is kept for inspection.
    pub dead_letters: u64,
    /// Why nothing goes to disk.
    pub trouble: Option<String>,
}

/// Which configuration is in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    pub files: Vec<ConfigurationFile>,
    /// When the one in force was read: seconds since the Unix epoch.
    pub loaded: u64,
    /// The last attempt to read it again; none since the start.
    pub last_reload: Option<Reload>,
}

/// A file that the configuration is read from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigurationFile {
    pub path: String,
    /// Whether it was there.
    pub found: bool,
}
