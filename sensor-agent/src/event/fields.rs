//! The one field registry: every field is declared once, here.
//!
//! The rule checker, the tables' columns, the JSON, the `fields` command and the reference manual are read off
//! [`FIELDS`]. A new field is one entry in the part of its class.

mod audit;
mod field;
mod place;
mod sensor;

use std::sync::LazyLock;

pub use field::{Field, Get, Role, Type, Values};
use field::{any, event, process};
use foldhash::HashMap;
use sensor_ebpf::record::exec_flags;

use super::{Class, Container, Detail, Event, EventType, Host, Pids, RUNTIMES, Seen, UNSET_ID, Value};

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

/// The value that has this role in an event; absent if its class has none such.
#[must_use]
pub fn told<'a>(event: &'a Event, host: &'a Host, role: Role) -> Value<'a> {
    let is_it = |field: &&Field| field.role == Some(role) && field.applies_to(Seen::only(event.kind));
    FIELDS.iter().find(is_it).map_or(Value::Absent, |field| field.of(event, host))
}

/// Ids of processes (`PID_MAX_LIMIT` of Linux is 2^22); 0 stands for none.
const PIDS: Values = Values::Within(&[0..=1 << 22]);
/// Ids of users and groups; the last number stands for none.
const IDS: Values = Values::Within(&[0..=0xffff_fffe]);

/// Every field: those of processes and of their events, then those of each other class.
pub static FIELDS: &[Field] =
    &concat::<{ COMMON.len() + audit::FIELDS.len() + sensor::FIELDS.len() }>(&[COMMON, audit::FIELDS, sensor::FIELDS]);

/// The parts of the registry as one.
const fn concat<const COUNT: usize>(parts: &[&[Field]]) -> [Field; COUNT] {
    let mut all = [parts[0][0]; COUNT];
    let (mut part, mut at, mut filled) = (0, 0, 0);
    while filled < COUNT {
        if at == parts[part].len() {
            (part, at) = (part + 1, 0);
        } else {
            all[filled] = parts[part][at];
            (at, filled) = (at + 1, filled + 1);
        }
    }
    all
}

