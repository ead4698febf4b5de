//! Fields of every event: its own, and those of its process.

use containers::Facts;
use rustix::fs::{major, makedev, minor};
use schema::process;
use sensor_ebpf::record::exec_flags;

use super::field::{Field, of_event, of_process, of_subject};
use super::{base_name, place};
use crate::event::{Arguments, Container, FromRuntime, Pids, Process, UNSET_ID, Value};

pub(super) const FIELDS: &[Field] = &[
    of_event(&process::EVENT_TYPE, |event, _| Value::Word(event.kind.word()), |d, v| v.put_word(&mut d.kind)),
    of_event(&process::TIME, |event, _| Value::Time(event.time), |d, v| v.put_time(&mut d.time)),
    of_event(
        &process::SENSOR_ID,
        |_, host| Value::text(host.sensor_id.as_bytes()),
        |d, v| v.put(&mut d.host.sensor_id),
    ),
    of_event(&process::HOSTNAME, |_, host| Value::text(host.hostname.as_bytes()), |d, v| v.put(&mut d.host.hostname)),
    of_process(
        &process::PROCESS_UUID,
        |p, host| Value::Uuid(host.process_uuid(p.key)),
        |d, v| v.take().map(|uuid| d.key = d.key_of(uuid)),
    ),
    of_process(&process::SOPHOS_PID, |p, _| Value::SophosPid(p.key), |d, v| v.put(&mut d.key)),
    of_process(&process::PROCESS_PID, |p, _| Value::Int(i64::from(p.key.tgid)), |d, v| v.put(&mut d.key.tgid)),
    of_process(
        &process::PARENT_PID,
        |p, _| Value::Int(i64::from(p.parent_key.tgid)),
        |d, v| v.put(&mut d.parent_key.get_or_insert_default().tgid),
    ),
    of_process(
        &process::PARENT_PROCESS_UUID,
        |p, host| {
            if p.parent_key.tgid == 0 { Value::Absent } else { Value::Uuid(host.process_uuid(p.parent_key)) }
        },
        |d, v| v.take().map(|uuid| d.parent_key = Some(d.key_of(uuid))),
    ),
    of_process(&process::NAMESPACE_PID, |p, _| Value::Int(i64::from(p.ns_pid)), |d, v| v.put(&mut d.process.ns_pid)),
    of_process(&process::PROGRAM_NAME, |p, _| place::program(p), |d, v| v.put(&mut d.image.path)),
    of_process(
        &process::HOST_PATH,
        |p, _| p.image.host_path().map_or(Value::Absent, Value::text),
        |d, v| v.put(&mut d.image.host_path),
    ),
    of_process(
        &process::IS_HOST_MOUNTS,
        |p, _| Value::Bool(p.image.is(exec_flags::HOST_MOUNTS)),
        |d, v| v.put(&mut d.host_mounts),
    ),
    of_process(
        &process::IS_USER_MOUNTS,
        |p, _| Value::Bool(p.image.is(exec_flags::USER_MOUNTS)),
        |d, v| d.flag(exec_flags::USER_MOUNTS, v),
    ),
    of_process(
        &process::PATH_TRUNCATED,
        |p, _| Value::Bool(p.image.lacks_beginning()),
        |d, v| d.flag(exec_flags::PATH_CUT, v),
    ),
    of_process(&process::NAME, |p, _| Value::text(base_name(&p.image.path)), |d, v| v.put(&mut d.name)),
    of_process(
        &process::PARENT_PROGRAM_NAME,
        |p, _| p.parent.as_deref().map_or(Value::Absent, place::program),
        |d, v| v.put(&mut d.parent_path),
    ),
    of_subject(
        &process::FILE_PATH,
        |event| event.file_path(),
        |p, _| Value::text(&p.image.filename),
        |d, v| v.put(&mut d.image.filename),
    ),
    of_process(
        &process::SCRIPT_PATH,
        |p, _| place::script(&p.image),
        |d, v| {
            d.image.flags |= exec_flags::SCRIPT;
            v.put(&mut d.image.script)
        },
    ),
    of_process(&process::INTERPRETER, |p, _| Value::text(&p.image.interpreter), |d, v| v.put(&mut d.image.interpreter)),
    of_process(
        &process::COMMAND_LINE,
        |p, _| if p.image.args.kept() == 0 { Value::Absent } else { Value::Text(p.image.args.joined()) },
        |d, v| v.put(&mut d.command_line),
    ),
    of_process(&process::ARGS, |p, _| Value::Args(&p.image.args), |d, v| v.list().map(|args| d.args = Some(args))),
    of_process(&process::ARGS_COUNT, |p, _| Value::Int(i64::from(p.image.argc)), |d, v| v.put(&mut d.args_count)),
    of_process(
        &process::ARGS_BYTES,
        |p, _| Value::Int(i64::try_from(p.image.args.total()).unwrap_or(i64::MAX)),
        |d, v| v.put(&mut d.args_bytes),
    ),
    of_process(&process::ARGS_TRUNCATED, |p, _| Value::Bool(p.image.args.is_cut()), |d, v| v.put(&mut d.args_cut)),
    of_process(
        &process::ARGS_READ_LATE,
        |p, _| Value::Bool(p.image.is(exec_flags::ARGS_LATE)),
        |d, v| d.flag(exec_flags::ARGS_LATE, v),
    ),
    of_process(&process::CWD, |p, _| Value::text(&p.image.cwd), |d, v| v.put(&mut d.image.cwd)),
    of_process(
        &process::CWD_TRUNCATED,
        |p, _| Value::Bool(p.image.cwd_lacks_beginning()),
        |d, v| d.flag(exec_flags::CWD_CUT, v),
    ),
    of_process(&process::PARENTS, |p, _| Value::Pids(Pids(p)), |d, v| v.list().map(|parents| d.parents = parents)),
    of_process(&process::LINEAGE_TRUNCATED, |p, _| Value::Bool(p.lineage_cut), |d, v| v.put(&mut d.lineage_cut)),
    of_process(&process::UID, |p, _| Value::Int(i64::from(p.ids.uid)), |d, v| v.put(&mut d.ids().uid)),
    of_process(&process::GID, |p, _| Value::Int(i64::from(p.ids.gid)), |d, v| v.put(&mut d.ids().gid)),
    of_process(&process::EUID, |p, _| Value::Int(i64::from(p.ids.euid)), |d, v| v.put(&mut d.ids().euid)),
    of_process(&process::EGID, |p, _| Value::Int(i64::from(p.ids.egid)), |d, v| v.put(&mut d.ids().egid)),
    of_process(
        &process::USER_NAME,
        |p, _| Value::optional(p.user.as_deref()),
        |d, v| v.take::<String>().map(|name| d.process.user = name.into()),
    ),
    of_process(&process::LOGIN_UID, |p, _| unless_unset(p.ids.loginuid), |d, v| v.put(&mut d.ids().loginuid)),
    of_process(&process::SESSION_ID, |p, _| unless_unset(p.ids.session), |d, v| v.put(&mut d.ids().session)),
    of_process(
        &process::LOGIN_ADDRESS,
        |p, _| p.login.as_deref().and_then(|login| login.address).map_or(Value::Absent, Value::Addr),
        |d, v| v.put(&mut d.login().address),
    ),
    of_process(
        &process::LOGIN_ACCOUNT,
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.account)),
        |d, v| v.put(&mut d.login().account),
    ),
    of_process(
        &process::LOGIN_TERMINAL,
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.terminal)),
        |d, v| v.put(&mut d.login().terminal),
    ),
    of_process(
        &process::LOGIN_PROGRAM,
        |p, _| p.login.as_deref().map_or(Value::Absent, |login| Value::text(&login.program)),
        |d, v| v.put(&mut d.login().program),
    ),
    of_process(
        &process::CAP_EFFECTIVE,
        |p, _| Value::Int(p.ids.cap_effective.cast_signed()),
        |d, v| v.put(&mut d.ids().cap_effective),
    ),
    of_process(&process::TTY, |p, _| Value::text(p.tty()), |d, v| d.tty(&v.take::<Vec<u8>>()?)),
    of_process(
        &process::IS_TTY,
        |p, _| Value::Bool(!p.tty().is_empty()),
        |d, v| if v.take()? && d.process.tty().is_empty() { d.tty(b"pts/0") } else { Ok(()) },
    ),
    of_process(
        &process::IS_MEMFD,
        |p, _| Value::Bool(p.image.is(exec_flags::MEMFD)),
        |d, v| d.flag(exec_flags::MEMFD, v),
    ),
    of_process(
        &process::IS_DELETED,
        |p, _| Value::Bool(p.image.is(exec_flags::DELETED)),
        |d, v| d.flag(exec_flags::DELETED, v),
    ),
    of_process(
        &process::IS_UPPER_LAYER,
        |p, _| Value::Bool(p.image.is(exec_flags::OVERLAY_UPPER)),
        |d, v| d.flag(exec_flags::OVERLAY_UPPER, v),
    ),
    of_process(
        &process::IS_OWN,
        |p, host| Value::Bool(host.sensor.is_some_and(|sensor| sensor == p.parent_key)),
        |d, v| v.put(&mut d.own),
    ),
    of_process(
        &process::IS_SETUID,
        |p, _| Value::Bool(p.image.mode & 0o6000 != 0),
        |d, v| v.take().map(|is| d.image.mode |= if is { 0o4000 } else { 0 }),
    ),
    of_process(
        &process::IS_SECURE_EXEC,
        |p, _| Value::Bool(p.image.is(exec_flags::SECURE)),
        |d, v| d.flag(exec_flags::SECURE, v),
    ),
    of_process(
        &process::FILE_OWNER,
        |p, _| Value::Int(i64::from(p.image.file_uid)),
        |d, v| v.put(&mut d.image.file_uid),
    ),
    of_process(
        &process::FILE_MODE,
        |p, _| Value::Int(i64::from(p.image.mode)),
        |d, v| v.take::<u32>().map(|mode| d.image.mode |= mode),
    ),
    of_process(
        &process::DEVICE,
        |p, _| Value::Int(i64::try_from(to_stat(p.image.device)).unwrap_or(i64::MAX)),
        |d, v| v.take().map(|stat| d.image.device = of_stat(stat)),
    ),
    of_process(&process::INODE, |p, _| Value::Int(p.image.inode.cast_signed()), |d, v| v.put(&mut d.image.inode)),
    of_process(
        &process::CGROUP_ID,
        |p, _| Value::Int(p.cgroup_id.cast_signed()),
        |d, v| v.put(&mut d.process.cgroup_id),
    ),
    of_process(
        &process::PID_NAMESPACE,
        |p, _| Value::Int(i64::from(p.namespaces.pid)),
        |d, v| v.put(&mut d.process.namespaces.pid),
    ),
    of_process(
        &process::MOUNT_NAMESPACE,
        |p, _| Value::Int(i64::from(p.namespaces.mnt)),
        |d, v| v.put(&mut d.process.namespaces.mnt),
    ),
    of_process(
        &process::NETWORK_NAMESPACE,
        |p, _| Value::Int(i64::from(p.namespaces.net)),
        |d, v| v.put(&mut d.process.namespaces.net),
    ),
    of_process(
        &process::USER_NAMESPACE,
        |p, _| Value::Int(i64::from(p.namespaces.user)),
        |d, v| v.put(&mut d.process.namespaces.user),
    ),
    of_process(
        &process::IS_CONTAINER,
        |p, _| if p.container_unknown { Value::Absent } else { Value::Bool(p.container.is_some()) },
        |d, v| d.in_container(v),
    ),
    of_process(
        &process::CONTAINER_ID,
        |p, _| Value::optional(p.container.as_deref().map(|container| container.id.as_str())),
        |d, v| v.put(&mut d.container().id),
    ),
    of_process(
        &process::CONTAINER_RUNTIME,
        |p, _| match p.container.as_deref().and_then(Container::runtime) {
            Some(runtime) => Value::Word(runtime.word()),
            None => Value::Absent,
        },
        |d, v| v.put_word(&mut d.container().runtime),
    ),
    of_process(
        &process::CONTAINER_NAME,
        |p, _| runtime_fact(p, |facts| &facts.name),
        |d, v| v.put(&mut d.runtime_facts().name),
    ),
    of_process(
        &process::CONTAINER_LABELS,
        |p, _| runtime_texts(p, |told| &told.labels),
        |d, v| v.texts().map(|labels| d.labels(labels)),
    ),
    of_process(
        &process::IS_PRIVILEGED,
        |p, _| {
            let privileged = p.container.as_deref().and_then(|container| container.facts().privileged);
            privileged.map_or(Value::Absent, Value::Bool)
        },
        |d, v| v.take().map(|privileged| d.runtime_facts().privileged = Some(privileged)),
    ),
    of_process(
        &process::HOST_NAMESPACES,
        |p, _| runtime_texts(p, |told| &told.host_namespaces),
        |d, v| v.texts().map(|kinds| d.runtime_facts().host_namespaces = kinds),
    ),
    of_process(
        &process::CONTAINER_MOUNTS,
        |p, _| runtime_texts(p, |told| &told.mounts),
        |d, v| v.texts().map(|mounts| d.runtime_facts().mounts = mounts),
    ),
    of_process(
        &process::IMAGE_ID,
        |p, _| runtime_fact(p, |facts| &facts.image_id),
        |d, v| v.put(&mut d.runtime_facts().image_id),
    ),
    of_process(
        &process::IMAGE_NAME,
        |p, _| runtime_fact(p, |facts| &facts.image_name),
        |d, v| v.put(&mut d.runtime_facts().image_name),
    ),
    of_process(
        &process::IMAGE_TAG,
        |p, _| runtime_fact(p, |facts| &facts.image_tag),
        |d, v| v.put(&mut d.runtime_facts().image_tag),
    ),
    of_process(
        &process::IMAGE_DIGEST,
        |p, _| runtime_fact(p, |facts| &facts.image_digest),
        |d, v| v.put(&mut d.runtime_facts().image_digest),
    ),
    of_process(
        &process::KUBERNETES_POD,
        |p, _| runtime_fact(p, |facts| &facts.pod),
        |d, v| v.put(&mut d.runtime_facts().pod),
    ),
    of_process(
        &process::KUBERNETES_NAMESPACE,
        |p, _| runtime_fact(p, |facts| &facts.namespace),
        |d, v| v.put(&mut d.runtime_facts().namespace),
    ),
    of_process(
        &process::INCIDENT_ID,
        |p, _| p.incident.map_or(Value::Absent, Value::Uuid),
        |d, v| v.put(&mut d.process.incident),
    ),
];

/// Texts of what a container's runtime says; absent if there are none.
fn runtime_texts(process: &Process, texts: fn(&FromRuntime) -> &Arguments) -> Value<'_> {
    match process.container.as_deref().and_then(|container| container.told.as_deref()).map(texts) {
        Some(texts) if texts.kept() > 0 => Value::Args(texts),
        _ => Value::Absent,
    }
}

/// A text of what a container's runtime says.
fn runtime_fact(process: &Process, text: fn(&Facts) -> &String) -> Value<'_> {
    Value::optional(process.container.as_deref().map(|container| text(container.facts()).as_str()))
}

fn unless_unset(id: u32) -> Value<'static> {
    if id == UNSET_ID { Value::Absent } else { Value::Int(i64::from(id)) }
}

/// The number that stat(2) has for a device of the kernel's.
fn to_stat(device: u32) -> u64 {
    makedev(device >> 20, device & 0xf_ffff)
}

/// The kernel's number of a device that stat(2) numbers so.
fn of_stat(device: u64) -> u32 {
    major(device) << 20 | minor(device) & 0xf_ffff
}
