//! A template as it is understood.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::functions::Function;

#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) main: Body,
    pub(crate) defined: BTreeMap<Arc<[u8]>, Body>,
}

pub(crate) type Body = Vec<Node>;

#[derive(Debug)]
pub(crate) enum Node {
    /// A part of the template.
    Text(Range<usize>),
    Action(Pipe),
    Branch(Branch),
    Loop(Loop),
    /// `template`, `block`
    Call {
        name: Arc<[u8]>,
        pipe: Option<Pipe>,
        place: Range<usize>,
    },
    Break,
    Continue,
}

/// `if` or `with`, and each `else if` or `else with` after it.
#[derive(Debug)]
pub(crate) struct Branch {
    /// `with`: the dot is the value there.
    pub(crate) with: bool,
    pub(crate) arms: Vec<(Pipe, Body)>,
    pub(crate) otherwise: Body,
}

#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) pipe: Pipe,
    pub(crate) body: Body,
    pub(crate) otherwise: Body,
}

/// A name of a variable, `$` included.
pub(crate) type Variable = Arc<str>;

#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) declares: Vec<Variable>,
    /// `=` in place of `:=`.
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
    pub(crate) place: Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Command {
    /// At least one.
    pub(crate) first: Word,
    pub(crate) arguments: Vec<Word>,
    pub(crate) place: Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) kind: WordKind,
    pub(crate) place: Range<usize>,
}

#[derive(Debug)]
pub(crate) enum WordKind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    TooLarge,
    Text(Arc<[u8]>),
    Field(Vec<Name>),
    Variable(Variable, Vec<Name>),
    Function(Called),
    Pipe(Box<Pipe>),
    /// Fields of what a function or parentheses give.
    Chain(Box<Word>, Vec<Name>),
}

#[derive(Clone, Debug)]
pub(crate) enum Called {
    And,
    Or,
    Other(&'static str, Function),
}

/// A name behind a dot.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    /// Without the dot.
    pub(crate) place: Range<usize>,
}
