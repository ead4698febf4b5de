//! Which values a field can have: a comparison with any other never holds, and is refused.

use std::ops::RangeInclusive;

use diagnostic::nearest;
use schema::{EventType, Integer, Type, Values};

use super::super::Problem;
use super::super::ast::{Literal, LiteralValue, quoted};
use super::super::lists::{Entries, List};
use super::super::operators::Operator;
use super::super::test::Order;
use super::Checker;
use crate::event::UNSET_ID;
use crate::event::fields::Field;

/// More words than these are not told in an error.
const FEW_WORDS: usize = 20;

impl Checker<'_> {
    /// The number, if the field can be that, or less, or greater.
    pub(super) fn possible_number(
        &mut self,
        field: &Field,
        order: Option<Order>,
        literal: &Literal,
        number: i64,
    ) -> Option<i64> {
        let ranges = self.ranges(field);
        let holds = |range: &RangeInclusive<i64>| match order {
            None => range.contains(&number),
            Some(order @ (Order::Less | Order::LessOrEqual)) => order.holds(*range.start(), number),
            Some(order @ (Order::Greater | Order::GreaterOrEqual)) => order.holds(*range.end(), number),
        };
        if ranges.is_empty() || ranges.iter().any(holds) {
            return Some(number);
        }
        let than = match order {
            None => "",
            Some(Order::Less) => "less than ",
            Some(Order::LessOrEqual) => "as little as ",
            Some(Order::Greater) => "greater than ",
            Some(Order::GreaterOrEqual) => "as great as ",
        };
        // As it is written: what is too great for 63 bits is kept as another number.
        let written = match &literal.value {
            LiteralValue::Number(text) => text.clone(),
            _ => number.to_string(),
        };
        let problem = Problem::error(literal.range.clone(), format!("`{}` is never {than}{written}", field.name))
            .label("never holds");
        let is_id = ranges == [0..=i64::from(UNSET_ID) - 1];
        self.fail(if is_id && [-1, i64::from(UNSET_ID)].contains(&number) {
            problem.help(format!("an id that is not set is absent: write `not {} exists`", field.name))
        } else {
            problem.help(format!("it is {}", in_words(ranges)))
        })
    }

    /// The numbers that a field can be, in what these rules see; empty for all.
    fn ranges(&self, field: &Field) -> &'static [RangeInclusive<i64>] {
        match field.values {
            // What the kernel refuses can have any type.
            Values::Within(_) if field.name == "messageType" && self.seen.contains(EventType::AuditMessageRefused) => {
                &[0..=0xffff]
            }
            Values::Within(ranges) => ranges,
            _ => match (field.ty, field.integer) {
                (Type::Number | Type::Numbers | Type::Size, Integer::Uint32) => &[0..=0xffff_ffff],
                (Type::Number | Type::Numbers | Type::Size, Integer::Uint64) => &[0..=i64::MAX],
                _ => &[],
            },
        }
    }

    /// The text, if the field can be that.
    pub(super) fn possible_text<'l>(
        &mut self,
        field: &Field,
        operator: Operator,
        text: &'l [u8],
        literal: &Literal,
    ) -> Option<&'l [u8]> {
        let is_start = matches!(operator, Operator::Equal | Operator::In | Operator::StartsWith | Operator::AnyCase);
        let is_piece = matches!(operator, Operator::Contains | Operator::EndsWith);
        let name = field.name;
        if let Some(list) = text.strip_prefix(b"$").and_then(|list| str::from_utf8(list).ok())
            && self.lists.get(list).is_some()
        {
            self.problems.push(
                Problem::warning(literal.range.clone(), format!("this is a text, and not the list `{list}`"))
                    .label("in quotes")
                    .help(format!("write `{name} in ${list}`")),
            );
        }
        let (label, help) = match field.values {
            Values::Terminal if is_start && text.starts_with(b"/") || is_piece && contains(text, b"dev/") => {
                let short = text.strip_prefix(b"/dev/").filter(|short| !short.is_empty());
                let help = short
                    .map_or_else(|| "such as \"pts/3\"".into(), |short| format!("did you mean {}?", quoted(short)));
                ("it is the name without `/dev/`", help)
            }
            Values::LastPart if contains(text, b"/") && (is_start || is_piece) => {
                ("it has no slash", "the whole path is `programName`".into())
            }
            Values::FromRoot if is_start && let Some(advice) = path_advice(text, is_whole(operator, text)) => advice,
            Values::Uuid if is_whole(operator, text) && !is_uuid(text) => {
                ("no UUID", "write it as `01234567-89ab-8def-8123-456789abcdef`, in small letters".into())
            }
            Values::PidAndStart if is_whole(operator, text) && !is_pid_and_start(text) => {
                ("no PID:START", "write it as `4711:99000000000`, the start in nanoseconds of the boot clock".into())
            }
            Values::ContainerId if is_whole(operator, text) && is_short_id(text) => {
                let whole = [text, b"*"].concat();
                self.problems.push(
                    Problem::warning(
                        literal.range.clone(),
                        format!("`{name}` is the whole id, and this is 12 digits long"),
                    )
                    .label("this never holds if the id was cut")
                    .help(format!("write {}", quoted(&whole))),
                );
                return Some(text);
            }
            _ => return Some(text),
        };
        self.fail(
            Problem::error(literal.range.clone(), format!("`{name}` is never {}", quoted(text)))
                .label(label)
                .help(help),
        )
    }

    /// What to say of a text that is none of a field's words.
    pub(super) fn unknown_word(&mut self, field: &Field, words: &[&'static str], text: &str, literal: &Literal) {
        let problem =
            Problem::error(literal.range.clone(), format!("`{}` is never {}", field.name, quoted(text.as_bytes())))
                .label("unknown word");
        self.problems.push(problem.help(advice(words, text)));
    }

    /// Warns of what in a list the field never is.
    pub(super) fn possible_entries(&mut self, list: &List, field: &Field, name: &str, range: &std::ops::Range<usize>) {
        let mut never = Vec::new();
        match (&list.entries, field.ty) {
            (Entries::Globs(globs), Type::Word(words)) => {
                for (glob, text) in globs.iter().zip(&list.texts) {
                    if !words.iter().any(|word| glob.matches(word.as_bytes())) {
                        never.push((quoted(text.as_bytes()), Some(advice(words, text))));
                    }
                }
            }
            (Entries::Numbers(numbers), _) => {
                let ranges = self.ranges(field);
                let is_never = |number: &&i64| !ranges.is_empty() && !ranges.iter().any(|range| range.contains(number));
                never.extend(numbers.iter().filter(is_never).map(|number| (number.to_string(), None)));
            }
            _ => {}
        }
        let all = match &list.entries {
            Entries::Globs(globs) => globs.len(),
            Entries::Numbers(numbers) => numbers.len(),
            Entries::Hosts(_) => 0,
        };
        if !never.is_empty() && never.len() == all {
            let message = format!("no entry of the list `{name}` is a value of `{}`", field.name);
            self.problems.push(Problem::warning(range.clone(), message).label("never holds"));
            return;
        }
        for (entry, advice) in never {
            let message = format!("`{}` is never {entry}, which the list `{name}` has", field.name);
            let problem = Problem::warning(range.clone(), message).label("never holds for this entry");
            self.problems.push(match advice {
                Some(advice) => problem.help(advice),
                None => problem,
            });
        }
    }
}

