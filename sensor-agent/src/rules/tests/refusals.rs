//! What is refused or warned about at load, and how that is said.

use diagnostic::Report;
use schema::{Class, EventType, Seen};

use super::super::*;
use super::{compiled, lists, said, source};

/// Severity, caret and message of the only finding about a condition.
#[test]
fn conditions_that_are_refused() {
    for (condition, expected) in [
        (
            "programname == \"x\"",
            "Error at [programname]: there is no field `programname` | unknown field | did you mean `programName`?",
        ),
        (
            "cmdline == \"x\"",
            "Error at [cmdline]: there is no field `cmdline` | unknown field | the column `cmdline` is called `commandLine` in rules",
        ),
        ("stage == \"ring\"", "Error at [stage]: `stage` is a field of sensor events"),
        ("lineage[0].eventType exists", "Error at [eventType]: `eventType` is a field of the event, not of a process"),
        (
            "processPid == \"1\"",
            "Error at [\"1\"]: `processPid` is a number and cannot be compared with a text | a number is expected | write it without quotes: 1",
        ),
        (
            "programName == 1",
            "Error at [1]: `programName` is a path and cannot be compared with a number | a text is expected | write it in quotes: \"1\"",
        ),
        ("uid iglob \"1\"", "Error at [iglob]: `iglob` does not compare `uid`, which is a number | for texts, paths"),
        ("hostname iglob $Hosts", "Error at [$Hosts]: the list `Hosts` holds hosts, and `iglob` compares with globs"),
        ("cwd iglob \"a[\"", "Error at [[]: the set that begins with `[` has no `]`"),
        ("isTty == 1", "Error at [1]: `isTty` is a true or false and cannot be compared with a number"),
        ("isTty == \"true\"", "Error at [\"true\"]: `isTty` is a true or false and cannot be compared with a text"),
        ("uid == true", "Error at [true]: `uid` is a number and cannot be compared with true or false"),
        ("uid == 1k", "Error at [1k]: `1k` is no whole number"),
        ("uid == 017", "Error at [017]: `017` may be meant as octal or as decimal"),
        ("uid == +1", "Error at [+]: `+` has no meaning in a rule"),
        ("uid == 1.0", "Error at [1.0]: `1.0` is no whole number; write `1`"),
        ("uid == 1_", "Error at [1_]: `1_` is no whole number"),
        ("uid in (1, 1e3)", "Error at [1e3]: `1e3` is no whole number"),
        ("uid == 18446744073709551615", "Error at [18446744073709551615]: `uid` is never 18446744073709551615"),
        (
            "uid == 18446744073709551616",
            "Error at [18446744073709551616]: `18446744073709551616` does not fit into 64 bits",
        ),
        ("uid == 4294967296", "Error at [4294967296]: `uid` is never 4294967296"),
        ("uid == -2", "Error at [-2]: `uid` is never -2"),
        (
            "argsCount == 18446744073709551615",
            "Error at [18446744073709551615]: `argsCount` is never 18446744073709551615 | never holds | it is 0 to 4294967295",
        ),
        ("argsCount > 99999999999", "Error at [99999999999]: `argsCount` is never greater than 99999999999"),
        ("argsCount < 0", "Error at [0]: `argsCount` is never less than 0"),
        ("mountNamespace in (1, -1)", "Error at [-1]: `mountNamespace` is never -1"),
        ("argsBytes <= -1", "Error at [-1]: `argsBytes` is never as little as -1"),
        ("lineage[010].uid == 0", "Error at [010]: "),
        ("argsBytes > 1K", "Error at [1K]: `K` is no unit of size"),
        ("uid > 18446744073709551615", "Error at [18446744073709551615]: this number is greater than any value"),
        (
            "programName < \"x\"",
            "Error at [<]: `<` does not compare `programName`, which is a path | for numbers, sizes, durations, times | with `programName` go ==",
        ),
        ("uid contains \"x\"", "Error at [contains]: `contains` does not compare `uid`"),
        ("uid =~ \"x\"", "Error at [=~]: `=~` does not compare `uid`"),
        ("isTty in (true)", "Error at [in]: `in` does not compare `isTty`"),
        ("programName & 1", "Error at [&]: `&` does not compare `programName`"),
        (
            "eventType == \"PROCESS_EVENT_TYPE_EXE\"",
            "Error at [\"PROCESS_EVENT_TYPE_EXE\"]: `eventType` is never \"PROCESS_EVENT_TYPE_EXE\" | unknown word | did you mean \"PROCESS_EVENT_TYPE_EXEC\"?",
        ),
        (
            "eventType == \"x*\"",
            "Error at [\"x*\"]: `eventType` is never \"x*\" | unknown word | `sophoslinuxsensor fields` tells the words",
        ),
        (
            "containerRuntime == \"dokcer\"",
            "Error at [\"dokcer\"]: `containerRuntime` is never \"dokcer\" | unknown word | did you mean \"docker\"?",
        ),
        (
            "programName == \"/usr/local/bin/\"",
            "Error at [\"/usr/local/bin/\"]: `programName` is never \"/usr/local/bin/\" | it is the path as the kernel resolved it | write \"/usr/local/bin/*\" for all that is below it, or \"/usr/local/bin\"",
        ),
        ("cwd == \"/tmp/\"", "Error at [\"/tmp/\"]: `cwd` is never \"/tmp/\""),
        ("programName == \"/usr/../bin/x\"", "Error at [\"/usr/../bin/x\"]: `programName` is never"),
        ("programName in (\"//opt/*\")", "Error at [\"//opt/*\"]: `programName` is never"),
        ("scriptPath == \"/opt/x/./*\"", "Error at [\"/opt/x/./*\"]: `scriptPath` is never"),
        ("scriptPath == \"bin/x\"", "Error at [\"bin/x\"]: `scriptPath` is never \"bin/x\" | it begins with a slash"),
        ("hostPath == \"~/x\"", "Error at [\"~/x\"]: `hostPath` is never \"~/x\""),
        (
            "tty == \"/dev/pts/1\"",
            "Error at [\"/dev/pts/1\"]: `tty` is never \"/dev/pts/1\" | it is the name without `/dev/` | did you mean \"pts/1\"?",
        ),
        ("any lineage.tty startswith \"/dev/\"", "Error at [\"/dev/\"]: `tty` is never \"/dev/\""),
        ("tty contains \"dev/pts\"", "Error at [\"dev/pts\"]: `tty` is never \"dev/pts\""),
        (
            "name == \"/usr/bin/wget\"",
            "Error at [\"/usr/bin/wget\"]: `name` is never \"/usr/bin/wget\" | it has no slash | the whole path is `programName`",
        ),
        (
            "programName == \"bin/wget\"",
            "Error at [\"bin/wget\"]: `programName` is never \"bin/wget\" | it begins with a slash | write the whole path, or \"*/bin/wget\"",
        ),
        ("cwd in (\"/\", \"srv/a\")", "Error at [\"srv/a\"]: `cwd` is never \"srv/a\""),
        ("processUuid == \"0A\"", "Error at [\"0A\"]: `processUuid` is never \"0A\" | no UUID"),
        ("sophosPid == \"4711\"", "Error at [\"4711\"]: `sophosPid` is never \"4711\" | no PID:START"),
        ("loginTerminal == \"/dev/pts/1\"", "Error at [\"/dev/pts/1\"]: `loginTerminal` is never"),
        (
            "containerId == \"4f6e1c0d2b3a\"",
            "Warning at [\"4f6e1c0d2b3a\"]: `containerId` is the whole id, and this is 12 digits long | this never holds if the id was cut | write \"4f6e1c0d2b3a*\"",
        ),
        ("uid == -5", "Error at [-5]: `uid` is never -5 | never holds | it is 0 to 4294967294"),
        (
            "loginUid != 4294967295",
            "Error at [4294967295]: `loginUid` is never 4294967295 | never holds | an id that is not set is absent: write `not loginUid exists`",
        ),
        ("uid < 0", "Error at [0]: `uid` is never less than 0"),
        ("processPid > 4194304", "Error at [4194304]: `processPid` is never greater than 4194304"),
        ("exitSignal in (9, 900)", "Error at [900]: `exitSignal` is never 900 | never holds | it is 1 to 127"),
        ("time > \"yesterday\"", "Error at [\"yesterday\"]: `yesterday` is no point in time"),
        ("programName == \"/a/[b\"", "Error at [[]: the set that begins with `[` has no `]`"),
        ("programName == \"\\t[b\"", "Error at [\"\\t[b\"]: the set that begins with `[` has no `]`"),
        ("args =~ \"a(b\"", "Error at [(]: this is no regular expression: unclosed group"),
        ("args =~ `(\\w{1000}){1000}`", "Error at [`(\\w{1000}){1000}`]: this regular expression is too large"),
        ("args =~ `(?i)a\\1`", "Error at [\\1]: this is no regular expression: backreferences are not supported"),
        ("args =~ `(?=a)`", "Error at [(?=]: this is no regular expression: look-around"),
        ("programName in $Path", "Error at [$Path]: there is no list `Path` | unknown list | did you mean `$Paths`?"),
        (
            "programName in $Nothing_like_it",
            "Error at [$Nothing_like_it]: there is no list `Nothing_like_it` | unknown list | define it:",
        ),
        (
            "uid in $Paths",
            "Error at [$Paths]: the list `Paths` holds paths, and `uid` is a number | a list of type `paths` goes with paths, lists of texts",
        ),
        ("programName in $Hosts", "Error at [$Hosts]: the list `Hosts` holds hosts"),
        ("programName in $Numbers", "Error at [$Numbers]: the list `Numbers` holds numbers"),
        (
            "programName in $Lineage",
            "Error at [$Lineage]: the list `Lineage` holds lineage, and `programName` is a path | a list of type `lineage` goes with lineage | write `lineage in $Lineage`",
        ),
        ("lineage in $Numbers", "Error at [$Numbers]: the list `Numbers` holds numbers"),
        // Warnings.
        ("programName in $Empty", "Warning at [$Empty]: the list `Empty` is empty"),
        (
            "eventType == \"LOST_RECORDS\"",
            "Warning at [\"LOST_RECORDS\"]: this never holds: no process event is of this type",
        ),
        ("eventType in $Shells", "Warning at [$Shells]: no entry of the list `Shells` is a value of `eventType`"),
        (
            "containerRuntime in $Runtimes",
            "Warning at [$Runtimes]: `containerRuntime` is never \"dokcer\", which the list `Runtimes` has | never holds for this entry | did you mean \"docker\"?",
        ),
        ("uid in $Negative", "Warning at [$Negative]: no entry of the list `Negative` is a value of `uid`"),
        ("fileMode & 0", "Warning at [0]: `& 0` never holds"),
        (
            "any lineage.name != \"x\"",
            "Warning at [any lineage.name]: `any lineage.name` with `!=` holds if *no* ancestor is such",
        ),
    ] {
        let (_, report) = compiled(&format!("match {condition}\ndefault ignore\n"));
        let said = said(&report);
        assert!(
            said.starts_with(expected) && said.lines().count() == 1,
            "{condition}\n expected {expected}\n got {said}"
        );
    }
}

