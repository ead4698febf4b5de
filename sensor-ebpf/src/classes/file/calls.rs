//! The programs at the end of every system call, for kernels that allow none at functions.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_get_current_task;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use super::inodes::{self, Opening};
use super::numbers::{self, Does};
use super::tell::{Names, Telling};
use super::{flags, kind, names, open, parked};
use crate::classes::Source;
use crate::kernel::call::{self, Call};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, Typed, offset, present, word};
use crate::kernel::watched;
use crate::watched::sort;

/// What was seen of a call's inodes is told by what the call has done.
#[btf_tracepoint(function = "sys_exit")]
fn file_call_ended(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments are the `struct pt_regs`, and what the call returned.
    unsafe {
        let (regs, returned) = (word::<0>(ctx.as_ptr()) as Address, word::<1>(ctx.as_ptr()) as i64);
        let number = call::number(Typed::member::<u32>(regs, offset!(regs_number)));
        if numbers::does(number, false) != Does::NOTHING || numbers::does(number, true) != Does::NOTHING {
            let call = Call::of_task(regs);
            let does = numbers::does(number, call.is_compat);
            if does.opens() {
                opens(does, call, returned);
            } else if does.makes() {
                file_made(returned as u64);
            } else if does != Does::NOTHING {
                ended(does, returned);
            }
        }
    }
    0
}

/// Files that are opened alone.
#[btf_tracepoint(function = "sys_exit")]
fn file_opened(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: as above.
    unsafe {
        let (regs, returned) = (word::<0>(ctx.as_ptr()) as Address, word::<1>(ctx.as_ptr()) as i64);
        let number = call::number(Typed::member::<u32>(regs, offset!(regs_call)));
        if is_any_open(number) && is_open(number, Call::of_task(regs).is_compat) {
            opened(returned);
        }
    }
    0
}

/// Tells of the file of the descriptor that a call returned. A function of its own, as others below, so that the verifier looks at
/// it once and not once for each way that leads here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_of_descriptor(descriptor: u32) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let file = call::file::<Probed>(bpf_get_current_task() as Address, descriptor);
        if !file.is_null()
            && open::watched(file).is_some()
            && let Some(run) = Run::begin::<0>(Source::File)
        {
            open::opened::<0>(run, file, 0);
        }
    }
    0
}

#[inline(always)]
fn opened(returned: i64) {
    if (0..=i64::from(i32::MAX)).contains(&returned) {
        file_of_descriptor(returned as u32);
    }
}

#[inline(always)]
unsafe fn opens(does: Does, call: Call, returned: i64) {
    // SAFETY: as above.
    unsafe {
        match inodes::opening(does, call) {
            Opening::ToRead if !watched::is_any(sort::READS) => {}
            Opening::ToReadEmptied if parked::is_parked(0) => {
                file_ended(u32::from(kind::OPEN_FOR_MODIFY), error(returned) as u32);
            }
            _ => opened(returned),
        }
    }
}

/// A negative errno, or zero.
#[inline(always)]
fn error(returned: i64) -> i32 {
    if returned < 0 { returned as i32 } else { 0 }
}

/// A file that was made, and is none of an open.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_made(returned: u64) -> u64 {
    /// `S_IFMT` and others of Linux.
    const TYPE: u16 = 0o170_000;
    const FOLDER: u16 = 0o040_000;
    const LINK: u16 = 0o120_000;
    // SAFETY: the task is in a call; all is probed.
    unsafe {
        let (does, call) = inodes::at_hand();
        let inode = inodes::made();
        if inode.is_null() || returned != 0 {
            return 0;
        }
        let what = Probed::member::<u16>(inode, offset!(inode_mode)) & TYPE;
        let is_it = match does.what() {
            Does::FOLDER => what == FOLDER,
            Does::SYMLINK => what == LINK,
            _ => what != FOLDER && what != LINK,
        };
        let dentry = names::newest(inode);
        if !is_it || dentry.is_null() {
            return 0;
        }
        let file = inodes::descriptor(does, call);
        let near = if file.is_null() { 0 } else { Probed::member::<u64>(file, offset!(file_path_mnt)) };
        let mount = names::mount(dentry, near);
        let Some(run) = Run::begin::<0>(Source::File) else { return 0 };
        let names = if what == LINK { Names::ToCome } else { Names::One(dentry, mount) };
        let Some(telling) = Telling::begin::<0>(run, sort::CHANGES, inode, names) else { return 0 };
        telling.path(dentry, mount);
        if what == LINK && present!(file.inode_link) {
            let held: Address = Probed::member(inode, offset!(file.inode_link));
            if !held.is_null() {
                telling.held(held);
            }
        }
        telling.finish(kind::CREATE, 0);
    }
    0
}

#[inline(always)]
fn ended(does: Does, returned: i64) {
    let error = error(returned) as u32;
    let kind = match does.what() {
        Does::RENAME => {
            file_renamed(error);
            return;
        }
        Does::DELETE => kind::DELETE,
        Does::LINK => kind::LINK,
        Does::TRUNCATE => kind::TRUNCATE,
        _ => kind::ATTRIBUTES,
    };
    file_ended(u32::from(kind), error);
}

/// Tells of what was put by, as an event of this kind.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_ended(kind: u32, error: u32) -> u64 {
    let (kind, error) = (kind as u16, error as i32);
    // SAFETY: all is probed.
    unsafe {
        let Some((telling, subject)) = Telling::resume(0) else { return 0 };
        if kind == kind::LINK && error == 0 {
            let new = names::besides(subject.inode as Address, subject.dentry as Address);
            telling.target(new, names::mount(new, subject.mount));
        }
        telling.finish(kind, error);
    }
    0
}

/// Of the files that were seen the one that has another name now. If there are two, they have exchanged theirs.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_renamed(error: u32) -> u64 {
    let error = error as i32;
    // SAFETY: as above.
    unsafe {
        let Some(mut subject) = parked::parked(0) else { return 0 };
        let (mut found, mut renamed, mut place) = (0, 0, 0);
        while place < parked::PLACES {
            if let Some(other) = parked::parked(place).filter(|other| other.is_renamed()) {
                if renamed == 0 {
                    (found, subject) = (place, other);
                }
                renamed += 1;
            }
            place += 1;
        }
        if let Some((telling, _)) = Telling::resume(found) {
            if error == 0 {
                let new = subject.name();
                telling.target(new, names::mount(new, subject.mount));
                if renamed > 1 {
                    (*telling.record).flags |= flags::EXCHANGE;
                }
            }
            telling.finish(kind::RENAME, error);
        }
        parked::forget(0);
        parked::forget(1);
        parked::forget(2);
    }
    0
}

/// Whether a call of this number opens a file, in either interface.
#[inline(always)]
fn is_any_open(call: u32) -> bool {
    is_open(call, false) || is_open(call, true)
}

/// `open`, `creat`, `openat`, `openat2` and `open_by_handle_at`.
#[inline(always)]
fn is_open(call: u32, is_compat: bool) -> bool {
    if is_compat {
        matches!(call, 5 | 8 | 295 | 342 | 437)
    } else if present!(thread_info_status) {
        matches!(call, 2 | 85 | 257 | 304 | 437)
    } else {
        // The 64 bit ARM.
        matches!(call, 56 | 265 | 437)
    }
}
