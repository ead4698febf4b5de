//! Fills a template.

mod eval;

use std::ops::Range;

use crate::{
    Cause, Error, Template,
    ast::{Branch, Loop, Node, Pipe, Variable},
    budget::{Budget, Limits},
    format::print,
    functions::Failure,
    value::Value,
};

/// What a variable takes of the memory.
const VARIABLE: usize = size_of::<(Variable, Value)>();

pub(crate) fn fill(template: &Template, value: &Value, limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut run = Run {
        template,
        budget: Budget::new(limits),
        out: Vec::new(),
        variables: vec![("$".into(), value.clone())],
        depth: 0,
    };
    run.nodes(&template.tree.main, value)?;
    Ok(run.out)
}

/// A value as an action prints it: as `print` does, but that nothing stands as `<no value>`.
///
/// # Errors
///
/// If the text would be longer than it may be.
pub fn text_of(value: &Value, budget: &mut Budget<'_>) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    match value {
        Value::Nothing => budget.append(&mut text, b"<no value>")?,
        value => print::value(value, &mut text, budget)?,
    }
    Ok(text)
}

struct Run<'a> {
    template: &'a Template,
    budget: Budget<'a>,
    out: Vec<u8>,
    /// The last of a name is the one that counts.
    variables: Vec<(Variable, Value)>,
    depth: usize,
}

/// How the nodes after this one go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

