//! Random rules and events: what the policies say, and what the specification says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::evaluator::holds;
use super::*;

const NAMES: [&str; 6] = ["selection", "selection_x", "sel", "filter_a", "filter_b", "_hidden"];

fn of(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// A text of a rule, or one of an event if there are no wildcards.
fn wanted() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        6 => "[aAbBéÉ*? /\\\\\n-]{0,4}".prop_map(Value::from),
        1 => of(&["*", "", "/a*", "*a?b*", "\\*", "\\\\*", "\\\\\\*", "a\\", "-a", "/a b "]).prop_map(Value::from),
        1 => (0..12).prop_map(Value::from),
    ]
}

fn actual() -> impl Strategy<Value = String> + Clone {
    "[aAbBéÉ /\\\\*\n–-]{0,6}"
}

fn values(of_each: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        3 => of_each.clone(),
        2 => prop::collection::vec(of_each.clone(), 1..4).prop_map(Value::from),
        // So many that they become a list.
        1 => prop::collection::vec(of_each, 45..50).prop_map(Value::from),
    ]
}

fn field() -> impl Strategy<Value = (String, Value)> {
    let text =
        || of(&["Image", "CommandLine", "CommandLine", "CurrentDirectory", "User", "ParentImage", "ParentCommandLine"]);
    let joined = |field: String, modifiers: String| {
        if modifiers.is_empty() { field } else { format!("{field}|{modifiers}") }
    };
    let modifiers = of(&[
        "",
        "",
        "contains",
        "contains",
        "startswith",
        "endswith",
        "contains|all",
        "endswith|all",
        "cased",
        "contains|cased",
        "startswith|cased|all",
        "windash|contains",
        "windash",
        "neq",
        "contains|neq",
    ]);
    let expression = of(&["a", "^a", "b$", "a.b", "[^a]b|é", "(a|B)+$", "-\\s?a", "^/", "a{2,}"]).prop_map(Value::from);
    prop_oneof![
        8 => (text(), modifiers, values(wanted())).prop_map(move |(field, modifiers, values)| (joined(field, modifiers), values)),
        2 => (text(), of(&["re", "re|i", "re|m", "re|s", "re|i|s"]), values(expression))
            .prop_map(move |(field, modifiers, values)| (joined(field, modifiers), values)),
        1 => (text(), any::<bool>()).prop_map(|(field, exists)| (format!("{field}|exists"), exists.into())),
        1 => text().prop_map(|field| (field, Value::Null)),
        1 => (of(&["LogonId", "LogonId|neq"]), values((0..4).prop_map(Value::from).boxed())),
        1 => (of(&["LogonId|lt", "LogonId|lte", "LogonId|gt", "LogonId|gte"]), (0..4).prop_map(Value::from)),
        1 => (Just("Hashes|contains".to_owned()), wanted()),
    ]
}

fn map() -> impl Strategy<Value = Value> {
    prop::collection::vec(field(), 1..4).prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into())
}

fn search() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => map(),
        2 => prop::collection::vec(map(), 1..3).prop_map(Value::from),
        1 => prop::collection::vec("[aAbé*-]{1,3}".prop_map(Value::from), 1..3).prop_map(Value::from),
        1 => prop::collection::vec("[aAbé*-]{1,3}".prop_map(Value::from), 1..3).prop_map(|words| json!({"|all": words})),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        2 => of(&NAMES),
        2 => of(&[
            "1 of them", "all of them", "1 of sel*", "all of selection*", "1 of filter_*", "all of *_x", "1 of selection",
            "any of f*_b", "1 of _hidden*",
        ]),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and not {b}")),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("{} or {}", parts[0], parts[1..].join(" and "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

/// A path as the kernel tells it: no empty part in it.
fn resolved(text: &str) -> String {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

fn event() -> impl Strategy<Value = Value> {
    let path = || prop::option::of(actual().prop_map(|text| resolved(&text)));
    let text = || prop::option::of(actual());
    // The name of a user is never empty.
    let user = prop::option::of("[aAbB]{1,4}");
    (path(), text(), path(), user, 0..4_u32, path(), text()).prop_map(
        |(image, line, cwd, user, uid, parent, parents_line)| {
            let fields = [
                ("Image", image.map(Value::from)),
                ("CommandLine", line.map(Value::from)),
                ("CurrentDirectory", cwd.map(Value::from)),
                ("User", user.map(Value::from)),
                ("LogonId", Some(Value::from(uid))),
                ("ParentImage", parent.map(Value::from)),
                ("ParentCommandLine", parents_line.map(Value::from)),
            ];
            fields
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn policies_say_what_the_rules_say(
        searches in prop::collection::vec(search(), NAMES.len()),
        condition in condition(),
        events in prop::collection::vec(event(), 1..12),
    ) {
        let mut detection: serde_json::Map<_, _> = NAMES.iter().map(|name| (*name).to_owned()).zip(searches).collect();
        detection.insert("condition".into(), condition.into());
        let rule = json!({"title": "t", "logsource": {"product": "linux", "category": "process_creation"}, "detection": detection});
        // JSON is YAML.
        let imported = import_one(&rule.to_string());
        if imported.taken == 0 {
            let said = imported.told.last().expect("why it is not taken").to_string();
            let nothing_passes = ["never", "no event passes", "does not record", "in the whole event"];
            prop_assert!(nothing_passes.iter().any(|part| said.contains(part)), "{}", said);
            if said.contains("is never") || said.contains("no event passes") {
                prop_assert!(!events.iter().any(|event| holds(&rule, event)), "{} {}", said, rule);
            }
            return Ok(());
        }
        let set = compiled(&imported.text);
        for event in events {
            let expected = holds(&rule, &event);
            prop_assert_eq!(matches(&set, ChainIndex(0), &ours(&event)), expected, "{}\n{}\n{}", event, rule, imported.text);
        }
    }

    #[test]
    fn nothing_makes_it_panic(parts in prop::collection::vec(prop::sample::select(vec![
        "title: t\n", "detection:\n", "    ", "sel:\n", "condition: ", "a", " and ", "1 of ", "them", "Image|", "CommandLine", "|contains",
        "|re", "|all", "|base64offset", "|wide", ": ", "- ", "'*'", "null", "[]", "{}", "\n", "---\n", "logsource: {category: process_creation}\n",
        "(", ")", "not ", "'['", "\"\\x00\"", "0x1f", "|exists: true", "level: low\n", "id: 1\n",
    ]), 0..30)) {
        let imported = import_one(&parts.concat());
        prop_assert_eq!(imported.rules - imported.taken, imported.told.iter().filter(|told| matches!(told.what, Outcome::NotTaken(_))).count());
        let _ = compiled(&imported.text);
    }
}
