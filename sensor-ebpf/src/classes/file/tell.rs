//! How a record of what was done to a file is built.

use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel_str, bpf_probe_read_user_str};

use super::{FileRecord, NAME_MAX, flags};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::emit::Run;
use crate::kernel::first_look::may_be_watched;
use crate::kernel::load::{Address, Memory, Probed, at_most, offset};
use crate::kernel::mounts;
use crate::kernel::path::{self, End, Path};
use crate::kernel::scratch::Area;
use crate::kernel::watched;
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

/// An area in which names of this sort of events are looked for. If nobody asks for any of the sort, or there is no area, the run ends
/// here.
#[inline(always)]
pub(super) fn looking<const N: u32>(run: Run, sort: usize) -> Option<Area> {
    let Some(area) = Area::file(N) else {
        run.failed();
        return None;
    };
    if !watched::begin(area, sort) {
        area.release();
        run.filtered();
        return None;
    }
    mounts::note_current(area);
    Some(area)
}

/// The names that decide whether anybody asks for a record, as far as they are known when it is begun.
#[derive(Clone, Copy)]
pub(super) enum Names {
    /// The one, by its mount.
    One(Address, u64),
    /// Both, which are on one mount.
    Both(Address, Address, u64),
    /// There will be another one, or one that is no file's.
    ToCome,
}

impl Names {
    #[inline(always)]
    unsafe fn may_be_watched(self, area: Area) -> bool {
        // SAFETY: the caller of `begin`.
        unsafe {
            match self {
                Self::One(dentry, mount) => may_be_watched(area, dentry as u64, mount),
                Self::Both(one, other, mount) => {
                    may_be_watched(area, one as u64, mount) || may_be_watched(area, other as u64, mount)
                }
                Self::ToCome => true,
            }
        }
    }
}

/// A record that is being built.
#[derive(Clone, Copy)]
pub(super) struct Telling {
    pub(super) run: Run,
    pub(super) area: Area,
    pub(super) record: *mut FileRecord,
}

impl Telling {
    /// Begins one about this file, of this sort of events. If nobody asks for one of the sort that has these names, or there is
    /// nowhere to build it, the run ends here.
    ///
    /// # Safety
    ///
    /// `inode` must be a `struct inode`, or null, and the names `struct dentry`.
    #[inline(always)]
    pub(super) unsafe fn begin<const N: u32>(run: Run, sort: usize, inode: Address, names: Names) -> Option<Self> {
        let area = looking::<N>(run, sort)?;
        // SAFETY: the caller.
        if !unsafe { names.may_be_watched(area) } {
            watched::end(area);
            area.release();
            run.filtered();
            return None;
        }
        let record = area.begin_as::<FileRecord>();
        // SAFETY: the record is within the area; what is reached through the inode is probed.
        unsafe {
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
        Some(Self { run, area, record })
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

    /// The path that a name was at which the file has no more: the name, and the folder that it was in.
    ///
    /// # Safety
    ///
    /// `name` must have so many bytes, `folder` and `mount` must be the two halves of a `struct path`.
    #[inline(always)]
    pub(super) unsafe fn path_of_old(self, name: Address, len: u32, folder: u64, mount: u64) {
        // SAFETY: as above.
        unsafe {
            let (len, flags) = length_and_flags(path::append_below(self.area, name, len, folder, mount));
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
        length_and_flags(unsafe { path::append(self.area, dentry as u64, mount) })
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
        // Its names are not looked at one by one.
        watched::found(self.area);
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

    /// The name of an extended attribute, as the caller's memory has it.
    ///
    /// # Safety
    ///
    /// As [`Self::held`].
    #[inline(always)]
    pub(super) unsafe fn name_of_user(self, text: u64) {
        // SAFETY: `Area::end` leaves room for more than any name.
        unsafe {
            let len = bpf_probe_read_user_str(self.area.end().cast(), NAME_MAX as u32, text as Address);
            let len = if len > 0 { at_most::<{ NAME_MAX as u64 }>(len as u64 - 1) } else { 0 };
            self.area.set_at(self.area.at() + len);
            (*self.record).name_len = len as u16;
        }
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

    /// Hands it over, if it is one that a rule can match, and there is room for it.
    #[inline(always)]
    pub(super) fn finish(self, kind: u16, error: i32) {
        if !self.is_asked_for() {
            self.run.filtered();
        } else if self.run.has_room(Source::File) {
            self.submit(kind, error);
        }
        self.area.release();
    }

    /// Leaves it: it was begun before.
    #[inline(always)]
    pub(super) fn leave(self) {
        watched::end(self.area);
        self.run.retried();
        self.area.release();
    }

    /// A path that is not known from the root on, or that a user may have made what it is, can be any to a rule.
    #[inline(always)]
    pub(super) fn is_asked_for(self) -> bool {
        const IN_DOUBT: u32 = exec_flags::PATH_CUT | exec_flags::USER_MOUNTS | exec_flags::MEMFD;
        // SAFETY: within the area.
        let flags = unsafe { (*self.record).flags | (*self.record).target_flags };
        watched::end(self.area) || flags & IN_DOUBT != 0
    }

    #[inline(always)]
    fn submit(self, kind: u16, error: i32) {
        let (bytes, len) = self.area.record();
        // SAFETY: within the area; what is reached through the task is probed.
        unsafe {
            actor::describe(&raw mut (*self.record).actor);
            (*self.record).header =
                Header { layout: LAYOUT_VERSION, kind, len: len as u32, time: bpf_ktime_get_boot_ns() };
            (*self.record).error = error;
        }
        self.run.submit(Source::File.ring(), bytes, len);
    }
}

/// How long a path is, and what is told of it.
#[inline(always)]
fn length_and_flags(path: Path) -> (u16, u32) {
    let end = match path.end {
        End::Root => 0,
        End::Nameless => exec_flags::MEMFD,
        End::Cut => exec_flags::PATH_CUT,
    };
    (path.len, path.mounts | end)
}
