//! The one table of what Sigma calls a log, and of what its fields are called here.
//!
//! A class of events that the sensor comes to record is one row in [`LOGS`] and its fields.

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
}

const fn field(sigma: &'static str, ours: &'static str) -> Mapping {
    Mapping { sigma, ours }
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
    searched: &["Image", "CommandLine", "CurrentDirectory", "User", "ParentImage", "ParentCommandLine"],
};

static LOGS: &[Log] = &[
    Log { name: "process_creation", is: Recorded::Yes(PROCESS) },
    Log { name: "file_event", is: Recorded::No("files being created") },
    Log { name: "file_access", is: Recorded::No("files being read") },
    Log { name: "file_change", is: Recorded::No("files being changed") },
    Log { name: "file_delete", is: Recorded::No("files being deleted") },
    Log { name: "file_rename", is: Recorded::No("files being renamed") },
    Log { name: "network_connection", is: Recorded::No("connections") },
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::fields;

    #[test]
    fn every_field_is_one_of_ours() {
        for log in LOGS {
            let Recorded::Yes(view) = &log.is else { continue };
            for Mapping { sigma, ours } in view.fields {
                let name = ours.rsplit('.').next().unwrap_or_default();
                assert!(fields::by_name(name).is_some_and(|field| field.is_filled), "{sigma}: {ours}");
            }
            assert!(view.searched.iter().all(|name| view.field(name).is_some()), "{}", log.name);
        }
    }

    #[test]
    fn what_is_not_imported_is_said() {
        let said = |product, category, service| view(product, category, service).map(drop).unwrap_err();
        assert!(view(Some("linux"), Some("process_creation"), None).is_ok());
        assert!(view(None, Some("process_creation"), None).is_ok());
        for (of, what) in [
            (
                said(Some("windows"), Some("process_creation"), None),
                "the sensor does not record this log (product: windows, category: process_creation)",
            ),
            (
                said(Some("linux"), Some("file_event"), None),
                "rules on files being created are not imported (file_event)",
            ),
            (
                said(Some("linux"), Some("network_connection"), None),
                "rules on connections are not imported (network_connection)",
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
