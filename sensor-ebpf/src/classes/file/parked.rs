//! What is kept of a file from the middle of a system call to its end, when it is known what became of it.
//!
//! Each thread has a few places for that. A place holds whose name it is about; beside it lies the record that was begun, unless the
//! name that there was is one that nobody asks for: then the record, with the path that there was, is begun when the other name is
//! known to be one that somebody does.

use aya_ebpf::btf_maps::HashMap;
use aya_ebpf::helpers::generated::{bpf_get_current_pid_tgid, bpf_probe_read_kernel};
use aya_ebpf::macros::btf_map;

use super::tell::{Names, Telling, looking};
use super::{FileRecord, NAME_MAX};
use crate::classes::Source;
use crate::kernel::emit::Run;
use crate::kernel::first_look::may_be_watched;
use crate::kernel::load::{Address, Memory, Probed, at_most, offset};
use crate::kernel::mounts;
use crate::kernel::scratch::Area;
use crate::kernel::watched;
use crate::record::exec;
use crate::watched::sort;

/// A file, and its name as it was.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) inode: u64,
    pub(super) dentry: u64,
    pub(super) mount: u64,
    /// The folder of the name, and a digest of the name, as they were.
    pub(super) parent: u64,
    pub(super) digest: u64,
}

impl Subject {
    /// Of a name as it is.
    ///
    /// # Safety
    ///
    /// `dentry` must be a `struct dentry`.
    #[inline(always)]
    pub(super) unsafe fn of(inode: Address, dentry: Address, mount: u64) -> Self {
        // SAFETY: probed. The digest is the first word of a `struct qstr`.
        unsafe {
            let parent = Probed::member(dentry, offset!(dentry_parent));
            let digest = Probed::member(dentry, offset!(dentry_name));
            Self { inode: inode as u64, dentry: dentry as u64, mount, parent, digest }
        }
    }

    /// Whether it has another name now.
    ///
    /// # Safety
    ///
    /// All is probed.
    #[inline(always)]
    pub(super) unsafe fn is_renamed(self) -> bool {
        // SAFETY: as above.
        unsafe {
            let now = Self::of(self.inode as Address, self.dentry as Address, self.mount);
            now.parent != self.parent || now.digest != self.digest
        }
    }

    /// The name, unless it is another file's by now, or none's. Null then.
    ///
    /// # Safety
    ///
    /// All is probed.
    #[inline(always)]
    pub(super) unsafe fn name(self) -> Address {
        let dentry = self.dentry as Address;
        // SAFETY: as above.
        let inode: u64 = unsafe { Probed::member(dentry, offset!(dentry_inode)) };
        if inode == self.inode { dentry } else { core::ptr::null() }
    }
}

/// Places of a thread.
pub(super) const PLACES: u64 = 3;
/// Threads that are in the middle of changing a file at a time: few, as each is for the wink of an eye.
const THREADS: usize = 256;

#[repr(C)]
#[derive(Clone, Copy)]
struct Key {
    thread: u64,
    place: u64,
}

/// What a place holds.
#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    subject: Subject,
    /// Not zero if there is a record beside it; else the name that there was is kept here.
    has_record: u32,
    name_len: u32,
    name: [u8; COMPONENT],
}

/// `NAME_MAX` of Linux is 255.
const COMPONENT: usize = 256;

#[btf_map]
static PLACES_OF: HashMap<Key, Place, THREADS> = HashMap::new();

/// A record that was begun. It has a path by now, and a name at most.
#[repr(C)]
#[derive(Clone, Copy)]
struct Begun {
    record: [u8; size_of::<FileRecord>() + exec::PATH_MAX + NAME_MAX + 8],
    /// Its length.
    at: u64,
    watched: u64,
}

#[btf_map]
static BEGUN: HashMap<Key, Begun, THREADS> = HashMap::new();

#[inline(always)]
fn key(place: u64) -> Key {
    // SAFETY: takes nothing.
    Key { thread: unsafe { bpf_get_current_pid_tgid() }, place }
}

/// What this thread has at a place.
#[inline(always)]
pub(super) fn parked(place: u64) -> Option<Subject> {
    // SAFETY: the map's own value, which this thread alone changes.
    PLACES_OF.get_ptr(&key(place)).map(|place| unsafe { (*place).subject })
}

#[inline(always)]
pub(super) fn is_parked(place: u64) -> bool {
    PLACES_OF.get_ptr(&key(place)).is_some()
}

