//! Memory: what was data becomes code, files that are in memory alone, and faults that a program handles itself.
//!
//! Memory that is made executable is told unless it is of a file that nobody has written to since it was mapped: that is how every
//! program is started. The first rung that can be had serves:
//!
//! 1. of memory that is made executable, the question to security modules for each part that `mprotect` changes, and the return of
//!    `vm_mmap_pgoff`, which all of `mmap` comes down to; of files in memory and faults, the system calls `memfd_create` and
//!    `userfaultfd` by both of their entries.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions; what memory it is, is looked up as
//!    the kernel does it, in its tree of the process's memory (Linux 6.1). While this is attached each system call of the host
//!    takes a longer way.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

#[cfg(target_arch = "bpf")]
mod files;
#[cfg(target_arch = "bpf")]
mod tree;

pub(crate) const CLASS: Described = Described {
    name: "memory",
    ring: Ring::Busy,
    sources: &[
        // Compilers at run time, of browsers say, do little else.
        SourceSpec::new("memory_exec").budget(Budget::per_second(500)),
        SourceSpec::new("memory_file").budget(Budget::per_second(500)),
    ],
    hooks: &[
        Hook::new(Source::MemoryExec, "file_mprotect", point!(fexit "security_file_mprotect"))
            .beside(&[Beside::new("vm_mmap_pgoff", point!(fexit "vm_mmap_pgoff"))])
            .needs(&["file_mprotect_parameters", "vm_mmap_pgoff_parameters", "vma_flags"])
            .missed("memory that was executable before is told again when its protection is set"),
        Hook::new(Source::MemoryExec, "sys_exit_of_memory", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status", "vma_flags", "mm_tree"])
            .missed("memory that is made executable is not seen"),
        Hook::new(Source::MemoryFile, "memfd_create", point!(fexit "__x64_sys_memfd_create"))
            .beside(&[
                Beside::new("memfd_create_compat", point!(fexit "__ia32_sys_memfd_create")).only_with("compat_calls"),
                Beside::new("userfaultfd", point!(fexit "__x64_sys_userfaultfd")),
                Beside::new("userfaultfd_compat", point!(fexit "__ia32_sys_userfaultfd")).only_with("compat_calls"),
            ])
            // The second rung tells the same, so nothing is missed.
            .needs(&["memfd_create_parameters", "userfaultfd_parameters", "regs_number"]),
        Hook::new(Source::MemoryFile, "sys_exit_of_memory_files", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status"])
            .missed("files that are in memory alone, and faults that programs handle, are not seen"),
    ],
    facts: FACTS,
    records: &[MemoryRecord::KIND, MemfdRecord::KIND, UserfaultfdRecord::KIND],
};

facts! {
    // CONFIG_SECURITY.
    optional file_mprotect_parameters = Parameters("security_file_mprotect");
    optional vm_mmap_pgoff_parameters = Parameters("vm_mmap_pgoff");
    optional memfd_create_parameters = Parameters("__x64_sys_memfd_create");
    optional userfaultfd_parameters = Parameters("__x64_sys_userfaultfd");
    required vma_start = Member("vm_area_struct", "vm_start");
    required vma_end = Member("vm_area_struct", "vm_end");
    optional vma_flags = Member("vm_area_struct", "vm_flags"), Member("vm_area_struct", "flags");
    required vma_file = Member("vm_area_struct", "vm_file");
    required vma_anon = Member("vm_area_struct", "anon_vma");
    required mm_start_stack = Member("mm_struct", "start_stack");
    required mm_start_brk = Member("mm_struct", "start_brk");
    required mm_brk = Member("mm_struct", "brk");
    // Since Linux 6.1.
    optional mm_tree = Member("mm_struct", "mm_mt.ma_root");
    optional maple_pivot = Member("maple_range_64", "pivot");
    optional maple_slot = Member("maple_range_64", "slot");
    optional maple_end = Member("maple_range_64", "meta.end");
    optional maple_arange_pivot = Member("maple_arange_64", "pivot");
    optional maple_arange_slot = Member("maple_arange_64", "slot");
    optional maple_arange_end = Member("maple_arange_64", "meta.end");
}

/// What memory it is.
pub mod kind {
    pub const ANONYMOUS: u32 = 1;
    pub const STACK: u32 = 2;
    pub const HEAP: u32 = 3;
    /// Of a file, and written to since it was mapped, or such as can be written to.
    pub const WRITTEN: u32 = 4;
    pub const MEMFD: u32 = 5;
    /// Of several processes, and of no file that anybody can open.
    pub const SHARED: u32 = 6;
}

/// Which call it was.
pub mod call {
    pub const MMAP: u32 = 1;
    pub const MPROTECT: u32 = 2;
}

/// Bytes kept of a file's name, with the zero at its end.
pub const NAME_LEN: usize = 128;

act! {
    23 =>
    /// Memory becomes executable.
    pub struct MemoryRecord {
        pub address: u64,
        pub size: u64,
        /// `PROT_…` of Linux.
        pub protection: u32,
        /// One of [`kind`].
        pub kind: u32,
        /// One of [`call`].
        pub call: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// The last part of the file's name, if it is of a file; ends at the first zero.
        pub name: [u8; NAME_LEN],
    }
}

act! {
    24 =>
    /// A file that is in memory alone is made.
    pub struct MemfdRecord {
        /// `MFD_…` of Linux.
        pub flags: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// As the kernel calls it, with `memfd:` before it; if it came to none, as it was to be called. Ends at the first zero.
        pub name: [u8; NAME_LEN],
    }
}

act! {
    25 =>
    /// A process handles faults of its memory itself.
    pub struct UserfaultfdRecord {
        pub flags: u32,
        /// Zero, or a negative errno.
        pub error: i32,
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf, bpf_probe_read_kernel_str};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::tree::find;
    use super::{MemoryRecord, NAME_LEN, call, kind};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Call, Ended};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `PROT_WRITE`, `PROT_EXEC`, `VM_WRITE`, `VM_EXEC`, `VM_SHARED`, `VM_MAYWRITE`, `VM_GROWSDOWN`, `MAP_SHARED`, `FMODE_WRITE` of Linux.
    const WRITE: u64 = 2;
    const EXEC: u64 = 4;
    const VM_WRITE: u64 = 2;
    const VM_EXEC: u64 = 4;
    const VM_SHARED: u64 = 8;
    const VM_MAYWRITE: u64 = 0x20;
    const VM_GROWSDOWN: u64 = 0x100;
    const MAP_SHARED: u64 = 1;
    const MODE_WRITE: u32 = 2;
    /// `-MAX_ERRNO` of Linux: from here on an address is an error.
    const ERRORS: u64 = -4095_i64 as u64;

    /// Some memory, and what file it is of, if any.
    #[derive(Clone, Copy)]
    struct Part {
        address: u64,
        size: u64,
        kind: u32,
        file: Address,
    }

    replicas! {
        fexit, "security_file_mprotect", FExitContext, at_mprotect:
        file_mprotect = 0, file_mprotect_2 = 1, file_mprotect_3 = 2, file_mprotect_4 = 3
    }

    #[inline(always)]
    fn at_mprotect<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        if !present!(memory.vma_flags) {
            return;
        }
        // SAFETY: the arguments are the `struct vm_area_struct`, what was asked for and what it comes to; then comes what was
        // returned.
        unsafe {
            let protection = word::<2>(ctx);
            let vma = word::<0>(ctx) as Address;
            let before: u64 = Probed::member(vma, offset!(memory.vma_flags));
            // Code that can be written to from now on is told as well.
            if protection & EXEC == 0 || before & VM_EXEC != 0 && (protection & WRITE == 0 || before & VM_WRITE != 0) {
                return;
            }
            run_once::<N>(Source::MemoryExec, vma, |run| {
                tell(run, part_of(vma), protection, call::MPROTECT, word::<3>(ctx) as i32);
            });
        }
    }

    replicas! {
        fexit, "vm_mmap_pgoff", FExitContext, at_mmap:
        vm_mmap_pgoff = 0, vm_mmap_pgoff_2 = 1, vm_mmap_pgoff_3 = 2, vm_mmap_pgoff_4 = 3
    }

    #[inline(always)]
    fn at_mmap<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the file, the address asked for, the length, the protection, the flags and one more; then comes
        // what was returned.
        unsafe {
            let protection = word::<3>(ctx);
            if protection & EXEC == 0 {
                return;
            }
            let task = bpf_get_current_task() as Address;
            run_once::<N>(Source::MemoryExec, task, |run| {
                let (file, returned) = (word::<0>(ctx) as Address, word::<6>(ctx));
                let address = if returned >= ERRORS { word::<1>(ctx) } else { returned };
                let part = Part { address, size: word::<2>(ctx), kind: to_be(file, word::<4>(ctx)), file };
                tell(run, part, protection, call::MMAP, if returned >= ERRORS { returned as i32 } else { 0 });
            });
        }
    }

    /// What new memory is.
    #[inline(always)]
    unsafe fn to_be(file: Address, flags: u64) -> u32 {
        // SAFETY: probed.
        unsafe {
            if file.is_null() {
                if flags & MAP_SHARED != 0 { kind::SHARED } else { kind::ANONYMOUS }
            } else if is_memfd(file) {
                kind::MEMFD
            } else if flags & MAP_SHARED != 0 && Probed::member::<u32>(file, offset!(file.file_mode)) & MODE_WRITE != 0
            {
                kind::WRITTEN
            } else {
                0
            }
        }
    }

    /// A part of the memory of the task at hand.
    #[inline(always)]
    unsafe fn part_of(vma: Address) -> Part {
        // SAFETY: probed.
        unsafe {
            let (start, end): (u64, u64) =
                (Probed::member(vma, offset!(memory.vma_start)), Probed::member(vma, offset!(memory.vma_end)));
            let flags: u64 = Probed::member(vma, offset!(memory.vma_flags));
            let file: Address = Probed::member(vma, offset!(memory.vma_file));
            let kind = if file.is_null() {
                let mm: Address = Probed::member(bpf_get_current_task() as Address, offset!(task_mm));
                let stack: u64 = Probed::member(mm, offset!(memory.mm_start_stack));
                let from: u64 = Probed::member(mm, offset!(memory.mm_start_brk));
                let to: u64 = Probed::member(mm, offset!(memory.mm_brk));
                // Also where a part of it was split off.
                if flags & VM_GROWSDOWN != 0 || start <= stack && stack <= end {
                    kind::STACK
                } else if start < to && end > from {
                    kind::HEAP
                } else {
                    kind::ANONYMOUS
                }
            } else if is_memfd(file) {
                kind::MEMFD
            } else if is_of_memory(file) {
                kind::SHARED
            } else if Probed::member::<u64>(vma, offset!(memory.vma_anon)) != 0
                || flags & (VM_SHARED | VM_MAYWRITE) == VM_SHARED | VM_MAYWRITE
            {
                kind::WRITTEN
            } else {
                0
            };
            Part { address: start, size: end.wrapping_sub(start), kind, file }
        }
    }

    /// A file's name, where the kernel keeps it.
    #[inline(always)]
    pub(super) unsafe fn name_of(file: Address) -> Address {
        // SAFETY: probed.
        unsafe {
            let dentry: Address = Probed::member(file, offset!(file_path_dentry));
            Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name))
        }
    }

    /// Whether no folder has it.
    #[inline(always)]
    unsafe fn is_of_memory(file: Address) -> bool {
        /// `TMPFS_MAGIC` of Linux.
        const TMPFS: u64 = 0x0102_1994;
        // SAFETY: probed.
        unsafe {
            let inode: Address = Probed::member(file, offset!(file_inode));
            let superblock: Address = Probed::member(inode, offset!(inode_sb));
            Probed::member::<u64>(superblock, offset!(sb_magic)) == TMPFS
                && Probed::member::<u32>(inode, offset!(inode_nlink)) == 0
        }
    }

    #[inline(always)]
    unsafe fn is_memfd(file: Address) -> bool {
        // SAFETY: probed. A file that has a folder can be called so as well.
        unsafe {
            let name: u64 = Probed::member(name_of(file), 0);
            name << 16 == u64::from_le_bytes(*b"memfd:\0\0") << 16
                && Probed::member::<u32>(Probed::member(file, offset!(file_inode)), offset!(inode_nlink)) == 0
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, part: Part, protection: u64, call: u32, returned: i32) {
        let kind = if part.kind == 0 && protection & WRITE != 0 { kind::WRITTEN } else { part.kind };
        // Of a file that is as it was: so every program begins.
        if kind == 0 {
            return run.filtered();
        }
        if !run.has_room(Source::MemoryExec) {
            return;
        }
        let Some(record) = run.reserve::<MemoryRecord>(Source::MemoryExec.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed.
        unsafe {
            (*record).header = header::<MemoryRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).address = part.address;
            (*record).size = part.size;
            (*record).protection = protection as u32;
            (*record).kind = kind;
            (*record).call = call;
            (*record).error = returned;
            if !part.file.is_null() {
                bpf_probe_read_kernel_str((&raw mut (*record).name).cast(), NAME_LEN as u32, name_of(part.file));
            }
            run.commit(Source::MemoryExec.ring(), record);
        }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_memory = 0, sys_exit_of_memory_2 = 1, sys_exit_of_memory_3 = 2, sys_exit_of_memory_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        if !present!(memory.mm_tree) {
            return;
        }
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            let number = end.number;
            // `mmap`, `mprotect` and `pkey_mprotect`, of 64 bits and of 32.
            if number != 9 && number != 10 && number != 329 && number != 192 && number != 125 && number != 380 {
                return;
            }
            let call = end.call();
            let what = match (number, call.is_compat) {
                (9, false) | (192, true) => call::MMAP,
                (10 | 329, false) | (125 | 380, true) => call::MPROTECT,
                _ => return,
            };
            if call.argument::<2>() & EXEC != 0 {
                ended::<N>(call, what, end.returned);
            }
        }
    }

    #[inline(always)]
    unsafe fn ended<const N: u32>(call: Call, what: u32, returned: u64) {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            run_once::<N>(Source::MemoryExec, task, |run| {
                let failed = returned >= ERRORS;
                let address = if what == call::MPROTECT || failed { call.argument::<0>() } else { returned };
                let part = if what == call::MMAP && failed {
                    let flags = call.argument::<3>();
                    // `MAP_ANONYMOUS` of Linux.
                    let file = if flags & 0x20 != 0 {
                        core::ptr::null()
                    } else {
                        calls::file::<Probed>(task, call.argument::<4>() as u32)
                    };
                    Part { address, size: call.argument::<1>(), kind: to_be(file, flags), file }
                } else {
                    let vma = find(address);
                    if vma.is_null() {
                        // There is none; or there is none any more.
                        return if failed { run.filtered() } else { run.failed() };
                    }
                    Part { address, size: call.argument::<1>(), ..part_of(vma) }
                };
                tell(run, part, call.argument::<2>() & 7, what, if failed { returned as i32 } else { 0 });
            });
        }
    }
}
