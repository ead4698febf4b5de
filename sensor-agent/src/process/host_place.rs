//! The host's own namespaces and root directory: what a process in a container does not have.

use std::fs;

use sensor_ebpf::record::{Namespaces, Place, exec_flags};

use crate::event::decode::{Exec, Record};

/// The initial pid and cgroup namespaces have fixed numbers (`PROC_PID_INIT_INO` and `PROC_CGROUP_INIT_INO` of Linux, since
/// 3.8 and 4.6). The mount namespace has none that holds for all versions.
pub(super) const INIT_PID: u32 = 0xEFFF_FFFC;
pub(super) const INIT_CGROUP: u32 = 0xEFFF_FFFB;

/// What the host's first process has, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostPlace {
    mnt: Option<u32>,
    /// Device and inode.
    root: Option<(u32, u64)>,
}

/// How a process stands to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// It has the host's mount and pid namespace.
    pub(super) on_host: bool,
    /// It has what makes a container, whatever its group is called.
    pub(super) contained: bool,
}

impl HostPlace {
    /// Finds out by the tasks that the kernel listed.
    ///
    /// Some hardened kernels leave pid 1 out and keep its entry in `/proc` shut. Then its mount namespace is the one that kernel
    /// threads have, if any program has it too, and its root directory that of whoever is longest in there. A sensor that sees
    /// but a pid namespace of its own cannot know either.
    #[must_use]
    pub fn find<'a>(records: impl Iterator<Item = Record<'a>>) -> Self {
        let mut tasks: Vec<Exec<'a>> = records
            .filter_map(|record| if let Record::Baseline(exec) = record { Some(exec) } else { None })
            .filter(|exec| exec.fixed.namespaces.pid == INIT_PID && exec.fixed.namespaces.mnt != 0)
            .collect();
        tasks.sort_by_key(|exec| exec.fixed.process.start);
        if let Some(first) = tasks.iter().find(|exec| exec.fixed.process.tgid == 1) {
            return Self::of(first);
        }
        let is_thread = |exec: &&Exec<'_>| exec.fixed.flags & exec_flags::KERNEL_THREAD != 0;
        let by_proc = (namespace("pid") == Some(INIT_PID)).then(|| namespace("mnt")).flatten();
        let mnt = by_proc.or_else(|| tasks.iter().find(is_thread).map(|exec| exec.fixed.namespaces.mnt));
        let first = tasks.iter().find(|exec| !is_thread(exec) && Some(exec.fixed.namespaces.mnt) == mnt);
        Self { mnt: by_proc.or(mnt.filter(|_| first.is_some())), root: first.and_then(|exec| root(&exec.fixed.place)) }
    }

    /// What the host's first process has by its own record.
    pub(super) fn of(first: &Exec<'_>) -> Self {
        Self { mnt: Some(first.fixed.namespaces.mnt), root: root(&first.fixed.place) }
    }

    pub(super) fn standing(&self, namespaces: &Namespaces, place: &Place) -> Standing {
        let own = |number: u32, host: u32| number != 0 && number != host;
        let own_mnt = self.mnt.is_some_and(|host| own(namespaces.mnt, host));
        let own_root = self.root.is_some_and(|host| root(place).is_some_and(|root| root != host));
        let own_other = own(namespaces.pid, INIT_PID) || own(namespaces.cgroup, INIT_CGROUP);
        Standing {
            on_host: self.mnt == Some(namespaces.mnt) && namespaces.pid == INIT_PID,
            contained: own_mnt && own_root && own_other,
        }
    }
}

fn root(place: &Place) -> Option<(u32, u64)> {
    (place.root_inode != 0).then_some((place.root_device, place.root_inode))
}

/// The number of a namespace of the first process, from a link such as `mnt:[4026531832]`.
fn namespace(kind: &str) -> Option<u32> {
    let target = fs::read_link(format!("/proc/1/ns/{kind}")).ok()?;
    target.to_str()?.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use sensor_ebpf::record::{ExecRecord, ProcessKey};

    use super::*;

    fn task(pid: u32, mnt: u32, root_inode: u64, flags: u32) -> Record<'static> {
        let fixed = ExecRecord {
            process: ProcessKey::new(pid, u64::from(pid)),
            namespaces: Namespaces { pid: INIT_PID, mnt, ..Namespaces::default() },
            place: Place { root_inode, ..Place::default() },
            flags,
            ..ExecRecord::default()
        };
        Record::Baseline(Exec::bare(fixed))
    }

    #[test]
    fn the_first_process_tells() {
        let found = HostPlace::find([task(7, 9, 3, 0), task(1, 5, 2, 0)].into_iter());
        assert_eq!(found, HostPlace { mnt: Some(5), root: Some((0, 2)) });
    }

    #[test]
    fn without_it_the_oldest_beside_the_kernels_threads_tells() {
        if namespace("mnt").is_some() {
            return; // The host tells.
        }
        let thread = || task(3, 5, 1, exec_flags::KERNEL_THREAD);
        let found = HostPlace::find([task(9, 5, 4, 0), task(8, 6, 3, 0), task(7, 5, 2, 0), thread()].into_iter());
        assert_eq!(found, HostPlace { mnt: Some(5), root: Some((0, 2)) });
        // Whose namespace no program has is not the host's.
        assert_eq!(HostPlace::find([task(8, 6, 3, 0), thread()].into_iter()), HostPlace::default());
    }
}