#[test]
fn a_list_of_exceptions_may_be_empty() {
    let (_, report) = compiled("ignore programName in $Empty\nmatch uid == 0\ndefault ignore\n");
    assert_eq!(said(&report), "");
}

#[test]
fn what_can_never_hold_is_warned_about() {
    for (condition, never) in [
        ("uid == 0 and uid == 1", true),
        ("uid == 0 and uid > 5", true),
        ("uid in (0, 7) and uid > 5", false),
        ("uid == 0 and uid != 0", true),
        ("not (uid != 0 or uid & 1)", false),
        ("not (uid != 1 or uid & 1)", true),
        ("gid == 0 or (isTty == true and isTty == false)", true),
        ("eventType == \"*EXEC\" and eventType == \"*EXIT\"", true),
        ("programName == \"/usr/bin/wget\" and programName == \"/usr/sbin/*\"", true),
        ("programName == \"/usr/bin/wget\" and programName == \"wget\"", false),
        ("programName == \"wget\" and programName == \"/usr/sbin/*\"", false),
        ("args == \"a\" and args == \"b\"", false),
        ("any lineage.uid == 1 and any lineage.uid == 2", false),
        ("lineage[0].uid == 1 and lineage[0].uid == 2", true),
        ("lineage[0].uid == 1 and lineage[1].uid == 2", false),
    ] {
        let (_, report) = compiled(&format!("match {condition}\ndefault ignore\n"));
        let said = said(&report);
        assert_eq!(said.contains("Warning at") && said.contains("never holds"), never, "{condition}: {said}");
        assert!(!report.has_errors());
    }
}

