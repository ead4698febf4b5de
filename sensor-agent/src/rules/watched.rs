//! Which files rules can match, in terms that the kernel can ask of a path: names that it must have among those between its slashes.

use super::ast::{Scope, Verdict};
use super::chain::Condition;
use super::check::Expr;
use super::compile::RuleSet;
use super::glob::Glob;
use super::test::{Atom, Test};

/// The fields of a file's paths.
const PATHS: [&str; 2] = ["filePath", "targetPath"];

impl RuleSet {
    /// Names of which one stands in a path of each event that some chain matches, where that path is known from the root on and no
    /// user has made it what it is. None if a chain can match others.
    #[must_use]
    pub fn watched(&self) -> Option<Vec<Box<[u8]>>> {
        let mut all = Vec::new();
        for rule in self.chains.iter().flat_map(|chain| &chain.rules) {
            match &rule.condition {
                Condition::When(condition) if rule.verdict == Verdict::Match => all.extend(self.names(condition)?),
                Condition::Always if rule.verdict == Verdict::Match => return None,
                _ => {}
            }
        }
        Some(all)
    }

    fn names(&self, expr: &Expr) -> Option<Vec<Box<[u8]>>> {
        match expr {
            Expr::Atom(atom) => of_atom(&self.atoms[*atom as usize]),
            Expr::Not(_) => None,
            Expr::And(parts) => parts.iter().filter_map(|part| self.names(part)).min_by_key(Vec::len),
            Expr::Or(parts) => {
                let names: Option<Vec<_>> = parts.iter().map(|part| self.names(part)).collect();
                Some(names?.concat())
            }
        }
    }
}

fn of_atom(atom: &Atom) -> Option<Vec<Box<[u8]>>> {
    let Atom { scope: Scope::Event, field, test: Test::Globs { globs, path: true, any_case: false, .. }, .. } = atom
    else {
        return None;
    };
    if !PATHS.contains(&field.name) {
        return None;
    }
    globs.iter().map(|glob| Glob::whole_name(glob).map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use diagnostic::{Report, Span, Spanned};
    use proptest::prelude::*;
    use schema::Class;
    use serde_json::json;

    use super::super::{Chain, Lists, MissingDefault, Scratch, compile};
    use super::*;
    use crate::event::build::build;

    fn set(rules: &[&str]) -> RuleSet {
        let mut report = Report::default();
        let rules: Vec<_> = rules
            .iter()
            .map(|text| {
                let source = report.add_source("rules", *text);
                Spanned { value: (*text).to_owned(), span: Span { source, bytes: 0..text.len() }, verbatim: true }
            })
            .collect();
        let span = rules[0].span.clone();
        let default = MissingDefault::Is(Verdict::Ignore);
        let chain = Chain { name: "test", rules: &rules, span: &span, on_missing_default: default };
        let set = compile(Class::File, &[chain], &Lists::default(), &mut report);
        assert!(!report.has_errors(), "{:?}", report.diagnostics());
        set
    }

    fn watched(rules: &[&str]) -> Option<Vec<String>> {
        Some(set(rules).watched()?.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    #[test]
    fn whole_names_are_found_and_parts_of_names_are_not() {
        for (rule, names) in [
            ("match filePath == \"/etc/shadow\"", Some(&["shadow"][..])),
            ("match filePath == \"/etc/*\"", Some(&["etc"])),
            ("match filePath == \"*/.ssh/auth*\"", Some(&[".ssh"])),
            ("match filePath == \"passwd\"", Some(&["passwd"])),
            ("match filePath in (\"/a/x\", \"/bc/*\")", Some(&["x", "bc"])),
            ("match filePath == \"/etc/*\" and uid == 0", Some(&["etc"])),
            ("match filePath == \"/etc/*\" or targetPath == \"/boot/*\"", Some(&["etc", "boot"])),
            ("ignore uid == 0", Some(&[])),
            ("match filePath == \"/etc*\"", None),
            ("match filePath == \"*.conf\"", None),
            ("match filePath == \"/e?c/x*\"", None),
            ("match not filePath == \"/etc/*\"", None),
            ("match filePath == \"/etc/*\" or uid == 0", None),
            ("match uid == 0", None),
            ("default match", None),
        ] {
            let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(watched(&[rule]), names, "{rule}");
        }
        assert_eq!(watched(&["match filePath == \"/etc/*\"", "match uid == 0"]), None);
    }

    proptest! {
        /// What a rule matches has one of its names.
        #[test]
        fn no_match_is_left_out(glob in "/?(?:[ab*?/]|\\[ab\\]){1,8}", path in "(?:/[ab]{1,3}){1,4}") {
            let set = set(&[&format!("match filePath == \"{glob}\"")]);
            let (event, host) = build(&json!({"eventType": "FILE_EVENT_TYPE_CREATE", "filePath": path})).unwrap();
            let mut found = false;
            set.matches(&event, &host, &mut Scratch::default(), &mut |_, _| found = true);
            if found && let Some(names) = set.watched() {
                let has = |name: &[u8]| path.as_bytes().split(|byte| *byte == b'/').any(|part| part == name);
                prop_assert!(names.iter().any(|name| has(name)), "{glob} matches {path}: {names:?}");
            }
        }
    }
}
