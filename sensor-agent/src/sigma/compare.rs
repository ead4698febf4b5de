//! One field of a rule held against its values, as the rule language says it.

use std::net::IpAddr;

use ipnet::IpNet;
use schema::{Type, Values};
use settings::{Node, Scalar, Value};

use super::Fault;
use super::expr::{Expr, Part};
use super::modifiers::{Change, Key, Matching};
use super::regex::expression;
use super::sources::Mapping;
use super::translate::Translator;
use super::value::{Pattern, Piece, base64, base64_within, wide};
use crate::event::fields::{self, Field};
use crate::rules::is_no_path;
use crate::rules::quoted;

/// More values than these go into a list of their own.
const IN_RULE: usize = 40;

/// A field held against values.
pub(super) struct Comparison<'t, 'a> {
    translator: &'t mut Translator<'a>,
    mapping: &'static Mapping,
    field: &'static Field,
    key: &'t Key,
}

impl<'t, 'a> Comparison<'t, 'a> {
    pub(super) fn new(translator: &'t mut Translator<'a>, mapping: &'static Mapping, key: &'t Key) -> Self {
        let name = mapping.ours.rsplit('.').next().unwrap_or_default();
        let field = fields::by_name(name).expect("the table names fields; a test says so");
        Self { translator, mapping, field, key }
    }

    pub(super) fn exists(&self) -> Expr {
        Expr::term(format!("{} exists", self.mapping.ours))
    }

    fn fault(&self, node: &Node, message: impl Into<String>) -> Fault {
        Fault::at(self.translator.document.line(&node.span), message)
    }

    /// Whether one of the values is that of the field, or as the modifiers say.
    pub(super) fn of(&mut self, values: &[Node]) -> Result<Expr, Fault> {
        let Some(first) = values.first() else { return Ok(Expr::Never) };
        let mut scalars = Vec::with_capacity(values.len());
        for node in values {
            let message = match &node.value {
                Value::Scalar(scalar) => {
                    scalars.push((node, scalar));
                    continue;
                }
                Value::Null => "nothing (null) is no value of a list, and takes no modifier",
                Value::Sequence(_) | Value::Mapping(_) => "a value is text or a number",
            };
            return Err(self.fault(node, format!("`{}`: {message}", self.key.field)));
        }
        match (&self.key.matching, self.field.ty) {
            (Matching::Text { changes, cased }, Type::Text | Type::Path) => self.texts(&scalars, changes, *cased),
            (Matching::Expression { .. }, Type::Text | Type::Path) => self.expressions(&scalars),
            (Matching::Text { changes, .. }, Type::Number) if changes.is_empty() => self.numbers(&scalars, "=="),
            (Matching::Order(symbol), Type::Number) => self.numbers(&scalars, symbol),
            (Matching::Text { changes, .. }, Type::Word(_)) if changes.is_empty() => Ok(self.words(&scalars)),
            (Matching::Text { changes, .. }, Type::Address) if changes.is_empty() => self.addresses(&scalars),
            (Matching::Network, Type::Address) => self.addresses(&scalars),
            _ => {
                let (name, is) = (&self.key.field, self.field.ty.name());
                Err(self.fault(first, format!("`{name}` is a {is}, which its modifiers do not compare")))
            }
        }
    }

    /// One of the parts, or all of them.
    fn join(&self, parts: Vec<Expr>) -> Expr {
        if self.key.all { Expr::all(parts) } else { Expr::any(parts) }
    }

