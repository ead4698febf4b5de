//! Sigma by its specification, as plainly as can be: a rule and an event as JSON, and whether the one is about the other.
//! It shares nothing with the import.

use serde_json::{Map, Value};

/// What is looked for in the whole event is looked for in these, in no letter case.
const WHOLE: [&str; 6] = ["Image", "CommandLine", "CurrentDirectory", "User", "ParentImage", "ParentCommandLine"];

/// Whether a rule's detection holds for an event.
pub(super) fn holds(rule: &Value, event: &Value) -> bool {
    let detection = rule["detection"].as_object().expect("a detection");
    let condition = detection["condition"].as_str().expect("a condition");
    let spaced = condition.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (value, rest) = or(&words, detection, event);
    assert!(rest.is_empty(), "{condition}");
    value
}

fn or<'w>(words: &'w [&'w str], detection: &Map<String, Value>, event: &Value) -> (bool, &'w [&'w str]) {
    let (mut value, mut rest) = and(words, detection, event);
    while rest.first() == Some(&"or") {
        let (next, after) = and(&rest[1..], detection, event);
        (value, rest) = (value || next, after);
    }
    (value, rest)
}

fn and<'w>(words: &'w [&'w str], detection: &Map<String, Value>, event: &Value) -> (bool, &'w [&'w str]) {
    let (mut value, mut rest) = not(words, detection, event);
    while rest.first() == Some(&"and") {
        let (next, after) = not(&rest[1..], detection, event);
        (value, rest) = (value && next, after);
    }
    (value, rest)
}

fn not<'w>(words: &'w [&'w str], detection: &Map<String, Value>, event: &Value) -> (bool, &'w [&'w str]) {
    match words {
        ["not", rest @ ..] => {
            let (value, rest) = not(rest, detection, event);
            (!value, rest)
        }
        ["(", rest @ ..] => {
            let (value, rest) = or(rest, detection, event);
            assert_eq!(rest[0], ")");
            (value, &rest[1..])
        }
        [count, "of", pattern, rest @ ..] => {
            let named = |name: &&String| match *pattern {
                _ if *name == "condition" => false,
                "them" => !name.starts_with('_'),
                pattern => wildcard(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>()),
            };
            let mut values = detection.keys().filter(named).map(|name| search(&detection[name], event));
            (if *count == "all" { values.all(|value| value) } else { values.any(|value| value) }, rest)
        }
        [name, rest @ ..] => (search(&detection[*name], event), rest),
        [] => panic!("a condition that ends"),
    }
}

fn search(search: &Value, event: &Value) -> bool {
    match search {
        Value::Object(map) => map.iter().all(|(key, value)| field(key, value, event)),
        Value::Array(items) => items.iter().any(|item| match item {
            Value::Object(map) => map.iter().all(|(key, value)| field(key, value, event)),
            word => keyword(word, event),
        }),
        word => keyword(word, event),
    }
}

fn keyword(word: &Value, event: &Value) -> bool {
    WHOLE.iter().any(|name| field(&format!("{name}|contains"), word, event))
}

fn field(key: &str, values: &Value, event: &Value) -> bool {
    let (name, modifiers) = key.split_once('|').unwrap_or((key, ""));
    let has = |modifier: &str| modifiers.split('|').any(|one| one == modifier);
    let values: Vec<&Value> = match values {
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    };
    if name.is_empty() {
        return values.iter().all(|word| keyword(word, event));
    }
    let actual = event.get(name);
    if has("exists") {
        return actual.is_some() == (values[0] == &Value::Bool(true));
    }
    let one = |value: &&Value| match (value, actual) {
        (Value::Null, actual) => actual.is_none(),
        (_, None) => false,
        (value, Some(actual)) => compare(&text(value), &text(actual), &has),
    };
    if has("neq") {
        return actual.is_some() && !values.iter().any(one);
    }
    if has("all") { values.iter().all(one) } else { values.iter().any(one) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn compare(wanted: &str, actual: &str, has: &impl Fn(&str) -> bool) -> bool {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    for (modifier, order) in [
        ("lt", [true, false, false]),
        ("lte", [true, true, false]),
        ("gt", [false, false, true]),
        ("gte", [false, true, true]),
    ] {
        if has(modifier) {
            return order[(number(actual).cmp(&number(wanted)) as i8 + 1) as usize];
        }
    }
    if has("cidr") {
        let range: ipnet::IpNet = wanted.parse().expect(wanted);
        return range.contains(&actual.parse::<std::net::IpAddr>().expect(actual));
    }
    if has("re") {
        let [i, m, s] = ["i", "m", "s"].map(has);
        let config = regex_automata::meta::Regex::config().utf8_empty(false);
        let syntax = regex_automata::util::syntax::Config::new()
            .case_insensitive(i)
            .multi_line(m)
            .dot_matches_new_line(s)
            .unicode(false)
            .utf8(false);
        let regex =
            regex_automata::meta::Regex::builder().configure(config).syntax(syntax).build(wanted).expect(wanted);
        // PCRE's `$` also stands before a line feed at the very end.
        let shorter = actual.strip_suffix('\n').filter(|_| wanted.ends_with('$') && !m);
        return regex.is_match(actual) || shorter.is_some_and(|text| regex.is_match(text));
    }
    let mut pattern = Vec::new();
    let chars: Vec<char> = wanted.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1).copied();
        match (chars[at], next) {
            ('\\', Some(next @ ('*' | '?' | '\\'))) => {
                pattern.push(Some(next));
                at += 1;
            }
            ('*', _) => pattern.extend([None, Some('*')]),
            ('?', _) => pattern.extend([None, Some('?')]),
            (char, _) => pattern.push(Some(char)),
        }
        at += 1;
    }
    let any = || [None, Some('*')];
    if has("contains") || has("endswith") {
        pattern.splice(0..0, any());
    }
    if has("contains") || has("startswith") {
        pattern.extend(any());
    }
    let same: &dyn Fn(char, char) -> bool = if has("cased") {
        &|one, other| one == other
    } else {
        &|one, other| one.to_lowercase().eq(other.to_lowercase())
    };
    glob(&pattern, &actual.chars().collect::<Vec<_>>(), same, has("windash"))
}

/// `None` before a character says that it is a wildcard.
fn glob(pattern: &[Option<char>], text: &[char], same: &dyn Fn(char, char) -> bool, dashes: bool) -> bool {
    const DASHES: &str = "-/–—―";
    match pattern {
        [] => text.is_empty(),
        [None, Some('*'), rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..], same, dashes)),
        [None, Some(_), rest @ ..] => !text.is_empty() && glob(rest, &text[1..], same, dashes),
        [Some(wanted), rest @ ..] => {
            let fits =
                |actual: char| same(*wanted, actual) || dashes && DASHES.contains(*wanted) && DASHES.contains(actual);
            text.first().is_some_and(|actual| fits(*actual)) && glob(rest, &text[1..], same, dashes)
        }
        _ => unreachable!(),
    }
}

fn wildcard(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|at| wildcard(rest, &text[at..])),
        [wanted, rest @ ..] => text.first() == Some(wanted) && wildcard(rest, &text[1..]),
    }
}
