//! The executed file: inode, owner, where it lies, and what is odd about it.

use crate::record::exec::MOUNT_UNKNOWN;
use crate::record::{ExecRecord, exec_flags};

use crate::kernel::load::{Address, member, offset, probe};
use crate::kernel::path::{self, End};
use crate::kernel::scratch::Area;

/// `OVERLAYFS_SUPER_MAGIC` of Linux.
const OVERLAY_MAGIC: u64 = 0x794c_7630;
/// Multigrain timestamps (Linux 6.13) keep a flag in bit 31 of the nanoseconds.
const NANOSECONDS: u32 = (1 << 30) - 1;
const SECOND: u64 = 1_000_000_000;

/// Appends the path sections and fills in all that describes the file.
///
/// # Safety
///
/// `file` must be a typed pointer to a `struct file` or null, `record` within `area`.
#[inline(always)]
pub(super) unsafe fn describe(file: Address, area: Area, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        none(record);
        if file.is_null() {
            area.flag(exec_flags::READ_FAILED | exec_flags::PATH_CUT);
            return;
        }
        let mut unlinked = inode(file, area, record);
        let mnt: u64 = member(file, offset!(file_path_mnt));
        let dentry: Address = member(file, offset!(file_path_dentry));
        let start = area.at();
        let path = path::append(area, dentry as u64, mnt);
        (*record).path_len = path.len;
        area.flag(path.mounts);
        // A memfd never had a link: to call it deleted as well would tell nothing.
        if path.end == End::Nameless && memfd(area, start) {
            area.flag(exec_flags::MEMFD);
            return;
        }
        if path.end != End::Root {
            area.flag(exec_flags::PATH_CUT);
        }
        if path.mounts & exec_flags::HOST_MOUNTS == 0 {
            own_place(area, record, start, mnt);
        }
        // As the kernel's d_unlinked(): out of the hash, and not a root.
        if path.end != End::Nameless && !dentry.is_null() {
            let hashed: u64 = member(dentry, offset!(dentry_hash_pprev));
            unlinked |= hashed == 0 && path.len > 0;
        }
        if unlinked {
            area.flag(exec_flags::DELETED);
        }
    }
}

/// Where the file is on its own file system: how much of its path lies within its mount, and the path of that mount's root.
#[inline(always)]
unsafe fn own_place(area: Area, record: *mut ExecRecord, start: u64, mnt: u64) {
    // SAFETY: within the area.
    unsafe {
        let left = (&raw const (*area.0).left).read_volatile();
        let (len, end) = path::append_mount_root(area, mnt);
        (*record).root_len = len;
        if left != 0 && end == End::Root {
            let within = left.wrapping_sub(start);
            (*record).mount_len = (if within > 0 { within - 1 } else { 0 }) as u16;
        }
    }
}

/// Fills in what the inode tells; true if it has no link left.
#[inline(always)]
unsafe fn inode(file: Address, area: Area, record: *mut ExecRecord) -> bool {
    // SAFETY: the verifier.
    unsafe {
        let inode: Address = member(file, offset!(file_inode));
        if inode.is_null() {
            area.flag(exec_flags::READ_FAILED);
            return false;
        }
        (*record).inode = member(inode, offset!(inode_ino));
        let mode: u16 = member(inode, offset!(inode_mode));
        (*record).mode = u32::from(mode);
        (*record).file_uid = member(inode, offset!(inode_uid));
        let seconds: u64 = member(inode, offset!(inode_ctime_sec));
        let nanoseconds: u32 = member(inode, offset!(inode_ctime_nsec));
        (*record).ctime_ns = seconds.wrapping_mul(SECOND).wrapping_add(u64::from(nanoseconds & NANOSECONDS));
        let links: u32 = member(inode, offset!(inode_nlink));
        let sb: Address = member(inode, offset!(inode_sb));
        if !sb.is_null() {
            (*record).device = member(sb, offset!(sb_dev));
            let magic: u64 = member(sb, offset!(sb_magic));
            if magic == OVERLAY_MAGIC {
                // `struct ovl_inode` holds the inode and right after it the upper layer's dentry, null without one
                // (fs/overlayfs/ovl_entry.h, unchanged since Linux 4.19).
                let word = &raw mut (*area.0).word;
                if probe(word, inode as u64 + u64::from(offset!(inode_size))) && word.read_volatile() != 0 {
                    area.flag(exec_flags::OVERLAY_UPPER);
                }
            }
        }
        links == 0
    }
}

/// Whether the name just appended at `start` is a memfd's.
#[inline(always)]
unsafe fn memfd(area: Area, start: u64) -> bool {
    let end = area.at();
    area.set_at(start);
    let name = area.end();
    area.set_at(end);
    // SAFETY: `end` leaves room.
    unsafe {
        let byte = |i: usize| name.add(i).read_volatile();
        end - start >= 6
            && byte(0) == b'm'
            && byte(1) == b'e'
            && byte(2) == b'm'
            && byte(3) == b'f'
            && byte(4) == b'd'
            && byte(5) == b':'
    }
}

/// Zeroes what describes the executed file.
///
/// # Safety
///
/// `record` must be within its area.
#[inline(always)]
pub(super) unsafe fn none(record: *mut ExecRecord) {
    // SAFETY: within the area.
    unsafe {
        (*record).inode = 0;
        (*record).ctime_ns = 0;
        (*record).device = 0;
        (*record).mode = 0;
        (*record).file_uid = 0;
        (*record).path_len = 0;
        (*record).root_len = 0;
        (*record).mount_len = MOUNT_UNKNOWN;
    }
}
