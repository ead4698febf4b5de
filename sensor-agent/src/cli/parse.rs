//! Arguments to a [`Command`], by the rules of Go's `flag` package: one dash or two, `-flag value` or `-flag=value`,
//! switches alone or with `=true` and `=false`, the last of repeated flags holds, `--` ends the flags.
//!
//! Flags may also stand after a command and its operands, which Go does not allow.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    time::Duration,
};

use diagnostic::{nearest, printable};
use settings::{FromText as _, Problem};

use super::{
    Command, Listed, Look, Options, Place, Usage,
    completions::Shell,
    fields::Format,
    flags::{COMMANDS, CommandEntry, CommandId, Count, FLAGS, Flag, FlagId, Operand, OperandKind},
    man::Page,
};
use crate::live::Subject;

/// Flags of one letter that programs of this kind have, and what they are here.
const SHORT: &[(&str, &str)] = &[("v", "version"), ("V", "version"), ("c", "config"), ("r", "rules"), ("t", "check")];

/// Commands that programs of this kind have, and what does that here.
const OTHERS: &[(&str, &str)] = &[
    ("rules list", "policies"),
    ("rules ls", "policies"),
    ("list", "policies"),
    ("validate", "-check"),
    ("test", "rules test"),
    ("explain", "rules explain"),
    ("run", "sophoslinuxsensor without a command"),
    ("start", "systemctl start sophoslinuxsensor"),
    ("stop", "systemctl stop sophoslinuxsensor"),
    ("restart", "systemctl restart sophoslinuxsensor"),
    ("getevents", "events -follow"),
    ("tail", "events -follow"),
    ("bugtool", "support-bundle"),
];

/// Understands arguments; the program's own name is not among them.
///
/// # Errors
/// What is wrong, and the nearest that would be right.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Usage> {
    let line = Line::read(args)?;
    if line.is_set(FlagId::Help) {
        // Help is for those who do not know yet, so half a command is enough to get it.
        let topic = command(&line.words).ok().map(|entry| entry.id).filter(|id| *id != CommandId::Sensor);
        return Ok(Command::Help { topic });
    }
    let entry = command(&line.words)?;
    line.check(entry)?;
    line.into_command(entry)
}

/// The arguments sorted, the command not yet known.
#[derive(Debug, Default)]
struct Line {
    /// In order, later ones weigh more. Switches without a value that are on have an empty one.
    flags: Vec<(FlagId, OsString)>,
    /// The command and its operands.
    words: Vec<OsString>,
}

