//! The one table of flags and commands.
//!
//! The parser, `-help`, the man page and the completions of the shells are read off [`FLAGS`] and [`COMMANDS`], so
//! that they cannot tell different stories. A new flag is one entry here and its use in [`super::parse`].
//!
//! There is no flag for a secret: every user of a host can read the arguments of every process.

/// Names a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagId {
    Config,
    Rules,
    Content,
    StateDir,
    RunDir,
    Check,
    Strict,
    TestAlert,
    Json,
    Markdown,
    Policy,
    Output,
    KeepLevel,
    Version,
    Help,
}

/// One flag.
#[derive(Debug)]
pub struct Flag {
    pub id: FlagId,
    /// Without dashes.
    pub name: &'static str,
    /// What follows it; none for a switch.
    pub value: Option<Operand>,
    pub default: Option<&'static str>,
    /// One sentence, or a few.
    pub doc: &'static str,
}

/// What a flag's value or a command's argument is.
#[derive(Debug)]
pub struct Operand {
    /// How manuals call it, in capitals.
    pub name: &'static str,
    pub kind: OperandKind,
}

/// What a shell offers for an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandKind {
    File,
    Directory,
    Word,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

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
    Reload,
    Health,
    Doctor,
    Limits,
    SupportBundle,
    Fields,
    RulesCheck,
    RulesTest,
    RulesExplain,
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

impl Flag {
    /// The flag of this name, given without dashes.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        // Go's flag package, and so the vendor's sensor, takes -h for -help.
        let name = if name == "h" { "help" } else { name };
        FLAGS.iter().find(|flag| flag.name == name)
    }

    /// The entry of this id.
    #[must_use]
    pub fn of(id: FlagId) -> &'static Self {
        // A test holds that the table is in the enum's order and complete.
        &FLAGS[id as usize]
    }

    /// As it is typed, with its value: `-config FILE`.
    #[must_use]
    pub fn usage(&self) -> String {
        match &self.value {
            Some(value) => format!("-{} {}", self.name, value.name),
            None => format!("-{}", self.name),
        }
    }
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

const FILE: Operand = Operand { name: "FILE", kind: OperandKind::File };
const DIR: Operand = Operand { name: "DIR", kind: OperandKind::Directory };

/// What the shells are called in `completions SHELL`.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The manual pages, in `man PAGE`.
pub const PAGES: &[&str] = &[super::PROGRAM, crate::config::FILE_NAME];

/// Every flag, in the order of the manual and of [`FlagId`].
pub static FLAGS: &[Flag] = &[
    Flag {
        id: FlagId::Config,
        name: "config",
        value: Some(FILE),
        default: Some("/etc/sophos/runtimedetections.yaml"),
        doc: "The main configuration. A file named here must exist; the default one may be missing.",
    },
    Flag {
        id: FlagId::Rules,
        name: "rules",
        value: Some(FILE),
        default: Some("/etc/sophos/runtimedetections-rules.yaml"),
        doc: "Your own policies and lists, and your changes to shipped ones. A file named here must exist.",
    },
    Flag {
        id: FlagId::Content,
        name: "content",
        value: Some(FILE),
        default: Some("/var/lib/sophos/content/runtimedetections-content.yaml"),
        doc: "The shipped policies and lists. A file named here must exist.",
    },
    Flag {
        id: FlagId::StateDir,
        name: "state-dir",
        value: Some(DIR),
        default: Some("/var/lib/sophos"),
        doc: "Where the sensor keeps what must survive a restart, such as alerts not yet delivered. With a -run-dir of its \
              own, a folder in there that is named for it.",
    },
    Flag {
        id: FlagId::RunDir,
        name: "run-dir",
        value: Some(DIR),
        default: Some("/run/sophos"),
        doc: "Where the control socket of the running sensor is. Two sensors on a host need two of these.",
    },
    Flag {
        id: FlagId::Check,
        name: "check",
        value: None,
        default: None,
        doc: "Check the configuration, print what would run, and exit.",
    },
    Flag {
        id: FlagId::Strict,
        name: "strict",
        value: None,
        default: None,
        doc: "With -check: refuse what otherwise only earns a warning, such as an unknown key.",
    },
    Flag {
        id: FlagId::TestAlert,
        name: "test-alert",
        value: None,
        default: None,
        doc: "Send a test alert the whole way, from the kernel to every output, and say how far it came. \
              Uses the running sensor, or starts one for the purpose.",
    },
    Flag { id: FlagId::Json, name: "json", value: None, default: None, doc: "Print JSON, for programs." },
    Flag { id: FlagId::Markdown, name: "markdown", value: None, default: None, doc: "Print a Markdown page." },
    Flag {
        id: FlagId::Policy,
        name: "policy",
        value: Some(Operand { name: "NAME", kind: OperandKind::Word }),
        default: None,
        doc: "Explain this policy only; without it, all that look at such events.",
    },
    Flag {
        id: FlagId::Output,
        name: "o",
        value: Some(FILE),
        default: None,
        doc: "Write to this file, whole or not at all; without it, to standard output.",
    },
    Flag {
        id: FlagId::KeepLevel,
        name: "keep-level",
        value: None,
        default: None,
        doc: "Give alerts the priority that is the rule's level; without it, one less, and low rules go into the content \
              group Audit.Sigma.",
    },
    Flag { id: FlagId::Version, name: "version", value: None, default: None, doc: "Print the version and exit." },
    Flag {
        id: FlagId::Help,
        name: "help",
        value: None,
        default: None,
        doc: "Print help, with a command the help of that command, and exit.",
    },
];

/// The flags that name files and folders.
const PLACES: &[FlagId] = &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::StateDir, FlagId::RunDir];
const PLACES_AND_JSON: &[FlagId] =
    &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::StateDir, FlagId::RunDir, FlagId::Json];

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
        flags: &[FlagId::Config, FlagId::Rules, FlagId::Content, FlagId::Policy],
        doc: "Say which rule decides about an event (a JSON file), and why those before it do not.",
        more: "",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_the_order_of_their_enums() {
        for (index, flag) in FLAGS.iter().enumerate() {
            assert_eq!(flag.id as usize, index, "{}", flag.name);
            assert!(flag.doc.ends_with('.'), "{}: a doc line is a sentence", flag.name);
        }
        assert_eq!(FlagId::Help as usize + 1, FLAGS.len());
        for (index, command) in COMMANDS.iter().enumerate() {
            assert_eq!(command.id as usize, index, "{}", command.name());
            assert!(command.doc.ends_with('.'), "{}: a doc line is a sentence", command.name());
            assert_eq!(command.operand.is_none(), command.count == Count::None, "{}", command.name());
        }
        assert_eq!(CommandId::Man as usize + 1, COMMANDS.len());
    }

    #[test]
    fn names_are_unique_and_every_flag_goes_with_a_command() {
        for flag in FLAGS {
            assert_eq!(FLAGS.iter().filter(|other| other.name == flag.name).count(), 1, "{}", flag.name);
            assert!(COMMANDS.iter().any(|command| command.flags().any(|f| f.id == flag.id)), "{}", flag.name);
        }
    }

    #[test]
    fn no_flag_takes_a_secret() {
        for flag in FLAGS {
            for word in ["token", "secret", "password", "key", "credential"] {
                assert!(!flag.name.contains(word), "-{}: arguments are public", flag.name);
            }
        }
    }
}
