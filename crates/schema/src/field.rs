//! What a field is: its names, its type, the values it can have, what it is to formats.

use std::ops::RangeInclusive;

use crate::{Class, EventType, Seen, classes};

/// One field. How it is read off an event is told by whoever holds events.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name in rules, camelCase.
    pub name: &'static str,
    /// The column in tables and the key in rows.
    pub column: &'static str,
    pub ty: Type,
    /// Which integers its numbers are on the wire.
    pub integer: Integer,
    /// One line for the manual.
    pub doc: &'static str,
    pub owner: Owner,
    /// The kinds of events that have it; empty if all of its class have it.
    pub only_in: &'static [EventType],
    /// Which values it can have, of those that its type has.
    pub values: Values,
    /// What it is to whoever reads events of any class.
    pub role: Option<Role>,
}

/// What a field is a property of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Of an event of any class.
    Any,
    /// Of a process: also available as `lineage[n].<field>` and `any lineage.<field>`.
    Process,
    /// Of an event of one class.
    Class(Class),
}

/// What a fact of an event is, whatever class the event is of: the formats of alerts and rows read these. A class has a
/// role at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The account that the event is about.
    Account,
    AccountId,
    Group,
    GroupId,
    /// Where the user comes from.
    Address,
    /// Whoever opens a connection, and where it goes to.
    SourceAddress,
    SourcePort,
    DestinationAddress,
    DestinationPort,
    /// What sort of addresses these are, and what is spoken between them.
    AddressFamily,
    Transport,
    /// Which of the two the process is.
    Direction,
    RemoteHost,
    /// What the event is about that is no account: a unit, software, a virtual machine, a device.
    Object,
    /// The terminal that the event names.
    Terminal,
    /// The command that the event names.
    Command,
    /// What was done, in the sender's words.
    Operation,
    /// The name of what kind of event it is, within its class.
    Name,
    /// The event's own text.
    Text,
    /// What the file is that the event is about, and its second name.
    FileType,
    TargetPath,
}

/// Which values a field can have, of those that its type has. A comparison with another one never holds.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    Any,
    /// Numbers of these ranges.
    Within(&'static [RangeInclusive<i64>]),
    /// Paths from the root, or names such as `memfd:x`.
    FromRoot,
    /// The last part of a path.
    LastPart,
    /// A terminal's name as `/dev` has it.
    Terminal,
    /// A UUID in small letters, with hyphens.
    Uuid,
    /// The vendor's `PID:number`.
    PidAndStart,
    /// What runtimes call a container: of most 64 digits, of which people see 12.
    ContainerId,
}

/// Ids of processes (`PID_MAX_LIMIT` of Linux is 2^22); 0 stands for none.
pub(crate) const PIDS: Values = Values::Within(&[0..=1 << 22]);
/// Ids of users and groups; the last number stands for none.
pub(crate) const IDS: Values = Values::Within(&[0..=0xffff_fffe]);

/// What a field holds, and so what it can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Number,
    /// Bytes; compares with numbers and sizes such as `64KiB`.
    Size,
    /// Nanoseconds; compares with durations such as `1h30m`.
    Duration,
    /// Nanoseconds since the Unix epoch; compares with RFC 3339 strings and numbers.
    Time,
    /// Text: literals are globs.
    Text,
    /// A path: literals are globs, and one without a slash compares with the last part.
    Path,
    /// A list of texts: a comparison holds if it holds for one of them.
    Texts,
    /// A list of numbers: likewise.
    Numbers,
    /// A closed set of words.
    Word(&'static [&'static str]),
    /// An IP address: compares with addresses and CIDR ranges.
    Address,
}

/// The types of Protocol Buffers that a field's numbers can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    Int32,
    Int64,
    Uint32,
    Uint64,
}

impl Type {
    /// The name in messages and the manual.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "number",
            Self::Size => "size",
            Self::Duration => "duration",
            Self::Time => "time",
            Self::Text => "text",
            Self::Path => "path",
            Self::Texts => "list of texts",
            Self::Numbers => "list of numbers",
            Self::Word(_) => "word",
            Self::Address => "address",
        }
    }
}