/// Forgets what there is.
#[inline(always)]
pub(super) fn forget(place: u64) {
    let key = key(place);
    if let Some(held) = PLACES_OF.get_ptr(&key) {
        // SAFETY: as above.
        if unsafe { (*held).has_record } != 0 {
            let _ = BEGUN.remove(&key);
        }
        let _ = PLACES_OF.remove(&key);
    }
}

/// Notes a file whose other name is to come, if nobody asks for the one that it has. False if somebody may.
///
/// # Safety
///
/// What the subject is of is probed.
#[inline(always)]
pub(super) unsafe fn note(run: Run, place: u64, subject: Subject) -> bool {
    let Some(area) = looking::<0>(run, sort::CHANGES) else { return true };
    // SAFETY: the caller; within the area.
    unsafe {
        let is_noted = !may_be_watched(area, subject.dentry, subject.mount);
        watched::end(area);
        if is_noted {
            let held = area.begin_as::<Place>();
            let dentry = subject.dentry as Address;
            let len: u32 = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_len));
            let name: Address = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name));
            let len = at_most::<{ COMPONENT as u64 - 1 }>(u64::from(len));
            (&raw mut (*held).subject).write(subject);
            (*held).has_record = 0;
            (*held).name_len = len as u32;
            bpf_probe_read_kernel((&raw mut (*held).name).cast(), len as u32, name);
            match PLACES_OF.insert(&key(place), &*held, 0) {
                // It is counted when it is told.
                Ok(()) => run.retried(),
                Err(_) => run.failed(),
            }
        }
        area.release();
        is_noted
    }
}

impl Telling {
    /// Puts it by until the call has ended, if it is one that a rule can match, or its other name is yet to come.
    #[inline(always)]
    pub(super) fn park(self, place: u64, subject: Subject, is_whole: bool) {
        let state = watched::state(self.area);
        if is_whole && !self.is_asked_for() {
            self.run.filtered();
            self.area.release();
            return;
        }
        watched::end(self.area);
        let key = key(place);
        // SAFETY: within the area, behind all that the record has by now, and then over it.
        unsafe {
            let begun = self.record.cast::<Begun>();
            (&raw mut (*begun).at).write(self.area.at());
            (&raw mut (*begun).watched).write(state);
            let is_begun = BEGUN.insert(&key, &*begun, 0).is_ok();
            let held = self.record.cast::<Place>();
            (&raw mut (*held).subject).write(subject);
            (*held).has_record = 1;
            (*held).name_len = 0;
            match is_begun && PLACES_OF.insert(&key, &*held, 0).is_ok() {
                // It is counted when it is told.
                true => self.run.retried(),
                false => {
                    let _ = BEGUN.remove(&key);
                    self.run.failed();
                }
            }
        }
        self.area.release();
    }

    /// Goes on with what was put by, and what it is about. None too if nobody asks for its name of now either.
    #[inline(always)]
    pub(super) fn resume(place: u64) -> Option<(Self, Subject)> {
        let key = key(place);
        let held = PLACES_OF.get_ptr(&key)?;
        let telling = Run::begin::<0>(Source::File).and_then(|run| match BEGUN.get_ptr(&key) {
            Some(begun) => Self::go_on(run, begun),
            // SAFETY: the map's own value, which this thread alone changes.
            None => unsafe { Self::anew(run, held) },
        });
        // SAFETY: as above.
        let subject = unsafe { (*held).subject };
        forget(place);
        Some((telling?, subject))
    }

    #[inline(always)]
    fn go_on(run: Run, begun: *const Begun) -> Option<Self> {
        let Some(area) = Area::file(0) else {
            run.failed();
            return None;
        };
        let record = area.begin_as::<FileRecord>();
        // SAFETY: within the area, which is larger; the map's own value.
        unsafe {
            bpf_probe_read_kernel(record.cast(), size_of::<Begun>() as u32, begun.cast());
            let here = record.cast::<Begun>();
            area.set_at((&raw const (*here).at).read_volatile());
            watched::go_on(area, (&raw const (*here).watched).read_volatile());
        }
        mounts::note_current(area);
        Some(Self { run, area, record })
    }

    /// Begins the record that was not worth it before.
    #[inline(always)]
    unsafe fn anew(run: Run, held: *const Place) -> Option<Self> {
        // SAFETY: the map's own value; all else is probed.
        unsafe {
            let subject = (*held).subject;
            let new = subject.name();
            let names = if new.is_null() { Names::ToCome } else { Names::One(new, subject.mount) };
            let telling = Self::begin::<0>(run, sort::CHANGES, subject.inode as Address, names)?;
            telling.path_of_old((&raw const (*held).name).cast(), (*held).name_len, subject.parent, subject.mount);
            Some(telling)
        }
    }
}
