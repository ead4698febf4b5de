//! A process, and what happened to it, while its fields are being set.

use std::net::IpAddr;
use std::sync::Arc;

use diagnostic::nearest;
use serde_json::Value;
use uuid::Uuid;

use super::BuildError;
use super::message::MessageDraft;
use crate::event::audit;
use crate::event::fields::{Field, Get, Type, base_name};
use crate::event::json::from_lossless;
use crate::event::{
    Arguments, Class, Container, Detail, Event, EventType, Host, Ids, Image, Login, Lost, NOT_WHOLE, Process,
    ProcessKey, UNSET_ID,
};
use sensor_ebpf::record::exec_flags;

/// Why a value is none for its field.
pub(super) enum Fault {
    /// It is of another type.
    Type,
    Value(String),
}

#[derive(Default)]
pub(super) struct Draft {
    kind: Option<EventType>,
    time: u64,
    host: Host,
    process: Process,
    image: Image,
    ids: Option<Ids>,
    container: Option<Container>,
    key: ProcessKey,
    parent_key: Option<ProcessKey>,
    parent_path: Option<Vec<u8>>,
    parents: Vec<u32>,
    lineage_cut: bool,
    name: Option<Vec<u8>>,
    args: Option<Vec<Vec<u8>>>,
    command_line: Option<Vec<u8>>,
    args_count: Option<u32>,
    args_bytes: Option<u64>,
    args_cut: bool,
    /// Whether the sensor is the parent.
    own: bool,
    host_mounts: Option<bool>,
    exit: (u8, u8),
    errno: Option<i32>,
    message: Option<MessageDraft>,
    lost: Option<Lost>,
}

