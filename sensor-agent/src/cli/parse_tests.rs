use proptest::prelude::*;

use super::*;

fn of(args: &[&str]) -> Result<Command, Usage> {
    parse(args.iter().map(OsString::from))
}

fn options(args: &[&str]) -> Options {
    match of(args) {
        Ok(Command::Run(options)) => options,
        other => panic!("{other:?}"),
    }
}

fn refusal(args: &[&str]) -> String {
    of(args).unwrap_err().to_string()
}

#[test]
fn without_arguments_the_sensor_runs_with_the_vendors_paths() {
    let options = options(&[]);
    assert_eq!(options.config, Place { path: "/etc/sophos/runtimedetections.yaml".into(), named: false });
    assert_eq!(options.rules, Place { path: "/etc/sophos/runtimedetections-rules.yaml".into(), named: false });
    assert_eq!(
        options.content,
        Place { path: "/var/lib/sophos/content/runtimedetections-content.yaml".into(), named: false }
    );
    assert_eq!(options.state_dir.path, PathBuf::from("/var/lib/sophos"));
    assert_eq!(options.run_dir.path, PathBuf::from("/run/sophos"));
}

#[test]
fn dashes_and_equal_signs_are_as_in_go() {
    for args in [&["-config", "x"][..], &["--config", "x"], &["-config=x"], &["--config=x"]] {
        assert_eq!(options(args).config, Place { path: "x".into(), named: true }, "{args:?}");
    }
    assert_eq!(options(&["-config=a=b"]).config.path, PathBuf::from("a=b"));
    assert_eq!(options(&["-config", "a", "-config", "b"]).config.path, PathBuf::from("b"));
    assert_eq!(options(&["-config", "-"]).config.path, PathBuf::from("-"));
    assert_eq!(options(&["-config=-check"]).config.path, PathBuf::from("-check"));
    for on in ["-check", "--check", "-check=true", "-check=1", "--check=T"] {
        assert!(matches!(of(&[on]), Ok(Command::Check { strict: false, .. })), "{on}");
    }
    assert!(matches!(of(&["-check", "-check=false"]), Ok(Command::Run(_))));
    assert_eq!(of(&["-h"]), of(&["-help"]));
}

#[test]
fn a_path_need_not_be_utf8() {
    let path = OsString::from_vec(b"/tmp/\xff".to_vec());
    let joined = OsString::from_vec(b"-config=/tmp/\xff".to_vec());
    for args in [vec!["-config".into(), path.clone()], vec![joined]] {
        let Ok(Command::Run(options)) = parse(args) else { panic!("refused") };
        assert_eq!(options.config.path, PathBuf::from(&path));
    }
}

#[test]
fn modes() {
    assert!(matches!(of(&["-check", "-strict"]), Ok(Command::Check { strict: true, .. })));
    assert!(matches!(of(&["-test-alert"]), Ok(Command::TestAlert { .. })));
    assert_eq!(of(&["-version"]), Ok(Command::Version));
    assert_eq!(of(&["-version", "-check"]), Ok(Command::Version));
    assert_eq!(of(&["-help"]), Ok(Command::Help { topic: None }));
    assert_eq!(of(&["rules", "-help"]), Ok(Command::Help { topic: None }));
    assert_eq!(of(&["status", "-help"]), Ok(Command::Help { topic: Some(CommandId::Status) }));
    assert_eq!(of(&["-help", "rules", "test"]), Ok(Command::Help { topic: Some(CommandId::RulesTest) }));
}

#[test]
fn what_is_looked_at() {
    let Ok(Command::Show { subject, look, .. }) = of(&[
        "events",
        "-follow",
        "-since",
        "1h30m",
        "-filter",
        "uid == 0",
        "-class",
        "audit",
        "-pid",
        "7",
        "-container",
        "web",
    ]) else {
        panic!("refused")
    };
    assert_eq!(subject, Subject::Events);
    assert_eq!(look.since, Some(Duration::from_secs(5400)));
    assert_eq!((look.follow, look.json, look.pid), (true, false, Some(7)));
    assert_eq!(
        (look.filter.as_deref(), look.class.as_deref(), look.container.as_deref()),
        (Some("uid == 0"), Some("audit"), Some("web"))
    );
    let Ok(Command::Show { subject, look, .. }) = of(&["alerts"]) else { panic!("refused") };
    assert_eq!((subject, look), (Subject::Alerts, Look::default()));
    let Ok(Command::Show { subject, look, .. }) = of(&["ps", "-pid", "1"]) else { panic!("refused") };
    assert_eq!((subject, look.pid), (Subject::Processes, Some(1)));
    for (args, follow) in [(&["top"][..], true), (&["top", "-once"], false)] {
        let Ok(Command::Show { subject, look, .. }) = of(args) else { panic!("refused") };
        assert_eq!((subject, look.follow), (Subject::Top, follow));
    }
    assert_eq!(refusal(&["events", "-since", "7d"]), "-since: `d` is not a unit of time; write 168h");
    assert!(refusal(&["events", "-pid", "0"]).starts_with("-pid: this is no id of a process"));
    assert!(refusal(&["events", "-class", "proces"]).contains("did you mean process?"));
}

