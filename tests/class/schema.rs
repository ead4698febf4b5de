//! Threads take other names.

use crate::field::{Role, Type, event, fields};
use crate::process as subject;
use crate::table::column;
use crate::words::words;
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "example";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::Rename,
    word: "EXAMPLE_EVENT_TYPE_RENAME",
    activity: Some(Activity::Other),
    outcome: Some(Outcome::Success),
    reach: Reach::Process,
    parts: &[&NEW_NAME, &NAME_LENGTH],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "example", sees: &[EventType::Rename] }];

pub(super) static TABLES: &[&Table] = &[&EXAMPLES];

static EXAMPLES: Table = Table {
    name: "examples",
    aliases: &[],
    kinds: &[EventType::Rename],
    mcs: false,
    default_on: false,
    number: 1000,
    message: "Example",
    columns: &[
        column(&subject::TIME, 1),
        column(&subject::PROCESS_PID, 2),
        column(&subject::PROGRAM_NAME, 3),
        column(&NEW_NAME, 4),
        column(&NAME_LENGTH, 5),
    ],
    doc: "Threads that took another name.",
};

words! {
    /// How much of its room a name takes.
    Length {
        Short = "short",
        Full = "full",
    }
}

fields! {
    NEW_NAME = event(Class::Example, "newName", "new_name", Type::Text, "The name that a thread takes.")
        .role(Role::Object);
    NAME_LENGTH = event(
        Class::Example,
        "nameLength",
        "name_length",
        Type::Word(<Length as crate::Word>::WORDS),
        "Whether a name that a thread takes fills its room.",
    );
}
