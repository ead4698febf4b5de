//! What a field is: its names, its type, how it is read.

use std::ops::RangeInclusive;

use crate::event::{Class, Event, EventType, Host, Process, Seen, Value};

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name in rules, camelCase.
    pub name: &'static str,
    /// The column in tables and the key in rows.
    pub column: &'static str,
    pub ty: Type,
    /// One line for the manual.
    pub doc: &'static str,
    pub get: Get,
    /// The one kind of event that has it; none if all of its class have it.
    pub only_in: Option<EventType>,
    /// Whether a running sensor fills it. A field that is declared and not filled yet is absent everywhere.
    pub is_filled: bool,
    /// Which values it can have, of those that its type has.
    pub values: Values,
    /// What it is to whoever reads events of any class.
    pub role: Option<Role>,
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

/// How a field is read.
#[derive(Clone, Copy, Debug)]
pub enum Get {
    /// Of a process: also available as `lineage[n].<field>` and `any lineage.<field>`.
    Process(for<'a> fn(&'a Process, &'a Host) -> Value<'a>),
    /// Of an event of one class.
    Event(Class, for<'a> fn(&'a Event, &'a Host) -> Value<'a>),
    /// Of an event of any class.
    Any(for<'a> fn(&'a Event, &'a Host) -> Value<'a>),
}

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
    /// The value of this field in an event.
    #[must_use]
    pub fn of<'a>(&self, event: &'a Event, host: &'a Host) -> Value<'a> {
        match self.get {
            Get::Process(get) => get(&event.process, host),
            Get::Event(class, get) if class == event.kind.class() => get(event, host),
            Get::Event(..) => Value::Absent,
            Get::Any(get) => get(event, host),
        }
    }

    /// The value of this field in a process, an ancestor say; absent if it is not a process's.
    #[must_use]
    pub fn of_process<'a>(&self, process: &'a Process, host: &'a Host) -> Value<'a> {
        match self.get {
            Get::Process(get) => get(process, host),
            Get::Event(..) | Get::Any(_) => Value::Absent,
        }
    }

    /// Whether some of these events can have a value of the field.
    #[must_use]
    pub fn applies_to(&self, seen: Seen) -> bool {
        let of_class = match self.get {
            Get::Event(only, _) => only == seen.class(),
            Get::Process(_) | Get::Any(_) => true,
        };
        of_class && self.only_in.is_none_or(|kind| seen.contains(kind))
    }

    /// For the registry: only events of this kind have it.
    pub(super) const fn only_in(self, kind: EventType) -> Self {
        Self { only_in: Some(kind), ..self }
    }

    /// For the registry: it has no other values than these.
    pub(super) const fn values(self, values: Values) -> Self {
        Self { values, ..self }
    }

    /// For the registry: what it is to formats.
    pub(super) const fn role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// For the registry: nothing fills it yet.
    pub(super) const fn not_filled(self) -> Self {
        Self { is_filled: false, ..self }
    }
}

/// A field of a process, for the registry.
pub(super) const fn process(
    name: &'static str,
    column: &'static str,
    ty: Type,
    doc: &'static str,
    get: for<'a> fn(&'a Process, &'a Host) -> Value<'a>,
) -> Field {
    Field {
        name,
        column,
        ty,
        doc,
        get: Get::Process(get),
        only_in: None,
        is_filled: true,
        values: Values::Any,
        role: None,
    }
}

/// A field of events of one class.
pub(super) const fn event(
    class: Class,
    name: &'static str,
    column: &'static str,
    ty: Type,
    doc: &'static str,
    get: for<'a> fn(&'a Event, &'a Host) -> Value<'a>,
) -> Field {
    Field {
        name,
        column,
        ty,
        doc,
        get: Get::Event(class, get),
        only_in: None,
        is_filled: true,
        values: Values::Any,
        role: None,
    }
}

/// A field of all events.
pub(super) const fn any(
    name: &'static str,
    column: &'static str,
    ty: Type,
    doc: &'static str,
    get: for<'a> fn(&'a Event, &'a Host) -> Value<'a>,
) -> Field {
    Field { name, column, ty, doc, get: Get::Any(get), only_in: None, is_filled: true, values: Values::Any, role: None }
}