impl Draft {
    /// Takes one field in.
    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), Fault> {
        match field.name {
            "eventType" => {
                let word = word(field, value)?;
                self.kind = EventType::ALL.into_iter().find(|kind| kind.word() == word);
            }
            "time" => self.time = time(value)?,
            "sensorId" => self.host.sensor_id = string(value)?,
            "hostname" => self.host.hostname = string(value)?,
            "processUuid" => self.key = self.key_of_uuid(value)?,
            "parentProcessUuid" => self.parent_key = Some(self.key_of_uuid(value)?),
            "sophosPid" => self.key = sophos_pid(value)?,
            "processPid" => self.key.tgid = number(value)?,
            "parentPid" => self.parent_key.get_or_insert_default().tgid = number(value)?,
            "namespacePid" => self.process.ns_pid = number(value)?,
            "programName" => self.image.path = text(value)?,
            "hostPath" => self.image.host_path = text(value)?,
            "isHostMounts" => self.host_mounts = Some(bool(value)?),
            "isUserMounts" => self.flag(exec_flags::USER_MOUNTS, value)?,
            "pathTruncated" => self.flag(exec_flags::PATH_CUT, value)?,
            "cwdTruncated" => self.flag(exec_flags::CWD_CUT, value)?,
            "argsReadLate" => self.flag(exec_flags::ARGS_LATE, value)?,
            "device" => self.image.device = device(bits(value)?),
            "name" => self.name = Some(text(value)?),
            "parentProgramName" => self.parent_path = Some(text(value)?),
            "filePath" => self.image.filename = text(value)?,
            "scriptPath" => {
                self.image.script = text(value)?;
                self.image.flags |= exec_flags::SCRIPT;
            }
            "interpreter" => self.image.interpreter = text(value)?,
            "commandLine" => self.command_line = Some(text(value)?),
            "args" => {
                self.args = Some(value.as_array().ok_or(Fault::Type)?.iter().map(text).collect::<Result<_, _>>()?)
            }
            "argsCount" => self.args_count = Some(number(value)?),
            "argsBytes" => self.args_bytes = Some(number(value)?),
            "argsTruncated" => self.args_cut = bool(value)?,
            "cwd" => self.image.cwd = text(value)?,
            "parents" => {
                self.parents = value.as_array().ok_or(Fault::Type)?.iter().map(number).collect::<Result<_, _>>()?
            }
            "lineageTruncated" => self.lineage_cut = bool(value)?,
            "uid" => self.ids().uid = number(value)?,
            "gid" => self.ids().gid = number(value)?,
            "euid" => self.ids().euid = number(value)?,
            "egid" => self.ids().egid = number(value)?,
            "loginUid" => self.ids().loginuid = number(value)?,
            "sessionId" => self.ids().session = number(value)?,
            "loginAddress" => self.login().address = Some(address(value)?),
            "loginAccount" => self.login().account = text(value)?,
            "loginTerminal" => self.login().terminal = text(value)?,
            "loginProgram" => self.login().program = text(value)?,
            "unixTime" => {
                self.time = bits(value)?.saturating_mul(1_000_000_000);
                self.message.get_or_insert_default();
            }
            "capEffective" => self.ids().cap_effective = bits(value)?,
            "userName" => self.process.user = string(value)?.into(),
            "tty" => self.tty(&text(value)?)?,
            "isTty" => {
                if bool(value)? && self.process.tty().is_empty() {
                    self.tty(b"pts/0")?;
                }
            }
            "isMemfd" => self.flag(exec_flags::MEMFD, value)?,
            "isDeleted" => self.flag(exec_flags::DELETED, value)?,
            "isUpperLayer" => self.flag(exec_flags::OVERLAY_UPPER, value)?,
            "isOwn" => self.own = bool(value)?,
            "isSecureExec" => self.flag(exec_flags::SECURE, value)?,
            "isSetuid" => self.image.mode |= if bool(value)? { 0o4000 } else { 0 },
            "fileOwner" => self.image.file_uid = number(value)?,
            "fileMode" => self.image.mode |= number::<u32>(value)?,
            "inode" => self.image.inode = bits(value)?,
            "cgroupId" => self.process.cgroup_id = bits(value)?,
            "pidNamespace" => self.process.namespaces.pid = number(value)?,
            "mountNamespace" => self.process.namespaces.mnt = number(value)?,
            "networkNamespace" => self.process.namespaces.net = number(value)?,
            "userNamespace" => self.process.namespaces.user = number(value)?,
            "isContainer" => {
                if value.is_null() {
                    self.process.container_unknown = true;
                } else if bool(value)? {
                    self.container();
                }
            }
            "containerId" => self.container().id = string(value)?,
            "containerRuntime" => {
                self.container().runtime = word(field, value)?;
            }
            "containerName" => self.container().name = string(value)?,
            "imageId" => self.container().image_id = string(value)?,
            "imageName" => self.container().image_name = string(value)?,
            "kubernetesPod" => self.container().pod = string(value)?,
            "kubernetesNamespace" => self.container().namespace = string(value)?,
            "incidentId" => self.process.incident = Some(uuid(value)?),
            "exitCode" => {
                self.exit.0 = number(value)?;
                self.likely(EventType::Exit);
            }
            "exitSignal" => {
                self.exit.1 = number(value)?;
                self.likely(EventType::Exit);
            }
            "errno" => {
                self.errno = Some(number(value)?);
                self.likely(EventType::ExecFailed);
            }
            "sensorPid" => {
                self.likely(EventType::SensorStarted);
                self.key.tgid = number(value)?;
            }
            _ if matches!(field.get, Get::Event(Class::Audit, _)) => {
                self.message.get_or_insert_default().set(field, value)?;
            }
            "stage" => self.lost().stage = word(field, value)?,
            "eventClass" => self.lost().class = word(field, value)?,
            "cause" => self.lost().cause = word(field, value)?,
            "count" => self.lost().count = bits(value)?,
            other => return Err(Fault::Value(format!("`{other}` cannot be set in an event written down by hand"))),
        }
        Ok(())
    }

    /// The event, with these ancestors, nearest first.
    pub(super) fn finish(mut self, mut ancestors: Vec<Self>) -> Result<(Event, Host), BuildError> {
        // An ancestor of whom only the pid or the program is known.
        for (index, pid) in self.parents.iter().enumerate() {
            if index == ancestors.len() {
                ancestors.push(Self::default());
            }
            ancestors[index].key.tgid = *pid;
        }
        if let Some(path) = self.parent_path.take() {
            if ancestors.is_empty() {
                ancestors.push(Self::default());
            }
            if ancestors[0].image.path.is_empty() {
                ancestors[0].image.path = path;
            } else if ancestors[0].image.path != path {
                let why = "the lineage says something else".into();
                return Err(BuildError::Value { at: "parentProgramName".into(), why });
            }
        }
        if let (Some(first), Some(key)) = (ancestors.first_mut(), self.parent_key) {
            if first.key.tgid == 0 {
                first.key.tgid = key.tgid;
            }
            if first.key.start == 0 {
                first.key.start = key.start;
            }
        }
        let message = self.message.take();
        let likely = message.as_ref().map_or(EventType::Exec, MessageDraft::kind);
        let (kind, time, mut host) = (self.kind.unwrap_or(likely), self.time, std::mem::take(&mut self.host));
        let own = self.own;
        let detail = match kind {
            EventType::Exit => Detail::Exit { code: self.exit.0, signal: self.exit.1, core_dumped: false },
            EventType::ExecFailed => Detail::ExecFailed { errno: self.errno.unwrap_or(0) },
            EventType::AuditMessage | EventType::AuditMessageRefused => {
                Detail::Audit(Arc::new(message.unwrap_or_default().finish(kind)))
            }
            EventType::LostRecords => {
                Detail::Lost(self.lost.unwrap_or(Lost { stage: "", class: "", cause: "", count: 0 }))
            }
            _ => Detail::None,
        };
        let mut parent = None;
        for (index, ancestor) in ancestors.into_iter().enumerate().rev() {
            parent = Some(Arc::new(ancestor.process(parent, &format!("lineage[{index}]."))?));
        }
        let process = Arc::new(self.process(parent, "")?);
        host.sensor = own.then_some(process.parent_key);
        Ok((Event { kind, time, process, detail }, host))
    }

    fn process(mut self, parent: Option<Arc<Process>>, path: &str) -> Result<Process, BuildError> {
        let fault = |key: &str, why: &str| Err(BuildError::Value { at: format!("{path}{key}"), why: why.into() });
        if let Some(name) = self.name.take() {
            if self.image.path.is_empty() {
                self.image.path = name;
            } else if base_name(&self.image.path) != name && self.image.path != name {
                return fault("name", "programName says something else");
            }
        }
        if let Some(args) = self.args.take().or_else(|| {
            let line = self.command_line.take()?;
            Some(line.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect())
        }) {
            let mut bytes: Vec<u8> = Vec::new();
            for arg in &args {
                bytes.extend_from_slice(arg);
                bytes.push(0);
            }
            let total = self.args_bytes.unwrap_or(bytes.len() as u64);
            // Where the cut was is not told: say, before the last byte.
            let total = if self.args_cut { total.max(bytes.len() as u64 + 1) } else { total };
            self.image.argc = u32::try_from(args.len()).unwrap_or(u32::MAX);
            self.image.args = Arguments::default();
            self.image.args.set(&bytes, &[], total, false);
        } else if self.args_bytes.is_some() || self.args_cut {
            self.image.args.set(&[], &[], self.args_bytes.unwrap_or(1), false);
        }
        self.image.argc = self.args_count.unwrap_or(self.image.argc);
        self.place();
        let mut process = self.process;
        process.key = self.key;
        process.parent_key = self.parent_key.or(parent.as_ref().map(|parent| parent.key)).unwrap_or_default();
        process.link(parent);
        process.lineage_cut = self.lineage_cut;
        process.ids = self.ids.unwrap_or(NO_LOGIN);
        process.container = self.container.map(Arc::new);
        process.image = Arc::new(self.image);
        Ok(process)
    }

    /// Where nothing else is said, a program is run from the host's mounts. A path that is said not to be whole begins like one.
    fn place(&mut self) {
        let image = &mut self.image;
        let elsewhere = image.is(exec_flags::USER_MOUNTS | exec_flags::PATH_CUT)
            || (!image.host_path.is_empty() && image.host_path != image.path);
        if self.host_mounts.unwrap_or(!elsewhere) {
            image.flags |= exec_flags::HOST_MOUNTS;
        }
        for (path, cut) in [(&mut image.path, exec_flags::PATH_CUT), (&mut image.cwd, exec_flags::CWD_CUT)] {
            if image.flags & cut != 0 && !path.starts_with(NOT_WHOLE) {
                path.splice(..0, NOT_WHOLE.iter().copied());
            }
        }
        if image.filename.is_empty() {
            image.filename.clone_from(&image.script);
        }
    }

    fn likely(&mut self, kind: EventType) {
        self.kind = self.kind.or(Some(kind));
    }

    fn ids(&mut self) -> &mut Ids {
        self.ids.get_or_insert(NO_LOGIN)
    }

    fn container(&mut self) -> &mut Container {
        self.container.get_or_insert_default()
    }

    fn login(&mut self) -> &mut Login {
        Arc::make_mut(self.process.login.get_or_insert_default())
    }

    fn lost(&mut self) -> &mut Lost {
        self.likely(EventType::LostRecords);
        self.lost.get_or_insert(Lost { stage: "", class: "", cause: "", count: 0 })
    }

    fn flag(&mut self, flag: u32, value: &Value) -> Result<(), Fault> {
        if bool(value)? {
            self.image.flags |= flag;
        }
        Ok(())
    }

    fn tty(&mut self, name: &[u8]) -> Result<(), Fault> {
        let Some(place) = self.process.tty.get_mut(..name.len()) else {
            return Err(Fault::Value("the name of a terminal is not as long".into()));
        };
        place.copy_from_slice(name);
        Ok(())
    }

    /// The process that a UUID names: the way back from [`Host::process_uuid`].
    fn key_of_uuid(&mut self, value: &Value) -> Result<ProcessKey, Fault> {
        let uuid = uuid(value)?.as_u128();
        let free = uuid >> 80 << 74 | (uuid >> 64 & 0xfff) << 62 | uuid & 0x3fff_ffff_ffff_ffff;
        self.host.boot_id = free >> 86 << 92;
        let low = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
        Ok(ProcessKey::new(u32::try_from(free >> 64 & 0x3f_ffff).unwrap_or(0), low(free)))
    }
}

