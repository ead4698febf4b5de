//! Whether a process is in a container, and in which: names of control groups held against facts.
//!
//! | the process has | its group is called like a container's | then |
//! | --- | --- | --- |
//! | the host's mount and pid namespace | and root made it | that container: it was moved there, or left by `nsenter` |
//! | the host's mount and pid namespace | and a user made it | none: whoever owns a group may call those below as they like |
//! | another mount or pid namespace | | that container |
//! | a mount namespace and a root directory of its own, and a pid or a cgroup namespace | no | a container of an unknown runtime |
//! | anything else | no | none |
//!
//! A machine that systemd-machined has registered as a virtual one is no container, whatever its group is called.
//!
//! A mount namespace alone is no container: services have one for `PrivateTmp=`, and the host's root in it. A pid or a user
//! namespace alone is none: browsers have them for their sandboxes.

use std::sync::Arc;

use hashlink::LruCache;
use schema::process::Runtime;
use sensor_ebpf::record::{Namespaces, Place, exec_flags};

use super::container_names::ContainerNames;
use super::containers::{ContainerName, container_at, unproven};
use super::host_place::HostPlace;
use super::machines::{Machine, Machines};
use crate::event::{Container, Process};

/// Control groups that are remembered; the kernel side names each one when it is first seen.
const GROUPS: usize = 8192;

/// The control groups that were named so far.
#[derive(Debug)]
pub(super) struct Groups {
    known: LruCache<u64, Group>,
    pub(super) host: HostPlace,
    unnamed: Arc<Container>,
    pub(super) names: ContainerNames,
    machines: Machines,
}

/// What the names of a control group and of those above it say.
#[derive(Debug)]
struct Group {
    /// The innermost container.
    named: Option<Arc<Container>>,
    /// The innermost one of which root made the group.
    by_root: Option<Arc<Container>>,
    /// Names are missing.
    is_cut: bool,
    path: Box<str>,
    /// One bit for each group of the path that is a user's.
    owned: u32,
    /// Of machined's scopes one has no machine yet: it is looked for again.
    is_unregistered: bool,
    /// The container without a known name that was last met here, and the depth of its cgroup namespace.
    unproven: Option<(u32, Arc<Container>)>,
}

/// What a record says of where its process is.
pub(super) struct Where<'a> {
    pub(super) namespaces: &'a Namespaces,
    pub(super) place: &'a Place,
    /// The path of the cgroup, if it comes along; see [`exec_flags::CGROUP_PATH`].
    pub(super) cgroup: &'a [u8],
    pub(super) flags: u32,
    /// The process as it was before, or its parent.
    pub(super) before: Option<&'a Process>,
}

/// Whether a process is in a container.
pub(super) enum Found {
    In(Arc<Container>),
    Outside,
    /// It could not be told.
    Unknown,
}

impl Groups {
    pub(super) fn new() -> Self {
        let unnamed = Container { runtime: Some(Runtime::Unknown), ..Container::default() };
        let names = ContainerNames::new(None);
        Self {
            known: LruCache::new(GROUPS),
            host: HostPlace::default(),
            unnamed: Arc::new(unnamed),
            names,
            machines: Machines::default(),
        }
    }

    /// Takes in what a record tells of its cgroup.
    pub(super) fn learn(&mut self, place: &Place, cgroup: &[u8], flags: u32) {
        if flags & exec_flags::CGROUP_PATH != 0 {
            let is_cut = flags & exec_flags::CGROUP_CUT != 0;
            let path = String::from_utf8_lossy(cgroup).into();
            let group = Group::new(path, place.cgroup_owned, is_cut, &mut self.names, &self.machines);
            self.known.insert(place.cgroup_id, group);
        }
    }

