//! What the sensor tells, described once: the classes of events with their kinds, fields, tables, policy types and words.
//!
//! ```text
//! classes/<class>.rs ─▶ eventType, rules, decode and read, rows, Parquet, protobuf, alerts, metrics, manuals
//! ```
//!
//! Facts alone, and no code that reads an event: programs that never see one (Central) know them as well. A class is one
//! file in [`classes`] and one line in its list; what can be said of every process is in [`process`].
//!
//! Only add: a word, a column or a number that is out keeps its meaning, since other versions read it.

mod activity;
mod class;
pub mod classes;
mod field;
mod policy;
pub mod process;

mod table;
mod words;

pub use activity::{Activity, Ocsf, Outcome, Reach};
pub use class::{Kind, Seen};
pub use classes::{Class, EventType};
pub use field::{FIELDS, Field, Integer, Owner, Role, Type, Values};
pub use policy::{POLICY_TYPES, PolicyType};
pub use table::{Column, TABLES, Table};
pub use words::Word;

/// Lists as one.
const fn concat<T: Copy, const COUNT: usize>(parts: &[&[T]], first: T) -> [T; COUNT] {
    let mut all = [first; COUNT];
    let (mut part, mut at, mut filled) = (0, 0, 0);
    while filled < COUNT {
        if at == parts[part].len() {
            (part, at) = (part + 1, 0);
        } else {
            all[filled] = parts[part][at];
            (at, filled) = (at + 1, filled + 1);
        }
    }
    all
}

/// How long [`concat`] makes them.
const fn total<T>(parts: &[&[T]]) -> usize {
    let (mut part, mut sum) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}
