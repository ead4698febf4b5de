//! The programs where the time of an inode's last change is set, for kernels that allow none at functions.
//!
//! That happens for more than one inode in a call, and for reasons that have nothing to do with what the call is for: an inode that
//! is read from its disk, say, on the way to the file. So what it is about must be held by the call, see [`names`]; a file that is
//! being made is the last one without a name. What becomes of it is told when the call ends, see [`calls`](super::calls).
//!
//! What overlayfs does to its layers it does as somebody else. That is told of the overlay alone.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::{bpf_get_current_pid_tgid, bpf_get_current_task_btf, bpf_task_pt_regs};
use aya_ebpf::macros::{btf_map, btf_tracepoint};
use aya_ebpf::programs::BtfTracePointContext;

use super::numbers::{self, Does};
use super::parked::{self, Subject};
use super::tell::{Names, Telling};
use super::{changed, names};
use crate::classes::Source;
use crate::kernel::call::{self, Call};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, CastOrTyped, Memory, Probed, Typed, offset};
use crate::watched::sort;

/// `PF_KTHREAD` and `PF_IO_WORKER` of Linux: they are in no system call.
const IN_NO_CALL: u32 = 0x20_0010;
/// `TS_COMPAT` of Linux.
const COMPAT: u32 = 2;
/// `OVERLAYFS_SUPER_MAGIC` of Linux.
const OVERLAY: u64 = 0x794c_7630;
/// `S_IFMT` and `S_IFDIR` of Linux.
const TYPE: u16 = 0o170_000;
const FOLDER: u16 = 0o040_000;

/// The file that a thread is making.
#[btf_map]
static MAKING: LruHashMap<u64, u64, 4096> = LruHashMap::new();

#[btf_tracepoint(function = "inode_set_ctime_to_ts")]
fn inode_set_ctime_to_ts(ctx: BtfTracePointContext) -> i32 {
    at_change(&ctx)
}

#[btf_tracepoint(function = "ctime_ns_xchg")]
fn ctime_ns_xchg(ctx: BtfTracePointContext) -> i32 {
    at_change(&ctx)
}

#[btf_tracepoint(function = "ctime_xchg_skip")]
fn ctime_xchg_skip(ctx: BtfTracePointContext) -> i32 {
    at_change(&ctx)
}

/// Looks at the call first: what is written to a file changes its time too.
#[inline(always)]
fn at_change(ctx: &BtfTracePointContext) -> i32 {
    // SAFETY: the first argument is the `struct inode`; the task is typed.
    unsafe {
        let task = bpf_get_current_task_btf() as Address;
        if Typed::member::<u32>(task, offset!(task_flags)) & IN_NO_CALL != 0 {
            return 0;
        }
        let (does, call) = at_hand();
        // All others that open a file to change it are told for that.
        if does == Does::NOTHING || does.opens() && opening(does, call) != Opening::ToReadEmptied {
            return 0;
        }
        // A number, as functions are given.
        let inode = Probed::member::<u64>(ctx.as_ptr().cast_const(), 0);
        let is_as_self = CastOrTyped::member::<u64>(task, offset!(task_cred))
            == CastOrTyped::member(task, offset!(file.task_real_cred));
        if is_as_self || is_overlay(inode as Address) {
            file_changes(inode);
        }
    }
    0
}

/// The call that the task at hand is in, and what it does.
///
/// # Safety
///
/// The task must be in a call.
#[inline(always)]
pub(super) unsafe fn at_hand() -> (Does, Call) {
    // SAFETY: the task and its registers are typed.
    unsafe {
        let task = bpf_get_current_task_btf() as Address;
        let regs = bpf_task_pt_regs(task.cast_mut().cast()) as Address;
        let is_compat = Typed::member::<u32>(task, offset!(thread_info_status)) & COMPAT != 0;
        let number = call::number(Typed::member::<u32>(regs, offset!(regs_number)));
        (numbers::does(number, is_compat), Call::new(regs, is_compat))
    }
}

#[inline(always)]
unsafe fn is_overlay(inode: Address) -> bool {
    // SAFETY: probed.
    unsafe {
        let superblock: Address = Probed::member(inode, offset!(inode_sb));
        Probed::member::<u64>(superblock, offset!(sb_magic)) == OVERLAY
    }
}

/// The time of an inode's last change is set by a call that does something to files. A function of its own, as those below, so
/// that the verifier looks at it once and not once for each way that leads here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_changes(inode: u64) -> u64 {
    // SAFETY: the task is in a call; the inode and what is behind it are probed.
    unsafe {
        let (does, _) = at_hand();
        let inode = inode as Address;
        match does.what() {
            Does::FOLDER | Does::SYMLINK | Does::NODE => {
                if names::newest(inode).is_null() {
                    let _ = MAKING.insert(&bpf_get_current_pid_tgid(), &(inode as u64), 0);
                }
            }
            Does::RENAME => renames(inode),
            what => {
                let is_folder = Probed::member::<u16>(inode, offset!(inode_mode)) & TYPE == FOLDER;
                // A folder gets no second name and is not emptied. It is held while a file is made in it.
                if !names::is_held::<Probed>(inode) || is_folder && matches!(what, Does::LINK | Does::OPEN) {
                    return 0;
                }
                let (mut inode, mut dentry) = (inode, names::in_use(inode, what == Does::DELETE));
                if dentry.is_null() && what == Does::DELETE && is_folder && is_overlay(inode) {
                    // Of a file of a lower layer nothing changes but the folder that it is deleted from.
                    dentry = names::held_in(names::newest(inode));
                    inode = Probed::member(dentry, offset!(dentry_inode));
                }
                file_begin(inode as u64, dentry as u64, 0);
            }
        }
    }
    0
}

