//! One comparison, checked: what it asks of a value, told as plainly as possible.
//!
//! This is what a comparison *means*. The explanation of a verdict is made with it, and the compiled evaluation is
//! tested against it.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::ast::Scope;
use super::fold::fold;
use super::glob::Glob;
use super::lists::Hosts;
use super::regex::Expression;
use crate::event::fields::{Field, base_name};
use crate::event::{Event, Host, NOT_WHOLE, Place, Value};

/// A comparison of one field of one scope.
#[derive(Debug)]
pub(super) struct Atom {
    pub(super) scope: Scope,
    pub(super) field: &'static Field,
    pub(super) test: Test,
    /// As a rule would write it.
    pub(super) text: String,
}

/// What is asked of a value. Lists of values pass if one of them does; absent values do not, but for truth values.
#[derive(Debug)]
pub(super) enum Test {
    Exists,
    /// What is wanted, and whether a value that is not known passes: `match` rules hold for it and `ignore` rules do not, so
    /// that it leads to the alert.
    Bool {
        wanted: bool,
        unknown: bool,
    },
    /// Sorted, each once.
    Numbers(Arc<[i64]>),
    Order(Order, i64),
    /// One of these bits is set.
    Bits(u64),
    Words(Box<[&'static str]>),
    /// One of the globs matches; on a path those without a slash are held against its last part.
    Globs {
        globs: Arc<[Glob]>,
        path: bool,
        doubt: Doubt,
        /// The globs are [in any case](Glob::in_any_case), and the value is to be folded.
        any_case: bool,
    },
    Regex(Arc<Expression>),
    Nets(Arc<[IpNet]>),
    /// A text that names a host or is an address.
    Hosts(Arc<Hosts>),
}

impl Test {
    /// Whether it is held against an empty list.
    pub(super) fn holds_for_nothing(&self) -> bool {
        matches!(self, Self::Globs { globs, .. } if globs.is_empty())
    }
}

/// What a glob that begins with a slash says of a path in doubt: one that lacks its beginning, or that mounts made which are
/// not the host's and not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Doubt {
    /// The field is no path.
    None,
    /// It holds if it may: the comparison speaks for an alert.
    Holds,
    /// It holds only if it must: the comparison speaks against one.
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Atom {
    pub(super) fn holds(&self, event: &Event, host: &Host) -> bool {
        match self.scope {
            Scope::Event => self.test.holds(self.field.of(event, host)),
            Scope::Ancestor(n) => event
                .process
                .ancestors()
                .nth(usize::from(n))
                .is_some_and(|process| self.test.holds(self.field.of_process(process, host))),
            Scope::AnyAncestor => {
                event.process.ancestors().any(|process| self.test.holds(self.field.of_process(process, host)))
            }
        }
    }
}

impl Test {
    pub(super) fn holds(&self, value: Value<'_>) -> bool {
        match self {
            Self::Exists => exists(value),
            Self::Bool { wanted, unknown } => match value {
                Value::Bool(value) => value == *wanted,
                _ => *unknown,
            },
            Self::Numbers(numbers) => any_number(value, |number| numbers.binary_search(&number).is_ok()),
            Self::Order(order, bound) => any_number(value, |number| order.holds(number, *bound)),
            Self::Bits(bits) => any_number(value, |number| number.cast_unsigned() & bits != 0),
            Self::Words(words) => matches!(value, Value::Word(value) if words.contains(&value)),
            Self::Globs { globs, path, doubt, any_case } => globs.iter().any(|glob| {
                let glob = Pattern { glob, any_case: *any_case };
                if *doubt != Doubt::None && glob.glob.is_from_root() {
                    return passes_from_root(glob, *doubt, value);
                }
                let last = *path && !glob.glob.has_slash();
                any_text(value, |text| glob.matches(if last { base_name(text) } else { text }))
            }),
            Self::Regex(expression) => any_text(value, |text| expression.is_match(text)),
            Self::Nets(nets) => {
                matches!(value, Value::Addr(address) if nets.iter().any(|net| net.contains(&address.to_canonical())))
            }
            Self::Hosts(hosts) => any_text(value, |text| {
                if let Some(address) = as_address(text) {
                    return hosts.nets.iter().any(|net| net.contains(&address));
                }
                lower(text, |name| hosts.names.iter().any(|glob| glob.matches(name)))
            }),
        }
    }
}

/// A glob, and whether letter case counts.
#[derive(Clone, Copy)]
struct Pattern<'a> {
    glob: &'a Glob,
    any_case: bool,
}

impl Pattern<'_> {
    fn matches(self, text: &[u8]) -> bool {
        if self.any_case { self.glob.matches(fold(text, &mut Vec::new())) } else { self.glob.matches(text) }
    }

