//! How a record of what was done to a file is built.

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns, bpf_probe_read_kernel_str};

use super::{FileRecord, NAME_MAX, flags};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, at_most, offset};
use crate::kernel::mounts;
use crate::kernel::path::{self, End};
use crate::kernel::scratch::Area;
use crate::record::{Header, LAYOUT_VERSION, exec, exec_flags};

/// What is known of a file before it is changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Before {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Before {
    /// Reads it.
    ///
    /// # Safety
    ///
    /// `inode` must be a `struct inode`.
    #[inline(always)]
    pub(super) unsafe fn of(inode: Address) -> Self {
        // SAFETY: probed.
        unsafe {
            Self {
                mode: u32::from(Probed::member::<u16>(inode, offset!(inode_mode))),
                uid: Probed::member(inode, offset!(inode_uid)),
                gid: Probed::member(inode, offset!(file.inode_gid)),
            }
        }
    }
}

/// A record that is being built.
#[derive(Clone, Copy)]
pub(super) struct Telling {
    run: Run,
    source: Source,
    area: Area,
    pub(super) record: *mut FileRecord,
}

impl Telling {
    /// Begins one about this file: what was done, and who does it. If there is no room for it, the run ends here.
    ///
    /// # Safety
    ///
    /// `inode` must be a `struct inode`, or null.
    #[inline(always)]
    pub(super) unsafe fn begin<const N: u32>(run: Run, source: Source, inode: Address) -> Option<Self> {
        if !run.has_room(source) {
            return None;
        }
        let Some(area) = Area::file(N) else {
            run.failed();
            return None;
        };
        let record = area.begin_as::<FileRecord>();
        // SAFETY: the record is within the area; what is reached through the task and the inode is probed.
        unsafe {
            actor::describe(&raw mut (*record).actor);
            mounts::note::<Probed>(bpf_get_current_task() as Address, area);
            let now = Before::of(inode);
            let superblock: Address = Probed::member(inode, offset!(inode_sb));
            (*record).inode = Probed::member(inode, offset!(inode_ino));
            (*record).device = Probed::member(superblock, offset!(sb_dev));
            (*record).mode = now.mode;
            (*record).uid = now.uid;
            (*record).gid = now.gid;
            (*record).old_mode = 0;
            (*record).old_uid = 0;
            (*record).old_gid = 0;
            (*record).flags = 0;
            (*record).target_flags = 0;
            (*record).changed = 0;
            (*record).error = 0;
            (*record).path_len = 0;
            (*record).target_len = 0;
            (*record).name_len = 0;
            (*record).reserved = 0;
            (*record).reserved2 = 0;
        }
        Some(Self { run, source, area, record })
    }

    /// Tells what was before.
    #[inline(always)]
    pub(super) fn before(self, before: Before) {
        // SAFETY: within the area.
        unsafe {
            (*self.record).flags |= flags::BEFORE;
            (*self.record).old_mode = before.mode;
            (*self.record).old_uid = before.uid;
            (*self.record).old_gid = before.gid;
        }
    }

    /// The path, which comes before all else that is appended.
    ///
    /// # Safety
    ///
    /// `dentry` and `mount` must be the two halves of a `struct path`.
    #[inline(always)]
    pub(super) unsafe fn path(self, dentry: Address, mount: u64) {
        // SAFETY: `begin` has noted the namespaces; the record is within the area.
        unsafe {
            let (len, flags) = self.append(dentry, mount);
            (*self.record).path_len = len;
            (*self.record).flags |= flags;
        }
    }

    /// The other path, behind the first.
    ///
    /// # Safety
    ///
    /// As [`Self::path`].
    #[inline(always)]
    pub(super) unsafe fn target(self, dentry: Address, mount: u64) {
        // SAFETY: as above.
        unsafe {
            let (len, flags) = self.append(dentry, mount);
            (*self.record).target_len = len;
            (*self.record).target_flags = flags;
        }
    }

    #[inline(always)]
    unsafe fn append(self, dentry: Address, mount: u64) -> (u16, u32) {
        // SAFETY: as above.
        let path = unsafe { path::append(self.area, dentry as u64, mount) };
        let end = match path.end {
            End::Root => 0,
            End::Nameless => exec_flags::MEMFD,
            End::Cut => exec_flags::PATH_CUT,
        };
        (path.len, path.mounts | end)
    }

    /// What a symbolic link holds, for the target.
    ///
    /// # Safety
    ///
    /// `text` must be in the kernel's memory, with a zero at its end.
    #[inline(always)]
    pub(super) unsafe fn held(self, text: Address) {
        // SAFETY: within the area.
        unsafe { (*self.record).target_len = self.text::<{ exec::PATH_MAX }>(text) };
    }

    /// The name of an extended attribute.
    ///
    /// # Safety
    ///
    /// As [`Self::held`].
    #[inline(always)]
    pub(super) unsafe fn name(self, text: Address) {
        // SAFETY: as above.
        unsafe { (*self.record).name_len = self.text::<NAME_MAX>(text) };
    }

    #[inline(always)]
    unsafe fn text<const MAX: usize>(self, text: Address) -> u16 {
        // SAFETY: `Area::end` leaves room for more than any such text.
        let len = unsafe { bpf_probe_read_kernel_str(self.area.end().cast(), MAX as u32, text) };
        // Its zero is counted.
        let len = if len > 0 { at_most::<{ exec::PATH_MAX as u64 }>(len as u64 - 1) } else { 0 };
        self.area.set_at(self.area.at() + len);
        len as u16
    }

    /// Hands it over.
    #[inline(always)]
    pub(super) fn finish(self, kind: u16, error: i32) {
        let (bytes, len) = self.area.record();
        // SAFETY: within the area.
        unsafe {
            (*self.record).header =
                Header { layout: LAYOUT_VERSION, kind, len: len as u32, time: bpf_ktime_get_boot_ns() };
            (*self.record).error = error;
        }
        self.run.submit(self.source.ring(), bytes, len);
        self.area.release();
    }
}
