//! The one field registry: every field is declared once, here.
//!
//! The rule checker, the tables' columns, the JSON, the `fields` command and the reference manual are read off
//! [`FIELDS`]. A new field is one entry.

mod field;

use std::sync::LazyLock;

pub use field::{Field, Get, Type};
use field::{any, event, process};
use foldhash::HashMap;
use sensor_ebpf::record::exec_flags;

use super::audit::REFUSALS;
use super::{AuditMessage, Class, Container, Detail, Event, EventType, Lost, Pids, RUNTIMES, UNSET_ID, Value};

/// The field of this name in rules.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Field> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Field>> =
        LazyLock::new(|| FIELDS.iter().map(|field| (field.name, field)).collect());
    INDEX.get(name).copied()
}

/// The field of this column.
#[must_use]
pub fn by_column(column: &str) -> Option<&'static Field> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Field>> =
        LazyLock::new(|| FIELDS.iter().map(|field| (field.column, field)).collect());
    INDEX.get(column).copied()
}

/// The words of `eventType`.
pub const EVENT_TYPES: &[&str] = &[
    EventType::Fork.word(),
    EventType::Exec.word(),
    EventType::Exit.word(),
    EventType::Baseline.word(),
    EventType::ExecFailed.word(),
    EventType::AuditMessage.word(),
    EventType::AuditMessageRefused.word(),
    EventType::LostRecords.word(),
    EventType::SensorStarted.word(),
];