    /// The container that a control group is by its own name, and not by that of one above.
    pub(super) fn called(&mut self, path: &str) -> Option<Arc<Container>> {
        let parts = parts(path);
        let at = parts.len().checked_sub(1)?;
        let name = container_at(&parts, at)?;
        if self.machines.called(parts[at], &name) == Machine::Virtual {
            return None;
        }
        Some(Arc::new(Container { told: self.names.of(&name.id), ..container(&name) }))
    }

    /// Takes in what a record tells of its cgroup, and says which container the process is in.
    pub(super) fn find(&mut self, at: &Where<'_>) -> Found {
        self.learn(at.place, at.cgroup, at.flags);
        let alike = at
            .before
            .filter(|before| (before.namespaces.pid, before.namespaces.mnt) == (at.namespaces.pid, at.namespaces.mnt));
        // A message that came with a pid alone: its process is as it was.
        if at.place.root_inode == 0
            && let Some(before) = alike.filter(|before| before.cgroup_id == at.place.cgroup_id)
        {
            return Found::of(before);
        }
        let standing = self.host.standing(at.namespaces, at.place);
        let group = self.known.get_mut(&at.place.cgroup_id);
        let group = group.map(|group| {
            if group.is_unregistered {
                *group = Group::new(group.path.clone(), group.owned, group.is_cut, &mut self.names, &self.machines);
            }
            group
        });
        let named = group
            .as_ref()
            .and_then(|group| if standing.on_host { group.by_root.as_ref() } else { group.named.as_ref() });
        if let Some(container) = named {
            return Found::In(Arc::clone(container));
        }
        // Without a cgroup there is nothing to know: a kernel that is built without, a process that is known by its id alone.
        let is_known = at.place.cgroup_id == 0 || group.as_ref().is_some_and(|group| !group.is_cut);
        if !is_known && let Some(container) = alike.and_then(|before| before.container.as_ref()) {
            return Found::In(Arc::clone(container));
        }
        if standing.contained {
            return Found::In(match group {
                Some(group) => group.unproven(at.namespaces.cgroup_root),
                None => Arc::clone(&self.unnamed),
            });
        }
        if is_known || standing.on_host { Found::Outside } else { Found::Unknown }
    }
}

impl Found {
    fn of(process: &Process) -> Self {
        match &process.container {
            Some(container) => Self::In(Arc::clone(container)),
            None if process.container_unknown => Self::Unknown,
            None => Self::Outside,
        }
    }
}

impl Group {
    fn new(path: Box<str>, owned: u32, is_cut: bool, names: &mut ContainerNames, machines: &Machines) -> Self {
        let parts = parts(&path);
        let containers = (0..parts.len()).rev().filter_map(|at| Some((at, parts[at], container_at(&parts, at)?)));
        let (mut named, mut by_root, mut is_unregistered) = (None, None, false);
        for (at, unit, name) in containers {
            match machines.called(unit, &name) {
                Machine::Virtual => continue,
                Machine::Unregistered => is_unregistered = true,
                Machine::Other => {}
            }
            let told = names.of(&name.id);
            let container = Arc::new(Container { told, ..container(&name) });
            named.get_or_insert_with(|| Arc::clone(&container));
            if u32::try_from(at).ok().and_then(|at| owned.checked_shr(at)).is_some_and(|bits| bits & 1 == 0) {
                by_root = Some(container);
                break;
            }
        }
        Self { named, by_root, is_cut, path, owned, is_unregistered, unproven: None }
    }

    fn unproven(&mut self, cgroup_root: u32) -> Arc<Container> {
        match &self.unproven {
            Some((depth, container)) if *depth == cgroup_root => Arc::clone(container),
            _ => {
                let depth = usize::try_from(cgroup_root).unwrap_or(usize::MAX);
                let container = Arc::new(container(&unproven(&parts(&self.path), depth)));
                self.unproven = Some((cgroup_root, Arc::clone(&container)));
                container
            }
        }
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

fn container(name: &ContainerName<'_>) -> Container {
    Container { id: name.id.clone().into_owned(), runtime: Some(name.runtime), ..Container::default() }
}

#[cfg(test)]
mod tests;
