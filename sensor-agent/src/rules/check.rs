//! Types: what a rule says, held against the field registry.

mod possible;
mod seen;

use std::ops::Range;
use std::sync::Arc;

use diagnostic::nearest;
use foldhash::HashMap;

pub(crate) use self::possible::{is_no_path, never_a_path};
use schema::{Seen, Type};

use super::ast::{self, ExprKind, Literal, LiteralValue, Operand, Scope, Term, Verdict};
use super::glob::Glob;
use super::lists::{Entries, List, ListKind, Lists, net};
use super::operators::{OPERATORS, Operator};
use super::regex::{Expression, expression};
use super::test::{Atom, Doubt, Order, Test};
use super::{Problem, numbers};
use crate::event::fields::Field;

/// A condition over comparisons, which are shared by all rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    /// Index of an [`Atom`].
    Atom(u32),
    Not(Box<Self>),
    And(Box<[Self]>),
    Or(Box<[Self]>),
}

impl Expr {
    /// Whether this is so of one of its comparisons.
    pub(super) fn atoms(&self, is: &impl Fn(u32) -> bool) -> bool {
        match self {
            Self::Atom(atom) => is(*atom),
            Self::Not(inner) => inner.atoms(is),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.atoms(is)),
        }
    }
}

/// Checks rules for some events, and gathers their comparisons.
pub(super) struct Checker<'a> {
    seen: Seen,
    lists: &'a Lists,
    pub(super) atoms: Vec<Atom>,
    /// By what they say, by whether a value that is not known passes, and by what becomes of a path in doubt.
    index: HashMap<(String, bool, Doubt), u32>,
    problems: Vec<Problem>,
    /// Of the rule being checked.
    verdict: Verdict,
    /// Whether an odd number of `not` stands before what is being checked.
    negated: bool,
    /// Of the comparison being checked.
    doubt: Doubt,
}

impl<'a> Checker<'a> {
    pub(super) fn new(seen: Seen, lists: &'a Lists) -> Self {
        Self {
            seen,
            lists,
            atoms: Vec::new(),
            index: HashMap::default(),
            problems: Vec::new(),
            verdict: Verdict::Match,
            negated: false,
            doubt: Doubt::None,
        }
    }

    /// Checks one condition: all that is wrong with it, and, if no error is among it, what it says.
    pub(super) fn condition(&mut self, verdict: Verdict, condition: &ast::Expr) -> (Option<Expr>, Vec<Problem>) {
        self.verdict = verdict;
        let checked = self.expr(condition);
        (checked, std::mem::take(&mut self.problems))
    }

    fn expr(&mut self, expr: &ast::Expr) -> Option<Expr> {
        match &expr.kind {
            ExprKind::Or(parts) => Some(Expr::Or(self.parts(parts)?)),
            ExprKind::And(parts) => Some(Expr::And(self.parts(parts)?)),
            ExprKind::Not(inner) => {
                self.negated = !self.negated;
                let checked = self.expr(inner);
                self.negated = !self.negated;
                Some(Expr::Not(Box::new(checked?)))
            }
            ExprKind::Term(term) => self.term(term),
        }
    }

    /// Checks all parts, also those behind a bad one.
    fn parts(&mut self, parts: &[ast::Expr]) -> Option<Box<[Expr]>> {
        let checked: Vec<_> = parts.iter().map(|part| self.expr(part)).collect();
        checked.into_iter().collect()
    }

    fn term(&mut self, term: &Term) -> Option<Expr> {
        let (operator, negated) = term.operator.positive();
        let field = self.field(term)?;
        let text = Term { operator, ..term.clone() }.to_string();
        // What is not known leads to the alert: `match` holds for it, and `ignore` does not.
        let speaks_for = (self.verdict == Verdict::Match) != (self.negated != negated);
        let unknown = field.ty == Type::Bool && speaks_for;
        self.doubt = match field.ty {
            Type::Path if speaks_for => Doubt::Holds,
            Type::Path => Doubt::Fails,
            _ => Doubt::None,
        };
        let key = (text, unknown, self.doubt);
        let atom = match self.index.get(&key) {
            Some(atom) => *atom,
            None => {
                let mut test = self.test(term, operator, field)?;
                if let Test::Bool { unknown: passes, .. } = &mut test {
                    *passes = unknown;
                }
                let atom = u32::try_from(self.atoms.len()).expect("fewer than 2^32 comparisons");
                self.atoms.push(Atom { scope: term.subject.scope, field, test, text: key.0.clone() });
                self.index.insert(key, atom);
                atom
            }
        };
        if negated && term.subject.scope == Scope::AnyAncestor && !term.subject.short {
            let symbol = term.operator.symbol();
            self.problems.push(
                Problem::warning(
                    term.subject.range.clone(),
                    format!("`{}` with `{symbol}` holds if *no* ancestor is such", term.subject),
                )
                .label("no ancestor, rather than some ancestor not")
                .help(format!(
                    "if that is meant, write `not {} {} …`",
                    term.subject,
                    operator.symbol()
                )),
            );
        }
        Some(if negated { Expr::Not(Box::new(Expr::Atom(atom))) } else { Expr::Atom(atom) })
    }

