//! What each mistake in the YAML around a value gets: where, what, and what to write.

use super::findings;

/// A detection with this rule in line 4.
fn rule(rule: &str) -> String {
    format!("My Rule:\n  policy: program\n  rules:\n  - {rule}\n  - default ignore\n")
}

/// A detection with these lines behind its rules, from line 5 on.
fn detection(lines: &str) -> String {
    format!("My Rule:\n  policy: program\n  rules:\n  - default ignore\n{lines}\n")
}

fn template(template: &str) -> String {
    format!("alert_output:\n  template: {template}\n")
}

const UNCLOSED: &str = "end the text with the same quote, \"; one that holds quotes itself needs single quotes around it: \
                        'name == \"value\"'";

#[test]
fn each_mistake_gets_its_place_and_its_advice() {
    let unclosed = |place: &str, what: &str| format!("error: {place}: this is not valid YAML: {what} ({UNCLOSED})");
    let cut = |severity: &str, place: &str, key: &str, whole: &str| {
        format!(
            "{severity}: {place}: `{key}` ends here: a blank and # begin a comment (put it in single quotes: {whole}; \
             a comment stands in a line of its own, or two blanks away)"
        )
    };
    let yaml = |place: &str, what: &str| format!("error: {place}: this is not valid YAML: {what}");
    let begins = |sign: &str, whole: &str| format!("(text that begins with {sign} needs single quotes: {whole})");
    let table: Vec<(String, Vec<String>)> = vec![
        // Quotes.
        (
            rule(r#""match programName == "wget"""#),
            vec![yaml("4:28", r#"invalid trailing content after double-quoted scalar (put the whole in single quotes: 'match programName == "wget"')"#)],
        ),
        (
            rule("'match programName == 'wget''"),
            vec![yaml("4:28", r#"invalid trailing content after single-quoted scalar (within single quotes use double ones: 'match programName == "wget"')"#)],
        ),
        (
            detection("  description: 'it's \"fine\"'"),
            vec![yaml("5:20", r#"invalid trailing content after single-quoted scalar (put the whole in single quotes: 'it''s "fine"')"#)],
        ),
        (
            template(r#""a" {{ .UUID }}"#),
            vec![yaml("2:17", r#"invalid trailing content after double-quoted scalar (put the whole in single quotes: '"a" {{ .UUID }}')"#)],
        ),
        (rule("\"match programName"), vec![unclosed("4:5", "invalid indentation in multiline quoted scalar")]),
        (
            "My Rule:\n  policy: program\n  rules:\n    - \"match uid == 1\n    - \"match uid == 2\"\n".into(),
            vec![unclosed("4:7", "invalid indentation in multiline quoted scalar")],
        ),
        ("cloud_meta: \"auto\n".into(), vec![unclosed("1:13", "invalid indentation in multiline quoted scalar")]),
        (
            rule(r#""match programName contains \d""#),
            vec![yaml("4:5", r"while parsing a quoted scalar, found unknown escape character (within double quotes a backslash begins an escape; put the text in single quotes: 'match programName contains \d')")],
        ),
        // Signs of YAML at the beginning.
        (
            rule("*sh"),
            vec![
                format!("error: 4:5: nothing is named &sh {}", begins("*", "'*sh'")),
                "error: 4:5: `My Rule.rules[0]` is empty (take the dash out, or write a value behind it)".into(),
            ],
        ),
        (
            rule("&name match programName == \"x\""),
            vec![format!(
                "warning: 4:5: a word that begins with & is a name for what stands behind it, and no * refers to this one {}",
                begins("&", "'&name match programName == \"x\"'")
            )],
        ),
        (
            detection("  description: &amp; more"),
            vec![format!(
                "warning: 5:16: a word that begins with & is a name for what stands behind it, and no * refers to this one {}",
                begins("&", "'&amp; more'")
            )],
        ),
        (
            detection("  description: !important x"),
            vec![format!(
                "error: 5:16: a word that begins with ! is a tag of YAML, and no part of the text behind it {}",
                begins("!", "'!important x'")
            )],
        ),
        (rule("@x"), vec![yaml("4:5", &format!("unexpected character: `@' {}", begins("@", "'@x'")))]),
        (rule("`x`"), vec![yaml("4:5", &format!("unexpected character: ``' {}", begins("`", "'`x`'")))]),
        (rule("%x"), vec![yaml("4:5", &format!("unexpected character: `%' {}", begins("%", "'%x'")))]),
        (
            rule("- match programName == \"x\""),
            vec!["error: 4:7: `My Rule.rules[0]` cannot be a list (write it behind the key, or with one dash; text that begins with a dash needs single quotes: '- match programName == \"x\"')".into()],
        ),
        (
            rule("? match programName == \"x\""),
            vec!["error: 4:7: `My Rule.rules[0]` cannot be a mapping (text that begins with a bracket, a brace or `? ` needs single quotes: '? match programName == \"x\"')".into()],
        ),
        (
            rule("{match}"),
            vec!["error: 4:5: `My Rule.rules[0]` cannot be a mapping (text that begins with a bracket, a brace or `? ` needs single quotes: '{match}')".into()],
        ),
        (
            rule("[match"),
            vec![yaml("4:5", "unclosed bracket '[' (close it with ]; text that begins with [ needs single quotes: '[match')")],
        ),
        (
            detection("  description: {x}"),
            vec!["error: 5:16: `My Rule.description` cannot be a mapping (text that begins with a bracket, a brace or `? ` needs single quotes: '{x}')".into()],
        ),
        (
            detection("  description: - x"),
            vec![yaml("5:16", "block sequence entries are not allowed in this context (text that begins with `- ` needs single quotes: '- x')")],
        ),
        (
            template("{{ .UUID }}"),
            vec![
                "error: 2:14: a key must be text, not a mapping (text with braces, brackets or `? ` at its beginning needs single quotes: '{{ .UUID }}')".into(),
                "error: 2:13: `alert_output.template` cannot be a mapping (text that begins with a bracket, a brace or `? ` needs single quotes: '{{ .UUID }}')".into(),
            ],
        ),
        (
            template("{{ .UUID }} x"),
            vec![
                "error: 2:14: a key must be text, not a mapping (text with braces, brackets or `? ` at its beginning needs single quotes: '{{ .UUID }} x')".into(),
                yaml("2:25", &format!("while parsing a block mapping, did not find expected key {}", begins("{", "'{{ .UUID }} x'"))),
            ],
        ),
        (
            template("|{{ .UUID }}"),
            vec![yaml("2:13", "while scanning a block scalar, did not find expected comment or line break (behind | the text begins on the next line; text that begins with | needs single quotes: '|{{ .UUID }}')")],
        ),
        // Colons.
        (
            rule("match programName == \"a\": b"),
            vec!["error: 4:5: `My Rule.rules[0]` cannot be a mapping (a rule with `: ` in it needs single quotes around it: - 'match programName == \"a\": b')".into()],
        ),
        (
            rule("match programName == \"a: b\""),
            vec!["error: 4:5: `My Rule.rules[0]` cannot be a mapping (a rule with `: ` in it needs single quotes around it: - 'match programName == \"a: b\"')".into()],
        ),
        (
            template("a: {{ .UUID }}"),
            vec![yaml("2:14", "mapping values are not allowed in this context (text with `: ` in it needs single quotes: 'a: {{ .UUID }}')")],
        ),
        // Comments.
        (
            rule("match programName == \"/a #b\""),
            vec![cut("error", "4:30", "My Rule.rules[0]", "'match programName == \"/a #b\"'")],
        ),
        (
            rule("match programName == \"/a\" #b"),
            vec![cut("warning", "4:31", "My Rule.rules[0]", "'match programName == \"/a\" #b'")],
        ),
        (
            template("x {{ .UUID }} #{{ .Priority }}"),
            vec![cut("warning", "2:27", "alert_output.template", "'x {{ .UUID }} #{{ .Priority }}'")],
        ),
        (
            detection("  description: Ticket #42"),
            vec![cut("warning", "5:23", "My Rule.description", "'Ticket #42'")],
        ),
        (
            "mcs:\n  certs_dir: /opt/a #b\n".into(),
            vec![cut("warning", "2:21", "mcs.certs_dir", "'/opt/a #b'")],
        ),
        (
            "mcs:\n  token: SLS-0abc #def\n".into(),
            vec![cut("warning", "2:19", "mcs.token", "'…'")],
        ),
        (
            detection("  alertLabels: {team: blue #2, x: y}\nOther: 1"),
            vec!["error: 5:28: a blank and # begin a comment, which takes the closing bracket with it (put the text that holds # in single quotes: '…')".into()],
        ),
        (
            "lists: {L: {type: paths, add: [/a #b, /c]}}\nOther:\n  policy: program\n".into(),
            vec!["error: 1:35: a blank and # begin a comment, which takes the closing bracket with it (put the text that holds # in single quotes: '…')".into()],
        ),
        (rule("match programName == \"/a\"  # b"), vec![]),
        (detection("  description: Ticket  # 42"), vec![]),
        (detection("  description: 'Ticket #42' # b"), vec![]),
        // Tabs.
        (
            detection("\tdescription: x"),
            vec!["error: 5:1: YAML is indented with blanks, not with tabs (replace each tab by blanks)".into()],
        ),
        (rule("match\tprogramName == \"x\""), vec![]),
    ];
    let mut wrong = Vec::new();
    for (text, wanted) in table {
        let found = findings(&text);
        if found != wanted {
            wrong.push(format!("{text}\n  found  {found:#?}\n  wanted {wanted:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn patterns_of_secrets_are_checked_and_told_where_they_do_nothing() {
    let said = |text: &str| findings(&format!("redaction:\n{text}\n"));
    let right = "  patterns: ['--pin[= ](\\S+)']\n  exceptions: ['--pin=0']";
    assert_eq!(said(right), [""; 0]);
    let one = |text: &str, begin: &str| {
        let said = said(text);
        assert!(said.len() == 1 && said[0].starts_with(begin), "{said:?}");
    };
    one("  patterns: ['a(b']", "error: 2:16: `redaction.patterns[0]`: this is no regular expression: ");
    one("  patterns:\n  - 'x*'", "error: 3:6: `redaction.patterns[0]`: this matches where nothing stands (");
    one("  exceptions: [\"\"]", "error: 2:");
    one(
        "  enabled: false\n  patterns: [abc]",
        "warning: 3:13: nothing is taken out of what is told: `redaction.enabled` is false",
    );
    one("  defaults: false", "warning: 2:13: nothing is taken out of what is told: there is no pattern");
}
