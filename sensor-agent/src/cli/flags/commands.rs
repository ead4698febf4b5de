//! The one table of commands, with the flags that go with each.

use super::{FILE, Flag, FlagId, Operand, OperandKind, PAGES, SHELLS};

/// One command; the one without words runs the sensor.
#[derive(Debug)]
pub struct CommandEntry {
    pub id: CommandId,
    /// What is typed, such as `rules check`.
    pub words: &'static [&'static str],
    pub operand: Option<Operand>,
    /// How many operands it takes.
    pub count: Count,
    /// The flags that go with it, beyond `-help`, which goes with all.
    pub flags: &'static [FlagId],
    /// One line for lists of commands.
    pub doc: &'static str,
    /// What else the manual says.
    pub more: &'static str,
}

/// Names a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandId {
    Sensor,
    Status,
    Events,
    Alerts,
    Ps,
    Top,
    Record,
    Replay,
    Policies,
    Tables,
    Lists,
    Outputs,
    Reload,
    Health,
    Doctor,
    Limits,
    SupportBundle,
    ConfigSchema,
    Fields,
    RulesCheck,
    RulesTest,
    RulesExplain,
    RulesExcept,
    RulesBench,
    RulesImportSigma,
    Completions,
    Man,
}

/// How many operands a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    None,
    /// One or none.
    Optional,
    One,
    /// One or more.
    Many,
}

impl CommandEntry {
    /// The entry of this id.
    #[must_use]
    pub fn of(id: CommandId) -> &'static Self {
        &COMMANDS[id as usize]
    }

    /// The words as they are typed.
    #[must_use]
    pub fn name(&self) -> String {
        self.words.join(" ")
    }

    /// Its flags, those that go with every command last.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().copied().chain([FlagId::Help]).map(Flag::of)
    }

    /// The operands as they are typed: `FILE...`.
    #[must_use]
    pub fn operands(&self) -> String {
        match (&self.operand, self.count) {
            (None, _) | (_, Count::None) => String::new(),
            (Some(operand), Count::Optional) => format!("[{}]", operand.name),
            (Some(operand), Count::One) => operand.name.to_owned(),
            (Some(operand), Count::Many) => format!("{}...", operand.name),
        }
    }
}

/// The flags that name files and folders.
const PLACES: &[FlagId] = &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::StateDir, FlagId::RunDir];
const PLACES_AND_JSON: &[FlagId] =
    &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::StateDir, FlagId::RunDir, FlagId::Json];

/// The flags of what is looked at.
const LOOKS: &[FlagId] = &[
    FlagId::RunDir,
    FlagId::Json,
    FlagId::Follow,
    FlagId::Since,
    FlagId::Filter,
    FlagId::Class,
    FlagId::Pid,
    FlagId::Container,
];

/// The flags that name the parts of the configuration.
const FILES: &[FlagId] = &[FlagId::Config, FlagId::Rules, FlagId::Content];

