//! Pieces of work, of attackers and of administrators, held against all detections at once: as they are typed at a
//! shell, where each program is an event of its own, and as the text of one `sh -c`, which is an event as well.

use std::fmt;

use sensor_agent::policy::Priority;
use sensor_agent::rules::Scratch;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Shipped;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What would be typed, and the text of `sh -c`.
    sh: String,
    expect: Expect,
    /// The programs that it runs, by their arguments; or whole events, where more than arguments matters.
    runs: Vec<Value>,
    /// Typed, it is not seen: it runs no program, or no program that is told what it is for.
    #[serde(default)]
    untold: bool,
    /// What all events of it have besides, such as a service among the ancestors.
    #[serde(default)]
    with: serde_json::Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    /// An alert of priority Medium or High.
    Alert,
    /// One of Low or Info and nothing louder.
    Audit,
    /// Nothing louder than Low.
    Quiet,
}

#[derive(Default)]
pub(crate) struct Tally {
    typed: [usize; 2],
    sh: [usize; 2],
    pub(crate) wrong: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [right, of] = self.typed;
        let [sh, of_sh] = self.sh;
        write!(f, "typed {right} of {of}, sh -c {sh} of {of_sh}\n{}", self.wrong.join("\n"))
    }
}

pub(crate) fn read(yaml: &str) -> Vec<Step> {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn run(shipped: &Shipped, steps: &[Step]) -> Tally {
    let mut tally = Tally::default();
    let mut scratch = Scratch::default();
    for step in steps {
        let mut loudest = |event: &Value| {
            let raised = shipped.raised(event, &mut scratch);
            let loud = |priority| matches!(priority, Priority::High | Priority::Medium);
            let names: Vec<_> = raised.iter().map(|(policy, _)| policy.name.value.clone()).collect();
            (names, raised.iter().any(|(policy, _)| loud(policy.priority)))
        };
        let typed: Vec<_> = step.runs.iter().map(|run| loudest(&event(run, step, false))).collect();
        let text = loudest(&event(&json!(["sh", "-c", step.sh]), step, false));
        let mut within: Vec<_> = step.runs.iter().map(|run| loudest(&event(run, step, true))).collect();
        within.push(text);
        for (form, seen, counts) in [("typed", typed, &mut tally.typed), ("sh -c", within, &mut tally.sh)] {
            if form == "typed" && step.untold {
                continue;
            }
            let names: Vec<_> = seen.iter().flat_map(|(names, _)| names.clone()).collect();
            let is_loud = seen.iter().any(|(_, loud)| *loud);
            let right = match step.expect {
                Expect::Alert => is_loud,
                Expect::Audit => !is_loud && !names.is_empty(),
                Expect::Quiet => !is_loud,
            };
            counts[0] += usize::from(right);
            counts[1] += 1;
            if !right {
                tally.wrong.push(format!("{form}: {} (raises {names:?})", step.sh));
            }
        }
    }
    tally
}

/// The event of a program that is run at a terminal, or by the shell that was given the text.
fn event(run: &Value, step: &Step, within: bool) -> Value {
    let mut event = json!({"uid": 0, "userName": "root", "isTty": true, "cwd": "/root"});
    let shell = |args: Value| json!({"programName": "/usr/bin/bash", "args": args});
    let mut lineage = vec![shell(json!(["-bash"])), json!({"programName": "/usr/lib/openssh/sshd-session"})];
    if within {
        lineage.insert(0, json!({"programName": "/usr/bin/dash", "args": ["sh", "-c", step.sh]}));
    }
    event["lineage"] = lineage.into();
    let mut put = |fields: &serde_json::Map<String, Value>| {
        for (field, value) in fields {
            event[field] = value.clone();
        }
    };
    put(&step.with);
    match run {
        Value::Object(fields) => put(fields),
        args => {
            let called = args[0].as_str().expect("arguments are texts");
            put(json!({"programName": program(called), "args": args}).as_object().expect("it is one"));
        }
    }
    event
}

/// The file that the kernel runs on Debian, where it is another than the name that is called.
fn program(called: &str) -> String {
    if called.contains('/') {
        return called.into();
    }
    let file = match called {
        "sh" => "dash",
        "awk" => "mawk",
        "vim" | "vi" => "vim.basic",
        "nc" => "nc.openbsd",
        "pkill" => "pgrep",
        "insmod" | "modprobe" | "rmmod" | "lsmod" => "kmod",
        "iptables" | "ip6tables" => "xtables-nft-multi",
        "python3" | "python" => "python3.13",
        "egrep" => "grep",
        "reboot" | "shutdown" | "poweroff" | "halt" => "systemctl",
        "node" => "nodejs",
        other => other,
    };
    format!("/usr/bin/{file}")
}
