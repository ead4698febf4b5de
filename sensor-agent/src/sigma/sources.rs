//! The one table of what Sigma calls a log, and of what its fields are called here.
//!
//! A class of events that the sensor comes to record is one row in [`LOGS`] and its fields.

use schema::{PolicyType, Seen};

/// A log that rules are written for, of Linux.
struct Log {
    /// `category`, or else `service`, of a rule's `logsource`.
    name: &'static str,
    is: Recorded,
}

enum Recorded {
    Yes(View),
    /// Not yet, and in words what it is that is not.
    No(&'static str),
}

/// What a policy sees of a log.
#[derive(Debug)]
pub(super) struct View {
    /// The type of the policy.
    pub(super) policy: &'static str,
    pub(super) fields: &'static [Mapping],
    /// Fields that rules of this log have and no event can have here, each with the reason.
    pub(super) unreported: &'static [(&'static str, &'static str)],
    /// What the policy begins with: events of its type that are none of this log.
    pub(super) first: &'static [&'static str],
    /// Fields in which is looked for what a rule looks for in the whole event.
    pub(super) searched: &'static [&'static str],
}

/// A field of a log.
#[derive(Debug)]
pub(super) struct Mapping {
    /// In Sigma's taxonomy.
    pub(super) sigma: &'static str,
    /// In rules here.
    pub(super) ours: &'static str,
    /// Whether it is a whole path, though other events have other values in the same field.
    pub(super) is_path: bool,
    /// The conditions that values stand for, where these are words; no event has others.
    pub(super) words: &'static [(&'static str, &'static str)],
}

const fn field(sigma: &'static str, ours: &'static str) -> Mapping {
    Mapping { sigma, ours, is_path: false, words: &[] }
}

const fn path(sigma: &'static str, ours: &'static str) -> Mapping {
    Mapping { is_path: true, ..field(sigma, ours) }
}

const fn word(sigma: &'static str, ours: &'static str, words: &'static [(&'static str, &'static str)]) -> Mapping {
    Mapping { words, ..field(sigma, ours) }
}

/// Fields of `process_creation`, which are those of event 1 of Sysmon for Linux. `LogonId` is the real user id there.
const PROCESS: View = View {
    policy: "program",
    fields: &[
        field("Image", "programName"),
        field("CommandLine", "commandLine"),
        field("CurrentDirectory", "cwd"),
        field("User", "userName"),
        field("LogonId", "uid"),
        field("ProcessId", "processPid"),
        field("ParentImage", "parentProgramName"),
        field("ParentCommandLine", "lineage[0].commandLine"),
        field("ParentUser", "lineage[0].userName"),
        field("ParentProcessId", "parentPid"),
    ],
    unreported: &[],
    first: &[],
    searched: &["Image", "CommandLine", "CurrentDirectory", "User", "ParentImage", "ParentCommandLine"],
};

/// Fields of `file_event`, which are those of event 11 of Sysmon for Linux: a file is created or overwritten. Whether one that is
/// opened to be changed is overwritten or added to is not told.
const FILE: View = View {
    policy: "fileMonitor",
    fields: &[
        path("TargetFilename", "filePath"),
        field("Image", "programName"),
        field("CommandLine", "commandLine"),
        field("User", "userName"),
        field("LogonId", "uid"),
        field("ProcessId", "processPid"),
        field("ParentImage", "parentProgramName"),
        field("ParentCommandLine", "lineage[0].commandLine"),
    ],
    unreported: &[],
    first: &[
        "ignore eventType not in (\"FILE_EVENT_TYPE_CREATE\", \"FILE_EVENT_TYPE_OPEN_FOR_MODIFY\")",
        "ignore fileType == \"directory\" or fileError exists",
    ],
    searched: &["TargetFilename", "Image", "CommandLine", "User"],
};

const NO_NAMES: &str = "connections go to addresses, and which name a program asked for is not known";

/// Fields of `network_connection`, which are those of event 3 of Sysmon for Linux.
const CONNECTION: View = View {
    policy: "connect",
    fields: &[
        field("DestinationIp", "dstAddr"),
        field("DestinationPort", "dstPort"),
        field("SourceIp", "srcAddr"),
        word("Initiated", "direction", &[("true", "direction != \"inbound\"")]),
        word("Protocol", "protocol", &[("tcp", "protocol == \"tcp\"")]),
        field("Image", "programName"),
        field("CommandLine", "commandLine"),
        field("User", "userName"),
        field("LogonId", "uid"),
        field("ProcessId", "processPid"),
        field("ParentImage", "parentProgramName"),
        field("ParentCommandLine", "lineage[0].commandLine"),
    ],
    unreported: &[
        ("DestinationHostname", NO_NAMES),
        ("SourceHostname", NO_NAMES),
        ("SourcePort", "a connection that is being opened has none yet"),
    ],
    first: &[],
    searched: &["Image", "CommandLine", "User"],
};

