//! The `fields` command: the field registry for the people who write rules.

use std::fmt::Write as _;

use diagnostic::terminal::{Align, columns};
use schema::{Owner, Seen, Type};
use serde::Serialize;

use crate::event::fields::{FIELDS, Field};

/// How to print the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns, for people.
    Table,
    /// An array of objects, for programs.
    Json,
    /// The page `docs/fields.md`.
    Markdown,
}

/// Every field in this format, in the order of the registry.
#[must_use]
pub fn render(format: Format) -> String {
    match format {
        Format::Table => table(),
        Format::Json => json(),
        Format::Markdown => markdown(),
    }
}

fn table() -> String {
    columns(
        [
            ("FIELD", Align::Left),
            ("TYPE", Align::Left),
            ("COLUMN", Align::Left),
            ("OF", Align::Left),
            ("MEANING", Align::Left),
        ],
        FIELDS.iter().map(|field| {
            let words = match words(field) {
                [] => String::new(),
                words => format!(" One of {}.", words.join(", ")),
            };
            [
                field.name.into(),
                field.ty.name().into(),
                field.column.into(),
                owner(field),
                format!("{}{words}", field.doc),
            ]
        }),
    )
}

/// One field for programs.
#[derive(Serialize)]
struct Entry<'a> {
    field: &'a str,
    r#type: &'a str,
    column: &'a str,
    of: String,
    /// Whether rules can also ask it of ancestors: `lineage[0].FIELD`, `any lineage.FIELD`.
    lineage: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    words: &'a [&'a str],
    meaning: &'a str,
}

fn json() -> String {
    let entries: Vec<_> = FIELDS
        .iter()
        .map(|field| Entry {
            field: field.name,
            r#type: field.ty.name(),
            column: field.column,
            of: owner(field),
            lineage: field.owner == Owner::Process,
            words: words(field),
            meaning: field.doc,
        })
        .collect();
    // Strings, booleans and lists of strings always have a JSON form.
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}

fn markdown() -> String {
    let mut page = String::from(
        "# Fields\n\n\
         Every field that rules can use. The column is its name in tables and in JSON.\n\
         A field of a *process* can also be asked of ancestors: `lineage[0].programName`, `any lineage.uid`.\n\n\
         This page is printed by `sophoslinuxsensor fields -markdown`.\n\n\
         | field | type | column | of | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for field in &FIELDS {
        let words = match words(field) {
            [] => String::new(),
            words => format!(" One of `{}`.", words.join("`, `")),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | `{}` | {} | {}{words} |",
            field.name,
            field.ty.name(),
            field.column,
            owner(field),
            field.doc.replace('|', "\\|").replace('<', "&lt;"),
        );
    }
    page
}

/// What the field is a property of.
fn owner(field: &Field) -> String {
    if !field.only_in.is_empty() {
        return format!("{} event", Seen::these(field.only_in).name());
    }
    match field.owner {
        Owner::Process => "process".to_owned(),
        Owner::Class(class) => format!("{} event", class.name()),
        Owner::Any => "any event".to_owned(),
    }
}

fn words(field: &Field) -> &'static [&'static str] {
    match field.ty {
        Type::Word(words) => words,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_the_printed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fields.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, render(Format::Markdown)).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == render(Format::Markdown), "docs/fields.md is stale: UPDATE_DOCS=1 cargo test cli::fields");
    }

    #[test]
    fn every_field_is_in_every_format_in_order() {
        let (table, markdown) = (render(Format::Table), render(Format::Markdown));
        assert_eq!(table.lines().count(), FIELDS.len() + 1);
        let json: Vec<serde_json::Value> = serde_json::from_str(&render(Format::Json)).unwrap();
        assert_eq!(json.len(), FIELDS.len());
        let rows: Vec<_> = markdown.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), FIELDS.len());
        for (((field, line), value), row) in FIELDS.iter().zip(table.lines().skip(1)).zip(&json).zip(rows) {
            assert_eq!(line.split_whitespace().next(), Some(field.name));
            assert!(line.contains(field.doc));
            assert_eq!(value["field"], field.name);
            assert_eq!(value["type"], field.ty.name());
            assert_eq!(value["column"], field.column);
            assert!(row.starts_with(&format!("| `{}` | {} | `{}` |", field.name, field.ty.name(), field.column)));
            assert_eq!(row.matches('|').count() - row.matches("\\|").count(), 6, "{row}");
        }
    }

    #[test]
    fn what_is_of_one_kind_of_event_is_said() {
        for format in [Format::Table, Format::Markdown] {
            let lines = render(format);
            let line = |name: &str| lines.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
            assert!(line("exitCode").contains("PROCESS_EVENT_TYPE_EXIT event"), "{}", line("exitCode"));
        }
    }

    #[test]
    fn the_words_of_a_closed_set_are_listed() {
        assert!(render(Format::Table).contains("One of PROCESS_EVENT_TYPE_FORK, "));
        assert!(render(Format::Markdown).contains("One of `PROCESS_EVENT_TYPE_FORK`, "));
        assert!(render(Format::Json).contains("\"words\": ["));
    }
}
