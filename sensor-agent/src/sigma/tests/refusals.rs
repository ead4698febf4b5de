//! What is not taken, or not whole, and what is said of it.

use super::*;

#[test]
fn what_is_not_taken_is_told_with_its_place() {
    for (detection, expected) in [
        ("    s: {Hashes|contains: x}\n    condition: s", "line 4: the sensor does not record `Hashes`"),
        ("    s:\n        Image: curl\n    condition: s", "line 5: `Image` is never `curl`: it is a whole path"),
        ("    s: {LogonId: root}\n    condition: s", "line 4: `LogonId` is never `root`: it is a number"),
        (
            "    s: {LogonId|contains: 1}\n    condition: s",
            "line 4: `LogonId` is a number, which its modifiers do not compare",
        ),
        ("    s: {CommandLine|cidr: 10.0.0.0/8}\n    condition: s", "line 4: `CommandLine` is a text, which"),
        ("    s: {CommandLine|gt: 5}\n    condition: s", "line 4: `CommandLine` is a text, which"),
        (
            "    s: {CommandLine|re: '(?=x)'}\n    condition: s",
            "line 4: the regular expression `(?=x)` is not taken: look-around",
        ),
        (
            "    s: {CommandLine|fieldref: Image}\n    condition: s",
            "line 4: `CommandLine|fieldref`: comparing two fields",
        ),
        ("    s: {CommandLine|expand: '%x%'}\n    condition: s", "line 4: `CommandLine|expand`: placeholders"),
        ("    s: {CommandLine|wat: x}\n    condition: s", "line 4: `CommandLine|wat`: there is no modifier `wat`"),
        (
            "    s: {CommandLine: [a, null]}\n    condition: s",
            "line 4: `CommandLine`: nothing (null) is no value of a list",
        ),
        ("    s: {CommandLine: []}\n    condition: s", "line 4: `CommandLine` has no values"),
        (
            "    s: {CommandLine: 0777}\n    condition: s",
            "line 4: `CommandLine`: `0777` is read as one number or another",
        ),
        ("    s: {CommandLine: {a: b}}\n    condition: s", "line 4: `CommandLine`: a value is text or a number"),
        ("    s: {CommandLine|base64: 'a*'}\n    condition: s", "line 4: `a*`: what is encoded has no wildcards"),
        ("    s: {}\n    condition: s", "line 4: `s` is empty"),
        ("    s: {User: a}\n    condition: x", "line 5: the detection has no `x`"),
        ("    s: {User: a}\n    condition: 1 of x*", "line 5: nothing in the detection is named `x*`"),
        ("    s: {User: a}\n    condition: s | count() > 5", "line 5: `s | count() > 5`: counting events is not built"),
        ("    s: {User: a}\n    timeframe: 5m\n    condition: s", "line 5: `timeframe`: counting events in a time"),
        ("    s: {User: a}\n    condition: 2 of s*", "line 5: `2 of` is not built"),
        ("    s: {User: a}", "line 4: the detection has no `condition`"),
        (
            "    s: {User: a, User: b}\n    condition: s",
            "line 4: this is not valid YAML: the key `User` is given twice",
        ),
        ("    s: {Hashes: a}\n    condition: not s", "line 4: the sensor does not record `Hashes`"),
        (
            "    s: {LogonId: 1}\n    t: {LogonId: 2}\n    condition: s and t",
            "as a policy it would be refused: a part of this condition never holds",
        ),
    ] {
        let text = rule(detection);
        assert!(said(&text).starts_with(&format!("rule.yml: not taken: {expected}")), "{detection}: {}", said(&text));
        assert_eq!(import_one(&text).taken, 0);
    }
}

#[test]
fn documents_that_are_no_rules_for_single_events() {
    for (text, expected) in [
        ("a: 1", "line 1: this is no Sigma rule: it has no `title`"),
        ("- a", "line 1: a rule is a mapping, not a list"),
        ("title: t\ndetection: {condition: x}", "it has no `logsource`"),
        ("title: t\nlogsource: {category: x}", "it has no `detection`"),
        ("title: t\ncorrelation:\n    type: event_count", "line 2: a correlation: it is about several events"),
        ("title: t\nfilter: {rules: any}", "line 2: a filter for other rules"),
        (
            "title: t\ntaxonomy: ecs\nlogsource: {category: process_creation}\ndetection: {condition: x}",
            "line 2: the fields are of another taxonomy",
        ),
        (
            "title: t\nstatus: unsupported\nlogsource: {category: process_creation}\ndetection: {condition: x}",
            "its status is `unsupported`",
        ),
        (
            "title: t\nlevel: grave\nlogsource: {category: process_creation}\ndetection: {condition: x}",
            "line 2: there is no level `grave`",
        ),
        (
            "title: t\nlogsource:\n    category: file_rename\n    product: linux\ndetection: {condition: x}",
            "line 3: rules on files being renamed are not imported (file_rename)",
        ),
        (
            "title: t\nlogsource: {category: process_creation, product: windows}\ndetection: {condition: x}",
            "line 2: the sensor does not record this log (product: windows, category: process_creation)",
        ),
        ("a: [", "line "),
    ] {
        assert!(said(text).starts_with(&format!("rule.yml: not taken: {expected}")), "{text}: {}", said(text));
    }
    let collection = "action: global\ntitle: t\n---\ntitle: u\n";
    assert_eq!(said(collection).matches("`action` (rules in parts)").count(), 2);
}

#[test]
fn what_is_left_out_is_told() {
    let text = rule(
        "    a: {Image|endswith: /x}\n    b: {Hashes|contains: y}\n    k: [z]\n    condition: (a or b or k) and not b",
    );
    assert_eq!(
        said(&text),
        "rule.yml: taken with a loss: line 5: the sensor does not record `Hashes`\n\
         rule.yml: taken with a loss: line 6: what is looked for in the whole event is looked for in Image, CommandLine, \
         CurrentDirectory, User, ParentImage, ParentCommandLine\n"
    );
    let imported = import_one(&text);
    assert_eq!((imported.rules, imported.taken), (1, 1));
}

#[test]
fn what_could_not_be_read_counts() {
    let files = [("x.yml".to_owned(), Err("it cannot be read: why".to_owned()))];
    let imported = import(&files, &Options::default());
    assert_eq!((imported.rules, imported.taken), (1, 0));
    assert_eq!(imported.told[0].to_string(), "x.yml: not taken: it cannot be read: why");
}
