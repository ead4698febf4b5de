//! What is written: names, labels, priorities, and text that comes back as it was.

use super::*;

fn import_with(text: &str, options: &Options) -> String {
    let imported = import(&[("rule.yml".to_owned(), Ok(text.to_owned()))], options);
    assert_eq!(imported.rules, imported.taken, "{:?}", imported.told);
    assert!(!crate::config::check_text(imported.text.as_bytes()).has_errors(), "{}", imported.text);
    imported.text
}

fn head(title: &str, more: &str) -> String {
    format!(
        "title: {title}\n{more}logsource: {{category: process_creation}}\ndetection:\n    s: {{Image|endswith: /x}}\n    \
         condition: s\n"
    )
}

#[test]
fn a_rule_keeps_what_it_says_of_itself() {
    let rule = r#"title: 'It''s: "odd" #1'
id: 1f7c3bb1-6f2e-4ab0-8f2d-6f0b5d2d4c11
status: stable
description: |
    First line.
    Second: line.
references: [none, 'https://example.test/a?b=1#c']
author: 'Ä, b'
license: MIT
tags: [attack.execution, attack.t1059.004, cve.2021-1]
falsepositives: [Admins]
level: high
logsource: {category: process_creation, product: linux}
detection:
    one: {Image|endswith: /x, CommandLine|contains|all: ["a\tb", 'c "d"']}
    two: {CommandLine|re: '`\d'}
    condition: one or two
"#;
    insta::assert_snapshot!(import_with(rule, &Options::default()));
}

#[test]
fn levels_are_priorities() {
    for (level, priority, kept, is_audit) in [
        ("critical", "High", "High", false),
        ("high", "Medium", "High", false),
        ("medium", "Low", "Medium", false),
        ("low", "Info", "Low", true),
        ("informational", "Info", "Info", true),
    ] {
        let rule = head("t", &format!("level: {level}\n"));
        let text = import_with(&rule, &Options::default());
        assert!(text.contains(&format!("  priority: {priority}\n")), "{level}: {text}");
        assert_eq!(text.contains("  contentGroup: Audit.Sigma\n"), is_audit, "{level}");
        assert!(text.contains(&format!("    sigmaLevel: {level}\n")), "{level}: {text}");
        let text = import_with(&rule, &Options { keep_level: true, ..Options::default() });
        assert!(text.contains(&format!("  priority: {kept}\n")) && !text.contains("contentGroup"), "{level}: {text}");
    }
}

#[test]
fn names_are_unique() {
    let rules = [
        head("Same", "id: 7a\n"),
        head("Same", "id: 7b\n"),
        head("Other", ""),
        head("Other", ""),
        head("lists", "id: 7c\n"),
        head("Lone", "id: 7d\n"),
    ];
    let names = ["lists".to_owned()].into_iter().collect();
    let text = import_with(&rules.join("---\n"), &Options { names, ..Options::default() });
    for name in ["'Same (7a)':", "'Same (7b)':", "Other:", "'Other (2)':", "'lists (7c)':", "Lone:"] {
        assert!(text.contains(&format!("\n{name}\n")), "{name}: {text}");
    }
}

#[test]
fn a_rule_that_comes_again_is_taken_once() {
    let files = ["a.yml", "b.yml"].map(|file| (file.to_owned(), Ok(head("t", "id: 7a\n"))));
    let imported = import(&files, &Options::default());
    assert_eq!((imported.rules, imported.taken), (2, 1));
    assert_eq!(imported.told[0].to_string(), "b.yml: not taken: a rule with its id was taken from a.yml");
}
