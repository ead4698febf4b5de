//! The flight recorder's tables: their names and columns.

use super::{Class, EventType};

/// One table.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Other spellings seen in the vendor's documentation.
    pub aliases: &'static [&'static str],
    /// The class of events that fill it; none while nothing does.
    pub class: Option<Class>,
    /// The kinds of events that fill it.
    pub kinds: &'static [EventType],
    /// Whether the MCS sink, and so the vendor's Data Lake, takes it.
    pub mcs: bool,
    /// Whether it is on when no list of tables says otherwise.
    pub default_on: bool,
    /// Columns of the field registry, in order.
    pub columns: &'static [&'static str],
    pub doc: &'static str,
}

/// The table of this name or alias.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name || table.aliases.contains(&name))
}

/// Every table that a configuration may name.
pub static TABLES: &[Table] = &[
    Table {
        name: "process_events",
        aliases: &[],
        class: Some(Class::Process),
        kinds: &[EventType::Exec, EventType::Fork, EventType::Exit, EventType::Baseline, EventType::ExecFailed],
        mcs: true,
        default_on: true,
        columns: &[
            "sensor_id",
            "unix_nano_timestamp",
            "event_type",
            "process_uuid",
            "sophos_pid",
            "pid",
            "ppid",
            "parent_process_uuid",
            "uid",
            "gid",
            "euid",
            "egid",
            "username",
            "loginuid",
            "session_id",
            "tty",
            "name",
            "path",
            "script_path",
            "cmdline",
            "args",
            "args_bytes",
            "args_truncated",
            "cwd",
            "parents",
            "is_memfd",
            "is_deleted",
            "is_upper_layer",
            "container_id",
            "container_name",
            "image_id",
            "image_name",
            "exit_code",
            "exit_signal",
            "errno",
            "incident_id",
            "file_path",
            "host_path",
            "is_host_mounts",
            "is_user_mounts",
            "path_truncated",
            "args_read_late",
            "cwd_truncated",
            "lineage_truncated",
        ],
        doc: "Programs started, forked and ended, and those that were running when the sensor started.",
    },
    Table {
        name: "audit_user_msg",
        aliases: &["audit_usr_msg"],
        class: Some(Class::Audit),
        kinds: &[EventType::AuditMessage],
        mcs: true,
        default_on: false,
        columns: &[
            "sensor_id",
            "unix_nano_timestamp",
            "time",
            "type",
            "type_name",
            "message",
            "acct",
            "result",
            "address",
            "terminal",
            "path",
            "uid",
            "pid",
            "sophos_pid",
            "process_uuid",
            "loginuid",
            "session_id",
            "container_id",
            "message_truncated",
        ],
        doc: "Messages that user programs send to the kernel's audit system: logins, sudo, changes of accounts. Forged ones are not \
              among them.",
    },
    unfilled("container_events", &[], false, "Containers created, started and ended."),
    unfilled("connections", &[], false, "Network connections."),
    unfilled("file_events", &[], false, "Files opened, created, changed and deleted."),
    unfilled("shell_commands", &[], false, "Commands typed into interactive shells."),
    unfilled("tty_data", &[], false, "What went over terminals."),
    unfilled("alerts", &[], false, "The alerts that were raised."),
    Table {
        name: "sensors",
        aliases: &[],
        class: Some(Class::Sensor),
        kinds: &[EventType::SensorStarted],
        mcs: false,
        default_on: true,
        columns: &["unix_nano_timestamp", "sensor_id", "sensor_pid", "hostname"],
        doc: "The sensor itself: one row at each start.",
    },
    unfilled("sensor_metadata", &[], false, "Facts about the sensor's host."),
    Table {
        name: "lost_records",
        aliases: &[],
        class: Some(Class::Sensor),
        kinds: &[EventType::LostRecords],
        mcs: false,
        default_on: true,
        columns: &["unix_nano_timestamp", "sensor_id", "stage", "event_class", "cause", "count"],
        doc: "What the sensor lost, where and why.",
    },
    unfilled("audit_selinux", &[], false, "Decisions of SELinux."),
];

const fn unfilled(name: &'static str, aliases: &'static [&'static str], mcs: bool, doc: &'static str) -> Table {
    Table { name, aliases, class: None, kinds: &[], mcs, default_on: false, columns: &[], doc }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::fields;

    #[test]
    fn every_column_is_a_registered_field() {
        for table in TABLES {
            for column in table.columns {
                assert!(fields::by_column(column).is_some(), "{}.{column}", table.name);
            }
        }
    }
}
