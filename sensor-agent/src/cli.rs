//! The command line: what was asked for, as a value.
//!
//! ```text
//! flags: the one table ─┬─▶ parse ─▶ Command
//!                       ├─▶ help
//!                       ├─▶ man
//!                       └─▶ completions
//! ```
//!
//! The vendor's sensor takes its flags the way Go programs do: `-config FILE`, `-config=FILE`, and both with two
//! dashes. The parsers at hand know long flags with two dashes only; with a translation in front they would parse
//! this, but their help, manuals and completions would show a spelling that nobody types. So a table of our own
//! feeds a parser of Go's few rules and the four renderings.

pub mod completions;
mod exit;
pub mod fields;
pub mod flags;
pub mod help;
pub mod man;
mod parse;
mod usage;
mod version;

use std::path::PathBuf;
use std::time::Duration;

use crate::live::Subject;
pub use exit::Exit;
pub use parse::parse;
pub use usage::Usage;
pub use version::{VERSION, version};

/// The name people type.
pub const PROGRAM: &str = "sophoslinuxsensor";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run the sensor until it is told to stop.
    Run(Options),
    /// Check the configuration and print what would run.
    Check {
        options: Options,
        strict: bool,
        /// All findings as JSON, in place of what would run.
        json: bool,
    },
    /// The self check: a test alert the whole way.
    TestAlert {
        options: Options,
    },
    Version,
    /// Help on one command, or in general.
    Help {
        topic: Option<flags::CommandId>,
    },
    /// The JSON Schema of the configuration.
    ConfigSchema,
    Fields {
        format: fields::Format,
    },
    /// Files of policies and lists to check; at least one.
    RulesCheck {
        options: Options,
        files: Vec<PathBuf>,
    },
    /// Files of test cases to run; at least one.
    RulesTest {
        options: Options,
        files: Vec<PathBuf>,
    },
    /// Which rule decides about the event in this file; `-` is standard input.
    RulesExplain {
        options: Options,
        event: PathBuf,
        policy: Option<String>,
        /// Whether policies that do not match are explained as well.
        all: bool,
    },
    /// Exceptions for the alert in this file, or of this uuid; `-` is standard input.
    RulesExcept {
        run_dir: PathBuf,
        alert: PathBuf,
    },
    /// Make policies of Sigma rules.
    RulesImportSigma {
        options: Options,
        /// Files and folders; at least one.
        paths: Vec<PathBuf>,
        /// None: standard output.
        output: Option<PathBuf>,
        keep_level: bool,
    },
    /// The state of the sensor that runs with this run directory.
    Status {
        run_dir: PathBuf,
        json: bool,
    },
    /// Events, alerts or running processes of the sensor that runs with this run directory.
    Show {
        run_dir: PathBuf,
        subject: Subject,
        look: Look,
    },
    /// Events of the sensor that runs with this run directory, into a new file.
    Record {
        run_dir: PathBuf,
        look: Look,
        /// How long; none: until it is told to stop.
        duration: Option<Duration>,
        file: PathBuf,
    },
    /// Recorded events against the configured policies; `-` is standard input.
    Replay {
        options: Options,
        json: bool,
        file: PathBuf,
    },
    /// What policies cost on recorded events.
    RulesBench {
        options: Options,
        policy: Option<String>,
        json: bool,
        file: PathBuf,
    },
    /// What is configured of the sensor that runs with this run directory, and what came of it.
    List {
        run_dir: PathBuf,
        json: bool,
        what: Listed,
    },
    /// Have the sensor that runs with this run directory read its configuration again.
    Reload {
        run_dir: PathBuf,
    },
    /// Whether the sensor that runs with this run directory hears what happens.
    Health {
        run_dir: PathBuf,
    },
    /// What keeps a sensor from working here.
    Doctor {
        options: Options,
        json: bool,
    },
    /// Have systemd keep the sensor within limits, or no longer.
    Limits {
        options: Options,
    },
    /// What somebody who helps needs to see, into this file.
    SupportBundle {
        options: Options,
        file: PathBuf,
    },
    Completions {
        shell: completions::Shell,
    },
    Man {
        page: man::Page,
    },
}

/// What of events, alerts or processes is shown, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub json: bool,
    pub follow: bool,
    pub since: Option<Duration>,
    pub filter: Option<String>,
    pub class: Option<String>,
    pub pid: Option<u32>,
    pub container: Option<String>,
}

/// What of the configuration is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    Policies {
        /// Those alone that are off.
        off: bool,
        /// Of this type and of this content group alone.
        policy_type: Option<String>,
        group: Option<String>,
    },
    Tables {
        off: bool,
    },
    Lists,
    Outputs,
}

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub config: Place,
    pub rules: Place,
    pub content: Place,
    pub state_dir: Place,
    pub run_dir: Place,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// Whether a flag named it. A named file must exist; a default one may be missing.
    pub named: bool,
}
