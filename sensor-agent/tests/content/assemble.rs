//! The shipped file, out of the files that people write: one a tactic, and one of shared lists.
//!
//! What every detection has alike is put in here: its allow-lists, and the rule before all others that asks them.
//! What many rules ask is written out: `toolName`, the file that was run, or the tool that a program of many tools was called as;
//! `writtenFile`, the file that an event creates, opens to be changed or puts in place under another name; `isSetUp`, whether it
//! is the work of a package manager or of what sets hosts up.

use std::fmt::Write as _;

/// The files of `etc/content/detections`, in the order of the tactics.
pub(crate) const FILES: [&str; 20] = [
    "self-check",
    "initial-access",
    "execution",
    "persistence",
    "persistence-files",
    "privilege-escalation",
    "privilege-escalation-files",
    "process-access",
    "stealth",
    "stealth-files",
    "defense-impairment",
    "defense-impairment-files",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "connections",
    "exfiltration",
    "impact",
];

const HEAD: &str = "\
# The detections and lists that come with the sensor. Made of etc/content/detections by `UPDATE_DOCS=1 cargo test -p
# sensor-agent --test content`; changes to a detection belong there.
#
# Replaced by each upgrade. To change a detection on a host, put its name and only the keys that differ into
# /etc/sophos/runtimedetections-rules.yaml; to leave something alone, add to the detection's allow-lists there:
#
#     Encoded Command Run:
#       priority: Low
#     lists:
#       Encoded_Command_Run-parentProgramName-allowList: {add: [\"/usr/bin/salt-minion\"]}
#
# `programName` is the file that the kernel ran, links resolved: `sh` is /usr/bin/dash on Debian, `insmod` and
# `modprobe` are /usr/bin/kmod, `iptables` is xtables-nft-multi. Of a script it is the interpreter; the script is
# `scriptPath`. A pipe or a redirection shows only in the command line of the shell that was given it with `-c`.
";

/// `read` gives the text of a file of `etc/content/detections`.
pub(crate) fn assemble(read: impl Fn(&str) -> String) -> String {
    let mut all = HEAD.to_owned();
    let mut lists = read("lists").trim_end().to_owned();
    lists.push_str("\n\n  # Of each detection: what it leaves alone. Empty as shipped.\n");
    for file in FILES {
        let _ = writeln!(all, "\n# {}\n# {}\n", "-".repeat(115), file.replace('-', " "));
        policies(&work_of_set_up(&written_files(&tool_names(&read(file)))), &mut all, &mut lists);
    }
    all + "\n" + &lists
}

fn policies(text: &str, all: &mut String, lists: &mut String) {
    let (mut name, mut has_group) = ("", false);
    for line in text.trim_end().lines() {
        let is_key = !line.starts_with([' ', '#']) && line.ends_with(':');
        if is_key {
            (name, has_group) = (line.trim_end_matches(':'), false);
        }
        has_group |= line.starts_with("  contentGroup:");
        let _ = writeln!(all, "{line}");
        // The self check belongs to no group, and nothing is to silence it.
        if line == "  rules:" && has_group {
            allow_lists(name, all, lists);
        }
    }
}

fn allow_lists(policy: &str, all: &mut String, lists: &mut String) {
    let images = policy.contains("Container").then_some(("imageName", "names"));
    let kinds = [("programName", "paths"), ("parentProgramName", "paths"), ("commandLine", "names")];
    all.push_str("    - >-\n");
    lists.push('\n');
    for (number, (field, kind)) in kinds.into_iter().chain(images).enumerate() {
        let word = if number == 0 { "ignore" } else { "or" };
        let list = format!("{}-{field}-allowList", policy.replace(' ', "_"));
        let _ = writeln!(all, "      {word} {field} in ${list}");
        let _ = writeln!(lists, "  {list}: {{type: {kind}, values: []}}");
    }
}

/// Replaces `toolName == "x"` and `toolName in ("x", "y")`.
fn tool_names(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("toolName ") {
        out.push_str(before);
        let (names, behind) = if let Some(list) = after.strip_prefix("in (") {
            list.split_once(')').expect("a list ends")
        } else {
            let name = after.strip_prefix("== ").expect("`toolName` is compared with `==` or `in (`");
            let end = name[1..].find('"').expect("a name ends") + 2;
            name.split_at(end)
        };
        let alternatives: Vec<String> = names.split('"').skip(1).step_by(2).map(expression).collect();
        let _ = write!(
            out,
            "(programName in ({names}) or programName in $Multi_Call_Programs and commandLine =~ \
             `^(?:\\S*/)?(?:(?:busybox|toybox|coreutils|util-linux)\\S* (?:--coreutils-prog=)?)?(?:{})(?:\\s|$)`)",
            alternatives.join("|")
        );
        rest = behind;
    }
    out + rest
}

/// Replaces `writtenFile in $List` and `writtenFile in ("x", "y")`.
fn written_files(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("writtenFile in ") {
        let end = if after.starts_with('(') {
            after.find(')').expect("a list ends") + 1
        } else {
            after.find([' ', ')', '\n']).expect("a list's name ends")
        };
        let (files, behind) = after.split_at(end);
        let _ = write!(
            out,
            "{before}(eventType in (\"FILE_EVENT_TYPE_CREATE\", \"FILE_EVENT_TYPE_OPEN_FOR_MODIFY\") and filePath in {files} \
             or eventType in (\"FILE_EVENT_TYPE_RENAME\", \"FILE_EVENT_TYPE_LINK\") and targetPath in {files})"
        );
        rest = behind;
    }
    out + rest
}

/// Replaces `isSetUp == true`.
fn work_of_set_up(text: &str) -> String {
    let lists = [
        ("programName", "Package_Managers"),
        ("programName", "Configuration_Management"),
        ("scriptPath", "Package_Manager_Scripts"),
        ("scriptPath", "Provisioning_Scripts"),
        ("scriptPath", "Configuration_Management"),
    ];
    let asked = |(field, list)| format!("{field} in ${list} or any lineage.{field} in ${list}");
    // What runtimes unpack is theirs; what they start is somebody else's.
    let unpacked = "programName in $Container_Runtimes";
    text.replace("isSetUp == true", &format!("({} or {unpacked})", lists.map(asked).join(" or ")))
}

fn expression(glob: &str) -> String {
    glob.replace('.', "\\.").replace('*', "\\S*")
}