static LOGS: &[Log] = &[
    Log { name: "process_creation", is: Recorded::Yes(PROCESS) },
    Log { name: "file_event", is: Recorded::Yes(FILE) },
    Log { name: "file_access", is: Recorded::No("files being read") },
    Log { name: "file_change", is: Recorded::No("files being changed") },
    Log { name: "file_delete", is: Recorded::No("files being deleted") },
    Log { name: "file_rename", is: Recorded::No("files being renamed") },
    Log { name: "network_connection", is: Recorded::Yes(CONNECTION) },
    Log { name: "dns_query", is: Recorded::No("questions to name servers") },
    Log { name: "process_access", is: Recorded::No("access to other processes") },
    Log { name: "process_termination", is: Recorded::No("the end of processes to policies") },
    Log { name: "auditd", is: Recorded::No("what the audit service writes") },
];

/// What the sensor has of a log, or why nothing.
pub(super) fn view(
    product: Option<&str>,
    category: Option<&str>,
    service: Option<&str>,
) -> Result<&'static View, String> {
    let named: Vec<_> = [("product", product), ("category", category), ("service", service)]
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", value?)))
        .collect();
    let unknown = || format!("the sensor does not record this log ({})", named.join(", "));
    let name = match (category, service) {
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(unknown()),
    };
    let of_linux = product.is_none_or(|product| product == "linux") && (category.is_some() || product.is_some());
    let log = LOGS.iter().find(|log| log.name == name).filter(|_| of_linux).ok_or_else(unknown)?;
    match &log.is {
        Recorded::Yes(view) => Ok(view),
        Recorded::No(what) => Err(format!("rules on {what} are not imported ({name})")),
    }
}

impl View {
    pub(super) fn field(&self, name: &str) -> Option<&'static Mapping> {
        self.fields.iter().find(|mapping| mapping.sigma == name)
    }

    /// Why no event has a field.
    pub(super) fn why_not(&self, name: &str) -> Option<&'static str> {
        self.unreported.iter().find(|(unreported, _)| *unreported == name).map(|(_, why)| *why)
    }

    /// The events that its policies see.
    pub(super) fn seen(&self) -> Seen {
        PolicyType::from_word(self.policy).and_then(PolicyType::seen).expect("the table names types; a test says so")
    }
}

#[cfg(test)]
mod tests {
    use schema::Type;

    use super::*;
    use crate::event::fields;

    #[test]
    fn every_field_is_one_of_ours() {
        for log in LOGS {
            let Recorded::Yes(view) = &log.is else { continue };
            for Mapping { sigma, ours, words, .. } in view.fields {
                let name = ours.rsplit('.').next().unwrap_or_default();
                let field = fields::by_name(name).expect(sigma);
                assert!(name != *ours || field.applies_to(view.seen()), "{sigma}: {ours}");
                assert_eq!(words.is_empty(), !matches!(field.ty, Type::Word(_)), "{sigma}");
                assert!(words.iter().all(|(_, condition)| condition.starts_with(ours)), "{sigma}");
            }
            assert!(view.unreported.iter().all(|(name, _)| view.field(name).is_none()), "{}", log.name);
            assert!(view.searched.iter().all(|name| view.field(name).is_some()), "{}", log.name);
        }
    }

    #[test]
    fn what_is_not_imported_is_said() {
        let said = |product, category, service| view(product, category, service).map(drop).unwrap_err();
        assert!(view(Some("linux"), Some("process_creation"), None).is_ok());
        assert!(view(None, Some("process_creation"), None).is_ok());
        assert!(view(Some("linux"), Some("file_event"), None).is_ok());
        assert!(view(Some("linux"), Some("network_connection"), None).is_ok());
        for (of, what) in [
            (
                said(Some("windows"), Some("process_creation"), None),
                "the sensor does not record this log (product: windows, category: process_creation)",
            ),
            (
                said(Some("linux"), Some("file_delete"), None),
                "rules on files being deleted are not imported (file_delete)",
            ),
            (
                said(Some("linux"), None, Some("sshd")),
                "the sensor does not record this log (product: linux, service: sshd)",
            ),
            (said(Some("linux"), None, None), "the sensor does not record this log (product: linux)"),
            (said(None, None, Some("auditd")), "the sensor does not record this log (service: auditd)"),
        ] {
            assert_eq!(of, what);
        }
    }
}