    fn test(&mut self, term: &Term, operator: Operator, field: &'static Field) -> Option<Test> {
        if !(operator.info().accepts)(field.ty) {
            let symbols: Vec<_> =
                OPERATORS.iter().filter(|info| (info.accepts)(field.ty)).map(|info| info.symbol).collect();
            return self.fail(
                Problem::error(
                    term.operator_range.clone(),
                    format!(
                        "`{}` does not compare `{}`, which is a {}",
                        term.operator.symbol(),
                        field.name,
                        field.ty.name()
                    ),
                )
                .label(format!("for {}", operator.info().fields))
                .help(format!("with `{}` go {}", field.name, symbols.join(", "))),
            );
        }
        match &term.operand {
            Operand::None => Some(Test::Exists),
            Operand::List { name, range } => self.list(term, operator, field, name, range.clone()),
            Operand::One(literal) => self.literals(operator, field, std::slice::from_ref(literal)),
            Operand::Many(literals) if operator == Operator::AnyCase => self.literals(operator, field, literals),
            Operand::Many(literals) => self.literals(Operator::Equal, field, literals),
        }
    }

    fn literals(&mut self, operator: Operator, field: &'static Field, literals: &[Literal]) -> Option<Test> {
        match field.ty {
            Type::Bool => {
                let values = self.each(literals, |checker, literal| match literal.value {
                    LiteralValue::Bool(value) => Some(value),
                    _ => checker.mismatch(field, literal, "true or false"),
                })?;
                values.first().map(|value| Test::Bool { wanted: *value, unknown: false })
            }
            Type::Number | Type::Numbers | Type::Size | Type::Duration | Type::Time => {
                self.numeric(operator, field, literals)
            }
            Type::Word(words) => {
                let chosen = self.each(literals, |checker, literal| checker.words(operator, field, words, literal))?;
                Some(Test::Words(
                    words.iter().copied().filter(|word| chosen.iter().flatten().any(|one| one == word)).collect(),
                ))
            }
            Type::Address => {
                let nets = self.each(literals, |checker, literal| {
                    let text = checker.utf8(field, literal)?;
                    let mut warning = None;
                    let net = net(&text, &mut warning);
                    checker.problems.extend(warning.map(|text| Problem::warning(literal.range.clone(), text)));
                    checker.check(literal, net)
                })?;
                Some(Test::Nets(nets.into()))
            }
            Type::Text | Type::Texts | Type::Path => {
                if operator == Operator::Matches {
                    let expressions = self.each(literals, |checker, literal| {
                        let text = checker.utf8(field, literal)?;
                        checker.expression(&text, literal)
                    })?;
                    return expressions.into_iter().next().map(|expression| Test::Regex(Arc::new(expression)));
                }
                let globs = self.each(literals, |checker, literal| {
                    let text = checker.text(field, literal)?;
                    let text = checker.possible_text(field, operator, text, literal)?;
                    checker.glob(operator, text, literal)
                })?;
                let path = field.ty == Type::Path && operator == Operator::Equal;
                let any_case = operator == Operator::AnyCase;
                Some(Test::Globs { globs: globs.into(), path, doubt: self.doubt, any_case })
            }
        }
    }

    fn numeric(&mut self, operator: Operator, field: &'static Field, literals: &[Literal]) -> Option<Test> {
        let order = match operator {
            Operator::Less => Some(Order::Less),
            Operator::LessOrEqual => Some(Order::LessOrEqual),
            Operator::Greater => Some(Order::Greater),
            Operator::GreaterOrEqual => Some(Order::GreaterOrEqual),
            _ => None,
        };
        let mut values = self.each(literals, |checker, literal| {
            let number = checker.number(field, literal)?;
            if order.is_some()
                && number < 0
                && !matches!(&literal.value, LiteralValue::Number(text) if text.starts_with('-'))
            {
                return checker.fail(
                    Problem::error(literal.range.clone(), "this number is greater than any value")
                        .label("at most 9223372036854775807"),
                );
            }
            checker.possible_number(field, order, literal, number)
        })?;
        let first = *values.first()?;
        if let Some(order) = order {
            return Some(Test::Order(order, first));
        }
        if operator == Operator::Bits {
            if first == 0 {
                let range = literals[0].range.clone();
                self.problems.push(Problem::warning(range, "`& 0` never holds").label("no bit is asked for"));
            }
            return Some(Test::Bits(first.cast_unsigned()));
        }
        values.sort_unstable();
        values.dedup();
        Some(Test::Numbers(values.into()))
    }

