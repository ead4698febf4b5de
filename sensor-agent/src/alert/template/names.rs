//! Tells names of fields that no alert has, wherever they stand in a template.

use std::collections::BTreeSet;

use diagnostic::{Report, Spanned, nearest};
use gotemplate::Value;

use super::values;
use crate::alert::Alert;

/// Reports names that no alert has. Returns whether there is no error.
///
/// Keys of maps (labels, metadata) are free. A name that may be one is a doubt, which is a warning.
pub(super) fn check(template: &gotemplate::Template, text: &Spanned<String>, report: &mut Report) -> bool {
    let sample = values::of(&Alert::sample());
    let mut known = BTreeSet::new();
    collect(&sample, &mut known);
    let mut fine = true;
    for unknown in template.unknown_fields(&sample) {
        let name = unknown.name.as_str();
        let is_elsewhere = known.contains(name);
        let message = if is_elsewhere {
            format!("there is no field {name} here")
        } else {
            format!("alerts have no field {name}")
        };
        let span = text.part(unknown.range());
        let finding = if unknown.certain { report.error(span, message) } else { report.warning(span, message) };
        fine &= !unknown.certain;
        let near = nearest(name, known.iter().copied()).filter(|_| !is_elsewhere);
        finding.label("no such field").help(match near {
            Some(near) => format!("is .{near} meant?"),
            None if is_elsewhere => format!(
                "inside {{{{range}}}} and {{{{with}}}} a name belongs to the item, and $.Name to the alert, which has {}",
                fields_of(&sample)
            ),
            None => format!("the fields of an alert are {}", fields_of(&sample)),
        });
    }
    fine
}

/// The field that is meant by a word without a dot, if one is.
pub(super) fn field_for(word: &str) -> Option<&'static str> {
    let mut known = BTreeSet::new();
    collect(&values::of(&Alert::sample()), &mut known);
    nearest(word, known.iter().copied())
}

/// Names of fields at any depth.
fn collect(value: &Value, known: &mut BTreeSet<&'static str>) {
    match value {
        Value::Structure(structure) => {
            for (name, value) in structure.fields() {
                known.insert(name);
                collect(value, known);
            }
        }
        Value::List(list) => list.items().iter().for_each(|item| collect(item, known)),
        _ => {}
    }
}

fn fields_of(value: &Value) -> String {
    let Value::Structure(structure) = value else { return String::new() };
    structure.fields().iter().map(|(name, _)| format!(".{name}")).collect::<Vec<_>>().join(" ")
}
