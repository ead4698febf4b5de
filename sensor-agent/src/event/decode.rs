//! Record bytes to typed records, without copying the variable parts.
//!
//! Arbitrary bytes never panic: what does not fit the layouts is an error that the caller counts.

use schema::EventType;
use sensor_ebpf::record::exec::MOUNT_UNKNOWN;
use sensor_ebpf::record::{
    Actor, AnyBits, AuditRecord, ExecRecord, ExitRecord, ForkRecord, Header, LAYOUT_VERSION, kind,
};

use super::{Detail, classes};

/// A record, with its sections borrowed from the bytes.
#[derive(Clone, Debug)]
pub enum Record<'a> {
    Exec(Exec<'a>),
    /// A task that was running at the start.
    Baseline(Exec<'a>),
    ExecFailed(Exec<'a>),
    Fork(ForkRecord),
    Exit(ExitRecord),
    Audit(Audit<'a>),
    Act(Act),
}

/// What a process did, by a record that tells little of the process itself.
#[derive(Clone, Debug)]
pub struct Act {
    pub header: Header,
    pub actor: Actor,
    pub kind: EventType,
    pub detail: Detail,
}

/// An [`ExecRecord`] and its sections. Paths and the cgroup are still leaf first.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    pub fixed: ExecRecord,
    pub path: &'a [u8],
    /// The path of its mount on the file system that it is of.
    pub root: &'a [u8],
    pub cwd: &'a [u8],
    pub script: &'a [u8],
    pub filename: &'a [u8],
    pub interpreter: &'a [u8],
    pub cgroup: &'a [u8],
    pub args_head: &'a [u8],
    pub args_tail: &'a [u8],
}

/// An [`AuditRecord`] and its sections. The path and the cgroup are still leaf first.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    pub fixed: AuditRecord,
    pub path: &'a [u8],
    pub cgroup: &'a [u8],
    pub text: &'a [u8],
}

impl Exec<'_> {
    /// A record without sections.
    #[must_use]
    pub const fn bare(fixed: ExecRecord) -> Self {
        Self {
            fixed,
            path: &[],
            root: &[],
            cwd: &[],
            script: &[],
            filename: &[],
            interpreter: &[],
            cgroup: &[],
            args_head: &[],
            args_tail: &[],
        }
    }

    /// Where the file is on its own file system, leaf first, in two parts: within its mount, and from there on. None if that
    /// was not read.
    #[must_use]
    pub fn own_place(&self) -> Option<(&[u8], &[u8])> {
        if self.fixed.mount_len == MOUNT_UNKNOWN {
            return None;
        }
        Some((self.path.get(..usize::from(self.fixed.mount_len))?, self.root))
    }
}

impl Record<'_> {
    /// When: nanoseconds of the boot clock.
    #[must_use]
    pub const fn time(&self) -> u64 {
        match self {
            Self::Exec(exec) | Self::Baseline(exec) | Self::ExecFailed(exec) => exec.fixed.header.time,
            Self::Fork(fork) => fork.header.time,
            Self::Exit(exit) => exit.header.time,
            Self::Audit(audit) => audit.fixed.header.time,
            Self::Act(act) => act.header.time,
        }
    }
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("a record of {0} bytes is too short for its kind")]
    Short(usize),
    #[error("a record says that it is {said} bytes long and is {is}")]
    Length { said: u32, is: usize },
    #[error("a record of layout version {0}; this agent reads {LAYOUT_VERSION}")]
    Version(u16),
    #[error("a record of unknown kind {0}")]
    Kind(u16),
}

/// Reads one record.
pub fn decode(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    let header: Header = fixed(bytes)?;
    if header.layout != LAYOUT_VERSION {
        return Err(DecodeError::Version(header.layout));
    }
    if header.len as usize != bytes.len() {
        return Err(DecodeError::Length { said: header.len, is: bytes.len() });
    }
    match header.kind {
        kind::EXEC => exec(bytes).map(Record::Exec),
        kind::BASELINE => exec(bytes).map(Record::Baseline),
        kind::EXEC_FAILED => exec(bytes).map(Record::ExecFailed),
        kind::FORK => fixed(bytes).map(Record::Fork),
        kind::EXIT => fixed(bytes).map(Record::Exit),
        kind::AUDIT => audit(bytes).map(Record::Audit),
        other => act(other, bytes).map(Record::Act),
    }
}

fn act(kind: u16, bytes: &[u8]) -> Result<Act, DecodeError> {
    let reader = classes::readers().find(|reader| reader.record == kind).ok_or(DecodeError::Kind(kind))?;
    let (header, actor): (Header, Actor) =
        (fixed(bytes)?, fixed(bytes.get(size_of::<Header>()..).unwrap_or_default())?);
    Ok(Act { header, actor, kind: reader.event, detail: (reader.detail)(bytes)? })
}