#[test]
fn each_bad_rule_and_each_bad_comparison_is_told() {
    let (_, report) = compiled(
        "match uuid == 1 or parent exists\nmach name == \"x\"\nmatch name = \"x\"\nmatch uid == 1\ndefault ignore\n",
    );
    let said = said(&report);
    assert_eq!(said.lines().count(), 4, "{said}");
    for part in
        ["[uuid]: there is no field", "[parent]: there is no field", "[mach]: expected", "[=]: expected an operator"]
    {
        assert!(said.contains(part), "lacks {part}: {said}");
    }
}

#[test]
fn a_rule_that_never_decides_is_warned_about() {
    let (set, report) =
        compiled("match uid == 1\nignore uid == 2\nmatch uid == 1\ndefault match\nignore uid == 3\ndefault ignore\n");
    let said = said(&report);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.contains("[match uid == 1]: this rule never decides | rule 1 `match uid == 1` stands before it and has the same condition"));
    assert!(said.contains("[ignore uid == 3]: this rule never decides | rule 4 `default match` stands before it and decides for every event"));
    assert!(said.contains("[default ignore]: this rule never decides"));
    assert!(!report.has_errors());
    assert_eq!(set.rule_text(ChainIndex(0), RuleIndex(3)), "default match");
}

#[test]
fn rules_that_only_ignore_are_warned_about() {
    for rules in
        ["default ignore\n", "ignore uid == 0\ndefault ignore\n", "ignore uid == 0\ndefault ignore\nmatch uid == 1\n"]
    {
        let (_, report) = compiled(rules);
        assert!(said(&report).contains("no rule of `test` matches anything"), "{rules}: {}", said(&report));
        assert!(!report.has_errors());
    }
    for rules in
        ["ignore uid == 0\ndefault match\n", "match uid == 0\ndefault ignore\n", "mach uid == 0\ndefault ignore\n"]
    {
        let (_, report) = compiled(rules);
        assert!(!said(&report).contains("matches anything"), "{rules}");
    }
}