fn advice(words: &[&'static str], text: &str) -> String {
    if let Some(number) = text.strip_prefix("UNKNOWN[").and_then(|rest| rest.strip_suffix(']')) {
        return format!("a type without a name is asked for by its number: `messageType == {number}`");
    }
    match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if words.len() > FEW_WORDS => "`sophoslinuxsensor fields` tells the words".into(),
        None => format!("the words are {}", words.join(", ")),
    }
}

fn in_words(ranges: &[RangeInclusive<i64>]) -> String {
    let parts: Vec<_> = ranges
        .iter()
        .map(|range| match (range.start(), range.end()) {
            (start, end) if start == end => start.to_string(),
            (start, end) => format!("{start} to {end}"),
        })
        .collect();
    parts.join(", or ")
}

/// Whether the literal is compared with the whole value, and is no pattern.
fn is_whole(operator: Operator, text: &[u8]) -> bool {
    matches!(operator, Operator::Equal | Operator::In) && !is_pattern(text)
}

fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[\\".contains(byte))
}

fn is_uuid(text: &[u8]) -> bool {
    let parsed = str::from_utf8(text).ok().and_then(|text| text.parse::<uuid::Uuid>().ok());
    parsed.is_some_and(|uuid| uuid.hyphenated().to_string().as_bytes() == text)
}

fn is_pid_and_start(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b':');
    let mut is_number = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    is_number() && is_number() && parts.next().is_none()
}

/// As `docker ps` shows ids.
fn is_short_id(text: &[u8]) -> bool {
    text.len() == 12 && text.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Whether no path is as this glob from the root says.
pub(crate) fn is_no_path(glob: &[u8]) -> bool {
    resolved(glob, !is_pattern(glob)).is_some()
}

/// What is wrong with an entry of a list that paths from the root are compared with, and what to write instead.
pub(crate) fn never_a_path(glob: &[u8]) -> Option<(&'static str, String)> {
    path_advice(glob, !is_pattern(glob))
}

/// What is wrong with a text that no path from the root is or begins with, and what to write instead.
fn path_advice(text: &[u8], is_whole: bool) -> Option<(&'static str, String)> {
    if is_relative(text) {
        let whole = [b"*/", text].concat();
        return Some(("it begins with a slash", format!("write the whole path, or {}", quoted(&whole))));
    }
    Some(("it is the path as the kernel resolved it", resolved(text, is_whole)?))
}

/// What to write instead of a path from the root that none has: the kernel's have no `//`, `/./` and `/../` in them and no
/// slash at their end.
fn resolved(text: &[u8], is_whole: bool) -> Option<String> {
    if (text.starts_with(b"~") || text.starts_with(b"$")) && contains(text, b"/") {
        return Some("write the whole path; nothing is put in for `~` or a variable".into());
    }
    // In a set a slash parts nothing.
    if !text.starts_with(b"/") || text.contains(&b'[') {
        return None;
    }
    let parts = text[1..].split(|&byte| byte == b'/');
    let is_odd = |part: &[u8]| part == b"." || part == b"..";
    let last = parts.clone().count() - 1;
    if parts
        .clone()
        .enumerate()
        .any(|(at, part)| at < last && part.is_empty() || (at < last || is_whole) && is_odd(part))
    {
        return Some("write it without `//`, `/./` and `/../`".into());
    }
    let name = text.strip_suffix(b"/").filter(|name| is_whole && !name.is_empty())?;
    Some(format!("write {} for all that is below it, or {}", quoted(&[text, b"*"].concat()), quoted(name)))
}

/// Whether this is a path, with a slash, that begins with a plain name.
fn is_relative(text: &[u8]) -> bool {
    let begins_plainly = text.first().is_some_and(|&first| first.is_ascii_alphanumeric() || b"._-".contains(&first));
    begins_plainly && contains(text, b"/") && !text.starts_with(b"memfd:")
}