    fn texts(&mut self, values: &[(&Node, &Scalar)], changes: &[Change], cased: bool) -> Result<Expr, Fault> {
        let mut of_each = Vec::with_capacity(values.len());
        for (node, scalar) in values {
            let text = self.written(node, scalar)?;
            let patterns = changed(&text, changes).map_err(|why| self.fault(node, why))?;
            let (mut possible, impossible): (Vec<_>, Vec<_>) =
                patterns.into_iter().partition(|it| self.is_possible(it));
            if !impossible.is_empty() {
                let message = format!("`{}` is never `{text}`: it is a whole path", self.mapping.sigma);
                let fault = self.fault(node, message);
                self.translator.never.get_or_insert(fault);
            }
            possible.dedup();
            of_each.push(possible);
        }
        if self.key.all {
            let parts: Vec<_> = of_each.into_iter().map(|patterns| self.one_of(patterns, cased)).collect();
            return Ok(Expr::all(parts));
        }
        let all = of_each.concat();
        Ok(self.one_of(all, cased))
    }

    /// The text of a value. A number that is not written as it is meant is read by one program so, and so by another.
    fn written(&self, node: &Node, scalar: &Scalar) -> Result<String, Fault> {
        let text = &scalar.text;
        if scalar.plain && is_odd_number(text) {
            let message = format!("`{}`: `{text}` is read as one number or another: put it in quotes", self.key.field);
            return Err(self.fault(node, message));
        }
        Ok(text.clone())
    }

    /// Whether the field can have such a value.
    fn is_possible(&self, pattern: &Pattern) -> bool {
        if !matches!(self.field.values, Values::FromRoot) && !self.mapping.is_path {
            return true;
        }
        match pattern.pieces() {
            [] => false,
            [Piece::Char(first), ..] => {
                *first == '/' && !is_no_path(pattern.glob().as_bytes())
                    || *first == '…'
                    || pattern.glob().to_lowercase().starts_with("memfd:")
            }
            _ => true,
        }
    }

    fn one_of(&mut self, patterns: Vec<Pattern>, cased: bool) -> Expr {
        let subject = self.mapping.ours;
        if !cased {
            return self.globs("iglob", "iglob", &patterns);
        }
        // A path is compared with its last part where no slash is in the glob.
        let is_path = self.field.ty == Type::Path;
        let (whole, other): (Vec<_>, Vec<_>) =
            patterns.into_iter().partition(|pattern| !is_path || pattern.pieces().contains(&Piece::Char('/')));
        let mut parts = vec![self.globs("==", "in", &whole)];
        for pattern in other {
            parts.push(Expr::term(format!("{subject} =~ {}", raw(&pattern.expression()))));
        }
        Expr::any(parts)
    }

    fn globs(&mut self, one: &str, several: &str, patterns: &[Pattern]) -> Expr {
        let subject = self.mapping.ours;
        let mut globs: Vec<String> = Vec::with_capacity(patterns.len());
        let mut seen = foldhash::HashSet::default();
        for pattern in patterns {
            let glob = pattern.glob();
            if seen.insert(glob.clone()) {
                globs.push(glob);
            }
        }
        match globs.as_slice() {
            [] => Expr::Never,
            [glob] => Expr::term(format!("{subject} {one} {}", literal(glob))),
            globs if globs.len() <= IN_RULE => {
                let globs: Vec<_> = globs.iter().map(|glob| literal(glob)).collect();
                Expr::term(format!("{subject} {several} ({})", globs.join(", ")))
            }
            globs => {
                let (empty, others): (Vec<_>, Vec<_>) = globs.iter().cloned().partition(String::is_empty);
                let list = self.translator.lists.len();
                self.translator.lists.push(others.iter().map(|glob| entry(glob)).collect());
                let listed = Expr::Term(vec![Part::Text(format!("{subject} {several} ")), Part::List(list)]);
                let empty = empty.iter().map(|glob| Expr::term(format!("{subject} {one} {}", literal(glob))));
                Expr::any([listed].into_iter().chain(empty))
            }
        }
    }

