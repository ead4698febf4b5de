//! A process, and what happened to it, while its fields are being set.

use std::any::Any;
use std::sync::Arc;

use containers::Facts;
use schema::EventType;
use sensor_ebpf::record::exec_flags;
use uuid::Uuid;

use super::BuildError;
use super::given::{Fault, Given};
use crate::event::fields::base_name;
use crate::event::{
    Arguments, Container, Event, FromRuntime, Host, Ids, Image, Login, NOT_WHOLE, Process, ProcessKey, UNSET_ID,
    classes,
};

#[derive(Default)]
pub(in crate::event) struct Draft {
    pub(in crate::event) kind: Option<EventType>,
    /// The kind that the fields make likely.
    likely: Option<EventType>,
    pub(in crate::event) time: u64,
    pub(in crate::event) host: Host,
    pub(in crate::event) process: Process,
    pub(in crate::event) image: Image,
    ids: Option<Ids>,
    container: Option<Container>,
    /// What its runtime said.
    told: Option<Facts>,
    labels: Vec<String>,
    pub(in crate::event) key: ProcessKey,
    pub(in crate::event) parent_key: Option<ProcessKey>,
    pub(in crate::event) parent_path: Option<Vec<u8>>,
    pub(in crate::event) parents: Vec<u32>,
    pub(in crate::event) lineage_cut: bool,
    pub(in crate::event) name: Option<Vec<u8>>,
    pub(in crate::event) args: Option<Vec<Vec<u8>>>,
    pub(in crate::event) command_line: Option<Vec<u8>>,
    pub(in crate::event) args_count: Option<u32>,
    pub(in crate::event) args_bytes: Option<u64>,
    pub(in crate::event) args_cut: bool,
    /// Whether the sensor is the parent.
    pub(in crate::event) own: bool,
    pub(in crate::event) host_mounts: Option<bool>,
    /// What the classes of events have of their own, each in a type of its own.
    parts: Vec<Box<dyn Any>>,
}

impl Draft {
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
        let kind = self.kind.or(self.likely).unwrap_or(EventType::Exec);
        let detail = classes::detail(kind, &mut self);
        let (time, own, mut host) = (self.time, self.own, std::mem::take(&mut self.host));
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
        process.container = self.container.map(|container| {
            let told = self.told.map(|mut facts| {
                let pair = |label: &String| {
                    let (key, value) = label.split_once('=').unwrap_or((label, ""));
                    (key.to_owned(), value.to_owned())
                };
                facts.labels = self.labels.iter().map(pair).collect();
                Box::new(FromRuntime::new(facts, &self.labels))
            });
            Arc::new(Container { told: told.map(Into::into).unwrap_or_default(), ..container })
        });
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

    /// What a class has of its own.
    pub(in crate::event) fn part<T: Default + 'static>(&mut self) -> &mut T {
        let at = self.parts.iter().position(|part| part.is::<T>()).unwrap_or_else(|| {
            self.parts.push(Box::new(T::default()));
            self.parts.len() - 1
        });
        self.parts[at].downcast_mut().expect("it was looked for by its type")
    }

    /// The event is of this kind if nothing else is said.
    pub(in crate::event) fn likely(&mut self, kind: EventType) {
        self.likely.get_or_insert(kind);
    }

    /// The same, whatever else was likely.
    pub(in crate::event) fn likeliest(&mut self, kind: EventType) {
        self.likely = Some(kind);
    }

    pub(in crate::event) fn ids(&mut self) -> &mut Ids {
        self.ids.get_or_insert(NO_LOGIN)
    }

    pub(in crate::event) fn container(&mut self) -> &mut Container {
        self.container.get_or_insert_default()
    }

    /// What the container's runtime said.
    pub(in crate::event) fn runtime_facts(&mut self) -> &mut Facts {
        self.container();
        self.told.get_or_insert_default()
    }

    /// The container's labels, each as `KEY=VALUE`.
    pub(in crate::event) fn labels(&mut self, labels: Vec<String>) {
        self.runtime_facts();
        self.labels = labels;
    }

    /// Whether there is a container; null for one who does not know.
    pub(in crate::event) fn in_container(&mut self, given: Given<'_>) -> Result<(), Fault> {
        match given.take()? {
            None => self.process.container_unknown = true,
            Some(true) => drop(self.container()),
            Some(false) => {}
        }
        Ok(())
    }

    pub(in crate::event) fn login(&mut self) -> &mut Login {
        Arc::make_mut(self.process.login.get_or_insert_default())
    }

    pub(in crate::event) fn flag(&mut self, flag: u32, given: Given<'_>) -> Result<(), Fault> {
        if given.take()? {
            self.image.flags |= flag;
        }
        Ok(())
    }

    pub(in crate::event) fn tty(&mut self, name: &[u8]) -> Result<(), Fault> {
        let Some(place) = self.process.tty.get_mut(..name.len()) else {
            return Err(Fault::Value("the name of a terminal is not as long".into()));
        };
        place.copy_from_slice(name);
        Ok(())
    }

    /// The process that a UUID names: the way back from [`Host::process_uuid`].
    pub(in crate::event) fn key_of(&mut self, uuid: Uuid) -> ProcessKey {
        let uuid = uuid.as_u128();
        let free = uuid >> 80 << 74 | (uuid >> 64 & 0xfff) << 62 | uuid & 0x3fff_ffff_ffff_ffff;
        self.host.boot_id = free >> 86 << 92;
        let low = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
        ProcessKey::new(u32::try_from(free >> 64 & 0x3f_ffff).unwrap_or(0), low(free))
    }
}

/// What processes outside a login have.
const NO_LOGIN: Ids = Ids { uid: 0, gid: 0, euid: 0, egid: 0, loginuid: UNSET_ID, session: UNSET_ID, cap_effective: 0 };
