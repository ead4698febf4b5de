//! Which file a script is.
//!
//! By the time of `sched_process_exec` the kernel has put the interpreter in its place (`exec_binprm` in fs/exec.c, Linux 5.8)
//! and given the script's file back: the last reference to it, since the kernel opens a file of its own for each exec. But what
//! a system call gives back is closed at its end (`fput` in fs/file_table.c, Linux 3.6): until then the file is on the
//! task's list of work put off, and whole. The list grows at its head, and the script is the first file that the call gives
//! back: closed descriptors and the mappings of the program before come after. So it is the last regular file on the
//! list.

use crate::record::exec_flags;

use crate::kernel::load::{Address, Memory, Probed, Typed, address, fetch, offset, present, zero};
use crate::kernel::path::{self, End};
use crate::kernel::scratch::Area;

/// Pieces of work that one call looks at, and most calls of [`script_walk`], and of [`script_steps`] in each. A program may have many
/// files closed at its exec; if they hide its script, the script's path is told as not whole.
const PIECES: u32 = 2;
const CALLS: u32 = 32;
/// `S_IFMT` and `S_IFREG` of Linux.
const TYPE: u16 = 0o170_000;
const REGULAR: u16 = 0o100_000;

/// Whether the running kernel lets a script be found.
#[inline(always)]
pub(super) fn can_be_found() -> bool {
    present!(task_works) && present!(file_task_work)
}

/// The `struct file` that the current task's exec is of, where the kernel has put another in its place; zero if it was not
/// found.
///
/// # Safety
///
/// `task` must be a typed pointer to the current task, which must be in the middle of an exec.
#[inline(always)]
pub(super) unsafe fn find(task: Address, area: Area) -> u64 {
    if !can_be_found() {
        return 0;
    }
    // SAFETY: the verifier checks the area; `probe` the rest.
    unsafe {
        let works: Address = Typed::member(task, offset!(task_works));
        let script = &raw mut (*area.0).script;
        script.write_volatile(0);
        let next = &raw mut (*area.0).dentry;
        next.write_volatile(works as u64);
        let mut call = zero();
        while call < CALLS {
            call += 1;
            if script_walk(area.number()) != 0 {
                return script.read_volatile();
            }
        }
        0
    }
}

/// Goes on with the list, see `path` for why in a function of its own. Not zero at its end.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn script_walk(area: u32) -> u64 {
    let mut call = zero();
    while call < CALLS {
        call += 1;
        if script_steps(area) != 0 {
            return 1;
        }
    }
    0
}

/// Looks at the next pieces of work. Likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn script_steps(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return 1 };
    let mut piece = zero();
    while piece < PIECES {
        piece += 1;
        // SAFETY: within the area; `probe` the rest.
        unsafe {
            let next = &raw mut (*area.0).dentry;
            let here = next.read_volatile();
            if here == 0 {
                return 1;
            }
            look(area, here);
            if !address(next, here) {
                return 1;
            }
        }
    }
    0
}

/// Appends the path of a `struct file` as the script; returns its length.
///
/// # Safety
///
/// Everything is probed.
#[inline(always)]
pub(super) unsafe fn append(area: Area, file: u64) -> u16 {
    // SAFETY: within the area; `probe` the rest.
    let path = unsafe {
        let file = file as Address;
        path::append(
            area,
            Probed::member(file, offset!(file_path_dentry)),
            Probed::member(file, offset!(file_path_mnt)),
        )
    };
    area.flag(exec_flags::SCRIPT_PATH);
    if path.end == End::Cut {
        area.flag(exec_flags::SCRIPT_CUT);
    }
    if path.mounts & exec_flags::USER_MOUNTS != 0 {
        area.flag(exec_flags::SCRIPT_USER_MOUNTS);
    }
    path.len
}

/// Notes the file that a piece of work is the closing of, if it is a regular one. What else the work may be in, an inode that
/// the dentry beside it does not have as well tells it apart.
#[inline(always)]
unsafe fn look(area: Area, work: u64) {
    // SAFETY: within the area; `probe` the rest.
    unsafe {
        let file = work.wrapping_sub(u64::from(offset!(file_task_work)));
        let word = &raw mut (*area.0).word;
        if !address(word, file.wrapping_add(u64::from(offset!(file_inode)))) {
            return;
        }
        let inode = word.read_volatile();
        if !address(word, file.wrapping_add(u64::from(offset!(file_path_dentry)))) {
            return;
        }
        let dentry = word.read_volatile();
        if !address(word, dentry.wrapping_add(u64::from(offset!(dentry_inode)))) || word.read_volatile() != inode {
            return;
        }
        fetch(word.cast::<u16>(), inode + u64::from(offset!(inode_mode)));
        if word.cast::<u16>().read_volatile() & TYPE == REGULAR {
            (&raw mut (*area.0).script).write_volatile(file);
        }
    }
}