/// Fields of all events, and of those of processes.
const COMMON: &[Field] = &[
    any("eventType", "event_type", Type::Word(EventType::WORDS), "What happened.", |event, _| {
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
    }).values(Values::Uuid),
    process(
        "sophosPid",
        "sophos_pid",
        Type::Text,
        "The process as PID:START, START in nanoseconds of the boot clock.",
        |p, _| Value::SophosPid(p.key),
    ).values(Values::PidAndStart),
    process("processPid", "pid", Type::Number, "The process's id in the initial pid namespace.", |p, _| {
        Value::Int(i64::from(p.key.tgid))
    }).values(PIDS),
    process("parentPid", "ppid", Type::Number, "The parent's id, as it was at the fork.", |p, _| {
        Value::Int(i64::from(p.parent_key.tgid))
    }).values(PIDS),
    process("parentProcessUuid", "parent_process_uuid", Type::Text, "The parent's process_uuid.", |p, host| {
        if p.parent_key.tgid == 0 { Value::Absent } else { Value::Uuid(host.process_uuid(p.parent_key)) }
    }).values(Values::Uuid),
    process("namespacePid", "ns_pid", Type::Number, "The process's id in its own pid namespace.", |p, _| {
        Value::Int(i64::from(p.ns_pid))
    }).values(PIDS),
    process(
        "programName",
        "path",
        Type::Path,
        "The executed file as the kernel resolved it; of a script, its interpreter; of a failed exec, the file that was asked for, if it could be opened. One that cannot be told whole begins with `…`.",
        |p, _| place::program(p),
    ).values(Values::FromRoot),
    place::HOST_PATH,
    place::IS_HOST_MOUNTS,
    place::IS_USER_MOUNTS,
    place::PATH_TRUNCATED,
    process("name", "name", Type::Text, "The last part of programName.", |p, _| Value::text(base_name(&p.image.path))).values(Values::LastPart),
    process("parentProgramName", "parent_path", Type::Path, "The parent's programName.", |p, _| {
        p.parent.as_deref().map_or(Value::Absent, place::program)
    }).values(Values::FromRoot),
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
        "The script that was run, as the kernel resolved it; absent for other programs. Also a file without a #! line that the kernel refused to the program, which may read it itself.",
        |p, _| place::script(&p.image),
    ),
    process("interpreter", "interpreter", Type::Path, "The interpreter that a script's #! line names.", |p, _| {
        Value::text(&p.image.interpreter)
    }),
    process("commandLine", "cmdline", Type::Text, "All arguments, joined by blanks; empty if all of them are.", |p, _| {
        if p.image.args.kept() == 0 { Value::Absent } else { Value::Text(p.image.args.joined()) }
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
    place::ARGS_READ_LATE,
    process(
        "cwd",
        "cwd",
        Type::Path,
        "The working directory at the exec. One too deep to be told whole begins with `…`.",
        |p, _| Value::text(&p.image.cwd),
    ).values(Values::FromRoot),
    place::CWD_TRUNCATED,
    process("parents", "parents", Type::Numbers, "The pids of the ancestors, nearest first.", |p, _| {
        Value::Pids(Pids(p))
    }).values(PIDS),
    process(
        "lineageTruncated",
        "lineage_truncated",
        Type::Bool,
        "Whether ancestors are missing: of more than 64 that each ran something, or above a process that was not seen.",
        |p, _| Value::Bool(p.lineage_cut),
    ),
    process("uid", "uid", Type::Number, "Real user id.", |p, _| Value::Int(i64::from(p.ids.uid))).values(IDS),
    process("gid", "gid", Type::Number, "Real group id.", |p, _| Value::Int(i64::from(p.ids.gid))).values(IDS),
    process("euid", "euid", Type::Number, "Effective user id.", |p, _| Value::Int(i64::from(p.ids.euid))).values(IDS),
    process("egid", "egid", Type::Number, "Effective group id.", |p, _| Value::Int(i64::from(p.ids.egid))).values(IDS),
    process("userName", "username", Type::Text, "Login name of uid; absent when it is not known.", |p, _| {
        Value::optional(p.user.as_deref())
    }),
    process(
        "loginUid",
        "loginuid",
        Type::Number,
        "The user id that logged in, also after su or sudo; absent outside a login.",
        |p, _| unless_unset(p.ids.loginuid),
    ).values(IDS),
    process("sessionId", "session_id", Type::Number, "The audit session; absent outside a login.", |p, _| {
        unless_unset(p.ids.session)
    }).values(IDS),
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
    ).values(Values::Terminal),
    process(
        "loginProgram",
        "login_program",
        Type::Path,
        "The program that let the user in, such as /usr/sbin/sshd (since OpenSSH 9.8 sshd-session).",
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.program)),
    ).values(Values::FromRoot),
    process(
        "capEffective",
        "cap_effective",
        Type::Number,
        "Effective capabilities, one bit each (capabilities(7)).",
        |p, _| Value::Int(p.ids.cap_effective.cast_signed()),
    ),
    process("tty", "tty", Type::Text, "The controlling terminal, such as pts/3.", |p, _| Value::text(p.tty())).values(Values::Terminal),
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
    }).values(IDS),
    process("fileMode", "file_mode", Type::Number, "Mode bits of the program's file (inode(7)).", |p, _| {
        Value::Int(i64::from(p.image.mode))
    }).values(Values::Within(&[0..=0xffff])),
    place::DEVICE,
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
    }).values(Values::ContainerId),
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
    ).values(Values::Uuid),
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
    ).values(Values::Within(&[0..=255]))
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
    ).values(Values::Within(&[1..=127]))
    .only_in(EventType::Exit),
    event(Class::Process, "errno", "errno", Type::Number, "Why an exec failed (errno(3)).", |event, _| {
        match event.detail {
            Detail::ExecFailed { errno, .. } => Value::Int(i64::from(errno)),
            _ => Value::Absent,
        }
    }).values(Values::Within(&[1..=4095]))
    .only_in(EventType::ExecFailed),
];

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

    #[test]
    fn a_kind_of_events_has_a_role_once() {
        for kind in EventType::ALL {
            let of_kind = FIELDS.iter().filter(|field| field.applies_to(Seen::only(kind)));
            let roles: Vec<_> = of_kind.filter_map(|field| field.role).collect();
            assert_eq!(roles.iter().collect::<std::collections::HashSet<_>>().len(), roles.len(), "{}", kind.word());
        }
    }
}