impl Line {
    fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Usage> {
        let mut line = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                line.words.extend(args.by_ref());
            } else if let Some(written) = Written::new(&arg) {
                line.read_flag(&written, &mut args)?;
            } else {
                line.words.push(arg);
            }
        }
        Ok(line)
    }

    fn read_flag(&mut self, written: &Written, rest: &mut impl Iterator<Item = OsString>) -> Result<(), Usage> {
        let flag = written.flag()?;
        let shown = format!("-{}", flag.name);
        let Some(operand) = &flag.value else {
            return self.read_switch(flag.id, shown, written.value.as_deref());
        };
        let value = match written.value.clone() {
            Some(value) => value,
            None => match rest.next() {
                Some(next) if Written::new(&next).is_some_and(|next| next.flag().is_ok()) => {
                    let next = show(&next);
                    return Err(Usage::FlagAsValue { flag: shown, value: operand.name, next });
                }
                next => next.unwrap_or_default(),
            },
        };
        if value.is_empty() {
            return Err(Usage::MissingValue { flag: shown, value: operand.name });
        }
        self.flags.push((flag.id, value));
        Ok(())
    }

    fn read_switch(&mut self, id: FlagId, shown: String, value: Option<&OsStr>) -> Result<(), Usage> {
        match value.map(|value| value.to_str()) {
            None | Some(Some("1" | "t" | "T" | "true" | "TRUE" | "True")) => self.flags.push((id, OsString::new())),
            Some(Some("0" | "f" | "F" | "false" | "FALSE" | "False")) => self.flags.retain(|(other, _)| *other != id),
            Some(_) => return Err(Usage::SwitchValue { flag: shown }),
        }
        Ok(())
    }

    /// Whether everything goes with this command.
    fn check(&self, entry: &CommandEntry) -> Result<(), Usage> {
        for &(id, _) in &self.flags {
            if entry.flags().all(|flag| flag.id != id) {
                return Err(foreign(id, entry));
            }
        }
        for (id, value) in &self.flags {
            if let Some(Operand { name, kind: OperandKind::OneOf(choices) }) = &Flag::of(*id).value {
                one_of(name, value, choices)?;
            }
        }
        let operands = &self.words[entry.words.len()..];
        match (&entry.operand, operands) {
            (Some(operand), []) if entry.count != Count::Optional => {
                return Err(Usage::MissingOperand { command: entry.name(), operand: operand.name });
            }
            (None, [word, ..]) | (Some(_), [_, word, ..]) if entry.count != Count::Many => {
                let one = entry.count != Count::None;
                return Err(Usage::TooMany { command: entry.name(), word: show(word), one });
            }
            _ => {}
        }
        match (&entry.operand, operands) {
            (Some(Operand { name, kind: OperandKind::OneOf(choices) }), [given, ..]) => one_of(name, given, choices),
            _ => Ok(()),
        }
    }

    fn into_command(mut self, entry: &CommandEntry) -> Result<Command, Usage> {
        let mut operands = self.words.split_off(entry.words.len()).into_iter().map(PathBuf::from);
        Ok(match entry.id {
            CommandId::Sensor => return self.into_sensor(),
            CommandId::Status => {
                Command::Status { run_dir: self.path(FlagId::RunDir), json: self.is_set(FlagId::Json) }
            }
            CommandId::Events => self.show(Subject::Events)?,
            CommandId::Alerts => self.show(Subject::Alerts)?,
            CommandId::Ps => self.show(Subject::Processes)?,
            CommandId::Top => self.show(Subject::Top)?,
            CommandId::Record => Command::Record {
                run_dir: self.path(FlagId::RunDir),
                look: Look { json: true, follow: true, ..self.look(Subject::Events)? },
                duration: self.duration(FlagId::For)?,
                file: operands.next().unwrap_or_default(),
            },
            CommandId::Replay => Command::Replay {
                options: self.options(),
                json: self.is_set(FlagId::Json),
                file: operands.next().unwrap_or_default(),
            },
            CommandId::Policies => {
                let owned = |id| Ok::<_, Usage>(self.text(id)?.map(str::to_owned));
                let (policy_type, group) = (owned(FlagId::Type)?, owned(FlagId::Group)?);
                self.list(Listed::Policies { off: self.is_set(FlagId::Off), policy_type, group })
            }
            CommandId::Tables => self.list(Listed::Tables { off: self.is_set(FlagId::Off) }),
            CommandId::Lists => self.list(Listed::Lists),
            CommandId::Outputs => self.list(Listed::Outputs),
            CommandId::Health => Command::Health { run_dir: self.path(FlagId::RunDir) },
            CommandId::Doctor => Command::Doctor { options: self.options(), json: self.is_set(FlagId::Json) },
            CommandId::Limits => Command::Limits { options: self.options() },
            CommandId::SupportBundle => {
                Command::SupportBundle { options: self.options(), file: operands.next().unwrap_or_default() }
            }
            CommandId::Reload => Command::Reload { run_dir: self.path(FlagId::RunDir) },
            CommandId::ConfigSchema => Command::ConfigSchema,
            CommandId::Fields => {
                self.at_most_one([FlagId::Json, FlagId::Markdown])?;
                Command::Fields {
                    format: match (self.is_set(FlagId::Json), self.is_set(FlagId::Markdown)) {
                        (true, _) => Format::Json,
                        (_, true) => Format::Markdown,
                        _ => Format::Table,
                    },
                }
            }
            CommandId::RulesCheck => Command::RulesCheck { options: self.options(), files: operands.collect() },
            CommandId::RulesTest => Command::RulesTest { options: self.options(), files: operands.collect() },
            CommandId::RulesExplain => {
                let policy = self.text(FlagId::Policy)?.map(str::to_owned);
                let (options, all) = (self.options(), self.is_set(FlagId::All));
                Command::RulesExplain { options, event: operands.next().unwrap_or_default(), policy, all }
            }
            CommandId::RulesExcept => {
                Command::RulesExcept { run_dir: self.path(FlagId::RunDir), alert: operands.next().unwrap_or_default() }
            }
            CommandId::RulesBench => Command::RulesBench {
                options: self.options(),
                policy: self.text(FlagId::Policy)?.map(str::to_owned),
                json: self.is_set(FlagId::Json),
                file: operands.next().unwrap_or_default(),
            },
            CommandId::RulesImportSigma => Command::RulesImportSigma {
                options: self.options(),
                output: self.value(FlagId::Output).map(PathBuf::from),
                keep_level: self.is_set(FlagId::KeepLevel),
                paths: operands.collect(),
            },
            CommandId::Completions => Command::Completions {
                shell: match operands.next() {
                    Some(shell) if shell == *"zsh" => Shell::Zsh,
                    Some(shell) if shell == *"fish" => Shell::Fish,
                    _ => Shell::Bash,
                },
            },
            CommandId::Man => Command::Man {
                page: match operands.next() {
                    Some(page) if page == *crate::config::FILE_NAME => Page::Configuration,
                    _ => Page::Program,
                },
            },
        })
    }

    fn into_sensor(self) -> Result<Command, Usage> {
        if self.is_set(FlagId::Version) {
            return Ok(Command::Version);
        }
        self.at_most_one([FlagId::Check, FlagId::TestAlert])?;
        let strict = self.is_set(FlagId::Strict);
        let (options, json) = (self.options(), self.is_set(FlagId::Json));
        if self.is_set(FlagId::Check) {
            Ok(Command::Check { options, strict, json })
        } else if strict {
            Err(Usage::Needs { flag: dashed(FlagId::Strict), other: dashed(FlagId::Check) })
        } else if json {
            Err(foreign(FlagId::Json, CommandEntry::of(CommandId::Sensor)))
        } else if self.is_set(FlagId::TestAlert) {
            Ok(Command::TestAlert { options })
        } else {
            Ok(Command::Run(options))
        }
    }

    fn list(&self, what: Listed) -> Command {
        Command::List { run_dir: self.path(FlagId::RunDir), json: self.is_set(FlagId::Json), what }
    }

    fn show(&self, subject: Subject) -> Result<Command, Usage> {
        Ok(Command::Show { run_dir: self.path(FlagId::RunDir), subject, look: self.look(subject)? })
    }

    fn duration(&self, id: FlagId) -> Result<Option<Duration>, Usage> {
        let Some(text) = self.text(id)? else { return Ok(None) };
        let wrong = |problem: Problem| {
            let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
            Usage::WrongValue { flag: dashed(id), why: problem.message + &help }
        };
        Duration::from_text(text).map(Some).map_err(wrong)
    }

    fn look(&self, subject: Subject) -> Result<Look, Usage> {
        let wrong = |id, why: String| Usage::WrongValue { flag: dashed(id), why };
        let since = self.duration(FlagId::Since)?;
        let pid = match self.text(FlagId::Pid)? {
            None => None,
            Some(text) => match text.parse() {
                Ok(pid) if pid > 0 => Some(pid),
                _ => return Err(wrong(FlagId::Pid, "this is no id of a process, which is a number from 1 on".into())),
            },
        };
        let owned = |id| Ok::<_, Usage>(self.text(id)?.map(str::to_owned));
        Ok(Look {
            json: self.is_set(FlagId::Json),
            follow: self.is_set(FlagId::Follow) || subject == Subject::Top && !self.is_set(FlagId::Once),
            since,
            filter: owned(FlagId::Filter)?,
            class: owned(FlagId::Class)?,
            pid,
            container: owned(FlagId::Container)?,
        })
    }

    fn options(&self) -> Options {
        Options {
            config: self.place(FlagId::Config),
            rules: self.place(FlagId::Rules),
            content: self.place(FlagId::Content),
            state_dir: self.place(FlagId::StateDir),
            run_dir: self.place(FlagId::RunDir),
        }
    }

    fn place(&self, id: FlagId) -> Place {
        Place { path: self.path(id), named: self.is_set(id) }
    }

    fn path(&self, id: FlagId) -> PathBuf {
        self.value(id).map_or_else(|| PathBuf::from(Flag::of(id).default.unwrap_or_default()), PathBuf::from)
    }

    fn value(&self, id: FlagId) -> Option<&OsStr> {
        self.flags.iter().rev().find(|(other, _)| *other == id).map(|(_, value)| value.as_os_str())
    }

    fn text(&self, id: FlagId) -> Result<Option<&str>, Usage> {
        self.value(id).map(|value| value.to_str().ok_or(Usage::NotText { flag: dashed(id) })).transpose()
    }

    fn is_set(&self, id: FlagId) -> bool {
        self.value(id).is_some()
    }

    fn at_most_one(&self, [first, second]: [FlagId; 2]) -> Result<(), Usage> {
        if self.is_set(first) && self.is_set(second) {
            return Err(Usage::Conflict { first: dashed(first), second: dashed(second) });
        }
        Ok(())
    }
}

