//! A file that is being opened, at whichever hook.

use super::kind;
use super::tell::{Names, Telling};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, offset};
use crate::kernel::watched;
use crate::watched::sort;

/// `FMODE_WRITE`, `FMODE_CREATED` and `FMODE_NOACCOUNT` of Linux: the last is of files that the kernel opens for itself, such as
/// overlayfs those below its own.
const WRITE: u32 = 0x2;
const CREATED: u32 = 0x10_0000;
const NO_ACCOUNT: u32 = 0x2000_0000;
/// `O_TRUNC` of Linux.
const TRUNCATE: u32 = 0o1000;

/// `FMODE_READ` and `FMODE_EXEC` of Linux. What is opened to be run is told as what it is.
const READ: u32 = 0x1;
const EXEC: u32 = 0x20;

/// What is told of the file: a kind of records, and the sort of events that it is of. None of a file that is not told of.
///
/// # Safety
///
/// `file` must be a `struct file`.
#[inline(always)]
pub(super) unsafe fn watched(file: Address) -> Option<(u16, usize)> {
    // SAFETY: probed.
    let (mode, asked) = unsafe {
        let mode: u32 = Probed::member(file, offset!(file.file_mode));
        (mode, Probed::member::<u32>(file, offset!(file.file_flags)))
    };
    if mode & NO_ACCOUNT != 0 {
        None
    } else if mode & CREATED != 0 {
        Some((kind::CREATE, sort::CHANGES))
    } else if mode & WRITE != 0 || asked & TRUNCATE != 0 {
        Some((kind::OPEN_FOR_MODIFY, sort::CHANGES))
    } else if mode & (READ | EXEC) == READ && watched::is_any(sort::READS) {
        Some((kind::OPEN, sort::READS))
    } else {
        None
    }
}

/// Tells of it.
///
/// # Safety
///
/// As [`told`].
#[inline(always)]
pub(super) unsafe fn opened<const N: u32>(run: Run, file: Address, error: i32) {
    // SAFETY: probed.
    unsafe {
        let Some((kind, sort)) = watched(file) else { return run.filtered() };
        let inode: Address = Probed::member(file, offset!(file_inode));
        let dentry: Address = Probed::member(file, offset!(file_path_dentry));
        let mount: u64 = Probed::member(file, offset!(file_path_mnt));
        let Some(telling) = Telling::begin::<N>(run, sort, inode, Names::One(dentry, mount)) else { return };
        telling.path(dentry, mount);
        telling.finish(kind, error);
    }
}
