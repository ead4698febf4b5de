//! The programs at functions that are called for the one thing alone.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{btf_map, fentry, fexit};
use aya_ebpf::programs::{FEntryContext, FExitContext};

use super::tell::{Before, Names, Telling};
use super::{changed, flags, kind, mount, open};
use crate::classes::Source;
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, offset, word};
use crate::kernel::replicas::{once, replicas, run_once};
use crate::watched::sort;

/// `EWOULDBLOCK` of Linux: somebody has to give up a lease first, and the kernel tries again.
const AGAIN: i32 = -11;
const MAX_ERRNO: i32 = 4095;

/// `ATTR_…` of Linux.
mod attr {
    pub(super) const MODE: u32 = 1 << 0;
    pub(super) const UID: u32 = 1 << 1;
    pub(super) const GID: u32 = 1 << 2;
    pub(super) const SIZE: u32 = 1 << 3;
    pub(super) const ATIME: u32 = 1 << 4;
    pub(super) const MTIME: u32 = 1 << 5;
    pub(super) const FILE: u32 = 1 << 13;
    pub(super) const OPEN: u32 = 1 << 15;
}

replicas! {
    fexit, "security_file_open", FExitContext, at_open:
    security_file_open = 0, security_file_open_2 = 1, security_file_open_3 = 2, security_file_open_4 = 3
}

replicas! {
    fexit, "vfs_mkdir", FExitContext, at_mkdir:
    vfs_mkdir = 0, vfs_mkdir_2 = 1, vfs_mkdir_3 = 2, vfs_mkdir_4 = 3
}

replicas! {
    fexit, "vfs_mknod", FExitContext, at_mknod:
    vfs_mknod = 0, vfs_mknod_2 = 1, vfs_mknod_3 = 2, vfs_mknod_4 = 3
}

replicas! {
    fexit, "vfs_symlink", FExitContext, at_symlink:
    vfs_symlink = 0, vfs_symlink_2 = 1, vfs_symlink_3 = 2, vfs_symlink_4 = 3
}

replicas! {
    fexit, "vfs_link", FExitContext, at_link:
    vfs_link = 0, vfs_link_2 = 1, vfs_link_3 = 2, vfs_link_4 = 3
}

replicas! {
    fentry, "d_delete", FEntryContext, at_delete:
    d_delete = 0, d_delete_2 = 1, d_delete_3 = 2, d_delete_4 = 3
}

replicas! {
    fentry, "d_move", FEntryContext, at_move:
    d_move = 0, d_move_2 = 1, d_move_3 = 2, d_move_4 = 3
}

replicas! {
    fentry, "d_exchange", FEntryContext, at_exchange:
    d_exchange = 0, d_exchange_2 = 1, d_exchange_3 = 2, d_exchange_4 = 3
}

replicas! {
    fentry, "notify_change", FEntryContext, before_change:
    notify_change_before = 0, notify_change_before_2 = 1, notify_change_before_3 = 2, notify_change_before_4 = 3
}

replicas! {
    fexit, "notify_change", FExitContext, at_change:
    notify_change = 0, notify_change_2 = 1, notify_change_3 = 2, notify_change_4 = 3
}

replicas! {
    fexit, "vfs_setxattr", FExitContext, at_xattr:
    vfs_setxattr = 0, vfs_setxattr_2 = 1, vfs_setxattr_3 = 2, vfs_setxattr_4 = 3
}

replicas! {
    fexit, "vfs_removexattr", FExitContext, at_xattr_removal:
    vfs_removexattr = 0, vfs_removexattr_2 = 1, vfs_removexattr_3 = 2, vfs_removexattr_4 = 3
}

/// The error that a function has returned, as a number or in disguise of a pointer; else zero.
#[inline(always)]
fn error(returned: u64) -> i32 {
    // The upper half of an `int` means nothing, and of a pointer it is never one of these.
    let (half, low) = ((returned >> 32) as u32, returned as i32);
    if (half == 0 || half == u32::MAX) && (-MAX_ERRNO..0).contains(&low) { low } else { 0 }
}

/// The inode of a name; null if there is none.
#[inline(always)]
unsafe fn inode_of(dentry: Address) -> Address {
    // SAFETY: probed.
    unsafe { Probed::member(dentry, offset!(dentry_inode)) }
}

#[inline(always)]
fn at_open<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the one argument is the `struct file`, then comes what was returned.
    unsafe {
        let file = word::<0>(ctx) as Address;
        run_once::<N>(Source::File, file, |run| {
            open::opened::<N>(run, file, error(word::<1>(ctx)));
            mount::done(Probed::member(file, offset!(file_path_dentry)));
        });
    }
}