#[test]
fn what_is_listed() {
    let listed = |args: &[&str]| match of(args) {
        Ok(Command::List { what, json, .. }) => (what, json),
        other => panic!("{other:?}"),
    };
    let (policy_type, group) = (Some("program".to_owned()), Some("Audit".to_owned()));
    assert_eq!(
        listed(&["policies", "-off", "-type", "program", "-group", "Audit", "-json"]),
        (Listed::Policies { off: true, policy_type, group }, true)
    );
    assert_eq!(listed(&["tables", "-off"]), (Listed::Tables { off: true }, false));
    assert_eq!((listed(&["lists"]), listed(&["outputs"])), ((Listed::Lists, false), (Listed::Outputs, false)));
    assert!(refusal(&["policies", "-type", "programm"]).contains("did you mean program?"));
}

#[test]
fn commands_and_their_flags_in_any_order() {
    let status = Ok(Command::Status { run_dir: "/r".into(), json: true });
    assert_eq!(of(&["status", "-json", "-run-dir", "/r"]), status);
    assert_eq!(of(&["-run-dir=/r", "status", "-json"]), status);
    assert_eq!(of(&["-run-dir=/r", "-json", "--", "status"]), status);
    assert_eq!(of(&["reload"]), Ok(Command::Reload { run_dir: "/run/sophos".into() }));
    assert_eq!(of(&["fields"]), Ok(Command::Fields { format: Format::Table }));
    assert_eq!(of(&["fields", "-json"]), Ok(Command::Fields { format: Format::Json }));
    assert_eq!(of(&["fields", "-markdown"]), Ok(Command::Fields { format: Format::Markdown }));
    assert_eq!(of(&["completions", "zsh"]), Ok(Command::Completions { shell: Shell::Zsh }));
    assert_eq!(of(&["completions", "bash"]), Ok(Command::Completions { shell: Shell::Bash }));
    assert_eq!(of(&["completions", "fish"]), Ok(Command::Completions { shell: Shell::Fish }));
    assert_eq!(of(&["man"]), Ok(Command::Man { page: Page::Program }));
    assert_eq!(of(&["man", "runtimedetections.yaml"]), Ok(Command::Man { page: Page::Configuration }));
    let Ok(Command::RulesCheck { files, options }) = of(&["rules", "check", "a", "-content", "c", "--", "-b"]) else {
        panic!("refused")
    };
    assert_eq!(files, [PathBuf::from("a"), PathBuf::from("-b")]);
    assert!(options.content.named);
    assert!(matches!(of(&["rules", "test", "a"]), Ok(Command::RulesTest { .. })));
    let Ok(Command::RulesExplain { event, policy, .. }) = of(&["rules", "explain", "-policy", "My policy", "-"]) else {
        panic!("refused")
    };
    assert_eq!((event, policy.as_deref()), (PathBuf::from("-"), Some("My policy")));
}

#[test]
fn what_is_wrong_is_said() {
    let refusals = [
        &["-confg", "x"][..],
        &["---config", "x"],
        &["--zzz"],
        &["-=x"],
        &["-config"],
        &["-config="],
        &["-config", "-check"],
        &["-check=maybe"],
        &["-check", "-test-alert"],
        &["-strict"],
        &["-json"],
        &["-policy", "x", "status"],
        &["stauts"],
        &["rules"],
        &["rules", "chek", "x"],
        &["rules", "check"],
        &["rules", "explain", "a", "b"],
        &["status", "now"],
        &["fields", "-json", "-markdown"],
        &["completions"],
        &["completions", "bsh"],
        &["frobnicate\u{1b}[2J"],
    ]
    .map(|args| format!("{:28} {}", args.join(" ").escape_debug().to_string(), refusal(args)))
    .join("\n");
    insta::assert_snapshot!(refusals);
}

#[test]
fn a_secret_is_refused_and_never_repeated() {
    for args in [&["-mcs-token", "SLS-hidden"][..], &["--token=SLS-hidden"], &["-MCS_TOKEN=SLS-hidden"]] {
        let refusal = refusal(args);
        assert!(refusal.contains("MCS_TOKEN_FILE"), "{refusal}");
        assert!(!refusal.contains("hidden"), "{refusal}");
    }
    assert!(!refusal(&["-zzz=SLS-hidden"]).contains("hidden"));
    assert!(!refusal(&["-check=SLS-hidden"]).contains("hidden"));
}

proptest! {
    #[test]
    fn any_arguments_are_understood_or_refused(args: Vec<Vec<u8>>) {
        if let Err(usage) = parse(args.into_iter().map(OsString::from_vec)) {
            prop_assert!(!usage.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn so_are_arguments_that_look_right(
        args in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(FLAGS.iter().map(|flag| flag.name).collect::<Vec<_>>())
                    .prop_flat_map(|name| (Just(name), "-{0,3}", "(=[a-z]?)?"))
                    .prop_map(|(name, dashes, value)| format!("{dashes}{name}{value}")),
                proptest::sample::select(COMMANDS.iter().flat_map(|entry| entry.words).collect::<Vec<_>>())
                    .prop_map(ToString::to_string),
                "[-a-z=]{0,4}",
            ],
            0..8,
        )
    ) {
        let _ = parse(args.into_iter().map(OsString::from));
    }
}
