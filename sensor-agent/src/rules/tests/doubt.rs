//! Paths in doubt: what lacks its beginning, and what a user's mounts made.

use serde_json::{Value, json};

use super::super::*;
use super::compiled;
use crate::event::build::build;

/// Whether a rule with this verdict holds for an event.
fn rule_holds(verdict: &str, condition: &str, event: &Value) -> bool {
    let other = if verdict == "match" { "ignore" } else { "match" };
    let (set, report) = compiled(&format!("{verdict} {condition}\ndefault {other}\n"));
    assert!(!report.has_errors(), "{condition}");
    let (event, host) = build(event).unwrap();
    let mut found = 0;
    set.matches(&event, &host, &mut Scratch::default(), &mut |_, _| found += 1);
    let (decided, _) = set.verdict(ChainIndex(0), &event, &host).unwrap();
    assert_eq!(found > 0, decided == Verdict::Match, "both evaluations: {verdict} {condition}");
    (decided == Verdict::Match) == (verdict == "match")
}

#[test]
fn a_path_without_its_beginning_may_be_what_is_looked_for_and_is_nothing_that_is_permitted() {
    let event = json!({"programName": "…/d/d/x", "lineage": [{"programName": "…"}]});
    for (condition, alerts, permits) in [
        ("programName == \"/tmp/*\"", true, false),
        ("programName startswith \"/tmp/\"", true, false),
        ("programName in (\"/var/tmp/*\", \"/dev/shm/*\")", true, false),
        ("programName == \"/usr/bin/x\"", true, false),
        ("programName == \"/usr/*/x\"", true, false),
        ("programName == \"/usr/bin/*.x\"", false, false),
        ("programName == \"/usr/bin/env\"", false, false),
        ("programName in $Paths", true, false),
        ("(uid == 0 and programName == \"/tmp/*\")", true, false),
        // By what there is of it.
        ("programName == \"x\"", true, true),
        ("programName == \"*/d/x\"", true, true),
        ("programName == \"y\"", false, false),
        // Of an ancestor nothing is known.
        ("parentProgramName == \"/usr/bin/env\"", true, false),
        ("any lineage.programName == \"/usr/bin/env\"", true, false),
        ("lineage in $Lineage", true, false),
    ] {
        assert_eq!(rule_holds("match", condition, &event), alerts, "match {condition}");
        assert_eq!(rule_holds("ignore", condition, &event), permits, "ignore {condition}");
        // What is denied speaks the other way.
        assert_eq!(rule_holds("match", &format!("not {condition}"), &event), !permits, "match not {condition}");
        assert_eq!(rule_holds("ignore", &format!("not {condition}"), &event), !alerts, "ignore not {condition}");
        assert_eq!(rule_holds("match", &format!("not not {condition}"), &event), alerts, "match not not {condition}");
    }
    assert!(rule_holds("match", "programName != \"/usr/bin/x\"", &event));
    assert!(!rule_holds("ignore", "programName != \"/usr/bin/x\"", &event));
    assert!(rule_holds("match", "programName not in $Paths", &event));
    assert!(rule_holds("match", "pathTruncated == true", &event));
}

#[test]
fn a_path_by_a_users_mounts_is_what_the_host_has_to_whoever_permits_it() {
    let masked = json!({"programName": "/usr/bin/env", "isUserMounts": true, "hostPath": "/tmp/d/probe"});
    let made_up = json!({"programName": "/usr/bin/env", "isUserMounts": true});
    let same = json!({"programName": "/usr/bin/env", "isUserMounts": true, "hostPath": "/usr/bin/env"});
    let hosts = json!({"programName": "/usr/bin/env"});
    let by_root = json!({"programName": "/usr/bin/env", "isHostMounts": false, "hostPath": "/var/lib/x/usr/bin/env"});
    for (event, permitted, temporary) in [
        (&masked, false, true),
        (&made_up, false, false),
        (&same, true, false),
        (&hosts, true, false),
        (&by_root, true, false),
    ] {
        let env = "programName == \"/usr/bin/env\"";
        assert_eq!(rule_holds("ignore", env, event), permitted, "{event}");
        assert_eq!(rule_holds("ignore", "programName in $Paths", event), permitted, "{event}");
        assert!(rule_holds("match", env, event), "{event}");
        assert_eq!(rule_holds("match", "programName == \"/tmp/*\"", event), temporary, "{event}");
        assert_eq!(rule_holds("match", &format!("not {env}"), event), !permitted, "{event}");
        // A name is what its owner wants it to be, in whichever mounts.
        assert!(rule_holds("ignore", "programName == \"env\"", event), "{event}");
    }
    let script = json!({"scriptPath": "/opt/permitted", "isUserMounts": true});
    assert!(
        rule_holds("ignore", "scriptPath == \"/opt/*\"", &script),
        "whose mounts its interpreter is of says nothing of it"
    );
}

#[test]
fn an_explanation_says_where_the_host_has_it() {
    let (set, _) = compiled("ignore programName == \"/usr/bin/env\"\ndefault match\n");
    let event = json!({"programName": "/usr/bin/env", "isUserMounts": true, "hostPath": "/tmp/probe"});
    let (event, host) = build(&event).unwrap();
    let said = set.explain(ChainIndex(0), &event, &host).unwrap().to_string();
    assert!(said.contains("(by mounts that are not the host's; the host has it at \"/tmp/probe\")"), "{said}");
}
