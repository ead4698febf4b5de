//! `rules import sigma`: what is read, written and said, and that the policies are about what the rules are about.

use std::fs;
use std::process::Command;

use sensor_tests::{Home, Said, programs};

const RULE: &str = "\
title: Secrets Of The Cloud
id: 7a
logsource: {product: linux, category: process_creation}
detection:
    sel: {Image|endswith: '/CAT', CommandLine|contains: '/.aws/'}
    condition: sel
level: high
";
const CONNECTION: &str = "\
title: Far Away
logsource:
    product: linux
    category: network_connection
detection:
    sel: {DestinationHostname|endswith: '.example.test'}
    condition: sel
";
const FILE: &str = "\
title: Entry Of Cron
logsource: {product: linux, category: file_event}
detection:
    sel: {TargetFilename|startswith: /etc/cron.d/}
    condition: sel
";

fn import(home: &Home, arguments: &[&str]) -> Said {
    let mut command = Command::new(programs::sensor());
    command.args(["rules", "import", "sigma", "-content"]).arg(home.file("content.yaml"));
    Said::of(command.args(arguments).current_dir(home.path()))
}

fn rules(home: &Home) {
    fs::create_dir_all(home.file("rules/more/.hidden")).expect("folders");
    home.write("rules/a.yml", RULE);
    home.write("rules/more/b.yaml", &format!("{CONNECTION}---\n{}", RULE.replace("7a", "7b")));
    home.write("rules/more/c.yaml", FILE);
    home.write("rules/more/notes.txt", "no rule");
    home.write("rules/more/.hidden/c.yml", "no rule");
}

#[test]
fn policies_are_written_and_what_is_not_taken_is_said() {
    let home = Home::new("");
    rules(&home);
    let said = import(&home, &["-o", "sigma.yaml", "rules", "rules/a.yml"]);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (
            Some(0),
            "",
            "rules/more/b.yaml: not taken: line 6: the sensor does not record `DestinationHostname`: connections go to \
             addresses, and which name a program asked for is not known\n4 rules, 3 imported, 1 not taken\n"
        )
    );
    let checked = Said::of(Command::new(programs::sensor()).args(["rules", "check"]).arg(home.file("sigma.yaml")));
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""), "{}", checked.stdout);

    home.write(
        "cases.yaml",
        "- policy: Secrets Of The Cloud (7b)\n  expect: match\n  event: {programName: /usr/bin/cat, args: [cat, /root/.AWS/credentials]}\n\
         - policy: Secrets Of The Cloud (7a)\n  expect: ignore\n  event: {programName: /usr/bin/cat, args: [cat, /etc/hosts]}\n\
         - policy: Entry Of Cron\n  expect: match\n  event: {eventType: FILE_EVENT_TYPE_CREATE, filePath: /etc/cron.d/x}\n\
         - policy: Entry Of Cron\n  expect: ignore\n  event: {eventType: FILE_EVENT_TYPE_DELETE, filePath: /etc/cron.d/x}\n",
    );
    let mut command = home.command(&["rules", "test", "-config"]);
    for (flag, name) in [("", "config.yaml"), ("-content", "content.yaml"), ("-rules", "sigma.yaml")] {
        command.args(Some(flag).filter(|flag| !flag.is_empty())).arg(home.file(name));
    }
    let tested = Said::of(command.arg(home.file("cases.yaml")));
    assert_eq!((tested.code, tested.stdout.as_str()), (Some(0), "4 cases, 0 failed\n"), "{}", tested.stderr);
    assert_eq!(import(&home, &["rules"]).stdout, fs::read_to_string(home.file("sigma.yaml")).expect("the policies"));
}

#[test]
fn names_of_shipped_policies_are_not_given_again() {
    let home = Home::new("");
    home.write_content("Secrets Of The Cloud:\n  policy: program\n  rules: [default ignore]\n");
    home.write("a.yml", RULE);
    let said = import(&home, &["a.yml"]);
    assert!(said.stdout.contains("\n'Secrets Of The Cloud (7a)':\n"), "{}", said.stdout);
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let home = Home::new("");
    home.write("sigma.yaml", "as it was");
    let missing = import(&home, &["-o", "sigma.yaml", "nowhere.yml"]);
    assert_eq!(missing.code, Some(1));
    let lines: Vec<_> = missing.stderr.lines().collect();
    assert!(lines[0].starts_with("nowhere.yml: not taken: "), "{}", missing.stderr);
    assert_eq!(lines.last(), Some(&"1 rules, 0 imported, 1 not taken"));
    assert_eq!(fs::read_to_string(home.file("sigma.yaml")).expect("the file"), "as it was");

    home.write("a.yml", RULE);
    let nowhere = import(&home, &["-o", "no/folder/sigma.yaml", "a.yml"]);
    assert_eq!((nowhere.code, nowhere.stderr.contains("nothing is written")), (Some(1), true), "{}", nowhere.stderr);
    assert_eq!(import(&home, &["-o", ".", "a.yml"]).code, Some(1));

    // Some rules could not be taken, and the policies of the others are there.
    fs::write(home.file("b.yml"), b"title: \xff").expect("a file");
    let half = import(&home, &["-o", "sigma.yaml", "b.yml", "a.yml"]);
    assert_eq!((half.code, half.stderr.lines().next()), (Some(0), Some("b.yml: not taken: line 1: this is not UTF-8")));
    assert!(fs::read_to_string(home.file("sigma.yaml")).expect("the file").contains("Secrets Of The Cloud:"));
    assert_eq!(import(&home, &[]).code, Some(2));
}
