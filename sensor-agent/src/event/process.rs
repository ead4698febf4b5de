//! What is known of a process: a snapshot that never changes once it is shared.
//!
//! An exec makes a new snapshot; what was forked before keeps the one it came from. So lineage tells the program
//! that really started a child, also after that program has replaced itself or is long gone.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use budget::Charge;
pub use sensor_ebpf::record::ProcessKey;
use sensor_ebpf::record::exec_flags;
use uuid::Uuid;

use super::{Arguments, Container, UserName};

/// The value of an audit login uid or session that was never set.
pub const UNSET_ID: u32 = u32::MAX;

pub use sensor_ebpf::record::{Ids, Namespaces, TTY_LEN};

/// A process at one moment of its life.
#[derive(Clone, Debug, Default)]
pub struct Process {
    pub key: ProcessKey,
    /// The parent by id, also when nothing more is known of it.
    pub parent_key: ProcessKey,
    /// The parent as it was at the fork.
    pub parent: Option<Arc<Process>>,
    /// The low bits of the kernel's count of execs, as of the last one that the sensor was told; zero if it was told none.
    pub exec_id: u16,
    /// Links from here to the oldest ancestor held.
    pub depth: u32,
    /// Whether ancestors are missing: the lineage was too long, or the parent is not known.
    pub lineage_cut: bool,
    pub ids: Ids,
    pub namespaces: Namespaces,
    /// The id in the process's own pid namespace.
    pub ns_pid: u32,
    pub cgroup_id: u64,
    /// Controlling terminal, such as `pts/3`, zero-filled; see [`Process::tty`].
    pub tty: [u8; TTY_LEN],
    /// The login name of `ids.uid`, when known.
    pub user: UserName,
    pub container: Option<Arc<Container>>,
    /// Whether it is in a container could not be told; there is none then.
    pub container_unknown: bool,
    /// The login that the session began with, when the sensor saw it.
    pub login: Option<Arc<Login>>,
    /// The incident that this process or an ancestor of it is part of, once an alert was raised on it.
    pub incident: Option<Uuid>,
    /// What the process runs; shared with the children that have not executed anything themselves.
    pub image: Arc<Image>,
    /// For this snapshot without what it shares with others.
    pub(crate) charge: Charge,
}

impl Process {
    /// The controlling terminal, such as `pts/3`; empty without one.
    #[must_use]
    pub fn tty(&self) -> &[u8] {
        self.tty.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// Gives the process its parent, and the lineage that the parent has. The parent's id must be set.
    pub fn link(&mut self, parent: Option<Arc<Self>>) {
        self.depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
        // Only the first process of all, and the kernel's first thread, have none.
        self.lineage_cut = parent.as_ref().map_or(self.parent_key.tgid != 0, |parent| parent.lineage_cut);
        self.parent = parent;
    }

    /// The ancestors, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &Process> {
        std::iter::successors(self.parent.as_deref(), |process| process.parent.as_deref())
    }
}

/// What an exec made of a process.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// The executed file as the kernel resolved it; of a script its interpreter. One that is not whole begins with
    /// [`NOT_WHOLE`].
    pub path: Vec<u8>,
    /// Of a file outside the host's mounts: where the host has it. Empty if nowhere.
    pub host_path: Vec<u8>,
    /// Of a script: the file that was run, as the kernel resolved it.
    pub script: Vec<u8>,
    pub cwd: Vec<u8>,
    /// The file name as it was given to `execve`.
    pub filename: Vec<u8>,
    /// The `#!` interpreter as the script names it; empty for other files.
    pub interpreter: Vec<u8>,
    pub args: Arguments,
    /// Bits of [`exec_flags`].
    pub flags: u32,
    pub argc: u32,
    pub inode: u64,
    pub device: u32,
    pub mode: u32,
    pub file_uid: u32,
    /// `task_struct.comm` right after the exec.
    pub comm: Vec<u8>,
    /// For all of it.
    pub(crate) charge: Charge,
    /// How it is told, once it was.
    pub(crate) redacted: Redacted,
}

/// How an image is told by those who take secrets out: looked for once, not each time.
#[derive(Debug, Default)]
pub(crate) struct Redacted(pub(crate) OnceLock<RedactedBy>);

/// Whose word it is.
#[derive(Debug)]
pub(crate) struct RedactedBy {
    /// The number of the redaction that looked.
    pub(crate) redaction: u64,
    /// In place of the image; none if there was nothing to take out.
    pub(crate) instead: Option<Arc<Image>>,
}

/// A copy is yet to be told: it may become another image.
impl Clone for Redacted {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What [`Image::in_short`] keeps of each text, bytes.
const SHORT: usize = 512;

impl Image {
    /// Bytes that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts =
            [&self.path, &self.host_path, &self.script, &self.cwd, &self.filename, &self.interpreter, &self.comm];
        let texts: usize = texts.iter().map(|text| text.capacity()).sum();
        size_of::<Self>() + texts + self.args.size()
    }