/// A flag as it was written: dashes off, the value after `=` apart.
struct Written {
    dashes: &'static str,
    name: String,
    value: Option<OsString>,
}

impl Written {
    /// None if the argument is no flag; a single dash is not.
    fn new(arg: &OsStr) -> Option<Self> {
        let bytes = arg.as_bytes();
        let (dashes, rest) = match bytes {
            [b'-', b'-', rest @ ..] => ("--", rest),
            [b'-', rest @ ..] => ("-", rest),
            _ => return None,
        };
        if rest.is_empty() {
            return None;
        }
        let (name, value) = match memchr::memchr(b'=', rest) {
            Some(at) => (&rest[..at], Some(OsString::from_vec(rest[at + 1..].to_vec()))),
            None => (rest, None),
        };
        Some(Self { dashes, name: String::from_utf8_lossy(name).into_owned(), value })
    }

    fn flag(&self) -> Result<&'static Flag, Usage> {
        Flag::by_name(&self.name).ok_or_else(|| {
            let flag = format!("{}{}", self.dashes, printable(&self.name));
            let lower = self.name.to_lowercase();
            if ["token", "secret", "password", "passwd", "credential"].iter().any(|word| lower.contains(word)) {
                return Usage::Secret { flag };
            }
            let short = SHORT.iter().find(|(short, _)| *short == self.name).map(|(_, flag)| *flag);
            Usage::UnknownFlag {
                flag,
                nearest: short.or_else(|| nearest(&self.name, FLAGS.iter().map(|flag| flag.name))),
            }
        })
    }
}

