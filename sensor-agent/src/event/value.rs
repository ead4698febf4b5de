//! One value of a field.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Arguments, Process, ProcessKey};

/// A field's value, borrowed from the event it is read from. Text is bytes: the kernel promises no encoding.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// The event has no such value. Every comparison with it is false.
    Absent,
    /// The event says that this is not known: rows show a question mark, and every comparison is false.
    Unknown,
    Bool(bool),
    Int(i64),
    /// A point in time, nanoseconds since the Unix epoch.
    Time(u64),
    Text(&'a [u8]),
    /// A path that is not the host's, and not certain.
    Place(Place<'a>),
    /// One of a closed set of words.
    Word(&'static str),
    Uuid(Uuid),
    /// The vendor's `PID:number`: the thread group id and the start time.
    SophosPid(ProcessKey),
    Args(&'a Arguments),
    Pids(Pids<'a>),
    Addr(IpAddr),
}

impl<'a> Value<'a> {
    /// Text, or nothing if it is empty.
    #[must_use]
    pub fn text(text: &'a [u8]) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// The text of an optional string.
    #[must_use]
    pub fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, |text| Self::text(text.as_bytes()))
    }
}

/// A path by mounts that a user may make as they like, or that are in nobody's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// As the process sees it.
    pub text: &'a [u8],
    /// Where the host has the file; none if nowhere, or if that is not known.
    pub host: Option<&'a [u8]>,
    /// Whether a path without its beginning may be any that ends so.
    pub may_be_any: bool,
}

/// The pids of a process's ancestors, nearest first.
#[derive(Clone, Copy, Debug)]
pub struct Pids<'a>(pub(super) &'a Process);

impl Pids<'_> {
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.ancestors().map(|ancestor| ancestor.key.tgid)
    }
}