/// What processes outside a login have.
const NO_LOGIN: Ids = Ids { uid: 0, gid: 0, euid: 0, egid: 0, loginuid: UNSET_ID, session: UNSET_ID, cap_effective: 0 };

pub(super) fn string(value: &Value) -> Result<String, Fault> {
    value.as_str().map(str::to_owned).ok_or(Fault::Type)
}

pub(super) fn text(value: &Value) -> Result<Vec<u8>, Fault> {
    value.as_str().map(from_lossless).ok_or(Fault::Type)
}

pub(super) fn bool(value: &Value) -> Result<bool, Fault> {
    value.as_bool().ok_or(Fault::Type)
}

pub(super) fn number<T: TryFrom<i64>>(value: &Value) -> Result<T, Fault> {
    let number = value.as_i64().ok_or(Fault::Type)?;
    T::try_from(number).map_err(|_| Fault::Value(format!("{number} is out of range")))
}

/// 64 bits, which rows show as a signed number.
fn bits(value: &Value) -> Result<u64, Fault> {
    value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned)).ok_or(Fault::Type)
}

/// The kernel's number of a device that stat(2) numbers so.
fn device(stat: u64) -> u32 {
    rustix::fs::major(stat) << 20 | rustix::fs::minor(stat) & 0xf_ffff
}

