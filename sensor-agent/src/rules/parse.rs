//! Tokens to a rule.
//!
//! ```text
//! rule    := ("match" | "ignore") expr | "default" ("match" | "ignore")
//! expr    := and-expr { ("or" | "||") and-expr }
//! and-expr:= unary { ("and" | "&&") unary }
//! unary   := ("not" | "!") unary | "(" expr ")" | term
//! term    := subject ( operator value | ["not"] "in" ( "$"name | "(" value { "," value } ")" ) | "exists" )
//! (after "iglob", one value or a list as after "in")
//! subject := field | "lineage" "[" n "]" "." field | "any" "lineage" "." field | "lineage"   (the last before "in" only)
//! ```

use std::ops::Range;

use diagnostic::nearest;
use schema::Type;

use super::ast::{Expr, ExprKind, Literal, LiteralValue, Operand, Rule, Scope, Subject, Term, Verdict};
use super::lexer::{Token, TokenKind, lex};
use super::operators::{OPERATORS, Operator};
use super::{Problem, foreign, limits};
use crate::event::fields::{self, foreign as names};

/// Reads one rule. Never panics, whatever the text.
///
/// # Errors
/// The first place that is no rule.
pub fn parse(text: &str) -> Result<Rule, Problem> {
    if text.len() > limits::RULE_BYTES {
        return Err(Problem::error(0..0, format!("a rule of {} bytes is too long", text.len()))
            .label(format!("a rule has at most {} bytes", limits::RULE_BYTES))
            .help("put the values into a list, and compare with `in $List`"));
    }
    Parser { tokens: lex(text)?, at: 0, depth: 0 }.rule()
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rule(mut self) -> Result<Rule, Problem> {
        let rule = if self.take_word("default") {
            let verdict = self.verdict(&["match", "ignore"])?;
            Rule { verdict, condition: None }
        } else {
            let verdict = self.verdict(&["match", "ignore", "default"])?;
            if matches!(self.peek(), TokenKind::End) {
                let word = verdict.word();
                return Err(Problem::error(self.range(), format!("`{word}` needs a condition"))
                    .label("a comparison is expected here")
                    .help(format!("for every event, write `default {word}`")));
            }
            Rule { verdict, condition: Some(self.or_expr()?) }
        };
        match self.peek() {
            TokenKind::End => Ok(rule),
            _ if rule.condition.is_none() => {
                Err(self.unexpected("the end of the rule").help("`default` has no condition"))
            }
            TokenKind::Word(word) => {
                let near = nearest(word, ["and", "or"]);
                Err(self.unexpected("`and`, `or` or the end of the rule").did_you_mean(near))
            }
            TokenKind::Symbol(")") => Err(self.unexpected("the end of the rule").label("no bracket is open here")),
            _ => Err(self.unexpected("`and`, `or` or the end of the rule")),
        }
    }

    fn verdict(&mut self, words: &[&'static str]) -> Result<Verdict, Problem> {
        if self.take_word("match") {
            return Ok(Verdict::Match);
        }
        if self.take_word("ignore") {
            return Ok(Verdict::Ignore);
        }
        let expected = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let near = if let TokenKind::Word(word) = self.peek() { nearest(word, words.iter().copied()) } else { None };
        let problem = self.unexpected(&expected).did_you_mean(near);
        Err(if words.len() == 3 && near.is_none() {
            problem.help("a rule says first what to do: `match programName == \"/usr/bin/wget\"`")
        } else {
            problem
        })
    }

    fn or_expr(&mut self) -> Result<Expr, Problem> {
        self.joined(["or", "||"], ExprKind::Or, |parser| parser.joined(["and", "&&"], ExprKind::And, Self::unary))
    }

    /// One part or more of the same kind with a word or symbol between them.
    fn joined(
        &mut self,
        [word, symbol]: [&'static str; 2],
        join: fn(Vec<Expr>) -> ExprKind,
        part: impl Fn(&mut Self) -> Result<Expr, Problem>,
    ) -> Result<Expr, Problem> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_word(word) || self.take_symbol(symbol) {
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return parts.pop().ok_or_else(|| self.unexpected("a comparison"));
        }
        let range = parts[0].range.start..parts[parts.len() - 1].range.end;
        Ok(Expr { kind: join(parts), range })
    }

    fn unary(&mut self) -> Result<Expr, Problem> {
        let start = self.range().start;
        if self.depth == limits::DEPTH {
            return Err(Problem::error(self.range(), "the condition is nested too deep")
                .label(format!("brackets and `not` go at most {} deep", limits::DEPTH)));
        }
        if self.take_word("not") || self.take_symbol("!") {
            self.depth += 1;
            let inner = self.unary()?;
            self.depth -= 1;
            let range = start..inner.range.end;
            return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), range });
        }
        let open = self.range();
        if self.take_symbol("(") {
            self.depth += 1;
            let inner = self.or_expr()?;
            self.depth -= 1;
            let end = self.range().end;
            if !self.take_symbol(")") {
                let near = if let TokenKind::Word(word) = self.peek() { nearest(word, ["and", "or"]) } else { None };
                let problem = self.unexpected("`and`, `or` or `)`").did_you_mean(near);
                return Err(if matches!(self.peek(), TokenKind::End) {
                    Problem { range: open, ..problem }.label("this bracket is not closed")
                } else {
                    problem
                });
            }
            return Ok(Expr { kind: inner.kind, range: start..end });
        }
        let term = self.term()?;
        let end = self.tokens[self.at - 1].range.end;
        Ok(Expr { kind: ExprKind::Term(term), range: start..end })
    }

    fn term(&mut self) -> Result<Term, Problem> {
        let subject = self.subject()?;
        let start = self.range().start;
        let operator = self.operator(&subject)?;
        let operator_range = start..self.tokens[self.at - 1].range.end;
        let operand = match operator {
            Operator::Exists => Operand::None,
            Operator::In | Operator::NotIn => self.list()?,
            Operator::AnyCase if matches!(self.peek(), TokenKind::List(_) | TokenKind::Symbol("(")) => self.list()?,
            _ => {
                if let TokenKind::List(name) = self.peek() {
                    let symbol = operator.symbol();
                    let word = if operator.positive().1 { "not in" } else { "in" };
                    return Err(Problem::error(self.range(), format!("`{symbol}` does not compare with a list"))
                        .label("a list")
                        .help(format!("write `{subject} {word} ${name}`")));
                }
                if operator == Operator::Less && matches!(self.peek(), TokenKind::Symbol(">")) {
                    let range = start..self.range().end;
                    return Err(Problem::error(range, "expected an operator, found `<>`")
                        .label("unexpected")
                        .did_you_mean(Some("!=")));
                }
                Operand::One(self.literal_for(&subject)?)
            }
        };
        Ok(Term { subject, operator, operator_range, operand })
    }

    fn subject(&mut self) -> Result<Subject, Problem> {
        let start = self.range();
        let any = self.take_word("any");
        let lineage = self.range();
        if self.take_word("lineage") {
            let scope = if any {
                self.expect(".", "`.` and a field: `any lineage.programName`")?;
                Scope::AnyAncestor
            } else if self.take_symbol("[") {
                let index = self.index()?;
                self.expect("]", "`]`")?;
                self.expect(".", "`.` and a field: `lineage[0].programName`")?;
                Scope::Ancestor(index)
            } else if self.is_word("in") || self.is_word("not") {
                return Ok(Subject {
                    scope: Scope::AnyAncestor,
                    field: "programName".into(),
                    field_range: lineage.clone(),
                    range: lineage,
                    short: true,
                });
            } else {
                return Err(self
                    .unexpected("which ancestor is meant")
                    .help("write `any lineage.FIELD` for some ancestor, `lineage[0].FIELD` for the parent, or `lineage in $List`"));
            };
            let (field, field_range) = self.field()?;
            let range = start.start..field_range.end;
            return Ok(Subject { scope, field, field_range, range, short: false });
        }
        if any {
            return Err(self
                .unexpected("`lineage`")
                .help("`any` goes with lineage: `any lineage.programName == \"sshd\"`"));
        }
        let (field, range) = self.field()?;
        Ok(Subject { scope: Scope::Event, field, field_range: range.clone(), range, short: false })
    }

    fn index(&mut self) -> Result<u16, Problem> {
        if let TokenKind::Number(digits) = self.peek()
            && (*digits == "0" || !digits.starts_with('0'))
            && let Ok(index) = digits.parse::<u16>()
            && index <= limits::LINEAGE_INDEX
        {
            self.at += 1;
            return Ok(index);
        }
        let message = format!("a number from 0 (the parent) to {}", limits::LINEAGE_INDEX);
        Err(self.unexpected(&message))
    }

    fn field(&mut self) -> Result<(String, Range<usize>), Problem> {
        match *self.peek() {
            TokenKind::Word(word) if !is_reserved(word) => {
                let range = self.range();
                self.at += 1;
                Ok((word.to_owned(), range))
            }
            TokenKind::Text(..) => {
                Err(self.unexpected("a field").help("the field comes first: `programName == \"/usr/bin/wget\"`"))
            }
            _ => Err(self.unexpected("a field")),
        }
    }

    fn operator(&mut self, subject: &Subject) -> Result<Operator, Problem> {
        match *self.peek() {
            TokenKind::Symbol(symbol) => {
                if let Some(info) = OPERATORS.iter().find(|info| info.symbol == symbol) {
                    self.at += 1;
                    return Ok(info.operator);
                }
                if symbol == "." {
                    return Err(self.dotted(subject));
                }
                let near = match symbol {
                    "=" => Some("=="),
                    "&&" => Some("&"),
                    _ => None,
                };
                return Err(self.unexpected("an operator").did_you_mean(near));
            }
            TokenKind::Word(word) => {
                if word.eq_ignore_ascii_case("not") {
                    self.at += 1;
                    if self.take_word("in") {
                        return Ok(Operator::NotIn);
                    }
                    return Err(self
                        .unexpected("`in` after `not`")
                        .help(format!("`not` stands before the whole comparison: `not {} …`", subject.field)));
                }
                let known = OPERATORS.iter().find(|info| info.symbol.eq_ignore_ascii_case(word));
                if let Some(info) = known {
                    self.at += 1;
                    return Ok(info.operator);
                }
                let problem = self.unexpected("an operator");
                if let Some(advice) = foreign::operator(word, &subject.to_string()) {
                    return Err(problem.help(advice));
                }
                let words = OPERATORS
                    .iter()
                    .map(|info| info.symbol)
                    .filter(|symbol| symbol.starts_with(|char: char| char.is_ascii_alphabetic()));
                return Err(match nearest(word, words) {
                    Some(near) => problem.did_you_mean(Some(near)),
                    None => problem.help(operators(subject)),
                });
            }
            _ => {}
        }
        Err(self.unexpected("an operator").help(operators(subject)))
    }

    /// A name of several words with dots between, which no field has here.
    fn dotted(&mut self, subject: &Subject) -> Problem {
        let (start, mut end) = (subject.range.start, subject.range.end);
        let mut name = subject.to_string();
        while self.take_symbol(".") {
            let TokenKind::Word(word) = *self.peek() else { break };
            name = format!("{name}.{word}");
            end = self.range().end;
            self.at += 1;
        }
        let problem = Problem::error(start..end, format!("there is no field `{name}`")).label("unknown field");
        problem.help(names::advice(&name).unwrap_or_else(|| names::ALL_FIELDS.into()))
    }

    fn list(&mut self) -> Result<Operand, Problem> {
        let range = self.range();
        if let TokenKind::List(name) = *self.peek() {
            self.at += 1;
            return Ok(Operand::List { name: name.to_owned(), range });
        }
        if !self.take_symbol("(") {
            return Err(self
                .unexpected("a list")
                .help("write `in $Name`, or the values in round brackets: `in (\"a\", \"b\")`"));
        }
        let mut values = Vec::new();
        loop {
            values.push(self.literal("a value")?);
            if self.take_symbol(")") {
                return Ok(Operand::Many(values));
            }
            self.expect(",", "`,` or `)`")?;
        }
    }

    fn literal_for(&mut self, subject: &Subject) -> Result<Literal, Problem> {
        let literal = self.literal(&format!("a value to compare `{}` with", subject.field));
        match (literal, self.peek()) {
            (Err(problem), TokenKind::Word(word)) => Err(match number_of_a_name(&subject.field) {
                Some(name) => {
                    problem.help(format!("`{}` is a number; of a name: `{name} == \"{word}\"`", subject.field))
                }
                None => problem,
            }),
            (literal, _) => literal,
        }
    }

    fn literal(&mut self, expected: &str) -> Result<Literal, Problem> {
        let range = self.range();
        let (value, plain) = match self.peek() {
            TokenKind::Text(text, plain) => (LiteralValue::Text(text.clone()), *plain),
            TokenKind::Number(number) => (LiteralValue::Number((*number).to_owned()), false),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("true") => (LiteralValue::Bool(true), false),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("false") => (LiteralValue::Bool(false), false),
            TokenKind::Word(word) => {
                let help = format!("put text in double quotes: \"{word}\"");
                return Err(self.unexpected(expected).help(help));
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.at += 1;
        Ok(Literal { value, range, plain })
    }

    fn peek(&self) -> &TokenKind<'a> {
        &self.tokens[self.at].kind
    }

    fn range(&self) -> Range<usize> {
        self.tokens[self.at].range.clone()
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(here) if here.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(here) if *here == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str, expected: &str) -> Result<(), Problem> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let found = match self.peek() {
            TokenKind::Word(word) => format!("`{word}`"),
            TokenKind::Number(number) => format!("the number `{number}`"),
            TokenKind::Text(..) => "a text".into(),
            TokenKind::List(name) => format!("the list `${name}`"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the rule".into(),
        };
        Problem::error(self.range(), format!("expected {expected}, found {found}")).label("unexpected")
    }
}

/// Which operators there are for a field.
fn operators(subject: &Subject) -> String {
    let field = fields::by_name(&subject.field);
    if field.is_some_and(|field| field.ty == Type::Bool) {
        return format!("write `{subject} == true` or `{subject} == false`");
    }
    let there = OPERATORS.iter().filter(|info| field.is_none_or(|field| (info.accepts)(field.ty)));
    let symbols: Vec<_> = there.map(|info| info.symbol).collect();
    format!("compare `{}` with something: {}", subject.field, symbols.join(", "))
}

/// The field that holds the name of what this one holds the number of.
pub(super) fn number_of_a_name(field: &str) -> Option<&'static str> {
    match field {
        "uid" | "euid" => Some("userName"),
        "loginUid" => Some("loginAccount"),
        _ => None,
    }
}

/// Words that cannot be a field's name where one is expected.
fn is_reserved(word: &str) -> bool {
    [
        "and",
        "or",
        "not",
        "in",
        "match",
        "ignore",
        "default",
        "true",
        "false",
        "exists",
        "contains",
        "startswith",
        "endswith",
        "iglob",
    ]
    .iter()
    .any(|reserved| reserved.eq_ignore_ascii_case(word))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
