//! Finds names of fields that no value has, wherever they stand.
//!
//! Filling a sample finds what the sample comes by; a slip in a branch that is taken once a year would wait for that
//! day. So each `.Name` is held against what it is asked of, as far as that is known without a value: fields have
//! types, loops go over items, `index` and `slice` give what they are given.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use crate::{
    ast::{Called, Command, Node, Pipe, Tree, Variable, Word, WordKind},
    value::{Structure, Value},
};

/// Templates that call each other, as deep as is looked into.
const MAX_CALLS: usize = 8;

/// A name of a field that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownField {
    /// Where it stands, without its dot.
    pub place: (usize, usize),
    pub name: String,
    /// The type that has no such field; none if that is not known, and nothing in the sample has a field of that name.
    pub of: Option<String>,
    /// Not so if it may be the key of a map.
    pub certain: bool,
}

impl UnknownField {
    /// Bytes of the template.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.place.0..self.place.1
    }
}

pub(crate) fn unknown(tree: &Tree, sample: &Value) -> Vec<UnknownField> {
    let mut check = Check {
        tree,
        names: BTreeSet::new(),
        maps: BTreeSet::new(),
        uses_map: false,
        assigned: BTreeSet::new(),
        variables: Vec::new(),
        seen: BTreeMap::new(),
        calls: 0,
        found: BTreeSet::new(),
    };
    check.collect(sample);
    for body in tree.defined.values().chain([&tree.main]) {
        check.assignments(body);
    }
    check.template(&tree.main, Shape::Of(sample));
    for (name, body) in &tree.defined {
        if !check.seen.contains_key(name) {
            check.template(body, Shape::Unknown);
        }
    }
    let uses_map = check.uses_map;
    let judged = |found: UnknownField| UnknownField { certain: found.of.is_some() || !uses_map, ..found };
    check.found.into_iter().map(judged).collect()
}

