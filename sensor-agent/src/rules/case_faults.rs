//! What is wrong with a file of cases, each with its place.

use diagnostic::{Report, nearest};
use settings::{Node, Schema, Value};

use super::cases::CasesError;

const KEYS: [&str; 5] = ["name", "policy", "expect", "rule", "event"];
const REQUIRED: [&str; 3] = ["policy", "expect", "event"];

/// The keys of a case are none of a configuration's.
static SCHEMA: Schema = Schema::new(&[]);

/// Reports what keeps a file from being read as cases. `error` is what its reader stopped at.
pub fn case_faults(name: &str, text: &str, error: &CasesError, report: &mut Report) {
    let source = report.add_source(name, text);
    match settings::parse(text, source, &SCHEMA, report) {
        Ok(root) => file(&root, report),
        Err(broken) => settings::explain(broken, text, source, &SCHEMA, report),
    }
    if !report.has_errors() {
        report.error(None, format!("{name}: {error}"));
    }
}

fn file(root: &Node, report: &mut Report) {
    let has = |node: &Node, keys: &[&str]| node.entries().iter().any(|entry| keys.contains(&entry.key.value.as_str()));
    let (message, help) = match &root.value {
        Value::Sequence(items) => return items.iter().for_each(|item| case(item, report)),
        Value::Mapping(_) if has(root, &REQUIRED) => (
            "a file of cases is a list, and this is a case alone",
            "put `- ` before its first key, and indent the others",
        ),
        Value::Mapping(entries)
            if has(root, &["lists"]) || entries.iter().any(|entry| has(&entry.value, &["rules", "policy"])) =>
        {
            (
                "this is a file of rules, not of cases",
                "write `rules test -rules RULES CASES`, with the cases in a file of their own",
            )
        }
        _ => ("a file of cases is a list", "write cases such as `- {policy: NAME, expect: match, event: {uid: 0}}`"),
    };
    report.error(root.span.clone(), message).label(format!("this is {}", root.kind())).help(help);
}

fn case(item: &Node, report: &mut Report) {
    let Value::Mapping(entries) = &item.value else {
        report
            .error(item.span.clone(), format!("a case is a mapping, not {}", item.kind()))
            .help("write cases such as `- {policy: NAME, expect: match, event: {uid: 0}}`");
        return;
    };
    for entry in entries {
        let key = entry.key.value.as_str();
        if !KEYS.contains(&key) {
            let help = match nearest(key, KEYS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a case has {}", KEYS.join(", ")),
            };
            report.error(entry.key.span.clone(), format!("unknown key `{key}`")).label("no key of a case").help(help);
        } else if key == "expect" {
            expect(&entry.value, report);
        } else if key != "event" && !matches!(entry.value.value, Value::Scalar(_)) {
            report
                .error(entry.value.span.clone(), format!("`{key}` is a text, not {}", entry.value.kind()))
                .help(format!("write one text behind `{key}:`"));
        }
    }
    for key in REQUIRED {
        if !entries.iter().any(|entry| entry.key.value == key) {
            report
                .error(item.span.clone(), format!("a case has no `{key}`"))
                .label(format!("`{key}` is missing"))
                .help("a case says which `policy` it is for, what to `expect` (match or ignore) and of which `event`");
        }
    }
}

fn expect(node: &Node, report: &mut Report) {
    let given = node.scalar().map_or("", |scalar| scalar.text.as_str());
    if ["match", "ignore"].contains(&given) {
        return;
    }
    let help = match (given.to_ascii_lowercase().as_str(), nearest(given, ["match", "ignore"])) {
        (_, Some(near)) => format!("did you mean `{near}`?"),
        ("alert" | "detect" | "fire" | "hit" | "true" | "yes", None) => "write match".to_owned(),
        ("pass" | "none" | "false" | "no" | "miss", None) => "write ignore".to_owned(),
        _ => "write match if the policy is to match the event, and ignore if not".to_owned(),
    };
    let found = if given.is_empty() { node.kind().to_owned() } else { format!("`{given}`") };
    report
        .error(node.span.clone(), format!("`expect` is match or ignore, not {found}"))
        .label("expected match or ignore")
        .help(help);
}

#[cfg(test)]
mod tests {
    use super::super::read_cases;
    use super::*;

    #[test]
    fn each_fault_of_a_file_is_shown_with_its_place() {
        for (text, said) in [
            (
                "- policy: P\n  expect: alert\n  event: {}\n- policy: P\n  expect: mach\n  evnt: {}\n",
                &[
                    "c:2:11",
                    "`expect` is match or ignore, not `alert`",
                    "write match",
                    "c:5:11",
                    "did you mean `match`?",
                    "c:6:3",
                    "did you mean `event`?",
                    "a case has no `event`",
                ][..],
            ),
            (
                "P:\n  policy: program\n  rules: [default match]\n",
                &["c:1:1", "this is a file of rules, not of cases", "-rules"],
            ),
            ("policy: P\nexpect: match\nevent: {}\n", &["a case alone", "put `- ` before"]),
            ("- P\n", &["c:1:3", "a case is a mapping, not text"]),
            ("text\n", &["a file of cases is a list"]),
            ("- {policy: [P], expect: match, event: {}}\n", &["`policy` is a text, not a list"]),
            ("- policy: P\n  expect: [\n", &["not valid YAML"]),
        ] {
            let error = read_cases(text).unwrap_err();
            let mut report = Report::default();
            case_faults("c", text, &error, &mut report);
            let found = report.to_string();
            for part in said {
                assert!(found.contains(part), "lacks {part}:\n{found}");
            }
        }
    }
}
