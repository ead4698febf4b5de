//! How each field that the schema describes is read off an event, and set in one that is written down by hand.
//!
//! The rule checker, the tables' columns, the JSON, the `fields` command and the reference manual are read off [`FIELDS`]. A
//! new field is an entry in the schema and one here or in the part of its class: one without the other does not compile.

mod field;
pub(crate) mod foreign;
mod place;
mod process;

use std::sync::LazyLock;

pub use field::Field;
pub(super) use field::of_event;
use foldhash::HashMap;
use schema::{Role, Seen};

use super::{Event, Host, Value, classes};

/// Every field, in the order of the schema.
pub static FIELDS: [Field; schema::FIELDS.len()] = {
    let mut all = [process::FIELDS[0]; schema::FIELDS.len()];
    let (mut class, mut at, mut filled) = (0, 0, 0);
    let mut part = process::FIELDS;
    while filled < all.len() {
        if at == part.len() {
            (part, class, at) = (classes::CLASSES[class].fields, class + 1, 0);
        } else {
            all[filled] = part[at];
            assert!(is_same(part[at].facts().name, schema::FIELDS[filled].name), "not in the order of the schema");
            (at, filled) = (at + 1, filled + 1);
        }
    }
    assert!(class == classes::CLASSES.len() && at == part.len(), "more fields than the schema has");
    all
};

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The field of this name in rules.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Field> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Field>> =
        LazyLock::new(|| FIELDS.iter().map(|field| (field.name, field)).collect());
    INDEX.get(name).copied()
}

/// The field of this column.
#[must_use]
pub fn by_column(column: &str) -> Option<&'static Field> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Field>> =
        LazyLock::new(|| FIELDS.iter().map(|field| (field.column, field)).collect());
    INDEX.get(column).copied()
}

/// The columns of a table, in order.
pub fn of_table(table: &schema::Table) -> impl Iterator<Item = &'static Field> {
    table.columns.iter().filter_map(|column| by_column(column.field.column))
}

/// The value that has this role in an event; absent if its class has none such.
#[must_use]
pub fn by_role<'a>(event: &'a Event, host: &'a Host, role: Role) -> Value<'a> {
    let is_it = |field: &&Field| field.role == Some(role) && field.applies_to(Seen::only(event.kind));
    FIELDS.iter().find(is_it).map_or(Value::Absent, |field| field.of(event, host))
}

/// The part of a path after its last slash.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}