#[test]
fn a_list_in_quotes_is_warned_about() {
    let (_, report) = compiled("match hostname == \"$Hosts\"\nmatch args == \"$5\"\ndefault ignore\n");
    let said = said(&report);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("[\"$Hosts\"]: this is a text, and not the list `Hosts`"), "{said}");
}

#[test]
fn a_missing_default_is_an_error_or_a_verdict() {
    let (_, report) = compiled("match uid == 1\n");
    assert!(said(&report).contains("the rules of `test` have no default"), "{}", said(&report));

    let mut report = Report::default();
    let lists = lists(&mut report);
    let (rules, span) = source(&mut report, "ignore uid == 1\n");
    let on_missing_default = MissingDefault::Is(Verdict::Match);
    let chains = [Chain { name: "table", rules: &rules, span: &span, on_missing_default }];
    let set = compile(Class::Process, &chains, &lists, &mut report);
    assert_eq!(said(&report), "");
    let mut scratch = Scratch::default();
    for (uid, expected) in [(1, vec![]), (2, vec![(ChainIndex(0), RuleIndex(1))])] {
        let (event, host) = crate::event::build::build(&serde_json::json!({ "uid": uid })).unwrap();
        let mut found = Vec::new();
        set.matches(&event, &host, &mut scratch, &mut |chain, rule| found.push((chain, rule)));
        assert_eq!(found, expected);
    }
    assert_eq!(set.rule_text(ChainIndex(0), RuleIndex(1)), "default match");
}

/// What is said of a condition in rules that see programs being executed and nothing else.
fn said_of_execs(condition: &str) -> String {
    let mut report = Report::default();
    let lists = lists(&mut report);
    let (rules, span) = source(&mut report, &format!("match {condition}\ndefault ignore\n"));
    let chains = [Chain { name: "p", rules: &rules, span: &span, on_missing_default: MissingDefault::Error }];
    let _ = compile(Seen::only(EventType::Exec), &chains, &lists, &mut report);
    said(&report)
}

