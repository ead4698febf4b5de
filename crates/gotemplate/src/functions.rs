//! What templates can call: Go's own functions, and those that a program adds.

mod access;
mod compare;
mod escape;

use std::ops::Range;

use crate::{
    Cause, Error,
    ast::Called,
    budget::Budget,
    format::{print, printf},
    value::Value,
};

/// Gets the arguments, the piped one last.
pub type Function = fn(&[Value], &mut Budget<'_>) -> Result<Value, Failure>;

/// Why a function gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    cause: Cause,
}

impl Failure {
    /// Other values might do: an index is out of range.
    pub fn value(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: Cause::Value }
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: Cause::Limit }
    }

    pub(crate) fn calling(self, name: &str) -> Self {
        Self { message: format!("error calling {name}: {}", self.message), cause: self.cause }
    }

    pub(crate) fn at(self, place: &Range<usize>) -> Error {
        Error { message: self.message, place: place.clone(), cause: self.cause }
    }
}

/// The template is wrong.
impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, cause: Cause::Template }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// The functions that a template can call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Functions {
    added: &'static [(&'static str, Function)],
}

impl Functions {
    /// Go's own, and these; of two of one name the one of these.
    #[must_use]
    pub const fn with(added: &'static [(&'static str, Function)]) -> Self {
        Self { added }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Called> {
        let mut others = self.added.iter().chain(OWN);
        match others.find(|(known, _)| *known == name) {
            Some((name, function)) => Some(Called::Other(name, *function)),
            None if name == "and" => Some(Called::And),
            None if name == "or" => Some(Called::Or),
            None => None,
        }
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.added.iter().chain(OWN).map(|(name, _)| *name).chain(["and", "or"])
    }
}

const OWN: &[(&str, Function)] = &[
    ("call", call),
    ("eq", compare::eq),
    ("ge", compare::ge),
    ("gt", compare::gt),
    ("html", escape::html),
    ("index", access::index),
    ("js", escape::js),
    ("le", compare::le),
    ("len", access::len),
    ("lt", compare::lt),
    ("ne", compare::ne),
    ("not", not),
    ("print", print_values),
    ("printf", printf_values),
    ("println", println_values),
    ("slice", access::slice),
    ("urlquery", escape::urlquery),
];

fn not(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    let [value] = exactly(arguments)?;
    Ok((!value.truth()).into())
}

/// No value is a function.
fn call(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    match arguments.first() {
        None => Err("wrong number of args: want at least 1 got 0".into()),
        Some(Value::Nothing) => Err(Failure::value("call of nil")),
        Some(value) => Err(format!("non-function of type {}", value.type_name()).into()),
    }
}

fn print_values(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let mut text = Vec::new();
    print::values(arguments, &mut text, budget)?;
    Ok(text.into())
}

fn println_values(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let mut text = Vec::new();
    print::line(arguments, &mut text, budget)?;
    Ok(text.into())
}

fn printf_values(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let Some((format, values)) = arguments.split_first() else {
        return Err("wrong number of args: want at least 1 got 0".into());
    };
    match format {
        Value::Text(format) => Ok(printf::printf(format, values, budget)?.into()),
        Value::Nothing => Err(Failure::value("invalid value; expected string")),
        other => Err(format!("wrong type for value; expected string; got {}", other.type_name()).into()),
    }
}

fn exactly<const N: usize>(arguments: &[Value]) -> Result<&[Value; N], Failure> {
    arguments.try_into().map_err(|_| format!("wrong number of args: want {N} got {}", arguments.len()).into())
}
