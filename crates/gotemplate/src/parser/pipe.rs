//! Pipelines, their commands and what those consist of.

use std::{ops::Range, sync::Arc};

use super::{Parsed, Parser, error};
use crate::{
    ast::{Command, Name, Pipe, Word, WordKind},
    lexer::{Keyword, Kind, Token},
    literal::{self, Number},
};

impl Parser<'_> {
    /// A pipeline and what ends it.
    pub(super) fn pipe(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        self.deeper(|parser| parser.pipe_here(context, end))
    }

    fn pipe_here(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let start = self.peek_word().place.start;
        let mut pipe = Pipe { declares: Vec::new(), assigns: false, commands: Vec::new(), place: start..start };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.peek_word();
            match token.kind {
                kind if kind == end => break,
                Kind::Dot
                | Kind::Field
                | Kind::Letter
                | Kind::Name
                | Kind::Number
                | Kind::OpenParenthesis
                | Kind::Quoted
                | Kind::Raw
                | Kind::Variable
                | Kind::Keyword(Keyword::False | Keyword::Nil | Keyword::True) => {
                    let command = self.command()?;
                    pipe.place.end = command.place.end;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        let close = self.next();
        if pipe.commands.is_empty() {
            return Err(error(format!("missing value for {context}"), start..close.place.end));
        }
        for (command, stage) in pipe.commands.iter().skip(1).zip(2..) {
            if matches!(
                command.first.kind,
                WordKind::Bool(_)
                    | WordKind::Dot
                    | WordKind::Nil
                    | WordKind::Int(_)
                    | WordKind::Float(_)
                    | WordKind::TooLarge
                    | WordKind::Text(_)
            ) {
                let message = format!("non executable command in pipeline stage {stage}");
                return Err(error(message, command.place.clone()));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, in a loop `$i, $x :=` too; nothing is read if there is none.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let before = self.at;
            let variable = self.peek_word();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let token = self.peek_word();
            let comma = token.kind == Kind::Other && self.written(&token) == ",";
            if !comma && !matches!(token.kind, Kind::Assign | Kind::Declare) {
                self.at = before;
                return Ok(());
            }
            self.next();
            pipe.assigns |= token.kind == Kind::Assign;
            let name: Arc<str> = self.written(&variable).into();
            pipe.declares.push(name.clone());
            self.declare(name, variable.place.clone())?;
            if !comma {
                return Ok(());
            }
            if context != "range" || pipe.declares.len() > 1 {
                return Err(error(format!("too many declarations in {context}"), variable.place));
            }
            let next = self.peek_word();
            if !matches!(next.kind, Kind::Variable | Kind::Close | Kind::CloseParenthesis) {
                return Err(error("range can only initialize variables", next.place));
            }
        }
    }

    /// A word and its arguments; `|` behind them is taken, what ends the pipeline is not.
    fn command(&mut self) -> Parsed<Command> {
        let mut words = Vec::new();
        loop {
            self.peek_word();
            words.extend(self.operand()?);
            let token = self.peek();
            match token.kind {
                Kind::Blank => continue,
                Kind::Close | Kind::CloseParenthesis => {}
                Kind::Pipe => {
                    self.next();
                }
                _ => return Err(self.unexpected(&token, "operand")),
            }
            let mut words = words.into_iter();
            let Some(first) = words.next() else { return Err(error("empty command", token.place)) };
            let arguments: Vec<Word> = words.collect();
            let end = arguments.last().unwrap_or(&first).place.end;
            let place = first.place.start..end;
            return Ok(Command { first, arguments, place });
        }
    }

    /// A term with the fields that are asked of it; none if what comes is no term.
    fn operand(&mut self) -> Parsed<Option<Word>> {
        let Some(mut term) = self.term()? else { return Ok(None) };
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.next();
            names.push(self.name(&token));
        }
        let Some(last) = names.last() else { return Ok(Some(term)) };
        let place = term.place.start..last.place.end;
        let kind = match term.kind {
            WordKind::Field(ref mut fields) | WordKind::Variable(_, ref mut fields) => {
                fields.append(&mut names);
                term.kind
            }
            WordKind::Function(_) | WordKind::Pipe(_) => WordKind::Chain(Box::new(term), names),
            _ => {
                let written = self.text.get(term.place.clone()).unwrap_or_default();
                return Err(error(format!("unexpected . after term {written:?}"), place));
            }
        };
        Ok(Some(Word { kind, place }))
    }

    fn term(&mut self) -> Parsed<Option<Word>> {
        let token = self.peek();
        let kind = match token.kind {
            Kind::Name => {
                let name = self.written(&token);
                let Some(called) = self.functions.get(name) else {
                    return Err(error(format!("function {name:?} not defined"), token.place));
                };
                WordKind::Function(called)
            }
            Kind::Dot => WordKind::Dot,
            Kind::Keyword(Keyword::Nil) => WordKind::Nil,
            Kind::Keyword(Keyword::True) => WordKind::Bool(true),
            Kind::Keyword(Keyword::False) => WordKind::Bool(false),
            Kind::Variable => {
                let name = self.written(&token);
                match self.scope.variables.iter().find(|variable| &***variable == name) {
                    Some(variable) => WordKind::Variable(variable.clone(), Vec::new()),
                    None if name == "$" => WordKind::Variable("$".into(), Vec::new()),
                    None => return Err(error(format!("undefined variable {name:?}"), token.place)),
                }
            }
            Kind::Field => WordKind::Field(vec![self.name(&token)]),
            Kind::Letter => number(literal::char(self.written(&token)), &token.place)?,
            Kind::Number => number(literal::number(self.written(&token)), &token.place)?,
            Kind::Quoted | Kind::Raw => {
                let text = literal::text(self.written(&token));
                WordKind::Text(text.map_err(|message| error(message, token.place.clone()))?.into())
            }
            Kind::OpenParenthesis => {
                self.next();
                let pipe = self.pipe("parenthesized pipeline", Kind::CloseParenthesis)?;
                let place = token.place.start..self.before().place.end;
                return Ok(Some(Word { kind: WordKind::Pipe(Box::new(pipe)), place }));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(Word { kind, place: token.place }))
    }

    /// The name of a field, whose token begins with its dot.
    fn name(&self, token: &Token) -> Name {
        let place = token.place.start + 1..token.place.end;
        Name { text: self.text.get(place.clone()).unwrap_or_default().into(), place }
    }

    /// The token that was read last.
    fn before(&self) -> Token {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.list.get(at)).cloned();
        before.unwrap_or_else(|| self.peek())
    }
}

fn number(number: Result<Number, String>, place: &Range<usize>) -> Parsed<WordKind> {
    match number {
        Ok(Number::Int(number)) => Ok(WordKind::Int(number)),
        Ok(Number::Float(number)) => Ok(WordKind::Float(number)),
        Ok(Number::TooLarge) => Ok(WordKind::TooLarge),
        Err(message) => Err(error(message, place.clone())),
    }
}
