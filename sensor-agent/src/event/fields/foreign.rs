//! What other tools call the fields: whoever writes one out of habit is told the name that it has here.

/// The names that others have for a field, each with what is written here. In small letters; those of one's own invention come
/// last.
static FIELDS: &[(&str, &str, &str)] = &[
    ("Falco", "proc.name", "programName"),
    ("Falco", "proc.exe", "programName"),
    ("Falco", "proc.exepath", "programName"),
    ("Falco", "proc.cmdline", "commandLine"),
    ("Falco", "proc.args", "args"),
    ("Falco", "proc.pid", "processPid"),
    ("Falco", "proc.ppid", "parentPid"),
    ("Falco", "proc.pname", "parentProgramName"),
    ("Falco", "proc.pexepath", "parentProgramName"),
    ("Falco", "proc.pcmdline", "lineage[0].commandLine"),
    ("Falco", "proc.aname", "any lineage.programName"),
    ("Falco", "proc.aexepath", "any lineage.programName"),
    ("Falco", "proc.acmdline", "any lineage.commandLine"),
    ("Falco", "proc.cwd", "cwd"),
    ("Falco", "proc.tty", "tty"),
    ("Falco", "proc.is_exe_upper_layer", "isUpperLayer"),
    ("Falco", "proc.is_exe_from_memfd", "isMemfd"),
    ("Falco", "user.uid", "uid"),
    ("Falco", "user.loginuid", "loginUid"),
    ("Falco", "group.gid", "gid"),
    ("Falco", "container.image.repository", "imageName"),
    ("Falco", "container.image.tag", "imageTag"),
    ("Falco", "container.image.digest", "imageDigest"),
    ("Falco", "container.privileged", "isPrivileged"),
    ("Falco", "k8s.pod.name", "kubernetesPod"),
    ("Falco", "k8s.ns.name", "kubernetesNamespace"),
    ("Falco", "fd.name", "filePath"),
    ("Falco", "fd.directory", "filePath"),
    ("Falco", "fd.sip", "dstAddr"),
    ("Falco", "fd.rip", "dstAddr"),
    ("Falco", "fd.sport", "dstPort"),
    ("Falco", "fd.rport", "dstPort"),
    ("Falco", "fd.cip", "srcAddr"),
    ("Falco", "fd.lip", "srcAddr"),
    ("Falco", "fd.cport", "srcPort"),
    ("Falco", "fd.lport", "srcPort"),
    ("Falco", "evt.type", "eventType"),
    ("ECS", "process.name", "programName"),
    ("ECS", "process.executable", "programName"),
    ("ECS", "process.command_line", "commandLine"),
    ("ECS", "process.args", "args"),
    ("ECS", "process.pid", "processPid"),
    ("ECS", "process.parent.pid", "parentPid"),
    ("ECS", "process.parent.name", "parentProgramName"),
    ("ECS", "process.parent.executable", "parentProgramName"),
    ("ECS", "process.parent.command_line", "lineage[0].commandLine"),
    ("ECS", "process.working_directory", "cwd"),
    ("ECS", "user.name", "userName"),
    ("ECS", "user.id", "uid"),
    ("ECS", "user.effective.id", "euid"),
    ("ECS", "file.path", "filePath"),
    ("ECS", "source.ip", "srcAddr"),
    ("ECS", "source.port", "srcPort"),
    ("ECS", "destination.ip", "dstAddr"),
    ("ECS", "destination.port", "dstPort"),
    ("ECS", "container.id", "containerId"),
    ("ECS", "container.name", "containerName"),
    ("ECS", "container.runtime", "containerRuntime"),
    ("ECS", "container.image.name", "imageName"),
    ("ECS", "orchestrator.namespace", "kubernetesNamespace"),
    ("ECS", "host.name", "hostname"),
    ("Tetragon", "binary", "programName"),
    ("Tetragon", "arguments", "commandLine"),
    ("Tetragon", "parent", "parentProgramName"),
    ("Tetragon", "pod", "kubernetesPod"),
    ("audit", "exe", "programName"),
    ("audit", "comm", "programName"),
    ("audit", "auid", "loginUid"),
    ("audit", "ses", "sessionId"),
    ("audit", "addr", "address"),
    ("Sysmon", "image", "programName"),
    ("Sysmon", "parentimage", "parentProgramName"),
    ("Sysmon", "parentcommandline", "lineage[0].commandLine"),
    ("Sysmon", "parentprocessid", "parentPid"),
    ("Sysmon", "processid", "processPid"),
    ("Sysmon", "currentdirectory", "cwd"),
    ("Sysmon", "user", "userName"),
    ("Sysmon", "logonid", "uid"),
    ("Sysmon", "targetfilename", "filePath"),
    ("Sysmon", "destinationip", "dstAddr"),
    ("Sysmon", "destinationport", "dstPort"),
    ("Sysmon", "sourceip", "srcAddr"),
    ("Sysmon", "sourceport", "srcPort"),
    ("Tracee", "processname", "programName"),
    ("", "program", "programName"),
    ("", "process", "programName"),
    ("", "executable", "programName"),
    ("", "command", "commandLine"),
    ("", "cmd", "commandLine"),
    ("", "arg", "args"),
    ("", "argv", "args"),
    ("", "parent_name", "parentProgramName"),
    ("", "parentname", "parentProgramName"),
    ("", "parent_program", "parentProgramName"),
    ("", "parent.name", "parentProgramName"),
    ("", "parentcmdline", "lineage[0].commandLine"),
    ("", "user_name", "userName"),
    ("", "working_dir", "cwd"),
    ("", "workdir", "cwd"),
    ("", "filename", "filePath"),
    ("", "namespace", "kubernetesNamespace"),
];

/// Where the names are.
pub(crate) const ALL_FIELDS: &str = "`sophoslinuxsensor fields` shows them all";

/// What to write for a field that is not known by this name, if others know it.
pub(crate) fn advice(name: &str) -> Option<String> {
    let (tool, _, here) = FIELDS.iter().find(|(_, theirs, _)| theirs.eq_ignore_ascii_case(name))?;
    Some(if tool.is_empty() {
        format!("did you mean `{here}`?")
    } else {
        format!("what {tool} calls `{name}` is `{here}` here")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::fields;

    #[test]
    fn what_is_advised_is_there_and_what_is_asked_for_is_not() {
        for (tool, theirs, here) in FIELDS {
            let name = here.rsplit('.').next().unwrap_or(here);
            assert!(fields::by_name(name).is_some(), "{tool} {theirs}: there is no {name}");
            assert!(crate::rules::parse(&format!("match {here} exists")).is_ok(), "{here}");
            assert!(fields::by_name(theirs).is_none() && fields::by_column(theirs).is_none(), "{theirs} is known");
            assert_eq!(*theirs, theirs.to_ascii_lowercase());
            assert_eq!(FIELDS.iter().filter(|(_, other, _)| other == theirs).count(), 1, "{theirs} is there twice");
        }
    }
}
