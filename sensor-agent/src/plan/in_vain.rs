//! Lists that no rule reads, and entries that no path can be: an exception under a mistyped name, or for a path that is none,
//! would be accepted, and except nothing.

use diagnostic::{Report, Spanned, nearest};
use foldhash::{HashMap, HashSet};
use schema::Values;

use crate::config::{Config, ListConfig};
use crate::event::fields;
use crate::rules::{lists_compared, never_a_path, quoted};

/// Says of each list of the user's that no rule reads it, and which of its entries no path can be. Of the shipped ones that is
/// no fault of the reader's.
pub(super) fn lists(config: &Config, report: &mut Report) {
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
    let mut read: HashMap<String, Vec<String>> = HashMap::default();
    for (name, field) in policies.chain(filters).flat_map(|rule| lists_compared(&rule.value)) {
        read.entry(name).or_default().push(field);
    }
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
        if let Some(compared) = read.get(name) {
            never_paths(list, compared, report);
        }
        // One without a type anywhere is an error, told where lists are put together.
        if read.contains_key(name) || !typed.contains(name) || !told.insert(name) {
            continue;
        }
        let help = match nearest(name, read.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("have a rule read it, `… in ${name}`, or take it out"),
        };
        report
            .warning(list.name.span.clone(), format!("no rule reads the list `{name}`"))
            .label("without effect")
            .help(help);
    }
}

/// Refuses entries as a rule refuses them. What is compared with arguments as well may be of use there.
fn never_paths(list: &ListConfig, compared: &[String], report: &mut Report) {
    let is_from_root =
        |name: &String| fields::by_name(name).is_some_and(|field| matches!(field.values, Values::FromRoot));
    let Some(field) = compared.first().filter(|_| compared.iter().all(is_from_root)) else { return };
    for Spanned { value, span, .. } in list.values.iter().flatten().chain(&list.add) {
        let entry = value.trim().as_bytes();
        if let Some((label, help)) = never_a_path(entry) {
            let message = format!("`{field}` is never {}, which the list `{}` has", quoted(entry), list.name.value);
            report.error(span.clone(), message).label(label).help(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use settings::Environment;

    use super::*;
    use crate::config::{Paths, load};

    fn said(list: &str, rules: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("lists: {{L: {list}}}\nP:\n  policy: program\n  rules:\n  - {rules}\n  - default ignore\n");
        std::fs::write(file.path(), text).unwrap();
        let empty = tempfile::NamedTempFile::new().unwrap();
        let empty = || Some(empty.path().to_owned());
        let paths = Paths { main: Some(file.path().to_owned()), content: empty(), rules: empty(), ..Paths::default() };
        let mut report = Report::default();
        let config = load(&paths, &Environment::default(), &mut report);
        lists(&config, &mut report);
        report.to_string()
    }

    #[test]
    fn entries_that_are_no_path_are_refused_where_they_stand() {
        for (list, rule, entry, help) in [
            ("{type: paths, values: [/bin/a, usr/bin/x]}", "match programName in $L", "usr/bin/x", "\"*/usr/bin/x\""),
            ("{type: paths, add: [./x]}", "ignore not parentProgramName not in $L", "./x", "write the whole path"),
            ("{type: lineage, values: [/opt/x/]}", "match lineage in $L", "/opt/x/", "\"/opt/x/*\""),
            ("{type: paths, values: ['~/x']}", "match any lineage.programName IN $L", "~/x", "nothing is put in"),
            ("{type: names, values: [a/b]}", "match lineage[0].programName in $L", "a/b", "\"*/a/b\""),
        ] {
            let said = said(list, rule);
            assert!(said.contains(&format!("is never \"{entry}\", which the list `L` has")), "{rule}: {said}");
            assert!(said.contains(help) && said.contains("1 error"), "{rule}: {said}");
        }
        for (list, rule) in [
            ("{type: paths, values: [/bin/a, x, '*/x', 'memfd:x/y', '/opt/*']}", "match programName in $L"),
            // An argument may be such a path, and the working folder's.
            ("{type: paths, values: [usr/bin/x, /opt/x/]}", "match args in $L"),
            ("{type: paths, values: [usr/bin/x]}", "match programName in $L or args in $L"),
        ] {
            assert_eq!(said(list, rule), "", "{rule}");
        }
    }
}