fn exec(bytes: &[u8]) -> Result<Exec<'_>, DecodeError> {
    let fixed: ExecRecord = fixed(bytes)?;
    let mut section = sections(bytes, size_of::<ExecRecord>());
    Ok(Exec {
        path: section(fixed.path_len)?,
        root: section(fixed.root_len)?,
        cwd: section(fixed.cwd_len)?,
        script: section(fixed.script_len)?,
        filename: section(fixed.filename_len)?,
        interpreter: section(fixed.interpreter_len)?,
        cgroup: section(fixed.cgroup_len)?,
        args_head: section(fixed.args_head_len)?,
        args_tail: section(fixed.args_tail_len)?,
        fixed,
    })
}

fn audit(bytes: &[u8]) -> Result<Audit<'_>, DecodeError> {
    let fixed: AuditRecord = fixed(bytes)?;
    let mut section = sections(bytes, size_of::<AuditRecord>());
    Ok(Audit {
        path: section(fixed.path_len)?,
        cgroup: section(fixed.cgroup_len)?,
        text: section(fixed.text_len)?,
        fixed,
    })
}

/// Cuts one section after the other off the bytes behind the fixed part.
pub(super) fn sections<'a>(bytes: &'a [u8], fixed: usize) -> impl FnMut(u16) -> Result<&'a [u8], DecodeError> {
    let mut rest = bytes.get(fixed..).unwrap_or_default();
    move |len| {
        let (section, after) = rest.split_at_checked(usize::from(len)).ok_or(DecodeError::Short(bytes.len()))?;
        rest = after;
        Ok(section)
    }
}

/// Turns a leaf-first path (`env/bin/usr`) into `out` (`/usr/bin/env`), replacing what was there.
pub fn turn_path(leaf_first: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(leaf_first.len() + 1);
    let mut rest = leaf_first;
    while let Some(slash) = memchr::memrchr(b'/', rest) {
        if slash + 1 < rest.len() {
            out.push(b'/');
            out.extend_from_slice(&rest[slash + 1..]);
        }
        rest = &rest[..slash];
    }
    out.push(b'/');
    out.extend_from_slice(rest);
}

/// The type that the bytes begin with.
pub(super) fn fixed<T: AnyBits>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() < size_of::<T>() {
        return Err(DecodeError::Short(bytes.len()));
    }
    // SAFETY: the length was checked, T is valid for any bytes, and the read asks for no alignment.
    Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>, kind in 0u16..64, fix: bool) {
            if fix && bytes.len() >= 8 {
                let len = bytes.len() as u32;
                bytes[..2].copy_from_slice(&LAYOUT_VERSION.to_ne_bytes());
                bytes[2..4].copy_from_slice(&kind.to_ne_bytes());
                bytes[4..8].copy_from_slice(&len.to_ne_bytes());
            }
            let _ = decode(&bytes);
        }

        #[test]
        fn turning_a_path_round_keeps_its_names(names in prop::collection::vec("[a-z.]{1,6}", 1..6)) {
            let leaf_first = names.iter().rev().map(String::as_str).collect::<Vec<_>>().join("/");
            let mut out = b"left over".to_vec();
            turn_path(leaf_first.as_bytes(), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("/{}", names.join("/")));
        }
    }

    #[test]
    fn records_of_acts_are_read() {
        let record = |kind: u16, len: usize| {
            let mut bytes = vec![0x61; len];
            bytes[..2].copy_from_slice(&LAYOUT_VERSION.to_ne_bytes());
            bytes[2..4].copy_from_slice(&kind.to_ne_bytes());
            bytes[4..8].copy_from_slice(&(len as u32).to_ne_bytes());
            bytes
        };
        let mut kinds = std::collections::HashSet::from([kind::EXEC, kind::BASELINE, kind::EXEC_FAILED, kind::FORK]);
        kinds.extend([kind::EXIT, kind::AUDIT]);
        for reader in classes::readers() {
            assert!(kinds.insert(reader.record), "{:?}", reader.event);
            let mut bytes = record(reader.record, reader.size);
            // Without sections.
            bytes[size_of::<Header>() + size_of::<Actor>()..].fill(0);
            let Ok(Record::Act(act)) = decode(&bytes) else { panic!("{:?}", reader.event) };
            assert_eq!(
                (act.kind, act.actor.comm, act.header.time),
                (reader.event, *b"aaaaaaaaaaaaaaaa", 0x6161_6161_6161_6161)
            );
            for len in [reader.size - 1, size_of::<Header>() + 1, size_of::<Header>()] {
                assert!(matches!(decode(&record(reader.record, len)), Err(DecodeError::Short(_))));
            }
        }
    }

    #[test]
    fn the_root_alone_is_a_slash() {
        let mut out = Vec::new();
        turn_path(b"", &mut out);
        assert_eq!(out, b"/");
    }
}
