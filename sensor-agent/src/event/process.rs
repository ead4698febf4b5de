//! What is known of a process: a snapshot that never changes once it is shared.
//!
//! An exec makes a new snapshot; what was forked before keeps the one it came from. So lineage tells the program
//! that really started a child, also after that program has replaced itself or is long gone.

use std::net::IpAddr;
use std::sync::Arc;

use budget::Charge;
use schema::process::Runtime;
pub use sensor_ebpf::record::ProcessKey;
use sensor_ebpf::record::exec_flags;
use uuid::Uuid;

use super::UserName;

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
}

/// What [`Image::in_short`] keeps of each text, bytes.
const SHORT: usize = 512;
/// What it keeps of the first and of the last arguments.
const SHORT_ARGS: [usize; 2] = [384, 128];

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

/// The arguments of an exec: NUL-terminated, as in the process's memory, whole or head and tail.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Head and, if cut, tail, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// The same with blanks for the NULs between arguments and a mark where something is missing.
    pub(crate) joined: Vec<u8>,
    /// Where the tail begins in `bytes`; their length when nothing was cut.
    pub(crate) tail_at: usize,
    /// Size in the process's memory, kept or not.
    pub(crate) total: u64,
    /// Some kept chunk could not be read and is zero-filled.
    pub(crate) unreadable: bool,
}

impl Arguments {
    /// Takes the arguments in, in place of what was there.
    pub fn set(&mut self, head: &[u8], tail: &[u8], total: u64, unreadable: bool) {
        self.bytes.clear();
        self.bytes.extend_from_slice(head);
        self.tail_at = self.bytes.len();
        self.bytes.extend_from_slice(tail);
        self.total = total;
        self.unreadable = unreadable;
        self.joined.clear();
        let blanks = |out: &mut Vec<u8>, part: &[u8]| {
            let part = part.strip_suffix(&[0]).unwrap_or(part);
            out.extend(part.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
        };
        if self.is_cut() {
            blanks(&mut self.joined, head);
            self.joined.extend_from_slice(CUT_MARK);
            blanks(&mut self.joined, tail);
        } else {
            blanks(&mut self.joined, &self.bytes);
        }
    }

    /// Bytes that they take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.capacity() + self.joined.capacity()
    }

    /// The first and the last of them, if they are long.
    fn in_short(&self) -> Self {
        let [head, tail] = SHORT_ARGS;
        if self.bytes.len() <= head + tail {
            return self.clone();
        }
        let mut short = Self::default();
        short.set(&self.bytes[..head], &self.bytes[self.bytes.len() - tail..], self.total, self.unreadable);
        short
    }

    /// Each argument, in order; at a cut the last one of the head and the first one of the tail are pieces.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let (head, tail) = if self.is_cut() { self.bytes.split_at(self.tail_at) } else { (&self.bytes[..], &[][..]) };
        split(head).chain(split(tail))
    }

    /// All arguments in one line.
    #[must_use]
    pub fn joined(&self) -> &[u8] {
        &self.joined
    }

    /// Size in the process's memory, bytes, kept or not.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that were kept.
    #[must_use]
    pub const fn kept(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the middle is missing.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.total > self.bytes.len() as u64
    }

    /// Whether some part could not be read.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }
}

/// Stands in the joined line where the middle of the arguments is missing.
const CUT_MARK: &[u8] = " … ".as_bytes();

/// Splits by length, so that empty arguments count.
fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let terminated = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    (!bytes.is_empty()).then(|| terminated.split(|&byte| byte == 0)).into_iter().flatten()
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

/// A container, as far as it is known: the id from the cgroup, the rest from its runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    /// None only in an event that is written down by hand.
    pub runtime: Option<Runtime>,
    pub name: String,
    pub image_id: String,
    pub image_name: String,
    pub labels: Vec<(String, String)>,
    pub pod: String,
    pub namespace: String,
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

    fn arguments(head: &[u8], tail: &[u8], total: u64) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.set(head, tail, total, false);
        arguments
    }

    #[test]
    fn empty_arguments_count() {
        let args = arguments(b"a\0\0b\0\0", b"", 6);
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"b", b""]);
        assert_eq!(args.joined(), b"a  b ");
    }

    #[test]
    fn no_arguments_are_none() {
        assert_eq!(arguments(b"", b"", 0).iter().count(), 0);
        assert_eq!(arguments(b"\0", b"", 1).iter().collect::<Vec<_>>(), [b""]);
    }

    #[test]
    fn a_cut_is_seen() {
        let args = arguments(b"a\0bb", b"yy\0z\0", 100);
        assert!(args.is_cut());
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"bb", b"yy", b"z"]);
        assert_eq!(args.joined(), "a bb … yy z".as_bytes());
    }

    #[test]
    fn a_whole_argv_in_two_pieces_is_one() {
        let args = arguments(b"a\0bb", b"cc\0", 7);
        assert!(!args.is_cut());
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"bbcc"]);
    }

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
