//! A truth value that is not known leads to the alert.

use serde_json::json;

use super::*;

/// The verdict of rules for a process of which it could not be told whether it is in a container.
fn matches(rules: &str) -> bool {
    let (set, report) = compiled(rules);
    assert!(!report.has_errors(), "{rules}: {}", said(&report));
    let event = json!({"programName": "/bin/x", "isContainer": null, "lineage": [{"isContainer": null}]});
    let (event, host) = build(&event).unwrap();
    let mut found = 0;
    set.matches(&event, &host, &mut Scratch::default(), &mut |_, _| found += 1);
    let slow = set.verdict(ChainIndex(0), &event, &host).unwrap().0 == Verdict::Match;
    assert_eq!(found == 1, slow, "{rules}: the two evaluations differ");
    let told = set.explain(ChainIndex(0), &event, &host).unwrap();
    assert_eq!(told.verdict == Some(Verdict::Match), slow, "{told}");
    slow
}

#[test]
fn match_holds_for_it_and_ignore_does_not() {
    for condition in [
        "isContainer == true",
        "isContainer == false",
        "isContainer != true",
        "not isContainer == true",
        "not (isContainer == true or isContainer == false)",
        "programName == \"x\" and isContainer == true",
        "any lineage.isContainer == true",
        "lineage[0].isContainer == false",
    ] {
        assert!(matches(&format!("match {condition}\ndefault ignore\n")), "match {condition}");
        assert!(matches(&format!("ignore {condition}\ndefault match\n")), "ignore {condition}");
    }
    // One rule may want what another does not.
    assert!(matches("ignore isContainer == true\nmatch isContainer == true and name == \"x\"\ndefault ignore\n"));
}

#[test]
fn whether_it_is_known_can_be_asked() {
    assert!(!matches("match isContainer exists\ndefault ignore\n"));
    assert!(matches("match not isContainer exists\ndefault ignore\n"));
    // Nobody is no process of which something is unknown.
    assert!(!matches("match lineage[5].isContainer == true\ndefault ignore\n"));
}