    fn expressions(&self, values: &[(&Node, &Scalar)]) -> Result<Expr, Fault> {
        let Matching::Expression { any_case, lines, dot_takes_all } = self.key.matching else {
            return Ok(Expr::Never);
        };
        let mut parts = Vec::with_capacity(values.len());
        for (node, scalar) in values {
            let text = expression(&scalar.text, any_case, lines, dot_takes_all).map_err(|why| self.fault(node, why))?;
            parts.push(Expr::term(format!("{} =~ {}", self.mapping.ours, raw(&text))));
        }
        Ok(self.join(parts))
    }

    fn numbers(&mut self, values: &[(&Node, &Scalar)], symbol: &str) -> Result<Expr, Fault> {
        let subject = self.mapping.ours;
        let mut parts = Vec::with_capacity(values.len());
        for (node, scalar) in values {
            let text = scalar.text.as_str();
            parts.push(match number(scalar) {
                Some(number) if !self.is_possible_number(number, symbol) => {
                    let message = format!("`{}` is never {symbol} {number}", self.key.field);
                    let fault = self.fault(node, message);
                    self.translator.never.get_or_insert(fault);
                    Expr::Never
                }
                Some(number) => Expr::term(format!("{subject} {symbol} {number}")),
                None if text == "*" && symbol == "==" => self.exists(),
                None if symbol != "==" || text.contains(['*', '?', '\\']) => {
                    let message = format!("`{}` is a number here, and `{text}` is none", self.key.field);
                    return Err(self.fault(node, message));
                }
                None => {
                    let fault = self.fault(node, format!("`{}` is never `{text}`: it is a number", self.key.field));
                    self.translator.never.get_or_insert(fault);
                    Expr::Never
                }
            });
        }
        Ok(self.join(parts))
    }

    fn is_possible_number(&self, number: i64, symbol: &str) -> bool {
        let Values::Within(ranges) = self.field.values else { return true };
        ranges.iter().any(|range| match symbol {
            "<" => *range.start() < number,
            "<=" => *range.start() <= number,
            ">" => *range.end() > number,
            ">=" => *range.end() >= number,
            _ => range.contains(&number),
        })
    }

    /// Words of Sigma are others than ours, and their letter case is none.
    fn words(&mut self, values: &[(&Node, &Scalar)]) -> Expr {
        let Mapping { sigma, words, .. } = self.mapping;
        let mut parts = Vec::with_capacity(values.len());
        for (node, scalar) in values {
            let text = scalar.text.as_str();
            let known = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            parts.push(match known {
                Some((_, condition)) => Expr::term(*condition),
                None => {
                    let known = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
                    let message = format!("`{sigma}` is never `{text}` in what the policy sees, but {known}");
                    let fault = self.fault(node, message);
                    self.translator.never.get_or_insert(fault);
                    Expr::Never
                }
            });
        }
        self.join(parts)
    }

    fn addresses(&self, values: &[(&Node, &Scalar)]) -> Result<Expr, Fault> {
        let is_range = self.key.matching == Matching::Network;
        let mut parts = Vec::with_capacity(values.len());
        for (node, scalar) in values {
            let text = scalar.text.as_str();
            let net = match text.parse::<IpNet>() {
                Ok(net) if is_range => Ok(net.trunc()),
                _ => text.parse::<IpAddr>().map(IpNet::from),
            };
            let net = net.map_err(|_| {
                let wanted = if is_range { "a range of addresses" } else { "an address" };
                self.fault(node, format!("`{}`: `{text}` is not {wanted}", self.key.field))
            })?;
            parts.push(Expr::term(format!("{} == \"{net}\"", self.mapping.ours)));
        }
        Ok(self.join(parts))
    }
}

