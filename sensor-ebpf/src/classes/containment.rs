//! Containment: who is let see what. Processes move to other namespaces, and file systems are mounted, moved and taken away.
//!
//! Each call is told when the kernel has decided, refused ones with their error. The first rung that can be had serves:
//!
//! 1. the returns of the functions that do it, which run for nothing else and have the paths as the kernel resolved them:
//!    `ksys_unshare`, the system call `setns` by both of its entries, `path_mount` (fs/namespace.c), and the questions to security
//!    modules before a file system is unmounted, moved or made the root, and before a root is changed. What these are asked about
//!    can still fail, but for the last.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions. Places of mounts are what the
//!    caller's memory says of them after the call. While this is attached each system call of the host takes a longer way.
//!
//! Processes that are made in namespaces of their own are told with both by `task_newtask`, which runs when a task is made.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, Told};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "containment",
    ring: Ring::Rare,
    // In a user namespace of one's own all of it is allowed.
    sources: &[Told::new("containment").budget(Budget::per_second(1_000))],
    hooks: &[
        Hook::new(Source::Containment, "path_mount", point!(fexit "path_mount"))
            .beside(&[
                Beside::new("sb_umount", point!(fexit "security_sb_umount")),
                Beside::new("move_mount", point!(fexit "security_move_mount")),
                Beside::new("sb_pivotroot", point!(fexit "security_sb_pivotroot")),
                Beside::new("path_chroot", point!(fexit "security_path_chroot")),
                Beside::new("ksys_unshare", point!(fexit "ksys_unshare")),
                Beside::new("setns", point!(fexit "__x64_sys_setns")),
                Beside::new("setns_compat", point!(fexit "__ia32_sys_setns")).only_with("compat_calls"),
                Beside::new("task_newtask", point!(tp_btf "task_newtask")),
            ])
            .needs(&[
                "path_mount_parameters",
                "sb_umount_parameters",
                "move_mount_parameters",
                "sb_pivotroot_parameters",
                "path_chroot_parameters",
                "ksys_unshare_parameters",
                "setns_parameters",
                "regs_number",
                "namespace_type",
            ])
            .missed("places of mounts are as whoever mounts called them, and not as the kernel resolved them"),
        Hook::new(Source::Containment, "sys_exit_of_containment", point!(tp_btf "sys_exit"))
            .beside(&[Beside::new("task_newtask_beside", point!(tp_btf "task_newtask"))])
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status", "namespace_type"])
            .missed("changes of namespaces, mounts and roots are not seen"),
    ],
    facts: FACTS,
    records: &[NamespaceRecord::KIND, MountRecord::KIND],
};

facts! {
    optional path_mount_parameters = Parameters("path_mount");
    // CONFIG_SECURITY.
    optional sb_umount_parameters = Parameters("security_sb_umount");
    optional move_mount_parameters = Parameters("security_move_mount");
    optional sb_pivotroot_parameters = Parameters("security_sb_pivotroot");
    // CONFIG_SECURITY_PATH.
    optional path_chroot_parameters = Parameters("security_path_chroot");
    optional ksys_unshare_parameters = Parameters("ksys_unshare");
    optional setns_parameters = Parameters("__x64_sys_setns");
    // With its operations until Linux 6.17.
    optional namespace_type = Member("ns_common", "ns_type"), Member("proc_ns_operations", "type");
    optional namespace_has_type = Member("ns_common", "ns_type");
    required namespace_operations = Member("ns_common", "ops");
    required path_mnt = Member("path", "mnt");
    required path_dentry = Member("path", "dentry");
    required fs_root_mnt = Member("fs_struct", "root.mnt");
    required vfsmount_sb = Member("vfsmount", "mnt_sb");
    required mount_devname = Member("mount", "mnt_devname");
    required sb_type = Member("super_block", "s_type");
    required type_name = Member("file_system_type", "name");
}

/// Which call it was.
pub mod call {
    pub const UNSHARE: u32 = 1;
    pub const SETNS: u32 = 2;
    pub const CLONE: u32 = 3;
    pub const MOUNT: u32 = 4;
    pub const UMOUNT: u32 = 5;
    pub const MOVE_MOUNT: u32 = 6;
    pub const PIVOT_ROOT: u32 = 7;
    pub const CHROOT: u32 = 8;
}

/// `CLONE_NEW…` of Linux: time, mnt, cgroup, uts, ipc, user, pid, net.
pub const NAMESPACES: u32 = 0x80 | 0x2_0000 | 0x7e00_0000;

