use proptest::prelude::*;

use super::*;

fn printed(text: &str) -> String {
    parse(text).unwrap_or_else(|problem| panic!("{text}: {}", problem.message)).to_string()
}

#[test]
fn rules_of_each_form() {
    for (text, expected) in [
        ("match programName == \"/usr/bin/wget\"", "match programName == \"/usr/bin/wget\""),
        ("DEFAULT Ignore", "default ignore"),
        ("ignore a==1&&b!=2||!c<3", "ignore (a == 1 and b != 2) or not c < 3"),
        ("match a IN $Process_Injection-programName-allowList", "match a in $Process_Injection-programName-allowList"),
        ("match a NOT IN (1, 0x2,\"x\")", "match a not in (1, 0x2, \"x\")"),
        ("match not (a exists or b =~ `x\"`)", "match not (a exists or b =~ \"x\\\"\")"),
        (
            "match lineage[2].a endsWith \"x\" and any lineage.b !~ \"y\"",
            "match lineage[2].a endswith \"x\" and any lineage.b !~ \"y\"",
        ),
        ("match lineage in $L and lineage not in (\"a\")", "match lineage in $L and lineage not in (\"a\")"),
        ("match a IGLOB (\"x\",\"y\") or b iglob $L", "match a iglob (\"x\", \"y\") or b iglob $L"),
        ("match a & 0o17 or b == TRUE", "match a & 0o17 or b == true"),
        ("match ((a == 1))", "match a == 1"),
        ("match a == 1 and (b == 2 or c == 3)", "match a == 1 and (b == 2 or c == 3)"),
    ] {
        assert_eq!(printed(text), expected);
        assert_eq!(printed(expected), expected, "reparsed");
    }
}

#[test]
fn faults_are_pointed_at_and_explained() {
    for (text, range, parts) in [
        ("", 0..0, &["`match` or `ignore` or `default`", "end of the rule"][..]),
        ("mtach a == 1", 0..5, &["found `mtach`", "did you mean `match`"]),
        ("match", 5..5, &["needs a condition", "default match"]),
        ("default", 7..7, &["`match` or `ignore`"]),
        ("default match a == 1", 14..15, &["no condition"]),
        ("match a", 7..7, &["an operator", "=="]),
        ("match a = 1", 8..9, &["did you mean `==`"]),
        ("match a contain \"x\"", 8..15, &["did you mean `contains`"]),
        ("match a == wget", 11..15, &["found `wget`", "\"wget\""]),
        ("match a == $L", 11..13, &["a in $L"]),
        ("match a in \"x\"", 11..14, &["a list", "round brackets"]),
        ("match a in (1 2)", 14..15, &["`,` or `)`"]),
        ("match a in ()", 12..13, &["a value"]),
        ("match a == 1 nad b == 2", 13..16, &["did you mean `and`"]),
        ("match (a == 1", 6..7, &["not closed"]),
        ("match a == 1)", 12..13, &["no bracket is open"]),
        ("match and a == 1", 6..9, &["a field"]),
        ("match a not == 1", 12..14, &["`in` after `not`"]),
        ("match lineage.a == 1", 13..14, &["any lineage.FIELD"]),
        ("match lineage[9999].a == 1", 14..18, &["a number from 0"]),
        // Another number to who reads it as octal.
        ("match lineage[010].a == 1", 14..17, &["a number from 0"]),
        ("match any a == 1", 10..11, &["`lineage`"]),
        ("match \"x\" == a", 6..9, &["the field comes first"]),
    ] {
        let problem = parse(text).unwrap_err();
        let shown = format!("{} | {} | {}", problem.message, problem.label, problem.help.as_deref().unwrap_or(""));
        assert_eq!(problem.range, range, "{text}: {shown}");
        for part in parts {
            assert!(shown.contains(part), "{text}: {shown} lacks {part}");
        }
    }
}

#[test]
fn depth_and_size_are_limited() {
    let nested = |n: usize| format!("match {}a == 1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(limits::DEPTH - 1)).is_ok());
    assert!(parse(&nested(limits::DEPTH)).unwrap_err().message.contains("too deep"));
    assert!(parse(&format!("match {}a == 1", "not ".repeat(100_000 / 4))).is_err());
    assert!(
        parse(&format!("match a == \"{}\"", "x".repeat(limits::RULE_BYTES))).unwrap_err().message.contains("too long")
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn text_like_rules_never_panics_and_reprints(parts in prop::collection::vec(prop::sample::select(vec![
        "match ", "ignore ", "default ", "a ", "any ", "lineage", "[0]", ".", "b ", "== ", "!= ", "& ", "in ", "not ", "exists ",
        "$L ", "(", ") ", ", ", "\"x\\n\" ", "`*` ", "1 ", "-0x2 ", "1.5h ", "true ", "and ", "|| ", "! ", "=~ ", "é",
    ]), 0..14)) {
        let text = format!("match {}", parts.concat());
        if let Ok(rule) = parse(&text) {
            let printed = rule.to_string();
            prop_assert_eq!(parse(&printed).unwrap().to_string(), printed);
        }
    }
}