/// A flag that goes with other commands.
fn foreign(id: FlagId, entry: &CommandEntry) -> Usage {
    let others: Vec<String> = COMMANDS
        .iter()
        .filter(|other| other.flags.contains(&id))
        .map(|other| match (other.words, id) {
            ([], FlagId::Json) => format!("{} -check", super::PROGRAM),
            ([], _) => super::PROGRAM.to_owned(),
            _ => other.name(),
        })
        .collect();
    Usage::ForeignFlag { flag: dashed(id), command: entry.name(), others: others.join(", ") }
}

/// Whether a word is one of those that there are.
fn one_of(name: &'static str, given: &OsStr, choices: &'static [&'static str]) -> Result<(), Usage> {
    if choices.iter().any(|choice| given == *choice) {
        return Ok(());
    }
    Err(Usage::UnknownWord {
        operand: name,
        word: show(given),
        nearest: nearest(&given.to_string_lossy(), choices.iter().copied()),
        choices: choices.join(", "),
    })
}

/// The command that the words begin with.
fn command(words: &[OsString]) -> Result<&'static CommandEntry, Usage> {
    let found = COMMANDS
        .iter()
        .filter(|entry| entry.words.len() <= words.len() && entry.words.iter().zip(words).all(|(a, b)| b == a))
        .max_by_key(|entry| entry.words.len());
    match (found, words) {
        (Some(entry), []) => Ok(entry),
        (Some(entry), _) if !entry.words.is_empty() => Ok(entry),
        (_, [first, rest @ ..]) => {
            let longer: Vec<_> = COMMANDS
                .iter()
                .filter(|entry| entry.words.len() > words.len() && entry.words.iter().zip(words).all(|(a, b)| b == a))
                .collect();
            if !longer.is_empty() {
                let typed: Vec<_> = words.iter().map(|word| show(word)).collect();
                let mut choices: Vec<_> = longer.iter().map(|entry| entry.words[words.len()]).collect();
                choices.dedup();
                return Err(Usage::IncompleteCommand { word: typed.join(" "), choices: choices.join(", ") });
            }
            let is_group = COMMANDS.iter().any(|entry| entry.words.len() > 1 && first == entry.words[0]);
            let word = match rest.first() {
                Some(second) if is_group => format!("{} {}", show(first), show(second)),
                _ => show(first),
            };
            let names: Vec<String> = COMMANDS.iter().map(CommandEntry::name).filter(|name| !name.is_empty()).collect();
            let meant = meant(&word).or_else(|| nearest(&word, names.iter().map(String::as_str)).map(str::to_owned));
            Err(Usage::UnknownCommand { word, nearest: meant })
        }
        (None, []) => Ok(CommandEntry::of(CommandId::Sensor)),
    }
}

/// What whoever typed this for a command meant, if it is no command that is mistyped: a flag without its dash, a file, a command
/// of another program.
fn meant(word: &str) -> Option<String> {
    if let Some(flag) = FLAGS.iter().find(|flag| flag.name == word) {
        return Some(format!("-{}", flag.name));
    }
    if [".yaml", ".yml"].iter().any(|end| word.ends_with(end)) {
        return Some(format!("-config {word}"));
    }
    OTHERS.iter().find(|(theirs, _)| *theirs == word).map(|(_, here)| (*here).to_owned())
}

fn dashed(id: FlagId) -> String {
    format!("-{}", Flag::of(id).name)
}

fn show(arg: &OsStr) -> String {
    printable(&arg.to_string_lossy()).into_owned()
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