#[inline(always)]
fn at_mkdir<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments, then the returned value; the number of arguments is a constant to the verifier.
    unsafe {
        let parameters = offset!(file.vfs_mkdir_parameters);
        let dentry = if parameters == 3 { word::<1>(ctx) } else { word::<2>(ctx) };
        // Since Linux 6.15 it is a pointer, which the verifier lets no program look at as a number: but for a copy.
        let returned = Probed::member::<u64>(ctx.cast_const(), parameters * 8);
        run_once::<N>(Source::File, dentry as Address, |run| {
            made::<N>(run, dentry as Address, core::ptr::null(), error(returned));
        });
    }
}

#[inline(always)]
fn at_mknod<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let (dentry, returned) = match offset!(file.vfs_mknod_parameters) {
            4 => (word::<1>(ctx), word::<4>(ctx)),
            5 => (word::<2>(ctx), word::<5>(ctx)),
            _ => (word::<2>(ctx), word::<6>(ctx)),
        };
        run_once::<N>(Source::File, dentry as Address, |run| {
            made::<N>(run, dentry as Address, core::ptr::null(), error(returned));
        });
    }
}

#[inline(always)]
fn at_symlink<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let (dentry, held, returned) = match offset!(file.vfs_symlink_parameters) {
            3 => (word::<1>(ctx), word::<2>(ctx), word::<3>(ctx)),
            4 => (word::<2>(ctx), word::<3>(ctx), word::<4>(ctx)),
            _ => (word::<2>(ctx), word::<3>(ctx), word::<5>(ctx)),
        };
        run_once::<N>(Source::File, dentry as Address, |run| {
            made::<N>(run, dentry as Address, held as Address, error(returned));
        });
    }
}

/// A file that no open has made.
#[inline(always)]
unsafe fn made<const N: u32>(run: Run, dentry: Address, held: Address, error: i32) {
    // SAFETY: probed.
    unsafe {
        let Some(mount) = mount::of(dentry).filter(|_| error != AGAIN) else { return run.filtered() };
        let names = if held.is_null() { Names::One(dentry, mount) } else { Names::ToCome };
        let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode_of(dentry), names) else { return };
        telling.path(dentry, mount);
        if !held.is_null() {
            telling.held(held);
        }
        telling.finish(kind::CREATE, error);
        mount::done(dentry);
    }
}

#[inline(always)]
fn at_link<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let old = word::<0>(ctx) as Address;
        let (new, returned) = match offset!(file.vfs_link_parameters) {
            4 => (word::<2>(ctx) as Address, word::<4>(ctx)),
            _ => (word::<3>(ctx) as Address, word::<5>(ctx)),
        };
        run_once::<N>(Source::File, new, |run| {
            let error = error(returned);
            let Some(mount) = mount::of(new).filter(|_| error != AGAIN) else { return run.filtered() };
            // The kernel links within one mount alone.
            let names = Names::Both(old, new, mount);
            let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode_of(old), names) else { return };
            telling.path(old, mount);
            telling.target(new, mount);
            telling.finish(kind::LINK, error);
            mount::done(new);
        });
    }
}

#[inline(always)]
fn at_delete<const N: u32>(ctx: &FEntryContext) {
    // SAFETY: the one argument is the `struct dentry`.
    unsafe {
        let dentry = word::<0>(ctx.as_ptr()) as Address;
        run_once::<N>(Source::File, dentry, |run| {
            let Some(mount) = mount::of(dentry) else { return run.filtered() };
            let names = Names::One(dentry, mount);
            let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode_of(dentry), names) else { return };
            telling.path(dentry, mount);
            telling.finish(kind::DELETE, 0);
            mount::done(dentry);
        });
    }
}

#[inline(always)]
fn at_move<const N: u32>(ctx: &FEntryContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the dentry, and the one whose name it takes.
    unsafe {
        let (dentry, target) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
        run_once::<N>(Source::File, dentry, |run| renamed::<N>(run, dentry, target, 0));
    }
}

#[inline(always)]
fn at_exchange<const N: u32>(ctx: &FEntryContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the two dentries.
    unsafe {
        let (one, other) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
        run_once::<N>(Source::File, one, |run| {
            renamed::<N>(run, one, other, flags::EXCHANGE);
        });
    }
}

#[inline(always)]
unsafe fn renamed<const N: u32>(run: Run, dentry: Address, target: Address, flags: u32) {
    // SAFETY: probed.
    unsafe {
        let Some(mount) = mount::of(dentry) else { return run.filtered() };
        // The kernel renames within one mount alone.
        let names = Names::Both(dentry, target, mount);
        let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode_of(dentry), names) else { return };
        (*telling.record).flags = flags;
        telling.path(dentry, mount);
        telling.target(target, mount);
        telling.finish(kind::RENAME, 0);
        mount::done(dentry);
    }
}

/// A thread, and an inode by its address.
#[repr(C)]
#[derive(Clone, Copy)]
struct Key {
    thread: u64,
    inode: u64,
}

/// What the files were that threads are changing.
#[btf_map]
static BEFORE: LruHashMap<Key, Before, 4096> = LruHashMap::new();

