//! What is told of the detections: the reference in docs/content.md, and the layer for the ATT&CK Navigator.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sensor_agent::config::Policy;
use serde_json::{Value, json};

pub(crate) const BEGIN: &str =
    "<!-- detections: begin; made of the content by `UPDATE_DOCS=1 cargo test -p sensor-agent --test content` -->\n";
pub(crate) const END: &str = "<!-- detections: end -->\n";

/// Of ATT&CK, April 2026, in its order: the tactics that detections have, and their identifiers.
pub(crate) const TACTICS: [(&str, &str); 13] = [
    ("Initial Access", "TA0001"),
    ("Execution", "TA0002"),
    ("Persistence", "TA0003"),
    ("Privilege Escalation", "TA0004"),
    ("Stealth", "TA0005"),
    ("Defense Impairment", "TA0112"),
    ("Credential Access", "TA0006"),
    ("Discovery", "TA0007"),
    ("Lateral Movement", "TA0008"),
    ("Collection", "TA0009"),
    ("Command and Control", "TA0011"),
    ("Exfiltration", "TA0010"),
    ("Impact", "TA0040"),
];

/// `MITRE.<Tactic>.<Technique> (T1234)`.
pub(crate) fn technique(category: &str) -> Option<(&str, &str, &str)> {
    let (tactic, rest) = category.strip_prefix("MITRE.")?.split_once('.')?;
    let (name, id) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    Some((tactic, name, id))
}

fn techniques(policy: &Policy) -> impl Iterator<Item = (&str, &str, &str)> {
    policy.categories.iter().filter_map(|category| technique(category))
}

/// What the policy sees, as the fields' reference calls it.
fn class(policy: &Policy) -> &'static str {
    match policy.policy_type.word {
        "program" => "programs",
        "auditUserMessage" | "auditUserMessageRefused" => "audit messages",
        "file" | "fileMonitor" => "files",
        "sysctl" => "settings of the kernel",
        "ioUringSetup" => "rings of io_uring",
        "perfEvent" => "performance events",
        "rawSocket" => "raw sockets",
        "unixConnect" => "sockets of the host",
        "userHelper" => "programs that the kernel itself runs",
        "bpfAttach" => "BPF programs that are attached",
        "sensorTampering" => "what is done to the sensor in the kernel",
        "kexec" => "kernels that are loaded to be started",
        "crash" | "repeatedCrash" => "crashes",
        "memoryExec" | "memfdCreate" | "userfaultfd" => "memory",
        "connect" | "connectResult" | "networkService" | "sendto" | "cloudMetadata" => "connections",
        "ptrace" => "processes that get at others",
        "namespace" | "mount" => "namespaces and mounts",
        "credentialChange" => "changes of credentials",
        "loadKernelModule" => "kernel modules",
        "bpfExec" => "BPF programs",
        "containerCreated" => "containers",
        other => panic!("what policies of the type `{other}` see has no name here"),
    }
}

/// The part of docs/content.md between the marks.
pub(crate) fn reference(policies: &[Policy]) -> String {
    let mut page = BEGIN.to_owned();
    let (none, some): (Vec<_>, Vec<_>) = policies.iter().partition(|policy| techniques(policy).next().is_none());
    section(&mut page, "Self check", &none);
    for (tactic, _) in TACTICS {
        let of_it = |policy: &&Policy| techniques(policy).next().is_some_and(|first| first.0 == tactic);
        let here: Vec<_> = some.iter().copied().filter(of_it).collect();
        section(&mut page, tactic, &here);
    }
    coverage(&mut page, &some);
    page + END
}

fn section(page: &mut String, title: &str, policies: &[&Policy]) {
    if policies.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## {title}");
    for policy in policies {
        let off = if policy.enabled { "" } else { ", off as shipped" };
        let group = policy.content_group.iter().flat_map(|group| group.parts()).map(String::as_str).collect::<Vec<_>>();
        let group = if group.is_empty() { "in no content group".into() } else { group.join(".") };
        let ids: Vec<String> =
            techniques(policy).map(|(tactic, name, id)| format!("{tactic}: {name} ({id})")).collect();
        let _ = writeln!(page, "\n### {}\n", policy.name.value);
        let rank = format!(
            "*Priority {}, confidence {}{off}; {group}; sees {}.*",
            policy.priority.word(),
            policy.confidence.word(),
            class(policy)
        );
        let _ = writeln!(page, "{rank} {}\n", ids.join(", "));
        let _ = writeln!(page, "{}\n", policy.description.as_deref().unwrap_or_default().trim());
        let _ = writeln!(page, "{}", policy.comments.as_deref().unwrap_or_default().trim());
    }
}

fn by_technique<'p>(policies: &[&'p Policy]) -> BTreeMap<(&'p str, &'p str), Vec<&'p Policy>> {
    let mut found: BTreeMap<_, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        for (_, name, id) in techniques(policy) {
            found.entry((id, name)).or_default().push(policy);
        }
    }
    found
}

fn coverage(page: &mut String, policies: &[&Policy]) {
    let techniques = by_technique(policies);
    let _ = writeln!(page, "\n## Coverage\n\n{} techniques of ATT&CK, April 2026.\n", techniques.len());
    let _ = writeln!(page, "| technique | | detections | seen in |\n| --- | --- | --- | --- |");
    for ((id, name), policies) in techniques {
        let names: Vec<&str> = policies.iter().map(|policy| policy.name.value.as_str()).collect();
        let mut classes: Vec<&str> = policies.iter().map(|policy| class(policy)).collect();
        classes.sort_unstable();
        classes.dedup();
        let _ = writeln!(page, "| {id} | {name} | {} | {} |", names.join(", "), classes.join(", "));
    }
}

/// A layer in the format 4.5 of the ATT&CK Navigator: the score is the number of detections that are on.
pub(crate) fn layer(policies: &[Policy]) -> Value {
    let mut found: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| policy.enabled) {
        for (tactic, _, id) in techniques(policy) {
            found.entry((id, tactic)).or_default().push(&policy.name.value);
        }
    }
    let technique = |((id, tactic), names): (&(&str, &str), &Vec<&str>)| {
        let tactic = tactic.to_lowercase().replace(' ', "-");
        json!({"techniqueID": id, "tactic": tactic, "score": names.len(), "comment": names.join(", ")})
    };
    json!({
        "name": "Linux runtime sensor: shipped detections",
        "versions": {"attack": "19", "layer": "4.5"},
        "domain": "enterprise-attack",
        "filters": {"platforms": ["Linux", "Containers"]},
        "techniques": found.iter().map(technique).collect::<Vec<_>>(),
    })
}