/// A value after all changes.
fn changed(text: &str, changes: &[Change]) -> Result<Vec<Pattern>, String> {
    let mut patterns = vec![Pattern::read(text)];
    let mut bytes: Option<Vec<u8>> = None;
    let plain = || Pattern::read(text).exact().ok_or_else(|| format!("`{text}`: what is encoded has no wildcards"));
    for change in changes {
        match change {
            Change::Wide(how) => bytes = Some(wide(&plain()?, *how)),
            Change::Base64 | Change::Base64Within => {
                let bytes = match bytes.take() {
                    Some(bytes) => bytes,
                    None => plain()?.into_bytes(),
                };
                patterns = if *change == Change::Base64 { vec![base64(&bytes)] } else { base64_within(&bytes) };
                if patterns.is_empty() {
                    return Err(format!("`{text}` is too short to be found within base64"));
                }
            }
            Change::Unbound(before, behind) => {
                patterns = patterns.into_iter().map(|pattern| pattern.unbound(*before, *behind)).collect();
            }
            Change::AnyDash => patterns = patterns.into_iter().map(Pattern::any_dash).collect(),
        }
    }
    Ok(patterns)
}

/// The number that a value is: as YAML 1.2 reads it without quotes, and within quotes as it is told in decimal.
fn number(scalar: &Scalar) -> Option<i64> {
    let text = scalar.text.as_str();
    if scalar.plain {
        if let Some(digits) = text.strip_prefix("0x") {
            return i64::from_str_radix(digits, 16).ok();
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return i64::from_str_radix(digits, 8).ok();
        }
        return text.parse().ok();
    }
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// Whether YAML may take a text for a number that is written otherwise.
fn is_odd_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.trim_start_matches('.').starts_with(|char: char| char.is_ascii_digit()) {
        return false;
    }
    if text.parse::<i64>().is_ok_and(|number| number.to_string() == text) {
        return false;
    }
    let prefixed = ["0x", "0o", "0b"].iter().any(|prefix| {
        digits
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|char| char.is_ascii_hexdigit() || char == '_'))
    });
    let grouped = digits.chars().all(|char| char.is_ascii_digit() || ['_', ':'].contains(&char));
    prefixed || grouped || text.parse::<f64>().is_ok_and(|number| number.to_string() != text)
}

/// A text as a rule writes it, what is no letter of a script by its number.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for char in quoted(text.as_bytes()).chars() {
        let code = u32::from(char);
        match char {
            char if char.is_ascii() || char.is_alphanumeric() => out.push(char),
            _ if code > 0xffff => out.push_str(&format!("\\U{code:08x}")),
            _ => out.push_str(&format!("\\u{code:04x}")),
        }
    }
    out
}

/// A regular expression as a rule writes it.
fn raw(text: &str) -> String {
    let plain = text.chars().all(|char| char != '`' && (char == ' ' || char.is_ascii_graphic()));
    if plain { format!("`{text}`") } else { literal(text) }
}

/// A glob as an entry of a list, of which blanks at the ends are not taken.
fn entry(glob: &str) -> String {
    let mut out = glob.to_owned();
    if let Some(last) = out.chars().next_back().filter(|char| char.is_whitespace()) {
        out.truncate(out.len() - last.len_utf8());
        out.extend(['[', last, ']']);
    }
    match out.chars().next().filter(|char| char.is_whitespace()) {
        Some(first) => format!("[{first}]{}", &out[first.len_utf8()..]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_read_so_or_so() {
        for (text, odd) in [
            ("777", false),
            ("0777", true),
            ("0x1f", true),
            ("1_000", true),
            ("12:30", true),
            ("1.5", false),
            ("1.50", true),
            ("+5", true),
            ("-5", false),
            ("1.2.3", false),
            ("4.4.4.4", false),
            ("2026-01-01", false),
            ("-D", false),
            ("0xzz", false),
            (".bashrc", false),
        ] {
            assert_eq!(is_odd_number(text), odd, "{text}");
        }
    }

    #[test]
    fn blanks_of_entries_are_kept() {
        for (glob, kept) in [("a ", "a[ ]"), (" a", "[ ]a"), (" ", "[ ]"), ("* a *", "* a *"), ("\ta\n", "[\t]a[\n]")] {
            assert_eq!(entry(glob), kept);
        }
    }
}
