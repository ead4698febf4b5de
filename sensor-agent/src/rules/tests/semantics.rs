//! What each operator means on each type of field.

use serde_json::{Value, json};

use super::super::*;
use super::{compiled, holds, said};
use crate::event::build::build;

fn event() -> Value {
    json!({
        "eventType": "PROCESS_EVENT_TYPE_EXEC", "time": "2026-01-31T12:00:00Z", "hostname": "web.example.test",
        "sophosPid": "4711:99", "programName": "/usr/bin/wget", "args": ["wget", "-q", "http://x/[a]", ""],
        "uid": 1000, "fileMode": 0o104755, "argsBytes": 70000, "cwd": "/home/é", "isTty": true, "userName": "ann",
        "lineage": [
            {"processPid": 20, "programName": "/bin/bash", "uid": 1000},
            {"processPid": 10, "programName": "/usr/sbin/sshd", "userName": "root"},
            {"processPid": 1, "programName": "/sbin/init"},
        ],
    })
}

#[test]
fn conditions_that_hold_and_that_do_not() {
    for (condition, expected) in [
        // Paths: globs; without a slash the last part.
        ("programName == \"/usr/bin/wget\"", true),
        ("programName == \"/usr/bin/wge\"", false),
        ("programName == \"wget\"", true),
        ("programName == \"?usr/bin/wget\"", true),
        ("programName == \"w?e[s-t]\"", true),
        ("programName == \"/usr/*\"", true),
        ("programName == \"*/wget\"", true),
        ("programName == \"usr*\"", false),
        ("programName != \"wget\"", false),
        ("programName != \"curl\"", true),
        ("parentProgramName == \"bash\"", true),
        ("cwd == \"/home/?\"", true),
        ("programName in (\"curl\", \"wget\")", true),
        ("programName NOT IN (\"curl\", \"wget\")", false),
        ("programName in $Paths", true),
        ("cwd in $Paths", false),
        ("programName in $Shells", false),
        ("programName in $Empty", false),
        ("programName not in $Empty", true),
        // In any letter case, and of a path, too, the whole.
        ("programName iglob \"/USR/*/W?E[S-T]\"", true),
        ("programName iglob \"WGET\"", false),
        ("programName iglob (\"x\", \"*/WGET\")", true),
        ("programName iglob $Shells", false),
        ("programName iglob $Paths", true),
        ("args iglob \"HTTP*\"", true),
        ("commandLine iglob \"WGET -Q*[A]*\"", true),
        ("cwd iglob \"*/É\"", true),
        ("loginAccount iglob \"*\"", false),
        ("any lineage.userName iglob \"ROOT\"", true),
        // Parts of texts have no globs, and of paths the whole is looked at.
        ("programName contains \"/bin/\"", true),
        ("programName contains \"b*n\"", false),
        ("programName startswith \"/usr\"", true),
        ("programName startswith \"wget\"", false),
        ("programName endsWith \"get\"", true),
        ("programName contains \"\"", true),
        // Texts.
        ("userName == \"ann\"", true),
        ("userName == \"a*\"", true),
        ("name == \"wget\"", true),
        ("sophosPid == \"4711:99\"", true),
        ("sophosPid startswith \"4711:\"", true),
        ("processUuid exists", true),
        ("processUuid =~ `^[0-9a-f]{8}-[0-9a-f]{4}-8`", true),
        ("hostname in $Hosts", true),
        ("userName in $Hosts", false),
        ("commandLine contains \"-q http\"", true),
        // Arguments: one of them.
        ("args == \"-q\"", true),
        ("args == \"\"", true),
        ("args == \"http://x/*\"", true),
        ("args == `http://x/\\[a]`", true),
        ("args == \"x\"", false),
        ("args != \"-q\"", false),
        ("args != \"x\"", true),
        ("args =~ \"^-[a-z]$\"", true),
        ("args !~ \"^-[a-z]$\"", false),
        ("args contains \"//\"", true),
        ("args in (\"y\", \"-q\")", true),
        ("args in $Paths", true),
        ("args exists", true),
        // Numbers.
        ("processPid == 4711", true),
        ("processPid == 0x1267", true),
        ("processPid != 4711", false),
        ("uid < 1000", false),
        ("uid <= 1000", true),
        ("uid > 0o17", true),
        ("uid >= 1001", false),
        ("uid in (1, 1000)", true),
        ("uid in $Numbers", false),
        ("fileMode & 0o4000", true),
        ("fileMode & 0o2010", true),
        ("fileMode & 0o2000", false),
        ("argsBytes > 64KiB", true),
        ("argsBytes > 1MB", false),
        ("parents == 1", true),
        ("parents == 2", false),
        ("parents > 15", true),
        ("parents in $Numbers", true),
        ("exitCode == 0", false),
        ("exitCode != 0", true),
        ("exitCode < 1", false),
        // Times.
        ("time >= \"2026-01-31T12:00:00Z\"", true),
        ("time < \"2026-01-31T13:00:00+01:00\"", false),
        ("time > 1", true),
        // Words.
        ("eventType == \"PROCESS_EVENT_TYPE_EXEC\"", true),
        ("eventType == \"PROCESS_*\"", true),
        ("eventType != \"PROCESS_EVENT_TYPE_EXEC\"", false),
        ("eventType in (\"PROCESS_EVENT_TYPE_EXIT\", \"BASELINE_TASK\")", false),
        ("eventType in $Types", true),
        ("eventType endswith \"_EXEC\"", true),
        ("eventType =~ \"EX[IE]\"", true),
        // True or false.
        ("isTty == true", true),
        ("isTty != true", false),
        ("isMemfd == FALSE", true),
        // Absent values.
        ("containerId exists", false),
        ("containerId == \"*\"", false),
        ("containerId != \"x\"", true),
        ("containerId !~ \"x\"", true),
        ("containerId not in (\"x\")", true),
        ("not containerId exists", true),
        // Lineage.
        ("lineage[0].programName == \"bash\"", true),
        ("lineage[1].programName == \"bash\"", false),
        ("lineage[1].userName == \"root\"", true),
        ("lineage[9].programName exists", false),
        ("lineage[9].programName != \"x\"", true),
        ("any lineage.programName == \"/usr/sbin/*\"", true),
        ("any lineage.programName == \"wget\"", false),
        ("not any lineage.programName == \"/usr/bin/apt\"", true),
        ("any lineage.processPid == 10", true),
        ("any lineage.userName exists", true),
        ("lineage in $Lineage", true),
        ("lineage not in $Lineage", false),
        ("any lineage.programName in $Shells", true),
        ("lineage in (\"init\")", true),
        // Together.
        ("uid == 0 or name == \"wget\" and not isMemfd == true", true),
        ("(uid == 0 or name == \"wget\") && isMemfd == true", false),
        ("!(uid == 0 || uid == 1)", true),
        ("not not uid == 1000", true),
    ] {
        assert_eq!(holds(condition, &event()), expected, "{condition}");
    }
}

