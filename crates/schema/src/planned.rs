//! What a configuration may name and nothing serves yet. Each goes to the file of its class when that comes.

use crate::{PolicyType, Table};

pub(crate) const POLICY_TYPES: &[PolicyType] = &[
    unserved("file"),
    unserved("fileMonitor"),
    unserved("connect"),
    unserved("sendto"),
    unserved("networkService"),
    unserved("cloudMetadata"),
    unserved("interactiveShell"),
    unserved("remoteInteractiveShell"),
    unserved("newFileExec"),
    unserved("userfaultfd"),
    unserved("ptrace"),
    unserved("spectreMeltdown"),
    unserved("kprobe"),
    unserved("uprobe"),
];

pub(crate) const TABLES: &[&Table] = &[
    &unfilled("container_events", "Containers created, started and ended."),
    &unfilled("connections", "Network connections."),
    &unfilled("file_events", "Files opened, created, changed and deleted."),
    &unfilled("shell_commands", "Commands typed into interactive shells."),
    &unfilled("tty_data", "What went over terminals."),
    &unfilled("alerts", "The alerts that were raised."),
    &unfilled("sensor_metadata", "Facts about the sensor's host."),
    &unfilled("audit_selinux", "Decisions of SELinux."),
];

const fn unserved(word: &'static str) -> PolicyType {
    PolicyType { word, sees: &[] }
}

const fn unfilled(name: &'static str, doc: &'static str) -> Table {
    Table { name, aliases: &[], kinds: &[], mcs: false, default_on: false, number: 0, message: "", columns: &[], doc }
}