/// What is known of a mount's places.
pub mod places {
    /// It is a path as the kernel has it, leaf first; otherwise it is as it was given.
    pub const SOURCE_WALKED: u32 = 1;
    pub const TARGET_WALKED: u32 = 2;
    /// It lacks its beginning.
    pub const SOURCE_CUT: u32 = 4;
    pub const TARGET_CUT: u32 = 8;
    /// Whether it came about is not known.
    pub const ASKED: u32 = 16;
}

/// Bytes kept of a place, and of the name of a type.
pub const PLACE_LEN: usize = 256;
pub const TYPE_LEN: usize = 32;

act! {
    26 =>
    /// A process goes on in other namespaces, or makes one that does.
    pub struct NamespaceRecord {
        /// Bits of [`NAMESPACES`]; zero if they could not be told.
        pub kinds: u32,
        /// One of [`call`].
        pub call: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Of a clone, the process that it made.
        pub child: u32,
    }
}

act! {
    27 =>
    /// A file system is mounted, moved, taken away, or made the root.
    pub struct MountRecord {
        /// `MS_…` of Linux of a mount, `MNT_…` and `UMOUNT_…` of a umount.
        pub flags: u64,
        /// One of [`call`].
        pub call: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Bits of [`places`].
        pub places: u32,
        pub reserved: u32,
        /// The name of the type; ends at the first zero, as do the places that are as they were given.
        pub kind: [u8; TYPE_LEN],
        pub source: [u8; PLACE_LEN],
        pub target: [u8; PLACE_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{
        bpf_get_current_task, bpf_get_current_task_btf, bpf_probe_read_kernel, bpf_probe_read_kernel_str,
        bpf_probe_read_user_str,
    };
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{MountRecord, NAMESPACES, NamespaceRecord, PLACE_LEN, TYPE_LEN, call, places};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Call, number};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, Typed, at_most, offset, present, word};
    use crate::kernel::mounts;
    use crate::kernel::path::{self, End};
    use crate::kernel::replicas::{replicas, run_once};
    use crate::kernel::scratch::Area;

    const SOURCE: Source = Source::Containment;

    replicas! {
        fexit, "ksys_unshare", FExitContext, at_unshare:
        ksys_unshare = 0, ksys_unshare_2 = 1, ksys_unshare_3 = 2, ksys_unshare_4 = 3
    }

    #[inline(always)]
    fn at_unshare<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the one argument is the flags; then comes what was returned.
        unsafe { unshared::<N>(word::<0>(ctx), word::<1>(ctx) as i32) }
    }

    replicas! {
        fexit, "__x64_sys_setns", FExitContext, at_setns:
        setns = 0, setns_2 = 1, setns_3 = 2, setns_4 = 3
    }

    #[inline(always)]
    fn at_setns<const N: u32>(ctx: &FExitContext) {
        // SAFETY: the one argument is the registers; then comes what was returned.
        unsafe { entered::<N>(Call::new(word::<0>(ctx.as_ptr()) as Address, false), word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        fexit, "__ia32_sys_setns", FExitContext, at_compat_setns:
        setns_compat = 0, setns_compat_2 = 1, setns_compat_3 = 2, setns_compat_4 = 3
    }

    #[inline(always)]
    fn at_compat_setns<const N: u32>(ctx: &FExitContext) {
        // SAFETY: likewise.
        unsafe { entered::<N>(Call::new(word::<0>(ctx.as_ptr()) as Address, true), word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        btf_tracepoint, "task_newtask", BtfTracePointContext, at_newtask:
        task_newtask = 0, task_newtask_2 = 1, task_newtask_3 = 2, task_newtask_4 = 3
    }

    replicas! {
        btf_tracepoint, "task_newtask", BtfTracePointContext, at_newtask:
        task_newtask_beside = 0, task_newtask_beside_2 = 1, task_newtask_beside_3 = 2, task_newtask_beside_4 = 3
    }

    #[inline(always)]
    fn at_newtask<const N: u32>(ctx: &BtfTracePointContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the new task and the flags of the clone.
        unsafe {
            let kinds = word::<1>(ctx) as u32 & NAMESPACES;
            if kinds == 0 {
                return;
            }
            let task = word::<0>(ctx) as Address;
            run_once::<N>(SOURCE, task, |run| {
                let child: u32 = Typed::member(task, offset!(task_tgid));
                tell_of_namespaces(run, kinds, call::CLONE, 0, child);
            });
        }
    }

    #[inline(always)]
    unsafe fn unshared<const N: u32>(flags: u64, returned: i32) {
        // Of files, memory and the like there is nothing to tell.
        let kinds = flags as u32 & NAMESPACES;
        if kinds == 0 {
            return;
        }
        // SAFETY: the task is the call's own.
        unsafe {
            let task = bpf_get_current_task() as Address;
            run_once::<N>(SOURCE, task, |run| tell_of_namespaces(run, kinds, call::UNSHARE, returned, 0));
        }
    }

    #[inline(always)]
    unsafe fn entered<const N: u32>(call: Call, returned: i32) {
        // SAFETY: the task is the call's own; all else is probed.
        unsafe {
            let task = bpf_get_current_task() as Address;
            run_once::<N>(SOURCE, task, |run| {
                let flags = call.argument::<1>() as u32;
                // Of a namespace's descriptor they may be zero, and are the namespace's own otherwise.
                let kinds = if flags == 0 { kind_of(call, returned) } else { flags };
                tell_of_namespaces(run, kinds & NAMESPACES, call::SETNS, returned, 0);
            });
        }
    }

    /// The kind of a namespace that was entered by its descriptor.
    #[inline(always)]
    unsafe fn kind_of(call: Call, returned: i32) -> u32 {
        const EPERM: i32 = -1;
        // What the kernel did not take for one is none.
        if returned < EPERM || !present!(containment.namespace_type) {
            return 0;
        }
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task() as Address;
            let file = calls::file::<Probed>(task, call.argument::<0>() as u32);
            let inode: Address = Probed::member(file, offset!(file_inode));
            let mut holder: Address = Probed::member(inode, offset!(inode_private));
            if !present!(containment.namespace_has_type) {
                holder = Probed::member(holder, offset!(containment.namespace_operations));
            }
            Probed::member(holder, offset!(containment.namespace_type))
        }
    }

    #[inline(always)]
    unsafe fn tell_of_namespaces(run: Run, kinds: u32, call: u32, returned: i32, child: u32) {
        if !run.has_room(SOURCE) {
            return;
        }
        let Some(record) = run.reserve::<NamespaceRecord>(SOURCE.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed.
        unsafe {
            (*record).header = header::<NamespaceRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).kinds = kinds;
            (*record).call = call;
            (*record).error = returned;
            (*record).child = child;
            run.commit(SOURCE.ring(), record);
        }
    }

    replicas! {
        fexit, "path_mount", FExitContext, at_mount:
        path_mount = 0, path_mount_2 = 1, path_mount_3 = 2, path_mount_4 = 3
    }

    #[inline(always)]
    fn at_mount<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the source, the `struct path` of the target, the type, the flags and data, all in the kernel's
        // memory; then comes what was returned.
        unsafe {
            let target = word::<1>(ctx) as Address;
            run_once::<N>(SOURCE, target, |run| {
                let Some(record) = begin(run, call::MOUNT, word::<5>(ctx) as i32) else { return };
                (*record).flags = word::<3>(ctx);
                bpf_probe_read_kernel_str(
                    (&raw mut (*record).source).cast(),
                    PLACE_LEN as u32,
                    word::<0>(ctx) as Address,
                );
                bpf_probe_read_kernel_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, word::<2>(ctx) as Address);
                walk::<N>(run, record, target, Side::Target);
                run.commit(SOURCE.ring(), record);
            });
        }
    }

    replicas! {
        fexit, "security_sb_umount", FExitContext, at_umount:
        sb_umount = 0, sb_umount_2 = 1, sb_umount_3 = 2, sb_umount_4 = 3
    }

    #[inline(always)]
    fn at_umount<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the `struct vfsmount` and the flags; then comes what was returned.
        unsafe {
            let mount = word::<0>(ctx);
            run_once::<N>(SOURCE, mount as Address, |run| {
                let Some(record) = begin(run, call::UMOUNT, word::<2>(ctx) as i32) else { return };
                (*record).flags = word::<1>(ctx) as u32 as u64;
                (*record).places = places::ASKED;
                describe(record, mount as Address);
                let root: u64 = Probed::member(mount as Address, offset!(vfsmount_root));
                walk_from::<N>(run, record, root, mount, Side::Target);
                run.commit(SOURCE.ring(), record);
            });
        }
    }

    replicas! {
        fexit, "security_move_mount", FExitContext, at_move:
        move_mount = 0, move_mount_2 = 1, move_mount_3 = 2, move_mount_4 = 3
    }

    #[inline(always)]
    fn at_move<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the two `struct path`; then comes what was returned.
        unsafe {
            let (from, to) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
            run_once::<N>(SOURCE, to, |run| {
                let Some(record) = begin(run, call::MOVE_MOUNT, word::<2>(ctx) as i32) else { return };
                (*record).places = places::ASKED;
                describe(record, Probed::member(from, offset!(containment.path_mnt)));
                walk::<N>(run, record, to, Side::Target);
                run.commit(SOURCE.ring(), record);
            });
        }
    }

    replicas! {
        fexit, "security_sb_pivotroot", FExitContext, at_pivot:
        sb_pivotroot = 0, sb_pivotroot_2 = 1, sb_pivotroot_3 = 2, sb_pivotroot_4 = 3
    }

    #[inline(always)]
    fn at_pivot<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the `struct path` of where the old root goes, and that of the new one; then comes what was
        // returned.
        unsafe {
            let (old, new) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
            run_once::<N>(SOURCE, new, |run| {
                let Some(record) = begin(run, call::PIVOT_ROOT, word::<2>(ctx) as i32) else { return };
                (*record).places = places::ASKED;
                walk::<N>(run, record, new, Side::Source);
                walk::<N>(run, record, old, Side::Target);
                run.commit(SOURCE.ring(), record);
            });
        }
    }

    replicas! {
        fexit, "security_path_chroot", FExitContext, at_chroot:
        path_chroot = 0, path_chroot_2 = 1, path_chroot_3 = 2, path_chroot_4 = 3
    }

    #[inline(always)]
    fn at_chroot<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the one argument is the `struct path`; then comes what was returned. Nothing is asked after this.
        unsafe {
            let root = word::<0>(ctx) as Address;
            run_once::<N>(SOURCE, root, |run| {
                let Some(record) = begin(run, call::CHROOT, word::<1>(ctx) as i32) else { return };
                walk::<N>(run, record, root, Side::Target);
                run.commit(SOURCE.ring(), record);
            });
        }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_containment = 0, sys_exit_of_containment_2 = 1, sys_exit_of_containment_3 = 2,
        sys_exit_of_containment_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        if !present!(regs_number) || !present!(current_task_helper) {
            return;
        }
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the `struct pt_regs` and what the call returns.
        unsafe {
            let regs = word::<0>(ctx) as Address;
            let number = number(Typed::member(regs, offset!(regs_number)));
            let (native, compat) = (native(number), compat(number));
            if native | compat == 0 {
                return;
            }
            let call = Call::of_task(regs);
            ended::<N>(call, if call.is_compat { compat } else { native }, word::<1>(ctx) as i32);
        }
    }

    /// What a call of 64 bits is; zero if it is none of these.
    #[inline(always)]
    const fn native(number: u32) -> u32 {
        match number {
            155 => call::PIVOT_ROOT,
            161 => call::CHROOT,
            165 => call::MOUNT,
            166 => call::UMOUNT,
            272 => call::UNSHARE,
            308 => call::SETNS,
            429 => call::MOVE_MOUNT,
            _ => 0,
        }
    }

    /// The same of 32 bits. The older of two calls to unmount takes no flags.
    #[inline(always)]
    const fn compat(number: u32) -> u32 {
        match number {
            217 => call::PIVOT_ROOT,
            61 => call::CHROOT,
            21 => call::MOUNT,
            22 | 52 => call::UMOUNT,
            310 => call::UNSHARE,
            346 => call::SETNS,
            429 => call::MOVE_MOUNT,
            _ => 0,
        }
    }

    #[inline(always)]
    unsafe fn ended<const N: u32>(call: Call, what: u32, returned: i32) {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            match what {
                0 => {}
                call::UNSHARE => unshared::<N>(call.argument::<0>(), returned),
                call::SETNS => entered::<N>(call, returned),
                _ => run_once::<N>(SOURCE, task, |run| {
                    let Some(record) = begin(run, what, returned) else { return };
                    said(record, call, what);
                    if what == call::CHROOT && returned == 0 {
                        // As the kernel has it now.
                        let fs: Address = Probed::member(task, offset!(task_fs));
                        let dentry: u64 = Probed::member(fs, offset!(fs_root_dentry));
                        walk_from::<N>(
                            run,
                            record,
                            dentry,
                            Probed::member(fs, offset!(containment.fs_root_mnt)),
                            Side::Target,
                        );
                    }
                    run.commit(SOURCE.ring(), record);
                }),
            }
        }
    }

    /// What the caller's memory says.
    #[inline(always)]
    unsafe fn said(record: *mut MountRecord, call: Call, what: u32) {
        // SAFETY: within the record; the helpers check what they read.
        unsafe {
            let (source, target) = match what {
                call::MOUNT => (call.argument::<0>(), call.argument::<1>()),
                call::MOVE_MOUNT => (call.argument::<1>(), call.argument::<3>()),
                call::PIVOT_ROOT => (call.argument::<0>(), call.argument::<1>()),
                _ => (0, call.argument::<0>()),
            };
            bpf_probe_read_user_str((&raw mut (*record).source).cast(), PLACE_LEN as u32, source as Address);
            bpf_probe_read_user_str((&raw mut (*record).target).cast(), PLACE_LEN as u32, target as Address);
            match what {
                call::MOUNT => {
                    (*record).flags = call.argument::<3>();
                    let kind = call.argument::<2>() as Address;
                    bpf_probe_read_user_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, kind);
                }
                call::UMOUNT => (*record).flags = call.argument::<1>(),
                // A mount that was nowhere until now, by its descriptor.
                call::MOVE_MOUNT if (*record).source[0] == 0 => {
                    let task = bpf_get_current_task() as Address;
                    let file = calls::file::<Probed>(task, call.argument::<0>() as u32);
                    if !file.is_null() {
                        describe(record, Probed::member(file, offset!(file_path_mnt)));
                    }
                }
                _ => {}
            }
        }
    }

    /// A record with all that is not of one call alone.
    #[inline(always)]
    unsafe fn begin(run: Run, call: u32, returned: i32) -> Option<*mut MountRecord> {
        if !run.has_room(SOURCE) {
            return None;
        }
        let record = run.reserve::<MountRecord>(SOURCE.ring())?;
        // SAFETY: the record is the ring's until it is committed.
        unsafe {
            (*record).header = header::<MountRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).call = call;
            (*record).error = returned;
        }
        Some(record)
    }

    /// What is mounted: the type, and the name of the source.
    #[inline(always)]
    unsafe fn describe(record: *mut MountRecord, mnt: Address) {
        // SAFETY: within the record; probed.
        unsafe {
            let superblock: Address = Probed::member(mnt, offset!(containment.vfsmount_sb));
            let kind: Address = Probed::member(superblock, offset!(containment.sb_type));
            let name: Address = Probed::member(kind, offset!(containment.type_name));
            bpf_probe_read_kernel_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, name);
            let mount = mnt.wrapping_byte_sub(offset!(mount_mnt) as usize);
            let source: Address = Probed::member(mount, offset!(containment.mount_devname));
            bpf_probe_read_kernel_str((&raw mut (*record).source).cast(), PLACE_LEN as u32, source);
        }
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Side {
        Source,
        Target,
    }

    /// Puts a `struct path` into the record.
    #[inline(always)]
    unsafe fn walk<const N: u32>(run: Run, record: *mut MountRecord, path: Address, side: Side) {
        // SAFETY: probed.
        unsafe {
            let dentry: u64 = Probed::member(path, offset!(containment.path_dentry));
            walk_from::<N>(run, record, dentry, Probed::member(path, offset!(containment.path_mnt)), side);
        }
    }

    #[inline(always)]
    unsafe fn walk_from<const N: u32>(run: Run, record: *mut MountRecord, dentry: u64, mnt: u64, side: Side) {
        let Some(area) = Area::mount(N) else {
            return run.partial();
        };
        // SAFETY: within the area and the record; released on the way out.
        unsafe {
            area.begin_as::<u64>();
            mounts::note::<Probed>(bpf_get_current_task() as Address, area);
            let path = path::append(area, dentry, mnt);
            let (bytes, _) = area.record();
            let (place, walked, cut) = match side {
                Side::Source => (&raw mut (*record).source, places::SOURCE_WALKED, places::SOURCE_CUT),
                Side::Target => (&raw mut (*record).target, places::TARGET_WALKED, places::TARGET_CUT),
            };
            let len = at_most::<{ PLACE_LEN as u64 - 1 }>(u64::from(path.len));
            bpf_probe_read_kernel(place.cast(), PLACE_LEN as u32, core::ptr::null());
            bpf_probe_read_kernel(place.cast(), len as u32, bytes.add(size_of::<u64>()).cast());
            (*record).places |= walked;
            if path.end == End::Cut || u64::from(path.len) > len {
                (*record).places |= cut;
            }
            area.release();
        }
    }
}