type Done<T> = Result<T, Error>;

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Done<Flow> {
        for node in nodes {
            match self.node(node, dot)? {
                Flow::Next => {}
                leave => return Ok(leave),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Done<Flow> {
        match node {
            Node::Text(place) => {
                let text = self.template.text.get(place.clone()).unwrap_or_default();
                self.budget.append(&mut self.out, text.as_bytes()).map_err(|failure| failure.at(place))?;
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.declares.is_empty() {
                    self.print(&value, &pipe.place)?;
                }
            }
            Node::Branch(branch) => return self.scoped(|run| run.branch(branch, dot)),
            Node::Loop(repeated) => return self.scoped(|run| run.range(repeated, dot)),
            Node::Call { name, pipe, place } => self.call(name, pipe.as_ref(), place, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Value, place: &Range<usize>) -> Done<()> {
        let printed = match value {
            Value::Text(text) => self.budget.append(&mut self.out, text),
            Value::Nothing => self.budget.append(&mut self.out, b"<no value>"),
            value => print::value(value, &mut self.out, &mut self.budget),
        };
        printed.map_err(|failure| failure.at(place))
    }

    fn branch(&mut self, branch: &Branch, dot: &Value) -> Done<Flow> {
        for (pipe, body) in &branch.arms {
            let value = self.pipe(pipe, dot)?;
            if value.truth() {
                let dot = if branch.with { &value } else { dot };
                return self.deeper(&pipe.place, |run| run.nodes(body, dot));
            }
        }
        self.deeper(&(0..0), |run| run.nodes(&branch.otherwise, dot))
    }

    fn range(&mut self, repeated: &Loop, dot: &Value) -> Done<Flow> {
        let pipe = &repeated.pipe;
        let value = self.pipe(pipe, dot)?;
        let mut turned = false;
        let mut turn = |run: &mut Self, index: Option<Value>, item: &Value| {
            turned = true;
            run.turn(repeated, index, item)
        };
        match &value {
            Value::Nothing => {}
            Value::List(list) => {
                for (item, index) in list.items().iter().zip(0..) {
                    if turn(self, Some(Value::Int(index)), item)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, item) in map.iter() {
                    if turn(self, Some(Value::Text(key.clone())), item)? == Flow::Break {
                        break;
                    }
                }
            }
            number => {
                let Some(end) = number.integer() else {
                    let message = format!("range can't iterate over a value of type {}", value.type_name());
                    return Err(error(message, &pipe.place));
                };
                if pipe.declares.len() > 1 {
                    return Err(error(format!("can't use {end} to iterate over more than one variable"), &pipe.place));
                }
                for item in 0..end {
                    if turn(self, None, &number.same_type(item))? == Flow::Break {
                        break;
                    }
                }
            }
        }
        if turned {
            return Ok(Flow::Next);
        }
        self.deeper(&pipe.place, |run| run.nodes(&repeated.otherwise, dot))
    }

    fn turn(&mut self, repeated: &Loop, index: Option<Value>, item: &Value) -> Done<Flow> {
        let pipe = &repeated.pipe;
        self.budget.steps(1).map_err(|failure| failure.at(&pipe.place))?;
        let values: [&Option<Value>; 2] = match pipe.declares.len() {
            1 => [&Some(item.clone()), &None],
            _ => [&index, &Some(item.clone())],
        };
        // Declared ones are the last that there are.
        let first = self.variables.len().saturating_sub(pipe.declares.len());
        for ((name, value), at) in pipe.declares.iter().zip(values).zip(first..) {
            let Some(value) = value else { continue };
            if pipe.assigns {
                self.assign(name, value.clone(), &pipe.place)?;
            } else if let Some((_, variable)) = self.variables.get_mut(at) {
                *variable = value.clone();
            }
        }
        self.scoped(|run| run.deeper(&pipe.place, |run| run.nodes(&repeated.body, item)))
    }

    fn call(&mut self, name: &[u8], pipe: Option<&Pipe>, place: &Range<usize>, dot: &Value) -> Done<()> {
        let Some(body) = self.template.tree.defined.get(name) else {
            return Err(error(format!("template {:?} not defined", String::from_utf8_lossy(name)), place));
        };
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::Nothing,
        };
        // A template sees nothing of the variables of the one that calls it.
        let outside = std::mem::replace(&mut self.variables, vec![("$".into(), dot.clone())]);
        self.budget.keep(VARIABLE).map_err(|failure| failure.at(place))?;
        self.deeper(place, |run| run.nodes(body, &dot))?;
        self.variables = outside;
        Ok(())
    }

    /// Runs a part; the variables that it declares are gone behind it.
    fn scoped(&mut self, part: impl FnOnce(&mut Self) -> Done<Flow>) -> Done<Flow> {
        let variables = self.variables.len();
        let flow = part(self)?;
        self.variables.truncate(variables);
        Ok(flow)
    }

    /// Runs a part one level deeper.
    fn deeper<T>(&mut self, place: &Range<usize>, part: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        if self.depth >= self.budget.limits().depth {
            let message = format!("it is more than {} levels deep here", self.budget.limits().depth);
            return Err(Failure::limit(message).at(place));
        }
        self.depth += 1;
        let done = part(self)?;
        self.depth -= 1;
        Ok(done)
    }

    fn declare(&mut self, name: &Variable, value: Value, place: &Range<usize>) -> Done<()> {
        self.budget.keep(VARIABLE).map_err(|failure| failure.at(place))?;
        self.variables.push((name.clone(), value));
        Ok(())
    }

    fn assign(&mut self, name: &Variable, value: Value, place: &Range<usize>) -> Done<()> {
        let at = self.find(name, place)?;
        if let Some((_, variable)) = self.variables.get_mut(at) {
            *variable = value;
        }
        Ok(())
    }

    /// Where the variable of this name is.
    fn find(&mut self, name: &Variable, place: &Range<usize>) -> Done<usize> {
        let at = self.variables.iter().rposition(|(known, _)| known == name);
        let looked_at = self.variables.len() - at.unwrap_or_default();
        self.budget.steps(looked_at / 8).map_err(|failure| failure.at(place))?;
        at.ok_or_else(|| error(format!("undefined variable: {name}"), place))
    }
}

fn error(message: impl Into<String>, place: &Range<usize>) -> Error {
    Error { message: message.into(), place: place.clone(), cause: Cause::Template }
}