#[test]
fn expressions_are_of_bytes_unless_they_speak_of_characters() {
    let event = json!({"cwd": "/\\xff/é"});
    assert!(holds("cwd =~ `^/[^a]/`", &event));
    assert!(holds("cwd =~ `é$`", &event));
    assert!(holds("cwd =~ `^/./..$`", &event));
    assert!(holds("cwd =~ `[éü]$`", &event));
    assert!(!holds("cwd =~ `\\w`", &event));
    assert!(holds("cwd =~ `\\p{L}`", &event));
    assert!(holds("cwd == \"/\\xff/?\"", &event));
}

#[test]
fn the_first_rule_that_holds_decides() {
    let (set, report) = compiled(
        "ignore uid == 0\nmatch name == \"wget\"\nignore name == \"curl\"\nmatch userName exists\ndefault ignore\n",
    );
    assert_eq!(said(&report), "");
    let mut scratch = Scratch::default();
    for (event, expected) in [
        (json!({"uid": 0, "name": "wget"}), None),
        (json!({"uid": 1, "name": "wget", "userName": "x"}), Some(1)),
        (json!({"uid": 1, "name": "curl", "userName": "x"}), None),
        (json!({"uid": 1, "name": "cat", "userName": "x"}), Some(3)),
        (json!({"uid": 1, "name": "cat"}), None),
    ] {
        let (built, host) = build(&event).unwrap();
        let mut found = None;
        set.matches(&built, &host, &mut scratch, &mut |_, rule| found = Some(rule.0));
        assert_eq!(found, expected, "{event}");
    }
    assert_eq!(set.rule_text(ChainIndex(0), RuleIndex(1)), "match name == \"wget\"");
    assert_eq!(set.rule_text(ChainIndex(0), RuleIndex(9)), "");
}

