//! The flight recorder's tables: their names and columns.

use crate::{Class, EventType, Field, classes};

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub name: &'static str,
    /// Other spellings seen in the vendor's documentation.
    pub aliases: &'static [&'static str],
    /// The kinds of events that fill it, of one class; none while nothing does.
    pub kinds: &'static [EventType],
    /// Whether the MCS sink, and so the vendor's Data Lake, takes it.
    pub mcs: bool,
    /// Whether it is on when no list of tables says otherwise.
    pub default_on: bool,
    /// Its number in the message `Row` of `row.proto`.
    pub number: u32,
    /// The message of its rows there.
    pub message: &'static str,
    /// In the order in which rows have them.
    pub columns: &'static [Column],
    pub doc: &'static str,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub field: &'static Field,
    /// Its number in the table's message. Never changes, and is never used for another.
    pub number: u32,
}

/// For the tables: a column with its number.
pub(crate) const fn column(field: &'static Field, number: u32) -> Column {
    Column { field, number }
}

/// Every table that a configuration may name, those that are filled first.
pub static TABLES: [&Table; crate::total(classes::TABLES) + classes::PLANNED_TABLES.len()] = {
    let parts: [&[&Table]; classes::TABLES.len() + 1] =
        crate::concat(&[classes::TABLES, &[classes::PLANNED_TABLES]], classes::PLANNED_TABLES);
    crate::concat(&parts, classes::PLANNED_TABLES[0])
};

impl Table {
    /// The table of this name or alias.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TABLES.into_iter().find(|table| table.name == name || table.aliases.contains(&name))
    }

    /// The class of events that fill it; none while nothing does.
    #[must_use]
    pub const fn class(&self) -> Option<Class> {
        match self.kinds {
            [kind, ..] => Some(kind.class()),
            [] => None,
        }
    }

    #[must_use]
    pub const fn is_filled(&self) -> bool {
        !self.kinds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_table_is_filled_by_one_class() {
        for table in TABLES {
            assert!(table.kinds.iter().all(|kind| Some(kind.class()) == table.class()), "{}", table.name);
            assert_eq!(table.is_filled(), !table.columns.is_empty(), "{}", table.name);
        }
    }

    #[test]
    fn numbers_names_and_columns_stand_once() {
        let filled: Vec<_> = TABLES.iter().filter(|table| table.is_filled()).collect();
        let count = |unique: HashSet<String>| unique.len();
        assert_eq!(count(filled.iter().map(|table| table.number.to_string()).collect()), filled.len());
        assert_eq!(count(filled.iter().map(|table| table.message.to_owned()).collect()), filled.len());
        assert_eq!(count(TABLES.iter().map(|table| table.name.to_owned()).collect()), TABLES.len());
        for table in filled {
            let columns = table.columns;
            assert_eq!(count(columns.iter().map(|column| column.number.to_string()).collect()), columns.len());
            assert_eq!(count(columns.iter().map(|column| column.field.column.to_owned()).collect()), columns.len());
        }
    }
}