    /// A copy for times when memory is scarce: long texts lose a part, and say so as those that the kernel side cut.
    #[must_use]
    pub fn in_short(&self) -> Self {
        let mut flags = self.flags;
        let mut lower_end = |path: &Vec<u8>, flag| match path.len().checked_sub(SHORT) {
            None | Some(0) => path.clone(),
            Some(more) => {
                flags |= flag;
                [NOT_WHOLE, &path[more..]].concat()
            }
        };
        let path = lower_end(&self.path, exec_flags::PATH_CUT);
        let cwd = lower_end(&self.cwd, exec_flags::CWD_CUT);
        let script = lower_end(&self.script, exec_flags::SCRIPT_CUT);
        // In part it would be another place: then it is not known any more where the host has the file.
        let host_path = if self.host_path.len() <= SHORT { self.host_path.clone() } else { Vec::new() };
        if host_path.len() != self.host_path.len() {
            flags &= !exec_flags::HOST_KNOWN;
        }
        let mut beginning = |name: &Vec<u8>| {
            if name.len() > SHORT {
                flags |= exec_flags::NAME_CUT;
            }
            name[..name.len().min(SHORT)].to_vec()
        };
        let (filename, interpreter) = (beginning(&self.filename), beginning(&self.interpreter));
        Self {
            path,
            host_path,
            script,
            cwd,
            filename,
            interpreter,
            args: self.args.in_short(),
            flags,
            comm: self.comm.clone(),
            charge: Charge::default(),
            redacted: Redacted::default(),
            ..*self
        }
    }

    #[must_use]
    pub const fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether the path is not whole.
    #[must_use]
    pub fn lacks_beginning(&self) -> bool {
        self.path.starts_with(NOT_WHOLE)
    }

    /// Whether the working directory's path is not whole.
    #[must_use]
    pub fn cwd_lacks_beginning(&self) -> bool {
        self.cwd.starts_with(NOT_WHOLE)
    }

    /// The script that was run.
    #[must_use]
    pub fn script(&self) -> Option<&[u8]> {
        self.is(exec_flags::SCRIPT).then_some(self.script.as_slice())
    }

    /// Where the host has the file; none if it has it nowhere.
    #[must_use]
    pub fn host_path(&self) -> Option<&[u8]> {
        let path = if self.is(exec_flags::HOST_MOUNTS) { &self.path } else { &self.host_path };
        Some(path.as_slice()).filter(|path| is_whole(path))
    }
}

/// Stands where the beginning of a path is missing. No path begins with it.
pub const NOT_WHOLE: &[u8] = "…".as_bytes();

/// Whether a path has its beginning.
#[must_use]
pub fn is_whole(path: &[u8]) -> bool {
    !path.is_empty() && !path.starts_with(NOT_WHOLE)
}

/// How an audit session began, as the program that let the user in told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// Where from; none when that is local or was not told.
    pub address: Option<IpAddr>,
    /// The account that was logged into.
    pub account: Vec<u8>,
    /// Such as `pts/3`, `ssh`, `cron`.
    pub terminal: Vec<u8>,
    /// The program that let the user in, such as `/usr/sbin/sshd`.
    pub program: Vec<u8>,
}

/// The host, as far as fields and alerts tell it.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Stable across restarts of the sensor.
    pub sensor_id: String,
    pub hostname: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: u128,
    /// When the host was booted: nanoseconds since the Unix epoch; 0 if that is not known.
    pub boot_time: u64,
    /// The sensor itself; none when it is not known which process that is.
    pub sensor: Option<ProcessKey>,
    /// Further facts for alerts' `metadata`: name and value.
    pub metadata: Vec<(String, String)>,
}

impl Host {
    /// A name for a process that no other process ever has: a version 8 UUID of 36 bits of the boot id, 22 bits of
    /// the pid (`PID_MAX_LIMIT` is 2^22) and the 64 bits of the start time.
    #[must_use]
    pub fn process_uuid(&self, key: ProcessKey) -> Uuid {
        let pid = u128::from(key.tgid) & 0x3f_ffff;
        let start = u128::from(key.start);
        let boot = (self.boot_id >> 92) & 0xf_ffff_ffff;
        // 122 free bits: boot (36), pid (22), start (64); the version and variant bits are set by from_u128's parts.
        let free = boot << 86 | pid << 64 | start;
        let high = free >> 74; // 48 bits
        let middle = (free >> 62) & 0xfff; // 12 bits
        let low = free & 0x3fff_ffff_ffff_ffff; // 62 bits
        Uuid::from_u128(high << 80 | 0x8 << 76 | middle << 64 | 0b10 << 62 | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_short_says_that_it_is_cut() {
        let long = [vec![b'/'; 2], vec![b'p'; 3000]].concat();
        let mut image = Image { path: long.clone(), filename: long, argc: 3, ..Image::default() };
        image.args.set(&[b"first\0".to_vec(), vec![b'x'; 5000]].concat(), b"yyy\0last\0", 9000, false);
        let short = image.in_short();
        assert!(short.size() < 4096 && short.args.is_cut() && short.is(exec_flags::PATH_CUT | exec_flags::NAME_CUT));
        assert!(short.path.starts_with("…pp".as_bytes()) && short.args.joined().ends_with(b" last"));
        assert_eq!(short.args.iter().next(), Some(&b"first"[..]));
        assert_eq!((short.argc, short.args.total()), (3, 9000));
        let small = Image { path: b"/usr/bin/id".to_vec(), ..Image::default() };
        assert_eq!((small.in_short().path, small.in_short().flags), (small.path, 0));
    }

    #[test]
    fn process_uuids_differ_by_each_part() {
        let host = |boot_id| Host { boot_id, ..Host::default() };
        let base = host(1 << 127).process_uuid(ProcessKey::new(7, 9));
        assert_eq!(base.get_version_num(), 8);
        assert_eq!(base.get_variant(), uuid::Variant::RFC4122);
        for other in [
            host(1 << 126).process_uuid(ProcessKey::new(7, 9)),
            host(1 << 127).process_uuid(ProcessKey::new(8, 9)),
            host(1 << 127).process_uuid(ProcessKey::new(7, 10)),
            host(1 << 127).process_uuid(ProcessKey::new(7, 9 | 1 << 63)),
        ] {
            assert_ne!(base, other);
        }
    }
}