#[test]
fn a_verdict_is_explained() {
    let (set, _) = compiled(concat!(
        "match programName == \"curl\" and uid == 0\n",
        "match uid == 0 or (uid == 1 and isTty == true)\n",
        "ignore not any lineage.name == \"bash\"\n",
        "ignore lineage[7].uid == 0\n",
        "match args == \"-q\" and containerId != \"x\"\n",
        "default ignore\n",
    ));
    let (event, host) = build(&event()).unwrap();
    let explained = set.explain(ChainIndex(0), &event, &host).unwrap();
    assert_eq!((explained.verdict, explained.decided_by), (Some(Verdict::Match), Some(RuleIndex(4))));
    assert_eq!(
        explained.to_string(),
        "`test` matches this event: rule 5 of 6 decides\n  \
         1. match programName == \"curl\" and uid == 0\n     does not hold\n       \
         not so: programName == \"curl\"; programName is \"/usr/bin/wget\"\n  \
         2. match uid == 0 or (uid == 1 and isTty == true)\n     does not hold\n       \
         not so: uid == 0; uid is 1000\n       \
         not so: uid == 1; uid is 1000\n  \
         3. ignore not any lineage.name == \"bash\"\n     does not hold\n       \
         not so: not any lineage.name == \"bash\"; any lineage.name is \"bash\", \"sshd\", \"init\"\n  \
         4. ignore lineage[7].uid == 0\n     does not hold\n       \
         not so: lineage[7].uid == 0; lineage[7].uid is absent (no such ancestor is known)\n  \
         5. match args == \"-q\" and containerId != \"x\"\n     holds\n       \
         args == \"-q\": args is [\"wget\",\"-q\",\"http://x/[a]\",\"\"]\n       \
         not containerId == \"x\": containerId is absent\n"
    );
}

#[test]
fn what_a_kind_of_event_can_never_match_shows_without_one() {
    use schema::EventType::{Exec, ExecFailed, Exit};
    for (rules, kinds) in [
        ("default match", vec![Exec, ExecFailed, Exit]),
        ("default ignore", vec![]),
        ("match uid == 0\ndefault ignore", vec![Exec, ExecFailed, Exit]),
        ("match eventType == \"PROCESS_EVENT_TYPE_EXEC\"\ndefault ignore", vec![Exec]),
        ("match eventType != \"PROCESS_EVENT_TYPE_EXEC\" and uid == 0\ndefault ignore", vec![ExecFailed, Exit]),
        ("ignore eventType == \"PROCESS_EVENT_TYPE_EXEC_FAILED\"\ndefault match", vec![Exec, Exit]),
        (
            "ignore eventType == \"PROCESS_EVENT_TYPE_EXEC_FAILED\" and uid == 0\ndefault match",
            vec![Exec, ExecFailed, Exit],
        ),
        ("match errno == 8 or exitCode == 1\ndefault ignore", vec![ExecFailed, Exit]),
        ("match not (errno exists or uid == 0)\ndefault ignore", vec![Exec, ExecFailed, Exit]),
        ("match uid == 0 and (errno exists and exitCode exists)\ndefault ignore", vec![]),
    ] {
        let (set, report) = compiled(&format!("{rules}\n"));
        assert!(!report.has_errors(), "{rules}");
        for kind in [Exec, ExecFailed, Exit] {
            assert_eq!(set.may_match(ChainIndex(0), kind), kinds.contains(&kind), "{rules}: {kind:?}");
        }
    }
}