/// The file itself, the one whose name it takes, and a folder which is in the one that they are in and gets or loses a name: which
/// is which is seen afterwards.
#[inline(always)]
unsafe fn renames(inode: Address) {
    // SAFETY: as above.
    unsafe {
        let dentry = names::in_use(inode, true);
        if dentry.is_null() {
            return;
        }
        let mut place = 0;
        while place < parked::PLACES {
            match parked::parked(place) {
                Some(parked) if parked.inode == inode as u64 => return,
                Some(_) => place += 1,
                None => {
                    file_begin(inode as u64, dentry as u64, place);
                    return;
                }
            }
        }
    }
}

/// Begins a record of what is done to a file of this name, for when the call has ended.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_begin(inode: u64, dentry: u64, place: u64) -> u64 {
    // SAFETY: as above.
    unsafe {
        let (does, call) = at_hand();
        let (inode, dentry) = (inode as Address, dentry as Address);
        let file = descriptor(does, call);
        // The folder that a name is deleted from is none of its own.
        let is_of_file =
            !does.is(Does::DELETE) && !file.is_null() && Probed::member::<Address>(file, offset!(file_inode)) == inode;
        let near = if file.is_null() { 0 } else { Probed::member::<u64>(file, offset!(file_path_mnt)) };
        let (dentry, mount) = if is_of_file {
            (Probed::member::<Address>(file, offset!(file_path_dentry)), near)
        } else if dentry.is_null() {
            return 0;
        } else {
            (dentry, names::mount(dentry, near))
        };
        let Some(run) = Run::begin::<0>(Source::File) else { return 0 };
        let subject = Subject::of(inode, dentry, mount);
        if does.is(Does::RENAME) && parked::note(run, place, subject) {
            return 0;
        }
        // The names to come may be asked for.
        let is_whole = !matches!(does.what(), Does::RENAME | Does::LINK);
        let names = if is_whole { Names::One(dentry, mount) } else { Names::ToCome };
        let Some(telling) = Telling::begin::<0>(run, sort::CHANGES, inode, names) else { return 0 };
        // Its time may be set more than once.
        if parked::parked(place).is_some_and(|parked| parked.inode == inode as u64) {
            telling.leave();
            return 0;
        }
        (*telling.record).changed = of_call(does);
        telling.path(dentry, mount);
        match does.what() {
            Does::XATTR | Does::XATTR_REMOVED => telling.name_of_user(name_of_attribute(does, call)),
            _ => {}
        }
        telling.park(place, subject, is_whole);
    }
    0
}

/// The file of the descriptor that a call was given, if it was.
#[inline(always)]
pub(super) unsafe fn descriptor(does: Does, call: Call) -> Address {
    if !does.is_to_file() && !does.is_at() {
        return core::ptr::null();
    }
    // SAFETY: probed.
    unsafe { call::file::<CastOrTyped>(bpf_get_current_task_btf() as Address, call.argument::<0>() as u32) }
}

#[inline(always)]
unsafe fn name_of_attribute(does: Does, call: Call) -> u64 {
    // SAFETY: the call's registers. Those with a folder have flags before the name.
    unsafe { if does.is_at() { call.argument::<3>() } else { call.argument::<1>() } }
}

/// How a call opens a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// For reading alone; it is there.
    ToRead,
    /// The same, and it is emptied.
    ToReadEmptied,
    /// To change it or to make it; or in a way that is told in the caller's memory (`openat2`), where it is not looked for.
    Else,
}

/// How a call that opens a file does so, by its registers.
#[inline(always)]
pub(super) unsafe fn opening(does: Does, call: Call) -> Opening {
    /// `O_ACCMODE`, `O_CREAT` and `O_TRUNC` of Linux.
    const HOW: u64 = 0o3 | CREATE | TRUNCATE;
    const CREATE: u64 = 0o100;
    const TRUNCATE: u64 = 0o1000;
    if !does.is(Does::OPEN) {
        return Opening::Else;
    }
    // SAFETY: the call's registers.
    let asked = unsafe { if does.is_at() { call.argument::<2>() } else { call.argument::<1>() } };
    match asked & HOW {
        0 => Opening::ToRead,
        TRUNCATE => Opening::ToReadEmptied,
        how if how == CREATE | TRUNCATE => Opening::ToReadEmptied,
        _ => Opening::Else,
    }
}

/// Bits of [`changed`].
#[inline(always)]
fn of_call(does: Does) -> u32 {
    match does.what() {
        Does::MODE => changed::MODE,
        Does::OWNER => changed::UID | changed::GID,
        Does::TIMES => changed::TIMES,
        Does::XATTR => changed::XATTR,
        Does::XATTR_REMOVED => changed::XATTR_REMOVED,
        Does::FLAGS => changed::FLAGS,
        _ => 0,
    }
}

/// The file that this thread was making; null if there is none. Forgets it.
#[inline(always)]
pub(super) fn made() -> Address {
    // SAFETY: takes nothing; the map's own value.
    unsafe {
        let thread = bpf_get_current_pid_tgid();
        let Some(inode) = MAKING.get(&thread).copied() else { return core::ptr::null() };
        let _ = MAKING.remove(&thread);
        inode as Address
    }
}