/// What is known of a value before there is one.
#[derive(Clone, Copy)]
enum Shape<'a> {
    /// It is like this one.
    Of(&'a Value),
    /// Of a type without fields.
    Plain(&'static str),
    /// It may be nothing, of which any field can be asked.
    Free,
    Unknown,
}

struct Check<'a> {
    tree: &'a Tree,
    /// Of fields at any depth.
    names: BTreeSet<&'static str>,
    /// Those that are maps.
    maps: BTreeSet<&'static str>,
    /// Whether the template asks for one of these.
    uses_map: bool,
    /// Variables that change: what they hold is not known.
    assigned: BTreeSet<Variable>,
    variables: Vec<(Variable, Shape<'a>)>,
    /// Templates that were looked at, and with values of which types.
    seen: BTreeMap<Arc<[u8]>, BTreeSet<String>>,
    calls: usize,
    found: BTreeSet<UnknownField>,
}

impl<'a> Check<'a> {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Structure(structure) => {
                for (name, value) in structure.fields() {
                    self.names.insert(name);
                    if matches!(value, Value::Map(_)) {
                        self.maps.insert(name);
                    }
                    self.collect(value);
                }
            }
            Value::List(list) => list.items().iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    fn assignments(&mut self, body: &[Node]) {
        let mut pipe = |pipe: &Pipe| {
            if pipe.assigns {
                self.assigned.extend(pipe.declares.iter().cloned());
            }
        };
        let mut bodies: Vec<&[Node]> = Vec::new();
        for node in body {
            match node {
                Node::Action(action) => pipe(action),
                Node::Branch(branch) => {
                    for (condition, body) in &branch.arms {
                        pipe(condition);
                        bodies.push(body);
                    }
                    bodies.push(&branch.otherwise);
                }
                Node::Loop(repeated) => {
                    pipe(&repeated.pipe);
                    bodies.extend([repeated.body.as_slice(), &repeated.otherwise]);
                }
                Node::Call { pipe: Some(value), .. } => pipe(value),
                _ => {}
            }
        }
        bodies.into_iter().for_each(|body| self.assignments(body));
    }

    fn template(&mut self, body: &'a [Node], dot: Shape<'a>) {
        let outside = std::mem::replace(&mut self.variables, vec![("$".into(), dot)]);
        self.nodes(body, dot);
        self.variables = outside;
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: Shape<'a>) {
        for node in nodes {
            let variables = self.variables.len();
            match node {
                Node::Action(pipe) => {
                    self.pipe(pipe, dot);
                    continue;
                }
                Node::Branch(branch) => {
                    for (pipe, body) in &branch.arms {
                        let shape = self.pipe(pipe, dot);
                        self.nodes(body, if branch.with { shape } else { dot });
                    }
                    self.nodes(&branch.otherwise, dot);
                }
                Node::Loop(repeated) => {
                    let of = self.pipe(&repeated.pipe, dot);
                    let (index, item) = match of {
                        Shape::Of(Value::List(list)) => {
                            (Shape::Plain("int"), list.items().first().map_or(Shape::Unknown, Shape::Of))
                        }
                        Shape::Of(Value::Map(_)) => (Shape::Plain("string"), Shape::Plain("string")),
                        Shape::Of(value) if value.integer().is_some() => (Shape::Unknown, of),
                        _ => (Shape::Unknown, Shape::Unknown),
                    };
                    let declares = repeated.pipe.declares.iter().rev();
                    let first = self.variables.len().saturating_sub(repeated.pipe.declares.len());
                    if !repeated.pipe.assigns {
                        self.variables.truncate(first);
                        let known: Vec<_> = declares.cloned().zip([item, index]).collect();
                        known.into_iter().rev().for_each(|(name, shape)| self.declare(&name, shape));
                    }
                    self.nodes(&repeated.body, item);
                    self.nodes(&repeated.otherwise, dot);
                }
                Node::Call { name, pipe, .. } => {
                    let shape = pipe.as_ref().map_or(Shape::Free, |pipe| self.pipe(pipe, dot));
                    self.call(name, shape);
                    continue;
                }
                Node::Text(_) | Node::Break | Node::Continue => {}
            }
            self.variables.truncate(variables);
        }
    }

    fn call(&mut self, name: &Arc<[u8]>, dot: Shape<'a>) {
        let of = match dot {
            Shape::Of(value) => value.type_name(),
            Shape::Plain(name) => name.to_owned(),
            Shape::Free => "nothing".to_owned(),
            Shape::Unknown => String::new(),
        };
        let Some((name, body)) = self.tree.defined.get_key_value(name) else { return };
        if self.calls < MAX_CALLS && self.seen.entry(name.clone()).or_default().insert(of) {
            self.calls += 1;
            self.template(body, dot);
            self.calls -= 1;
        }
    }

    fn declare(&mut self, name: &Variable, shape: Shape<'a>) {
        let shape = if self.assigned.contains(name) { Shape::Unknown } else { shape };
        self.variables.push((name.clone(), shape));
    }

    fn pipe(&mut self, pipe: &'a Pipe, dot: Shape<'a>) -> Shape<'a> {
        let mut shape = None;
        for command in &pipe.commands {
            shape = Some(self.command(command, dot, shape));
        }
        let shape = shape.unwrap_or(Shape::Unknown);
        if !pipe.assigns {
            pipe.declares.iter().for_each(|name| self.declare(name, shape));
        }
        shape
    }

    fn command(&mut self, command: &'a Command, dot: Shape<'a>, last: Option<Shape<'a>>) -> Shape<'a> {
        let first = match &command.first.kind {
            WordKind::Function(_) => Shape::Unknown,
            _ => self.word(&command.first, dot),
        };
        let mut arguments: Vec<Shape<'a>> = command.arguments.iter().map(|word| self.word(word, dot)).collect();
        arguments.extend(last);
        match &command.first.kind {
            WordKind::Function(called) => result(called, &arguments),
            _ => first,
        }
    }

    fn word(&mut self, word: &'a Word, dot: Shape<'a>) -> Shape<'a> {
        let (mut shape, names) = match &word.kind {
            WordKind::Dot => return dot,
            WordKind::Nil => return Shape::Free,
            WordKind::Bool(_) => return Shape::Plain("bool"),
            WordKind::Int(_) | WordKind::TooLarge => return Shape::Plain("int"),
            WordKind::Float(_) => return Shape::Plain("float64"),
            WordKind::Text(_) => return Shape::Plain("string"),
            WordKind::Pipe(pipe) => return self.pipe(pipe, dot),
            WordKind::Function(called) => return result(called, &[]),
            WordKind::Field(names) => (dot, names),
            WordKind::Variable(name, names) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                (known.map_or(Shape::Unknown, |(_, shape)| *shape), names)
            }
            WordKind::Chain(of, names) => (self.word(of, dot), names),
        };
        for name in names {
            self.uses_map |= self.maps.contains(&*name.text);
            let (next, of) = match shape {
                Shape::Of(Value::Structure(structure)) => match field(structure, &name.text) {
                    Some(value) => (Shape::Of(value), None),
                    None => (Shape::Unknown, Some(Some(format!("main.{}", structure.name())))),
                },
                Shape::Of(Value::Map(_)) | Shape::Free => (Shape::Free, None),
                Shape::Of(value) => (Shape::Unknown, Some(Some(value.type_name()))),
                Shape::Plain(of) => (Shape::Unknown, Some(Some(of.to_owned()))),
                Shape::Unknown if self.names.contains(&*name.text) => (Shape::Unknown, None),
                Shape::Unknown => (Shape::Unknown, Some(None)),
            };
            if let Some(of) = of {
                let place = (name.place.start, name.place.end);
                self.found.insert(UnknownField { place, name: name.text.to_string(), of, certain: true });
                return Shape::Free;
            }
            shape = next;
        }
        shape
    }
}

fn field<'a>(structure: &'a Structure, name: &str) -> Option<&'a Value> {
    structure.get(name)
}

/// What a function gives.
fn result<'a>(called: &Called, arguments: &[Shape<'a>]) -> Shape<'a> {
    let name = match called {
        // One of the arguments, and it is not known which.
        Called::And | Called::Or => return Shape::Unknown,
        Called::Other(name, _) => *name,
    };
    match (name, arguments) {
        ("index", [of, indexes @ ..]) => indexes.iter().fold(*of, |of, _| match of {
            Shape::Of(Value::List(list)) => list.items().first().map_or(Shape::Unknown, Shape::Of),
            Shape::Of(Value::Map(_)) => Shape::Plain("string"),
            _ => Shape::Unknown,
        }),
        ("slice", [of, ..]) => *of,
        ("html" | "js" | "print" | "printf" | "println" | "urlquery", _) => Shape::Plain("string"),
        ("eq" | "ge" | "gt" | "le" | "lt" | "ne" | "not", _) => Shape::Plain("bool"),
        ("len", _) => Shape::Plain("int"),
        _ => Shape::Unknown,
    }
}