#[inline(always)]
unsafe fn key(inode: Address) -> Key {
    // SAFETY: takes nothing.
    Key { thread: unsafe { bpf_get_current_pid_tgid() }, inode: inode as u64 }
}

#[inline(always)]
fn before_change<const N: u32>(ctx: &FEntryContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let dentry = match offset!(file.notify_change_parameters) {
            3 => word::<0>(ctx),
            _ => word::<1>(ctx),
        } as Address;
        // It tells nothing by itself.
        once::<N>(Source::File, dentry, || {
            let inode = inode_of(dentry);
            let _ = BEFORE.insert(&key(inode), &Before::of(inode), 0);
        });
    }
}

#[inline(always)]
fn at_change<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let (dentry, asked, returned) = match offset!(file.notify_change_parameters) {
            3 => (word::<0>(ctx), word::<1>(ctx), word::<3>(ctx)),
            _ => (word::<1>(ctx), word::<2>(ctx), word::<4>(ctx)),
        };
        let (dentry, asked) = (dentry as Address, asked as Address);
        run_once::<N>(Source::File, dentry, |run| change::<N>(run, dentry, asked, error(returned)));
    }
}

#[inline(always)]
unsafe fn change<const N: u32>(run: Run, dentry: Address, asked: Address, error: i32) {
    // SAFETY: probed.
    unsafe {
        let inode = inode_of(dentry);
        let what: u32 = Probed::member(asked, offset!(file.iattr_valid));
        let is_truncated = what & attr::SIZE != 0;
        let changed = of_attr(what);
        // That a file is emptied by opening it was told already.
        if what & attr::OPEN != 0 || !is_truncated && changed == 0 || error == AGAIN {
            return run.filtered();
        }
        let by_file: Address =
            if what & attr::FILE != 0 { Probed::member(asked, offset!(file.iattr_file)) } else { core::ptr::null() };
        let mount =
            if by_file.is_null() { mount::of(dentry) } else { Some(Probed::member(by_file, offset!(file_path_mnt))) };
        let Some(mount) = mount else { return run.filtered() };
        let names = Names::One(dentry, mount);
        let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode, names) else { return };
        if let Some(before) = BEFORE.get(&key(inode)) {
            telling.before(*before);
        }
        (*telling.record).changed = changed;
        telling.path(dentry, mount);
        telling.finish(if is_truncated { kind::TRUNCATE } else { kind::ATTRIBUTES }, error);
        mount::done(dentry);
    }
}

#[inline(always)]
fn of_attr(what: u32) -> u32 {
    let mut is = 0;
    if what & attr::MODE != 0 {
        is |= changed::MODE;
    }
    if what & attr::UID != 0 {
        is |= changed::UID;
    }
    if what & attr::GID != 0 {
        is |= changed::GID;
    }
    // What is written to a file, or cuts it, changes its times as well.
    if what & (attr::ATIME | attr::MTIME) != 0 && what & (attr::UID | attr::GID | attr::MODE | attr::SIZE) == 0 {
        is |= changed::TIMES;
    }
    is
}

#[inline(always)]
fn at_xattr<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let (dentry, name, returned) = match offset!(file.vfs_setxattr_parameters) {
            5 => (word::<0>(ctx), word::<1>(ctx), word::<5>(ctx)),
            _ => (word::<1>(ctx), word::<2>(ctx), word::<6>(ctx)),
        };
        let (dentry, name) = (dentry as Address, name as Address);
        run_once::<N>(Source::File, dentry, |run| {
            xattr::<N>(run, dentry, name, changed::XATTR, error(returned));
        });
    }
}

#[inline(always)]
fn at_xattr_removal<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let (dentry, name, returned) = match offset!(file.vfs_removexattr_parameters) {
            2 => (word::<0>(ctx), word::<1>(ctx), word::<2>(ctx)),
            _ => (word::<1>(ctx), word::<2>(ctx), word::<3>(ctx)),
        };
        let (dentry, name) = (dentry as Address, name as Address);
        run_once::<N>(Source::File, dentry, |run| {
            xattr::<N>(run, dentry, name, changed::XATTR_REMOVED, error(returned));
        });
    }
}

#[inline(always)]
unsafe fn xattr<const N: u32>(run: Run, dentry: Address, name: Address, what: u32, error: i32) {
    // SAFETY: probed.
    unsafe {
        let Some(mount) = mount::of(dentry).filter(|_| error != AGAIN) else { return run.filtered() };
        let names = Names::One(dentry, mount);
        let Some(telling) = Telling::begin::<N>(run, sort::CHANGES, inode_of(dentry), names) else { return };
        (*telling.record).changed = what;
        telling.path(dentry, mount);
        telling.name(name);
        telling.finish(kind::ATTRIBUTES, error);
        mount::done(dentry);
    }
}
