//! What is wrong with a command line.

use super::PROGRAM;

/// Why a command line was not understood. The texts name flags but never repeat a flag's value: it could be a secret
/// that someone meant to hand over, and what is printed ends up in logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Usage {
    #[error("unknown flag {flag}{}", did_you_mean("-", *nearest))]
    UnknownFlag { flag: String, nearest: Option<&'static str> },

    #[error(
        "there is no flag {flag}: every user of this host can read the arguments of a program. Put secrets into \
         the configuration file, or into a file of their own named in the environment, such as MCS_TOKEN_FILE"
    )]
    Secret { flag: String },

    #[error("{flag} needs a value: {flag} {value}")]
    MissingValue { flag: String, value: &'static str },

    #[error("{flag} needs a value, and {next} after it is a flag. For a {value} of that name, write {flag}={next}")]
    FlagAsValue { flag: String, value: &'static str, next: String },

    #[error("{flag} is a switch: write {flag}, {flag}=true or {flag}=false")]
    SwitchValue { flag: String },

    #[error("unknown command {word}{}", did_you_mean("", nearest.as_deref()))]
    UnknownCommand { word: String, nearest: Option<String> },

    #[error("{PROGRAM} {word} needs one more word: {choices}")]
    IncompleteCommand { word: String, choices: String },

    #[error("{flag} does not go with {}; it goes with {others}", program(command))]
    ForeignFlag { flag: String, command: String, others: String },

    #[error("{} needs a {operand}", program(command))]
    MissingOperand { command: String, operand: &'static str },

    #[error("{word} is too much: {} takes {}", program(command), if *one { "one" } else { "no arguments" })]
    TooMany { command: String, word: String, one: bool },

    #[error("unknown {operand} {word}{}; there are {choices}", did_you_mean("", *nearest))]
    UnknownWord { operand: &'static str, word: String, nearest: Option<&'static str>, choices: String },

    #[error("{first} and {second} cannot be had at once")]
    Conflict { first: String, second: String },

    #[error("{flag} only goes with {other}")]
    Needs { flag: String, other: String },

    #[error("{flag}: {why}")]
    WrongValue { flag: String, why: String },

    #[error("the value of {flag} is not UTF-8")]
    NotText { flag: String },
}

impl Usage {
    /// What to do next: a line to print after the error.
    #[must_use]
    pub fn hint() -> String {
        format!("For the flags and commands: {PROGRAM} -help")
    }
}

fn did_you_mean(dash: &str, nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean {dash}{word}?"))
}

fn program(command: &str) -> String {
    if command.is_empty() { PROGRAM.to_owned() } else { format!("{PROGRAM} {command}") }
}
