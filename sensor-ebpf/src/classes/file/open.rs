//! A file that is being opened, at whichever hook.

use super::kind;
use super::tell::Telling;
use crate::classes::Source;
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, offset};

/// `FMODE_WRITE`, `FMODE_CREATED` and `FMODE_NOACCOUNT` of Linux: the last is of files that the kernel opens for itself, such as
/// overlayfs those below its own.
const WRITE: u32 = 0x2;
const CREATED: u32 = 0x10_0000;
const NO_ACCOUNT: u32 = 0x2000_0000;
/// `O_TRUNC` of Linux.
const TRUNCATE: u32 = 0o1000;

/// Whether anything is told of the file.
///
/// # Safety
///
/// `file` must be a `struct file`.
#[inline(always)]
pub(super) unsafe fn is_told(file: Address) -> bool {
    // SAFETY: probed.
    unsafe {
        let mode: u32 = Probed::member(file, offset!(file.file_mode));
        let asked: u32 = Probed::member(file, offset!(file.file_flags));
        mode & NO_ACCOUNT == 0 && (mode & (WRITE | CREATED) != 0 || asked & TRUNCATE != 0)
    }
}

/// Tells of it.
///
/// # Safety
///
/// As [`is_told`].
#[inline(always)]
pub(super) unsafe fn opened<const N: u32>(run: Run, file: Address, error: i32) {
    // SAFETY: probed.
    unsafe {
        if !is_told(file) {
            return run.filtered();
        }
        let mode: u32 = Probed::member(file, offset!(file.file_mode));
        let inode: Address = Probed::member(file, offset!(file_inode));
        let Some(telling) = Telling::begin::<N>(run, Source::FileOpen, inode) else { return };
        telling.path(Probed::member(file, offset!(file_path_dentry)), Probed::member(file, offset!(file_path_mnt)));
        telling.finish(if mode & CREATED != 0 { kind::CREATE } else { kind::OPEN_FOR_MODIFY }, error);
    }
}