/// Every command, in the order of the manual and of [`CommandId`].
pub static COMMANDS: &[CommandEntry] = &[
    CommandEntry {
        id: CommandId::Sensor,
        words: &[],
        operand: None,
        count: Count::None,
        flags: &[
            FlagId::Config,
            FlagId::Rules,
            FlagId::Content,
            FlagId::StateDir,
            FlagId::RunDir,
            FlagId::Check,
            FlagId::Strict,
            FlagId::Json,
            FlagId::TestAlert,
            FlagId::Version,
        ],
        doc: "Run the sensor.",
        more: "",
    },
    CommandEntry {
        id: CommandId::Status,
        words: &["status"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json],
        doc: "Show how the running sensor is doing.",
        more: "What is wrong comes first: hooks that are not attached, events lost, outputs that fail, a reload that \
               was refused. Only root may ask.",
    },
    CommandEntry {
        id: CommandId::Events,
        words: &["events"],
        operand: None,
        count: Count::None,
        flags: LOOKS,
        doc: "Show events: those that the tables hold, and with -follow all that the sensor sees as it happens.",
        more: "Each is a line: the time (UTC), the kind, ! if the process is part of an incident, its id, user and container, the \
               programs that led to it, and what happened; the fields of the kind go by the names that rules have. With \
               -json every field. Whoever reads more slowly than events come loses some, which is told where they are \
               missing; the sensor never waits. Only root may ask: events hold the arguments of all users.",
    },
    CommandEntry {
        id: CommandId::Alerts,
        words: &["alerts"],
        operand: None,
        count: Count::None,
        flags: LOOKS,
        doc: "Show alerts: the newest of this run of the sensor, and with -follow those to come.",
        more: "As events, with priority and policy; -json shows them as outputs have them. At most 1000 are held, in memory: \
               older ones, and those of earlier runs, are where the outputs took them. Only root may ask.",
    },
    CommandEntry {
        id: CommandId::Ps,
        words: &["ps"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json, FlagId::Filter, FlagId::Pid, FlagId::Container],
        doc: "Show the processes that the sensor knows to run, as a tree.",
        more: "Each stands below whoever made it and still runs; those in between that have ended stand before it in brackets. ! \
               marks those that are part of an incident. On a terminal lines are cut at its width. Only root may ask: \
               processes have the arguments of all users.",
    },
    CommandEntry {
        id: CommandId::Top,
        words: &["top"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json, FlagId::Once],
        doc: "Show what keeps the sensor busy: events by class, program and container, alerts by policy, CPU; every 2 s.",
        more: "CPU in the kernel is known by class, while kernel.bpf_stats_enabled is 1, and the sensor's own by thread. On a \
               terminal each round takes the place of the one before. With -json a round is a line.",
    },
    CommandEntry {
        id: CommandId::Record,
        words: &["record"],
        operand: Some(FILE),
        count: Count::One,
        flags: &[
            FlagId::RunDir,
            FlagId::Since,
            FlagId::For,
            FlagId::Filter,
            FlagId::Class,
            FlagId::Pid,
            FlagId::Container,
        ],
        doc: "Write what the sensor sees into a new file, for replay and rules bench.",
        more: "An event a line, as events -json shows it: secrets are taken out, all else is there. The file is for its owner \
               alone. Events that came faster than the file took them are missing, which is told in it and at the end.",
    },
    CommandEntry {
        id: CommandId::Replay,
        words: &["replay"],
        operand: Some(FILE),
        count: Count::One,
        flags: &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::Json],
        doc: "Hold recorded events against the configured policies: which fire, and how often.",
        more: "Needs no running sensor, no kernel programs and no rights but those on the files. FILE is - for standard input. \
               Nothing is told to anybody.",
    },
    CommandEntry {
        id: CommandId::Policies,
        words: &["policies"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json, FlagId::Off, FlagId::Type, FlagId::Group],
        doc: "List the policies of the running sensor: whether each is on or why not, and what came of it.",
        more: "Counts are since the sensor's start and survive a reload. LAST is when it was last violated, also where its \
               throttle held the alert back.",
    },
    CommandEntry {
        id: CommandId::Tables,
        words: &["tables"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json, FlagId::Off],
        doc: "List the tables of the running sensor: rows, filters and sinks; with -json the columns too.",
        more: "",
    },
    CommandEntry {
        id: CommandId::Lists,
        words: &["lists"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json],
        doc: "List the lists that rules of the running sensor can name, and who names them.",
        more: "",
    },
    CommandEntry {
        id: CommandId::Outputs,
        words: &["outputs"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir, FlagId::Json],
        doc: "List the outputs and sinks of the running sensor: what they take, and how it is going.",
        more: "",
    },
    CommandEntry {
        id: CommandId::Reload,
        words: &["reload"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir],
        doc: "Have the running sensor read its configuration again.",
        more: "Like the signal SIGHUP, but waits for the outcome and prints it. A configuration that is refused \
               changes nothing: the sensor goes on with the one it has.",
    },
    CommandEntry {
        id: CommandId::Health,
        words: &["health"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::RunDir],
        doc: "Say whether the running sensor sees what happens.",
        more: "For container runtimes and scripts: the exit code is 0 if it does. The sensor runs a program of its own \
               each minute, and is well when that was seen coming out of the kernel.",
    },
    CommandEntry {
        id: CommandId::Doctor,
        words: &["doctor"],
        operand: None,
        count: Count::None,
        flags: PLACES_AND_JSON,
        doc: "Look for what keeps the sensor from working on this host, and say what to do.",
        more: "Looks at the kernel, capabilities, clock, configuration, disks, trust files and receivers, and asks the \
               running sensor. Changes nothing. The exit code is 0 if nothing prevents the sensor from working.",
    },
    CommandEntry {
        id: CommandId::Limits,
        words: &["limits"],
        operand: None,
        count: Count::None,
        flags: PLACES,
        doc: "Have systemd hold the unit to 5 % of a CPU and 1024 MB if use_resource_limits is on.",
        more: "The unit runs it before each start, so a change of the key takes a restart.",
    },
    CommandEntry {
        id: CommandId::SupportBundle,
        words: &["support-bundle"],
        operand: Some(FILE),
        count: Count::One,
        flags: PLACES,
        doc: "Gather what somebody who helps needs to see into an archive (.tar.zst), without secrets.",
        more: "It holds the status, the configuration with secrets masked, what doctor found, and warnings of the log; no \
               alerts and no rows.",
    },
    CommandEntry {
        id: CommandId::ConfigSchema,
        words: &["config", "schema"],
        operand: None,
        count: Count::None,
        flags: &[],
        doc: "Print the JSON Schema of the configuration, for editors.",
        more: "It holds for the configuration, for files of policies and for the content. The language server of YAML takes it by \
               a line at the top of a file: `# yaml-language-server: $schema=FILE`. What rules say is checked by -check alone.",
    },
    CommandEntry {
        id: CommandId::Fields,
        words: &["fields"],
        operand: None,
        count: Count::None,
        flags: &[FlagId::Json, FlagId::Markdown],
        doc: "List every field that rules can use, with its type, column and meaning.",
        more: "",
    },
    CommandEntry {
        id: CommandId::RulesCheck,
        words: &["rules", "check"],
        operand: Some(FILE),
        count: Count::Many,
        flags: FILES,
        doc: "Check files of policies and lists.",
        more: "Lists that the files use and do not define are looked up in the configuration.",
    },
    CommandEntry {
        id: CommandId::RulesTest,
        words: &["rules", "test"],
        operand: Some(FILE),
        count: Count::Many,
        flags: FILES,
        doc: "Run test cases: events, and the verdicts that policies must give.",
        more: "",
    },
    CommandEntry {
        id: CommandId::RulesExplain,
        words: &["rules", "explain"],
        operand: Some(FILE),
        count: Count::One,
        flags: &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::Policy, FlagId::All],
        doc: "Say which rule decides about an event (a JSON file), and why those before it do not.",
        more: "",
    },
    CommandEntry {
        id: CommandId::RulesExcept,
        words: &["rules", "except"],
        operand: Some(Operand { name: "ALERT", kind: OperandKind::File }),
        count: Count::One,
        flags: &[FlagId::RunDir],
        doc: "Propose exceptions for an alert, the narrowest first, and say what else each would silence.",
        more: "The alert is a JSON file, - for standard input, or the uuid (or its beginning) of one that the running sensor \
               holds. What is printed is YAML to be pasted into the file of rules. What else would be silenced is judged by \
               the alerts that the sensor holds, at most 1000, if it runs.",
    },
    CommandEntry {
        id: CommandId::RulesBench,
        words: &["rules", "bench"],
        operand: Some(FILE),
        count: Count::One,
        flags: &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::Policy, FlagId::Json],
        doc: "Measure what each policy costs on recorded events.",
        more: "Each is measured by itself, on the first 100,000 events of the recording, and then those that look at the same events together, \
               which costs less than their sum. Figures of a busy machine are upper bounds.",
    },
    CommandEntry {
        id: CommandId::RulesImportSigma,
        words: &["rules", "import", "sigma"],
        operand: Some(Operand { name: "PATH", kind: OperandKind::File }),
        count: Count::Many,
        flags: &[FlagId::Output, FlagId::KeepLevel, FlagId::Content],
        doc: "Make policies of Sigma rules: of files, and of all in folders that end with .yml or .yaml.",
        more: "Says of each rule that is not taken, or not whole, why. The exit code is 0 if the policies were written, also \
               if some rules were not taken. Names that the shipped policies have are not given again.",
    },
    CommandEntry {
        id: CommandId::Completions,
        words: &["completions"],
        operand: Some(Operand { name: "SHELL", kind: OperandKind::OneOf(SHELLS) }),
        count: Count::One,
        flags: &[],
        doc: "Print the completion script of a shell: bash, zsh or fish.",
        more: "",
    },
    CommandEntry {
        id: CommandId::Man,
        words: &["man"],
        operand: Some(Operand { name: "PAGE", kind: OperandKind::OneOf(PAGES) }),
        count: Count::Optional,
        flags: &[],
        doc: "Print a manual page, in roff.",
        more: "Without an operand, the page of the program; runtimedetections.yaml is that of the configuration file.",
    },
];
