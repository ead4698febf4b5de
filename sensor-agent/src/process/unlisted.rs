//! Ancestors that the kernel's list of tasks leaves out.
//!
//! Some hardened kernels hide a few processes, pid 1 above all, from task iterators. Lineage would end below them. What
//! `/proc` tells of such a parent is little, and enough to stand in the lineage.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use sensor_ebpf::record::exec::MOUNT_UNKNOWN;
use sensor_ebpf::record::{ExecRecord, Header, Ids, LAYOUT_VERSION, exec_flags, kind};

use super::baseline::started_at;
use crate::event::decode::{Exec, Record};
use crate::event::{ProcessKey, UNSET_ID};

/// Parents of walked tasks that were not walked themselves.
#[derive(Debug, Default)]
pub struct Unlisted(Vec<Ancestor>);

#[derive(Debug)]
struct Ancestor {
    fixed: ExecRecord,
    /// Leaf first, as in records.
    path: Vec<u8>,
    cwd: Vec<u8>,
}

impl Unlisted {
    /// Looks for the parents that these records name and do not describe.
    #[must_use]
    pub fn read<'a>(records: impl Iterator<Item = Record<'a>>) -> Self {
        let (mut walked, mut parents) = (BTreeSet::new(), BTreeSet::new());
        for record in records {
            if let Record::Baseline(exec) = record {
                walked.insert(exec.fixed.process);
                parents.insert(exec.fixed.parent);
            }
        }
        Self(parents.difference(&walked).filter_map(|&key| ancestor(key)).collect())
    }

    /// What was found, as records of baseline tasks.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.0.iter().map(|ancestor| {
            Record::Baseline(Exec { path: &ancestor.path, cwd: &ancestor.cwd, ..Exec::bare(ancestor.fixed) })
        })
    }
}

/// None if there is no such process, or its pid belongs to another by now.
fn ancestor(key: ProcessKey) -> Option<Ancestor> {
    if key.tgid == 0 {
        return None;
    }
    let folder = Path::new("/proc").join(key.tgid.to_string());
    let status = fs::read(folder.join("status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
    let link = |name: &str| Some(leaf_first(fs::read_link(folder.join(name)).ok()?.as_os_str().as_bytes()));
    let (path, cwd) = (link("exe").unwrap_or_default(), link("cwd"));
    if !fs::read(folder.join("stat")).is_ok_and(|stat| started_at(&stat, key.start)) {
        return None;
    }
    let ids = |field: &str| {
        let mut numbers = lines_field(&status, field).split_whitespace().map(|id| id.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    let ((uid, euid), (gid, egid)) = (ids("Uid"), ids("Gid"));
    let mut comm = [0; sensor_ebpf::record::COMM_LEN];
    for (to, from) in comm.iter_mut().zip(lines_field(&status, "Name").bytes()) {
        *to = from;
    }
    let fixed = ExecRecord {
        header: Header { layout: LAYOUT_VERSION, kind: kind::BASELINE, ..Header::default() },
        process: key,
        ids: Ids {
            uid,
            gid,
            euid,
            egid,
            loginuid: number("loginuid").unwrap_or(UNSET_ID),
            session: number("sessionid").unwrap_or(UNSET_ID),
            cap_effective: u64::from_str_radix(lines_field(&status, "CapEff"), 16).unwrap_or(0),
        },
        // Pid 1's mounts are the host's.
        flags: exec_flags::READ_FAILED
            | if key.tgid == 1 { exec_flags::HOST_MOUNTS } else { 0 }
            | if cwd.is_none() { exec_flags::CWD_CUT } else { 0 },
        mount_len: MOUNT_UNKNOWN,
        old_tid: key.tgid,
        ns_pid: key.tgid,
        path_len: u16::try_from(path.len()).unwrap_or(u16::MAX),
        cwd_len: cwd.as_ref().map_or(0, |cwd| u16::try_from(cwd.len()).unwrap_or(u16::MAX)),
        comm,
        ..ExecRecord::default()
    };
    Some(Ancestor { fixed, path, cwd: cwd.unwrap_or_default() })
}

/// The value of a line `Name:\tvalue`.
fn lines_field<'a>(status: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    status.lines().find_map(value).unwrap_or_default().trim()
}

fn leaf_first(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
    parts.reverse();
    parts.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::turn_path;

    /// This process's own key.
    fn own() -> ProcessKey {
        let stat = fs::read("/proc/self/stat").unwrap();
        let end = stat.iter().rposition(|&byte| byte == b')').unwrap();
        let ticks: u64 =
            str::from_utf8(stat[end..].split(|&byte| byte == b' ').nth(20).unwrap()).unwrap().parse().unwrap();
        ProcessKey::new(std::process::id(), ticks * 10_000_000)
    }

    fn child_of(parent: ProcessKey) -> ExecRecord {
        ExecRecord { process: ProcessKey::new(u32::MAX, 1), parent, ..ExecRecord::default() }
    }

    fn record(fixed: ExecRecord) -> Record<'static> {
        Record::Baseline(Exec::bare(fixed))
    }

    #[test]
    fn a_parent_that_was_not_walked_is_described() {
        let found = Unlisted::read([record(child_of(own()))].into_iter());
        let records: Vec<_> = found.records().collect();
        let [Record::Baseline(exec)] = records[..] else { panic!("{records:?}") };
        assert_eq!(exec.fixed.process, own());
        assert_eq!(exec.fixed.ids.uid, nix::unistd::getuid().as_raw());
        let mut path = Vec::new();
        turn_path(exec.path, &mut path);
        assert_eq!(path, std::env::current_exe().unwrap().as_os_str().as_bytes());
        assert!(exec.fixed.comm.iter().any(|&byte| byte != 0));
    }

    #[test]
    fn a_parent_that_was_walked_or_is_gone_is_not() {
        let walked = ExecRecord { process: own(), ..ExecRecord::default() };
        let both = [record(child_of(own())), record(walked)];
        assert_eq!(Unlisted::read(both.into_iter()).records().count(), 0);
        let reused = ProcessKey::new(own().tgid, own().start + 1_000_000_000);
        assert_eq!(Unlisted::read([record(child_of(reused))].into_iter()).records().count(), 0);
        assert_eq!(Unlisted::read([record(child_of(ProcessKey::new(0, 0)))].into_iter()).records().count(), 0);
    }
}
