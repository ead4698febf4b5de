//! Texts with a meaning that the sensor knows: rules, templates, names of tables, fields and groups.

use diagnostic::nearest;
use schema::{TABLES, Table};
use settings::{FromText as _, Kind, Own, Pairs, Problem};

use super::super::policy::{ContentGroup, Day};
use crate::event::fields;
use crate::redaction;
use crate::rules::Glob;

/// A rule of the rule language.
pub(super) static RULE: Own = Own {
    name: "rule",
    expected: "a rule, such as: match programName == \"/usr/bin/wget\"",
    check: |text| if text.trim().is_empty() { Err(Problem::new("this is empty")) } else { Ok(()) },
    prose: Some("a rule"),
};

pub(super) static TEMPLATE: Own =
    Own { name: "Go template", expected: "text", check: |_| Ok(()), prose: Some("a template") };

/// A day of the calendar.
pub(super) static DAY: Own = Own {
    name: "day",
    expected: "a day, such as 2026-12-31",
    check: |text| Day::from_text(text).map(drop),
    prose: None,
};

/// A pattern of secrets.
pub(super) static PATTERN: Own = Own {
    name: "regular expression",
    expected: "a regular expression, such as: --pin[= ](\\S+)",
    check: redaction::check,
    prose: Some("a regular expression"),
};

/// A glob over whole paths.
pub(super) static PATH_GLOB: Own = Own {
    name: "glob of paths",
    expected: "a glob that begins with /, such as: /usr/sbin/sshd",
    check: path_glob,
    prose: None,
};

pub(super) static TABLE: Own = Own { name: "table name", expected: "the name of a table", check: table, prose: None };

pub(super) static FIELD: Own = Own { name: "field name", expected: "the name of a field", check: field, prose: None };

/// The dotted path of a group of detections.
pub(super) static CONTENT_GROUP: Own = Own {
    name: "content group",
    expected: "the name of a content group",
    check: |text| ContentGroup::from_text(text).map(drop),
    prose: None,
};

/// Flight recorder tables, each with its topic.
pub(super) static TABLE_TOPICS: Pairs = Pairs {
    name: "list of mappings, table to topic",
    expected: "a list of `table: topic`",
    key: &TABLE,
    value: &Kind::Text,
};

fn path_glob(text: &str) -> Result<(), Problem> {
    if !text.starts_with('/') {
        return Err(Problem::new("this is no whole path").help("begin with /"));
    }
    Glob::new(text.as_bytes()).map(drop).map_err(|error| Problem::new(error.to_string()))
}

fn table(text: &str) -> Result<(), Problem> {
    if Table::by_name(text).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let problem = Problem::new(format!("there is no table `{text}`"));
    Err(match nearest(text, names.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("the tables are {}", names.join(", "))),
    })
}

fn field(text: &str) -> Result<(), Problem> {
    if fields::by_name(text).is_some() {
        return Ok(());
    }
    let problem = Problem::new(format!("there is no field `{text}`"));
    Err(match nearest(text, fields::FIELDS.iter().map(|field| field.name)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`sophoslinuxsensor fields` prints them all"),
    })
}
