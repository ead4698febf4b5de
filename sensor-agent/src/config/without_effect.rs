//! Keys that were given and change nothing.

use diagnostic::Report;
use settings::Section;

/// Refuses those of these keys that were given.
pub(crate) fn without_effect(section: &Section<'_>, keys: &[&str], what: &str, help: &str, report: &mut Report) {
    for (key, span) in keys.iter().filter_map(|key| Some((key, section.span(key)?))) {
        report.error(span, format!("`{key}` has no effect on {what}")).help(help.to_owned());
    }
}
