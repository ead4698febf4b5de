//! What pipelines, commands and words give.

use std::ops::Range;

use super::{Done, Run, error};
use crate::{
    ast::{Called, Command, Name, Pipe, Word, WordKind},
    functions::Failure,
    value::Value,
};

impl Run<'_> {
    pub(super) fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Done<Value> {
        self.deeper(&pipe.place, |run| run.pipe_here(pipe, dot))
    }

    fn pipe_here(&mut self, pipe: &Pipe, dot: &Value) -> Done<Value> {
        let mut value: Option<Value> = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::Nothing);
        for name in &pipe.declares {
            if pipe.assigns {
                self.assign(name, value.clone(), &pipe.place)?;
            } else {
                self.declare(name, value.clone(), &pipe.place)?;
            }
        }
        Ok(value)
    }

    /// A command; what the one before it gave is its last argument.
    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Done<Value> {
        let first = &command.first;
        let has_arguments = !command.arguments.is_empty() || last.is_some();
        match &first.kind {
            WordKind::Function(called) => {
                return self.function(called, &command.arguments, last, dot, &command.place);
            }
            WordKind::Nil => return Err(error("nil is not a command", &first.place)),
            // What is not there takes arguments as well.
            WordKind::Field(names) if has_arguments => {
                return self.fields(dot.clone(), names, &first.place, true);
            }
            WordKind::Variable(name, names) if has_arguments && !names.is_empty() => {
                let value = self.variable(name, &first.place)?;
                return self.fields(value, names, &first.place, true);
            }
            WordKind::Chain(of, names) if has_arguments => {
                let value = self.word(of, dot)?;
                return self.fields(value, names, &first.place, true);
            }
            _ if has_arguments => {
                let written = self.template.text.get(first.place.clone()).unwrap_or_default();
                return Err(error(format!("can't give argument to non-function {written}"), &command.place));
            }
            _ => {}
        }
        self.word(first, dot)
    }

    fn word(&mut self, word: &Word, dot: &Value) -> Done<Value> {
        self.budget.steps(1).map_err(|failure| failure.at(&word.place))?;
        match &word.kind {
            WordKind::Dot => Ok(dot.clone()),
            WordKind::Nil => Ok(Value::Nothing),
            WordKind::Bool(value) => Ok(Value::Bool(*value)),
            WordKind::Int(number) => Ok(Value::Int(*number)),
            WordKind::Float(number) => Ok(Value::Float(*number)),
            WordKind::TooLarge => {
                let written = self.template.text.get(word.place.clone()).unwrap_or_default();
                Err(error(format!("{written} overflows int"), &word.place))
            }
            WordKind::Text(text) => Ok(Value::Text(text.clone())),
            WordKind::Field(names) => self.fields(dot.clone(), names, &word.place, false),
            WordKind::Variable(name, names) => {
                let value = self.variable(name, &word.place)?;
                self.fields(value, names, &word.place, false)
            }
            WordKind::Function(called) => self.function(called, &[], None, dot, &word.place),
            WordKind::Pipe(pipe) => self.pipe(pipe, dot),
            WordKind::Chain(of, names) => {
                let value = self.word(of, dot)?;
                self.fields(value, names, &word.place, false)
            }
        }
    }

    fn variable(&mut self, name: &super::Variable, place: &Range<usize>) -> Done<Value> {
        let at = self.find(name, place)?;
        Ok(self.variables.get(at).map_or(Value::Nothing, |(_, value)| value.clone()))
    }

    /// A field of a field of a value; the last one may be given arguments, which none takes.
    fn fields(&mut self, mut value: Value, names: &[Name], place: &Range<usize>, arguments: bool) -> Done<Value> {
        self.budget.steps(names.len()).map_err(|failure| failure.at(place))?;
        for (name, left) in names.iter().zip((0..names.len()).rev()) {
            let arguments = arguments && left == 0;
            let field = match &value {
                Value::Nothing => Some(Value::Nothing),
                Value::Structure(structure) => structure.get(&name.text).cloned(),
                Value::Map(map) if !arguments => Some(map.get(name.text.as_bytes()).cloned().unwrap_or(Value::Nothing)),
                _ => None,
            };
            match field {
                Some(Value::Nothing) if matches!(value, Value::Nothing) => {}
                Some(field) if !arguments => value = field,
                Some(_) => {
                    return Err(error(format!("{} has arguments but is no function", name.text), &name.place));
                }
                None => {
                    let message = format!("can't evaluate field {} in type {}", name.text, value.type_name());
                    return Err(error(message, &name.place));
                }
            }
        }
        Ok(value)
    }

    fn function(
        &mut self,
        called: &Called,
        arguments: &[Word],
        last: Option<Value>,
        dot: &Value,
        place: &Range<usize>,
    ) -> Done<Value> {
        self.budget.steps(1).map_err(|failure| failure.at(place))?;
        let (name, function) = match called {
            Called::And => return self.first_of(false, arguments, last, dot, place),
            Called::Or => return self.first_of(true, arguments, last, dot, place),
            Called::Other(name, function) => (name, function),
        };
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.word(argument, dot)?);
        }
        values.extend(last);
        for value in &values {
            if let Value::Text(text) = value {
                self.budget.read(text.len()).map_err(|failure| failure.at(place))?;
            }
        }
        function(&values, &mut self.budget).map_err(|failure| failure.calling(name).at(place))
    }

    /// The first argument that is true, or that is not; else the last. Those behind it are not looked at.
    fn first_of(
        &mut self,
        truth: bool,
        arguments: &[Word],
        last: Option<Value>,
        dot: &Value,
        place: &Range<usize>,
    ) -> Done<Value> {
        let mut value = None;
        for argument in arguments {
            let found = self.word(argument, dot)?;
            if found.truth() == truth {
                return Ok(found);
            }
            value = Some(found);
        }
        let name = if truth { "or" } else { "and" };
        last.or(value)
            .ok_or_else(|| Failure::from(format!("wrong number of args for {name}: want at least 1")).at(place))
    }
}