    /// Whether what there is of a path without its beginning leaves it open that the whole passes.
    fn ends_so(self, path: &[u8]) -> bool {
        let last = base_name(path);
        let ends = |last: &[u8]| self.glob.end().matches(last);
        path == NOT_WHOLE || if self.any_case { ends(fold(last, &mut Vec::new())) } else { ends(last) }
    }
}

/// Whether a path passes a glob that begins with a slash.
fn passes_from_root(glob: Pattern<'_>, doubt: Doubt, value: Value<'_>) -> bool {
    let may = |text: &[u8], any| glob.matches(text) || any && lacks_beginning(text) && glob.ends_so(text);
    match (value, doubt) {
        (Value::Place(place), Doubt::Holds) => {
            may(place.text, place.may_be_any) || place.host.is_some_and(|host| glob.matches(host))
        }
        (Value::Place(place), _) => place.host.is_some_and(|host| glob.matches(host)),
        (Value::Text(text), Doubt::Holds) => may(text, true),
        _ => any_text(value, |text| glob.matches(text)),
    }
}

/// Whether a path's beginning is missing.
pub(super) fn lacks_beginning(path: &[u8]) -> bool {
    path.starts_with(NOT_WHOLE)
}

impl Order {
    pub(super) const fn holds(self, number: i64, bound: i64) -> bool {
        match self {
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
        }
    }
}

/// Whether there is a value; of a list, at least one.
pub(super) fn exists(value: Value<'_>) -> bool {
    match value {
        Value::Absent | Value::Unknown => false,
        Value::Args(args) => args.iter().next().is_some(),
        Value::Pids(pids) => pids.iter().next().is_some(),
        _ => true,
    }
}

/// Whether one of the numbers passes.
pub(super) fn any_number(value: Value<'_>, mut passes: impl FnMut(i64) -> bool) -> bool {
    match value {
        Value::Int(number) => passes(number),
        Value::Time(time) => passes(i64::try_from(time).unwrap_or(i64::MAX)),
        Value::Pids(pids) => pids.iter().any(|pid| passes(i64::from(pid))),
        _ => false,
    }
}

/// Whether one of the texts passes. Identifiers are texts too, put together without allocation.
pub(super) fn any_text(value: Value<'_>, mut passes: impl FnMut(&[u8]) -> bool) -> bool {
    match value {
        Value::Text(text) | Value::Place(Place { text, .. }) => passes(text),
        Value::Word(word) => passes(word.as_bytes()),
        Value::Args(args) => args.iter().any(passes),
        Value::Uuid(uuid) => passes(uuid.hyphenated().encode_lower(&mut [0; 36]).as_bytes()),
        Value::SophosPid(key) => {
            let (mut pid, mut start) = (itoa::Buffer::new(), itoa::Buffer::new());
            let (pid, start) = (pid.format(key.tgid).as_bytes(), start.format(key.start).as_bytes());
            let mut buffer = [b':'; 32];
            buffer[..pid.len()].copy_from_slice(pid);
            let end = pid.len() + 1 + start.len();
            buffer[pid.len() + 1..end].copy_from_slice(start);
            passes(&buffer[..end])
        }
        Value::Absent
        | Value::Unknown
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Time(_)
        | Value::Pids(_)
        | Value::Addr(_) => false,
    }
}

/// The address that a text is.
pub(super) fn as_address(text: &[u8]) -> Option<IpAddr> {
    Some(str::from_utf8(text).ok()?.parse::<IpAddr>().ok()?.to_canonical())
}

/// A host's name in lower case, without the last dot. What is too long for a name is none.
pub(super) fn lower(text: &[u8], passes: impl FnOnce(&[u8]) -> bool) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let mut buffer = [0; 256];
    match buffer.get_mut(..text.len()) {
        Some(name) => {
            name.copy_from_slice(text);
            name.make_ascii_lowercase();
            passes(name)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProcessKey;

    #[test]
    fn identifiers_are_texts() {
        let key = ProcessKey::new(u32::MAX, u64::MAX);
        assert!(any_text(Value::SophosPid(key), |text| text == b"4294967295:18446744073709551615"));
        assert!(any_text(Value::Uuid(uuid::Uuid::nil()), |text| text == b"00000000-0000-0000-0000-000000000000"));
    }
}