fn time(value: &Value) -> Result<u64, Fault> {
    let Some(text) = value.as_str() else { return value.as_u64().ok_or(Fault::Type) };
    let time: jiff::Timestamp = text.parse().map_err(|_| Fault::Value("write it as 2026-01-31T12:00:00Z".into()))?;
    u64::try_from(time.as_nanosecond()).map_err(|_| Fault::Value("before 1970".into()))
}

fn uuid(value: &Value) -> Result<Uuid, Fault> {
    value.as_str().ok_or(Fault::Type)?.parse().map_err(|_| Fault::Value("no UUID".into()))
}

pub(super) fn address(value: &Value) -> Result<IpAddr, Fault> {
    let text = value.as_str().ok_or(Fault::Type)?;
    audit::address(text.as_bytes()).ok_or_else(|| Fault::Value("no IP address".into()))
}

fn sophos_pid(value: &Value) -> Result<ProcessKey, Fault> {
    let text = value.as_str().ok_or(Fault::Type)?;
    text.split_once(':')
        .and_then(|(pid, start)| Some(ProcessKey::new(pid.parse().ok()?, start.parse().ok()?)))
        .ok_or_else(|| Fault::Value("write it as PID:START".into()))
}

/// One of the words that a field has.
pub(super) fn word(field: &Field, value: &Value) -> Result<&'static str, Fault> {
    let word = value.as_str().ok_or(Fault::Type)?;
    let Type::Word(words) = field.ty else { return Err(Fault::Type) };
    let known = words.iter().find(|known| **known == word);
    known.copied().ok_or_else(|| {
        Fault::Value(match nearest(word, words.iter().copied()) {
            Some(near) => format!("there is no word \"{word}\"; did you mean \"{near}\"?"),
            None => format!("the words are {}", words.join(", ")),
        })
    })
}
