//! Lists that no rule reads: an exception under a mistyped name would be accepted, and except nothing.

use diagnostic::{Report, nearest};
use foldhash::HashSet;

use crate::config::Config;
use crate::rules::lists_named;

/// Says of each list of the user's that no rule reads it. Of the shipped ones that is no fault of the reader's.
pub(super) fn unread_lists(config: &Config, report: &mut Report) {
    let content = config.locations.content.display().to_string();
    let own = config.lists.iter().flatten().filter(|list| report.source_name(list.name.span.source) != content);
    let own: Vec<_> = own.collect();
    if own.is_empty() {
        return;
    }
    let policies = config
        .policies
        .iter()
        .flat_map(|policy| policy.rules.iter().chain(policy.exceptions.iter().map(|exception| &exception.rule)));
    let filters = config.investigations.flight_recorder.tables.iter().flat_map(|table| &table.filter);
    let read: HashSet<String> = policies.chain(filters).flat_map(|rule| lists_named(&rule.value)).collect();
    let typed: HashSet<&str> = config
        .lists
        .iter()
        .flatten()
        .filter(|list| list.list_type.is_some())
        .map(|list| list.name.value.as_str())
        .collect();
    let mut told = HashSet::default();
    for list in own {
        let name = list.name.value.as_str();
        // One without a type anywhere is an error, told where lists are put together.
        if read.contains(name) || !typed.contains(name) || !told.insert(name) {
            continue;
        }
        let help = match nearest(name, read.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("have a rule read it, `… in ${name}`, or take it out"),
        };
        report
            .warning(list.name.span.clone(), format!("no rule reads the list `{name}`"))
            .label("without effect")
            .help(help);
    }
}