    fn number(&mut self, field: &'static Field, literal: &Literal) -> Option<i64> {
        let result = match (&literal.value, field.ty) {
            (LiteralValue::Number(text), Type::Size) => numbers::size(text),
            (LiteralValue::Number(text), Type::Duration) => numbers::duration(text),
            (LiteralValue::Number(text), _) => numbers::integer(text),
            (LiteralValue::Text(_), Type::Time) => numbers::time(&self.utf8(field, literal)?),
            (LiteralValue::Text(text), _) => {
                let unquoted = String::from_utf8_lossy(text);
                let problem = self.mismatch_problem(field, literal, "a number");
                let numeric = unquoted.starts_with(|char: char| char.is_ascii_digit() || char == '-');
                return self.fail(match super::parse::number_of_a_name(field.name) {
                    _ if numeric => problem.help(format!("write it without quotes: {unquoted}")),
                    Some(name) => problem.help(format!("of a name: `{name} == \"{unquoted}\"`")),
                    None => problem,
                });
            }
            (LiteralValue::Bool(_), _) => return self.mismatch(field, literal, "a number"),
        };
        self.check(literal, result)
    }

    /// The words that a literal means.
    fn words(
        &mut self,
        operator: Operator,
        field: &'static Field,
        words: &'static [&'static str],
        literal: &Literal,
    ) -> Option<Vec<&'static str>> {
        let text = self.utf8(field, literal)?;
        let meant: Vec<_> = if operator == Operator::Matches {
            let expression = self.expression(&text, literal)?;
            words.iter().copied().filter(|word| expression.is_match(word.as_bytes())).collect()
        } else {
            let glob = self.glob(operator, text.as_bytes(), literal)?;
            words.iter().copied().filter(|word| glob.matches(word.as_bytes())).collect()
        };
        if meant.is_empty() {
            self.unknown_word(field, words, &text, literal);
            return None;
        }
        self.seen_word(field, &meant, literal.range.clone())?;
        Some(meant)
    }

    fn glob(&mut self, operator: Operator, text: &[u8], literal: &Literal) -> Option<Glob> {
        match operator {
            Operator::Contains => Some(Glob::literal(true, text, true)),
            Operator::StartsWith => Some(Glob::literal(false, text, true)),
            Operator::EndsWith => Some(Glob::literal(true, text, false)),
            _ => match Glob::new(text) {
                Ok(glob) if operator == Operator::AnyCase => Some(glob.in_any_case()),
                Ok(glob) => Some(glob),
                Err(error) => {
                    let range = inside(literal, error.at..error.at + 1);
                    self.fail(Problem::error(range, error.message).label("not a glob"))
                }
            },
        }
    }

    fn expression(&mut self, text: &str, literal: &Literal) -> Option<Expression> {
        match expression(text) {
            Ok(expression) => Some(expression),
            Err((message, at)) => {
                let range = at.map_or_else(|| literal.range.clone(), |at| inside(literal, at));
                self.fail(Problem::error(range, message).label("in this regular expression"))
            }
        }
    }

    fn list(
        &mut self,
        term: &Term,
        operator: Operator,
        field: &'static Field,
        name: &str,
        range: Range<usize>,
    ) -> Option<Test> {
        let lists = self.lists;
        let Some(list) = lists.get(name) else {
            let near = nearest(name, lists.names()).map(|near| format!("${near}"));
            let problem = Problem::error(range, format!("there is no list `{name}`")).label("unknown list");
            return self.fail(match near {
                Some(near) => problem.did_you_mean(Some(&near)),
                None => problem.help(format!("define it: `lists: {{{name}: {{type: …, values: […]}}}}`")),
            });
        };
        let info = list.kind.info();
        let ancestors = term.subject.scope == Scope::AnyAncestor && field.name == "programName";
        if !((info.accepts)(field.ty) || list.kind == ListKind::Lineage && ancestors) {
            let problem = Problem::error(
                range,
                format!("the list `{name}` holds {}, and `{}` is a {}", info.word, field.name, field.ty.name()),
            )
            .label(format!("a list of type `{}` goes with {}", info.word, info.fields));
            return self.fail(if list.kind == ListKind::Lineage {
                problem.help(format!("write `lineage in ${name}`"))
            } else {
                problem
            });
        }
        // A list of exceptions may well be empty.
        if list.texts.is_empty() && self.verdict == Verdict::Match {
            self.problems
                .push(Problem::warning(range.clone(), format!("the list `{name}` is empty")).label("nothing is in it"));
        }
        if operator == Operator::AnyCase {
            return self.entries_in_any_case(list, name, range);
        }
        self.entries(list, field, name, range)
    }

    fn entries_in_any_case(&mut self, list: &List, name: &str, range: Range<usize>) -> Option<Test> {
        let Entries::Globs(globs) = &list.entries else {
            let (holds, symbol) = (list.kind.info().word, Operator::AnyCase.symbol());
            return self.fail(
                Problem::error(range, format!("the list `{name}` holds {holds}, and `{symbol}` compares with globs"))
                    .label("a list of type `names` or `paths` is expected"),
            );
        };
        let globs = globs.iter().map(Glob::in_any_case).collect();
        Some(Test::Globs { globs, path: false, doubt: self.doubt, any_case: true })
    }

    fn entries(&mut self, list: &List, field: &'static Field, name: &str, range: Range<usize>) -> Option<Test> {
        self.possible_entries(list, field, name, &range);
        Some(match (&list.entries, field.ty) {
            (Entries::Globs(globs), Type::Word(words)) => {
                let matched = |word: &&&'static str| globs.iter().any(|glob| glob.matches(word.as_bytes()));
                let words: Box<[_]> = words.iter().filter(matched).copied().collect();
                self.seen_word(field, &words, range)?;
                Test::Words(words)
            }
            (Entries::Globs(globs), ty) => {
                Test::Globs { globs: Arc::clone(globs), path: ty == Type::Path, doubt: self.doubt, any_case: false }
            }
            (Entries::Numbers(numbers), _) => Test::Numbers(Arc::clone(numbers)),
            (Entries::Hosts(hosts), Type::Address) => {
                if !hosts.names.is_empty() {
                    let count = hosts.names.len();
                    self.problems.push(
                        Problem::warning(
                            range,
                            format!("the list `{name}` has {count} names, and `{}` is an address", field.name),
                        )
                        .label("names are not looked up, and so never hold here"),
                    );
                }
                Test::Nets(Arc::clone(&hosts.nets))
            }
            (Entries::Hosts(hosts), _) => Test::Hosts(Arc::clone(hosts)),
        })
    }

    /// Checks all literals, also those behind a bad one.
    fn each<T>(
        &mut self,
        literals: &[Literal],
        mut check: impl FnMut(&mut Self, &Literal) -> Option<T>,
    ) -> Option<Vec<T>> {
        let checked: Vec<_> = literals.iter().map(|literal| check(self, literal)).collect();
        checked.into_iter().collect()
    }

    fn text<'l>(&mut self, field: &'static Field, literal: &'l Literal) -> Option<&'l [u8]> {
        match &literal.value {
            LiteralValue::Text(text) => Some(text),
            LiteralValue::Number(number) => {
                let problem = self.mismatch_problem(field, literal, "a text");
                self.fail(problem.help(format!("write it in quotes: \"{number}\"")))
            }
            LiteralValue::Bool(_) => self.mismatch(field, literal, "a text"),
        }
    }

    fn utf8(&mut self, field: &'static Field, literal: &Literal) -> Option<String> {
        let text = self.text(field, literal)?;
        match str::from_utf8(text) {
            Ok(text) => Some(text.to_owned()),
            Err(_) => self.fail(Problem::error(literal.range.clone(), "this text is not UTF-8").label("not UTF-8")),
        }
    }

    fn mismatch<T>(&mut self, field: &'static Field, literal: &Literal, wanted: &str) -> Option<T> {
        let problem = self.mismatch_problem(field, literal, wanted);
        self.fail(problem)
    }

    fn mismatch_problem(&self, field: &'static Field, literal: &Literal, wanted: &str) -> Problem {
        let is = match literal.value {
            LiteralValue::Text(_) => "a text",
            LiteralValue::Number(_) => "a number",
            LiteralValue::Bool(_) => "true or false",
        };
        Problem::error(
            literal.range.clone(),
            format!("`{}` is a {} and cannot be compared with {is}", field.name, field.ty.name()),
        )
        .label(format!("{wanted} is expected"))
    }

    fn check<T>(&mut self, literal: &Literal, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => self.fail(Problem::error(literal.range.clone(), message).label("bad value")),
        }
    }

    fn fail<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }
}

/// The place of a part of a literal's value: exact if it stands verbatim in the text, else the whole literal.
fn inside(literal: &Literal, part: Range<usize>) -> Range<usize> {
    if literal.plain {
        let at = |offset: usize| (literal.range.start + 1 + offset).min(literal.range.end);
        at(part.start)..at(part.end)
    } else {
        literal.range.clone()
    }
}
