//! The one table of flags and commands.
//!
//! The parser, `-help`, the man page and the completions of the shells are read off [`FLAGS`] and [`COMMANDS`], so
//! that they cannot tell different stories. A new flag is one entry here and its use in [`super::parse`].
//!
//! There is no flag for a secret: every user of a host can read the arguments of every process.

mod commands;

pub use commands::{COMMANDS, CommandEntry, CommandId, Count};
use schema::{Class, PolicyType};

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
    Follow,
    Since,
    For,
    Filter,
    Class,
    Pid,
    Container,
    Once,
    Off,
    Type,
    Group,
    Markdown,
    Policy,
    All,
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

const FILE: Operand = Operand { name: "FILE", kind: OperandKind::File };
const DIR: Operand = Operand { name: "DIR", kind: OperandKind::Directory };

/// What the shells are called in `completions SHELL`.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The classes of events, in `-class CLASS`.
static CLASSES: [&str; Class::ALL.len()] = {
    let mut names = [""; Class::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Class::ALL[at].name();
        at += 1;
    }
    names
};

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
    Flag {
        id: FlagId::Follow,
        name: "follow",
        value: None,
        default: None,
        doc: "Go on with what happens from now on, until Ctrl-C.",
    },
    Flag {
        id: FlagId::Since,
        name: "since",
        value: Some(Operand { name: "DURATION", kind: OperandKind::Word }),
        default: None,
        doc: "Begin with what happened in this last time, such as 10m, and is still held. Without it all that is held, with \
              -follow nothing.",
    },
    Flag {
        id: FlagId::For,
        name: "for",
        value: Some(Operand { name: "DURATION", kind: OperandKind::Word }),
        default: None,
        doc: "End after this time, such as 10m. Without it, with Ctrl-C.",
    },
    Flag {
        id: FlagId::Filter,
        name: "filter",
        value: Some(Operand { name: "RULE", kind: OperandKind::Word }),
        default: None,
        doc: "Show what this condition of the rule language holds for, such as 'uid != 0 and programName == \"*/curl\"'; \
              with ignore before it, all else. It knows no lists.",
    },
    Flag {
        id: FlagId::Class,
        name: "class",
        value: Some(Operand { name: "CLASS", kind: OperandKind::OneOf(&CLASSES) }),
        default: None,
        doc: "Show events of this class alone.",
    },
    Flag {
        id: FlagId::Pid,
        name: "pid",
        value: Some(Operand { name: "PID", kind: OperandKind::Word }),
        default: None,
        doc: "Show events of this process, and of those that it started, alone.",
    },
    Flag {
        id: FlagId::Container,
        name: "container",
        value: Some(Operand { name: "NAME", kind: OperandKind::Word }),
        default: None,
        doc: "Show events of this container alone: its name, or the beginning of its id.",
    },
    Flag { id: FlagId::Once, name: "once", value: None, default: None, doc: "Show one round, and end." },
    Flag { id: FlagId::Off, name: "off", value: None, default: None, doc: "Show those alone that are off." },
    Flag {
        id: FlagId::Type,
        name: "type",
        value: Some(Operand { name: "TYPE", kind: OperandKind::OneOf(PolicyType::WORDS) }),
        default: None,
        doc: "Show policies of this type alone.",
    },
    Flag {
        id: FlagId::Group,
        name: "group",
        value: Some(Operand { name: "GROUP", kind: OperandKind::Word }),
        default: None,
        doc: "Show policies of this content group alone, and of the groups in it, such as 'Detection Analytics'.",
    },
    Flag { id: FlagId::Markdown, name: "markdown", value: None, default: None, doc: "Print a Markdown page." },
    Flag {
        id: FlagId::Policy,
        name: "policy",
        value: Some(Operand { name: "NAME", kind: OperandKind::Word }),
        default: None,
        doc: "Take this policy only; without it, all that look at such events.",
    },
    Flag {
        id: FlagId::All,
        name: "all",
        value: None,
        default: None,
        doc: "Explain every policy that looks at such events; without it, those that match, and of the others how many.",
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