#[test]
fn what_a_policy_never_sees_is_refused() {
    for (condition, expected) in [
        (
            "exitCode != 0",
            "Error at [exitCode]: `exitCode` has a value in PROCESS_EVENT_TYPE_EXIT events alone | these rules see \
             PROCESS_EVENT_TYPE_EXEC events",
        ),
        ("not exitSignal exists", "Error at [exitSignal]: "),
        ("errno == 13", "Error at [errno]: `errno` has a value in PROCESS_EVENT_TYPE_EXEC_FAILED events alone"),
        (
            "eventType == \"PROCESS_EVENT_TYPE_EXIT\"",
            "Error at [\"PROCESS_EVENT_TYPE_EXIT\"]: these rules never see events of this type | they see \
             PROCESS_EVENT_TYPE_EXEC events alone",
        ),
        ("eventType =~ \"FORK\"", "Error at [\"FORK\"]: these rules never see"),
        ("acct == \"x\"", "Error at [acct]: `acct` is a field of audit events"),
    ] {
        let said = said_of_execs(condition);
        assert!(said.starts_with(expected), "{condition}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    for condition in
        ["eventType == \"PROCESS_EVENT_TYPE_EXEC\"", "eventType == \"PROCESS_*\"", "eventType in $Types", "uid == 0"]
    {
        assert_eq!(said_of_execs(condition), "", "{condition}");
        // A table's filter sees the whole class.
        let (_, report) = compiled("match errno == 13 and eventType != \"PROCESS_EVENT_TYPE_EXIT\"\ndefault ignore\n");
        assert_eq!(said(&report), "");
    }
}

/// What is said of a condition on events of this kind.
fn said_of(seen: Seen, condition: &str) -> String {
    let mut report = Report::default();
    let lists = lists(&mut report);
    let (rules, span) = source(&mut report, &format!("match {condition}\ndefault ignore\n"));
    let chain = Chain { name: "test", rules: &rules, span: &span, on_missing_default: MissingDefault::Error };
    let _ = compile(seen, &[chain], &lists, &mut report);
    said(&report)
}

#[test]
fn words_that_no_event_has_are_refused() {
    let (message, refused) = (Seen::only(EventType::AuditMessage), Seen::only(EventType::AuditMessageRefused));
    let sensor = Seen::from(Class::Sensor);
    for (seen, condition, expected) in [
        (message, "messageTypeName == \"USER_LOGN\"", "did you mean \"USER_LOGIN\"?"),
        (
            message,
            "messageTypeName in (\"USER_AUTH\", \"xyz\")",
            "`messageTypeName` is never \"xyz\" | unknown word | `sophoslinuxsensor fields` tells",
        ),
        (message, "messageTypeName == \"USER_L*\"", ""),
        (message, "messageTypeName == \"UNKNOWN[1199]\"", "asked for by its number: `messageType == 1199`"),
        (
            message,
            "messageType == 99999",
            "`messageType` is never 99999 | never holds | it is 1005, or 1100 to 1199, or 2100 to 2999",
        ),
        (message, "messageType == 1300", "`messageType` is never 1300"),
        (message, "messageType in (1100, 1199, 2999)", ""),
        (refused, "messageType == 1300", ""),
        (refused, "messageType == 99999", "`messageType` is never 99999"),
        (message, "result == \"failure\"", "the words are success, failed"),
        (refused, "refusal == \"capabilities\"", "did you mean \"capability\"?"),
        (sensor, "stage == \"rnig\"", "did you mean \"ring\"?"),
        (sensor, "stage == \"spool\" and eventClass == \"alerts\" and cause == \"spool_full\"", ""),
        (sensor, "cause == \"ring_ful\"", "did you mean \"ring_full\"?"),
        (sensor, "eventClass == \"alert\"", "did you mean \"alerts\"?"),
    ] {
        let said = said_of(seen, condition);
        assert!(if expected.is_empty() { said.is_empty() } else { said.contains(expected) }, "{condition}: {said}");
    }
}