/// Every field.
pub static FIELDS: &[Field] = &[
    any("eventType", "event_type", Type::Word(EVENT_TYPES), "What happened.", |event, _| {
        Value::Word(event.kind.word())
    }),
    any(
        "time",
        "unix_nano_timestamp",
        Type::Time,
        "When it happened, nanoseconds since the Unix epoch.",
        |event, _| Value::Time(event.time),
    ),
    any("sensorId", "sensor_id", Type::Text, "The sensor that saw it.", |_, host| {
        Value::text(host.sensor_id.as_bytes())
    }),
    any("hostname", "hostname", Type::Text, "The host's name.", |_, host| Value::text(host.hostname.as_bytes())),
    process("processUuid", "process_uuid", Type::Text, "A name of the process that no other ever has.", |p, host| {
        Value::Uuid(host.process_uuid(p.key))
    }),
    process(
        "sophosPid",
        "sophos_pid",
        Type::Text,
        "The process as PID:START, START in nanoseconds of the boot clock.",
        |p, _| Value::SophosPid(p.key),
    ),
    process("processPid", "pid", Type::Number, "The process's id in the initial pid namespace.", |p, _| {
        Value::Int(i64::from(p.key.tgid))
    }),
    process("parentPid", "ppid", Type::Number, "The parent's id, as it was at the fork.", |p, _| {
        Value::Int(i64::from(p.parent_key.tgid))
    }),
    process("parentProcessUuid", "parent_process_uuid", Type::Text, "The parent's process_uuid.", |p, host| {
        if p.parent_key.tgid == 0 { Value::Absent } else { Value::Uuid(host.process_uuid(p.parent_key)) }
    }),
    process("namespacePid", "ns_pid", Type::Number, "The process's id in its own pid namespace.", |p, _| {
        Value::Int(i64::from(p.ns_pid))
    }),
    process(
        "programName",
        "path",
        Type::Path,
        "The executed file as the kernel resolved it; of a script, its interpreter. One too deep to be told whole begins with `…`.",
        |p, _| Value::text(&p.image.path),
    ),
    process("name", "name", Type::Text, "The last part of programName.", |p, _| Value::text(base_name(&p.image.path))),
    process("parentProgramName", "parent_path", Type::Path, "The parent's programName.", |p, _| {
        p.parent.as_ref().map_or(Value::Absent, |parent| Value::text(&parent.image.path))
    }),
    process(
        "filePath",
        "file_path",
        Type::Path,
        "The file given to execve, as it was given; of a failed exec, the file asked for.",
        |p, _| Value::text(&p.image.filename),
    ),
    process(
        "scriptPath",
        "script_path",
        Type::Path,
        "The script that was run, as it was given to execve; absent for other programs.",
        |p, _| p.image.script().map_or(Value::Absent, Value::text),
    ),
    process("interpreter", "interpreter", Type::Path, "The interpreter that a script's #! line names.", |p, _| {
        Value::text(&p.image.interpreter)
    }),
    process("commandLine", "cmdline", Type::Text, "All arguments, joined by blanks.", |p, _| {
        Value::text(p.image.args.joined())
    }),
    process("args", "args", Type::Texts, "Each argument, the program's own name first.", |p, _| {
        Value::Args(&p.image.args)
    }),
    process("argsCount", "argc", Type::Number, "How many arguments were given, kept or not.", |p, _| {
        Value::Int(i64::from(p.image.argc))
    }),
    process("argsBytes", "args_bytes", Type::Size, "Size of all arguments, bytes, kept or not.", |p, _| {
        Value::Int(i64::try_from(p.image.args.total()).unwrap_or(i64::MAX))
    }),
    process(
        "argsTruncated",
        "args_truncated",
        Type::Bool,
        "Whether the middle of the arguments was cut out.",
        |p, _| Value::Bool(p.image.args.is_cut()),
    ),
    process(
        "cwd",
        "cwd",
        Type::Path,
        "The working directory at the exec. One too deep to be told whole begins with `…`.",
        |p, _| Value::text(&p.image.cwd),
    ),
    process("parents", "parents", Type::Numbers, "The pids of the ancestors, nearest first.", |p, _| {
        Value::Pids(Pids(p))
    }),
    process(
        "lineageTruncated",
        "lineage_truncated",
        Type::Bool,
        "Whether ancestors are missing: of more than 64 that each ran something, or above a process that was not seen.",
        |p, _| Value::Bool(p.lineage_cut),
    ),
    process("uid", "uid", Type::Number, "Real user id.", |p, _| Value::Int(i64::from(p.ids.uid))),
    process("gid", "gid", Type::Number, "Real group id.", |p, _| Value::Int(i64::from(p.ids.gid))),
    process("euid", "euid", Type::Number, "Effective user id.", |p, _| Value::Int(i64::from(p.ids.euid))),
    process("egid", "egid", Type::Number, "Effective group id.", |p, _| Value::Int(i64::from(p.ids.egid))),
    process("userName", "username", Type::Text, "Login name of uid; absent when it is not known.", |p, _| {
        Value::optional(p.user.as_deref())
    }),
    process(
        "loginUid",
        "loginuid",
        Type::Number,
        "The user id that logged in, also after su or sudo; absent outside a login.",
        |p, _| unless_unset(p.ids.loginuid),
    ),
    process("sessionId", "session_id", Type::Number, "The audit session; absent outside a login.", |p, _| {
        unless_unset(p.ids.session)
    }),
    process(
        "loginAddress",
        "login_address",
        Type::Address,
        "Where the user of the session logged in from; absent when that was local, or before the sensor started.",
        |p, _| p.login.as_deref().and_then(|login| login.address).map_or(Value::Absent, Value::Addr),
    ),
    process(
        "loginAccount",
        "login_account",
        Type::Text,
        "The account that the session began with, also after su or sudo.",
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.account)),
    ),
    process(
        "loginTerminal",
        "login_terminal",
        Type::Text,
        "The terminal that the session began on, such as pts/3, ssh or cron.",
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.terminal)),
    ),
    process(
        "loginProgram",
        "login_program",
        Type::Path,
        "The program that let the user in, such as /usr/sbin/sshd.",
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.program)),
    ),
    process(
        "capEffective",
        "cap_effective",
        Type::Number,
        "Effective capabilities, one bit each (capabilities(7)).",
        |p, _| Value::Int(p.ids.cap_effective.cast_signed()),
    ),
    process("tty", "tty", Type::Text, "The controlling terminal, such as pts/3.", |p, _| Value::text(p.tty())),
    process("isTty", "is_tty", Type::Bool, "Whether there is a controlling terminal.", |p, _| {
        Value::Bool(!p.tty().is_empty())
    }),
    process("isMemfd", "is_memfd", Type::Bool, "Whether the program was run from memory (memfd_create).", |p, _| {
        Value::Bool(p.image.is(exec_flags::MEMFD))
    }),
    process(
        "isDeleted",
        "is_deleted",
        Type::Bool,
        "Whether the program's file was deleted before it was run.",
        |p, _| Value::Bool(p.image.is(exec_flags::DELETED)),
    ),
    process(
        "isUpperLayer",
        "is_upper_layer",
        Type::Bool,
        "Whether the program was written since its container started (overlay upper layer).",
        |p, _| Value::Bool(p.image.is(exec_flags::OVERLAY_UPPER)),
    ),
    process(
        "isOwn",
        "is_own",
        Type::Bool,
        "Whether the sensor itself started the process, to see whether it sees it. No other program can claim that.",
        |p, host| Value::Bool(host.sensor.is_some_and(|sensor| sensor == p.parent_key)),
    ),
    process("isSetuid", "is_setuid", Type::Bool, "Whether the program's file has the setuid or setgid bit.", |p, _| {
        Value::Bool(p.image.mode & 0o6000 != 0)
    }),
    process("isSecureExec", "is_secure_exec", Type::Bool, "Whether the exec raised privileges.", |p, _| {
        Value::Bool(p.image.is(exec_flags::SECURE))
    }),
    process("fileOwner", "file_uid", Type::Number, "User id of the program file's owner.", |p, _| {
        Value::Int(i64::from(p.image.file_uid))
    }),
    process("fileMode", "file_mode", Type::Number, "Mode bits of the program's file (inode(7)).", |p, _| {
        Value::Int(i64::from(p.image.mode))
    }),
    process("inode", "inode", Type::Number, "Inode number of the program's file.", |p, _| {
        Value::Int(p.image.inode.cast_signed())
    }),
    process("cgroupId", "cgroup_id", Type::Number, "Id of the control group.", |p, _| {
        Value::Int(p.cgroup_id.cast_signed())
    }),
    process("pidNamespace", "pid_ns", Type::Number, "The pid namespace.", |p, _| {
        Value::Int(i64::from(p.namespaces.pid))
    }),
    process("mountNamespace", "mnt_ns", Type::Number, "The mount namespace.", |p, _| {
        Value::Int(i64::from(p.namespaces.mnt))
    }),
    process("networkNamespace", "net_ns", Type::Number, "The network namespace.", |p, _| {
        Value::Int(i64::from(p.namespaces.net))
    }),
    process("userNamespace", "user_ns", Type::Number, "The user namespace.", |p, _| {
        Value::Int(i64::from(p.namespaces.user))
    }),
    process(
        "isContainer",
        "is_container",
        Type::Bool,
        "Whether the process runs in a container; absent where that could not be told.",
        |p, _| if p.container_unknown { Value::Absent } else { Value::Bool(p.container.is_some()) },
    ),
    process("containerId", "container_id", Type::Text, "Id of the container.", |p, _| {
        Value::optional(p.container.as_deref().map(|container| container.id.as_str()))
    }),
    process(
        "containerRuntime",
        "container_runtime",
        Type::Word(RUNTIMES),
        "What runs the container, as far as the name of its control group tells; else `unknown`.",
        |p, _| match p.container.as_deref() {
            Some(Container { runtime, .. }) if !runtime.is_empty() => Value::Word(runtime),
            _ => Value::Absent,
        },
    ),
    process("containerName", "container_name", Type::Text, "Name of the container.", |p, _| {
        Value::optional(p.container.as_deref().map(|container| container.name.as_str()))
    })
    .not_filled(),
    process("imageId", "image_id", Type::Text, "Id of the container's image.", |p, _| {
        Value::optional(p.container.as_deref().map(|container| container.image_id.as_str()))
    })
    .not_filled(),
    process("imageName", "image_name", Type::Text, "Name of the container's image.", |p, _| {
        Value::optional(p.container.as_deref().map(|container| container.image_name.as_str()))
    })
    .not_filled(),
    process("kubernetesPod", "kubernetes_pod", Type::Text, "Name of the container's pod.", |p, _| {
        Value::optional(p.container.as_deref().map(|container| container.pod.as_str()))
    })
    .not_filled(),
    process(
        "kubernetesNamespace",
        "kubernetes_namespace",
        Type::Text,
        "Kubernetes namespace of the container's pod.",
        |p, _| Value::optional(p.container.as_deref().map(|container| container.namespace.as_str())),
    )
    .not_filled(),
    process(
        "incidentId",
        "incident_id",
        Type::Text,
        "The incident that the process is part of, once an alert was raised on it or an ancestor.",
        |p, _| p.incident.map_or(Value::Absent, Value::Uuid),
    ),
    event(
        Class::Process,
        "exitCode",
        "exit_code",
        Type::Number,
        "What the process returned; absent when a signal ended it, or when how it ended was lost.",
        |event, _| match event.detail {
            Detail::Exit { code, signal: 0, .. } => Value::Int(i64::from(code)),
            _ => Value::Absent,
        },
    )
    .only_in(EventType::Exit),
    event(
        Class::Process,
        "exitSignal",
        "exit_signal",
        Type::Number,
        "The signal that ended the process.",
        |event, _| match event.detail {
            Detail::Exit { signal, .. } if signal != 0 => Value::Int(i64::from(signal)),
            _ => Value::Absent,
        },
    )
    .only_in(EventType::Exit),
    event(Class::Process, "errno", "errno", Type::Number, "Why an exec failed (errno(3)).", |event, _| {
        match event.detail {
            Detail::ExecFailed { errno, .. } => Value::Int(i64::from(errno)),
            _ => Value::Absent,
        }
    })
    .only_in(EventType::ExecFailed),
    event(
        Class::Audit,
        "messageType",
        "type",
        Type::Number,
        "Number of an audit message's type, such as 1105.",
        |event, _| audit(event, |message| Value::Int(i64::from(message.message_type))),
    ),
    event(
        Class::Audit,
        "messageTypeName",
        "type_name",
        Type::Text,
        "Name of an audit message's type, such as USER_START.",
        |event, _| audit(event, |message| Value::text(message.type_name.as_bytes())),
    ),
    event(Class::Audit, "unixTime", "time", Type::Number, "When, seconds since the Unix epoch.", |event, _| {
        Value::Int(i64::try_from(event.time / 1_000_000_000).unwrap_or(i64::MAX))
    }),
    event(Class::Audit, "message", "message", Type::Text, "An audit message's text, as it was sent.", |event, _| {
        audit(event, |message| Value::text(&message.text))
    }),
    event(
        Class::Audit,
        "messageFields",
        "message_fields",
        Type::Texts,
        "Each key=value of an audit message's text, values without quotes and hexadecimal digits.",
        |event, _| audit(event, |message| Value::Args(message.pairs())),
    ),
    event(
        Class::Audit,
        "messageTruncated",
        "message_truncated",
        Type::Bool,
        "Whether the end of an audit message's text was cut off.",
        |event, _| audit(event, |message| Value::Bool(message.is_cut)),
    ),
    event(
        Class::Audit,
        "operation",
        "op",
        Type::Text,
        "What was done, such as PAM:session_open or add-user.",
        |event, _| audit(event, |message| message.first("op").map_or(Value::Absent, Value::text)),
    ),
    event(Class::Audit, "acct", "acct", Type::Text, "The account that an audit message is about.", |event, _| {
        audit(event, |message| message.first("acct").map_or(Value::Absent, Value::text))
    }),
    event(Class::Audit, "result", "result", Type::Word(&["success", "failed"]), "How it ended.", |event, _| {
        audit(event, |message| message.outcome().map_or(Value::Absent, |outcome| Value::Word(outcome.word())))
    }),
    event(
        Class::Audit,
        "address",
        "address",
        Type::Address,
        "Where the user comes from; in rows `?` when that is local or not told, which no range holds.",
        |event, _| audit(event, |message| message.address().map_or(Value::Unknown, Value::Addr)),
    ),
    event(
        Class::Audit,
        "remoteHost",
        "remote_host",
        Type::Text,
        "The name of the host that the user comes from; its owner may have made it up.",
        |event, _| audit(event, |message| message.first("hostname").map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "terminal",
        "terminal",
        Type::Text,
        "The terminal that an audit message names, such as /dev/pts/10, ssh or cron.",
        |event, _| audit(event, |message| message.last("terminal").map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "messageProgram",
        "message_program",
        Type::Path,
        "The program that an audit message names; programName is the one that sent it.",
        |event, _| audit(event, |message| message.first("exe").map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "messageCommand",
        "message_command",
        Type::Text,
        "The command that an audit message of sudo tells.",
        |event, _| audit(event, |message| message.first("cmd").map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "grantors",
        "grantors",
        Type::Text,
        "The PAM modules that agreed, with commas in between.",
        |event, _| audit(event, |message| message.first("grantors").map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "refusal",
        "refusal",
        Type::Word(REFUSALS),
        "Why the kernel did not take an audit message; absent for those that it took.",
        |event, _| audit(event, |message| message.refused.map_or(Value::Absent, Value::Word)),
    )
    .only_in(EventType::AuditMessageRefused),
    event(Class::Sensor, "sensorPid", "sensor_pid", Type::Number, "The sensor's own process id.", |event, _| {
        Value::Int(i64::from(event.process.key.tgid))
    }),
    event(
        Class::Sensor,
        "stage",
        "stage",
        Type::Text,
        "Where records were lost: hook, ring, decode, table, output.",
        |event, _| lost(event, |lost| Value::Word(lost.stage)),
    )
    .only_in(EventType::LostRecords),
    event(
        Class::Sensor,
        "eventClass",
        "event_class",
        Type::Text,
        "Of which class the lost records were.",
        |event, _| lost(event, |lost| Value::Word(lost.class)),
    )
    .only_in(EventType::LostRecords),
    event(Class::Sensor, "cause", "cause", Type::Text, "Why records were lost.", |event, _| {
        lost(event, |lost| Value::Word(lost.cause))
    })
    .only_in(EventType::LostRecords),
    event(
        Class::Sensor,
        "count",
        "count",
        Type::Number,
        "How many records were lost since the last such event.",
        |event, _| lost(event, |lost| Value::Int(i64::try_from(lost.count).unwrap_or(i64::MAX))),
    )
    .only_in(EventType::LostRecords),
];

fn lost<'a>(event: &'a Event, value: impl Fn(&'a Lost) -> Value<'a>) -> Value<'a> {
    if let Detail::Lost(lost) = &event.detail { value(lost) } else { Value::Absent }
}

fn audit<'a>(event: &'a Event, value: impl Fn(&'a AuditMessage) -> Value<'a>) -> Value<'a> {
    if let Detail::Audit(message) = &event.detail { value(message) } else { Value::Absent }
}

fn unless_unset(id: u32) -> Value<'static> {
    if id == UNSET_ID { Value::Absent } else { Value::Int(i64::from(id)) }
}

/// The part of a path after its last slash.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_columns_are_unique_and_documented() {
        assert_eq!(FIELDS.iter().map(|field| field.name).collect::<std::collections::HashSet<_>>().len(), FIELDS.len());
        assert_eq!(
            FIELDS.iter().map(|field| field.column).collect::<std::collections::HashSet<_>>().len(),
            FIELDS.len()
        );
        for field in FIELDS {
            assert!(field.doc.ends_with('.'), "{}: a doc line is a sentence", field.name);
        }
    }
}