impl Field {
    const fn new(owner: Owner, name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Self {
        let integer = match ty {
            Type::Size | Type::Duration | Type::Time => Integer::Uint64,
            _ => Integer::Uint32,
        };
        let (values, only_in) = (Values::Any, &[]);
        Self { name, column, ty, integer, doc, owner, only_in, values, role: None }
    }

    /// Whether some of these events can have a value of the field.
    #[must_use]
    pub fn applies_to(&self, seen: Seen) -> bool {
        let of_class = match self.owner {
            Owner::Class(only) => only == seen.class(),
            Owner::Process | Owner::Any => true,
        };
        of_class && (self.only_in.is_empty() || self.only_in.iter().any(|kind| seen.contains(*kind)))
    }

    /// For the registry: only events of these kinds have it.
    pub(crate) const fn only_in(self, kinds: &'static [EventType]) -> Self {
        Self { only_in: kinds, ..self }
    }

    /// For the registry: it has no other values than these.
    pub(crate) const fn values(self, values: Values) -> Self {
        Self { values, ..self }
    }

    /// For the registry: its numbers are other integers than those of its type mostly are.
    pub(crate) const fn integers(self, integer: Integer) -> Self {
        Self { integer, ..self }
    }

    /// For the registry: what it is to formats.
    pub(crate) const fn role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }
}

/// A field of a process, for the registry.
pub(crate) const fn process(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    Field::new(Owner::Process, name, column, ty, doc)
}

/// A field of events of one class.
pub(crate) const fn event(
    class: Class,
    name: &'static str,
    column: &'static str,
    ty: Type,
    doc: &'static str,
) -> Field {
    Field::new(Owner::Class(class), name, column, ty, doc)
}

/// A field of all events.
pub(crate) const fn any(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    Field::new(Owner::Any, name, column, ty, doc)
}

/// Declares fields, each by its own name, and the list of them.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $field:expr;)*) => {
        $($(#[$doc])* pub static $name: $crate::Field = $field;)*

        /// All of them, in the order of the manual.
        pub static FIELDS: &[&$crate::Field] = &[$(&$name),*];
    };
}

pub(crate) use fields;

/// Every field: those of all events and of processes, then those of each class.
pub static FIELDS: [&Field; crate::total(classes::FIELDS)] = crate::concat(classes::FIELDS, classes::FIELDS[0][0]);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::TABLES;

    #[test]
    fn names_and_columns_are_unique_and_documented() {
        assert_eq!(FIELDS.iter().map(|field| field.name).collect::<HashSet<_>>().len(), FIELDS.len());
        assert_eq!(FIELDS.iter().map(|field| field.column).collect::<HashSet<_>>().len(), FIELDS.len());
        for field in FIELDS {
            assert!(field.doc.ends_with('.'), "{}: a doc line is a sentence", field.name);
        }
    }

    #[test]
    fn a_kind_of_events_has_a_role_once() {
        for kind in EventType::ALL {
            let of_kind = FIELDS.iter().filter(|field| field.applies_to(Seen::only(kind)));
            let roles: Vec<_> = of_kind.filter_map(|field| field.role).collect();
            assert_eq!(roles.iter().collect::<HashSet<_>>().len(), roles.len(), "{}", kind.word());
        }
    }

    /// A column's events have it, and so have an alert's parts.
    #[test]
    fn columns_and_parts_are_fields_of_their_events() {
        for table in TABLES {
            for column in table.columns {
                let has = |kind: &EventType| column.field.applies_to(Seen::only(*kind));
                assert!(table.kinds.iter().any(has), "{}.{}", table.name, column.field.column);
            }
        }
        for kind in EventType::ALL {
            for field in kind.described().parts {
                assert!(field.applies_to(Seen::only(kind)), "{} has no {}", kind.word(), field.name);
            }
        }
    }

    #[test]
    fn what_a_field_can_be_fits_its_integers() {
        for field in FIELDS {
            let Values::Within(ranges) = field.values else { continue };
            let (least, most) = match field.integer {
                Integer::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
                Integer::Uint32 => (0, i64::from(u32::MAX)),
                Integer::Int64 => (i64::MIN, i64::MAX),
                Integer::Uint64 => (0, i64::MAX),
            };
            assert!(ranges.iter().all(|range| *range.start() >= least && *range.end() <= most), "{}", field.name);
        }
    }
}
