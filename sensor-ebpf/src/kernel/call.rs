//! System calls, and the kernel's objects behind the numbers that they take: files by descriptors, tasks by ids.
//!
//! A call is looked at when it has returned. Its registers still hold what it was given.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf, bpf_task_pt_regs};

use super::load::{Address, Memory, Probed, Typed, offset, present, word};

/// `TS_COMPAT` of Linux.
const COMPAT: u32 = 2;
/// `__X32_SYSCALL_BIT` of Linux.
const X32: u32 = 0x4000_0000;

/// A system call.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    regs: Address,
    /// Whether it came by the interface of 32 bits, which has numbers and registers of its own.
    pub(crate) is_compat: bool,
}

impl Call {
    pub(crate) const fn new(regs: Address, is_compat: bool) -> Self {
        Self { regs, is_compat }
    }

    /// The call that the task at hand is in, of these registers.
    ///
    /// # Safety
    ///
    /// `regs` must be the task's `struct pt_regs`.
    #[inline(always)]
    pub(crate) unsafe fn of_task(regs: Address) -> Self {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task() as Address;
            let is_compat =
                present!(thread_info_status) && Probed::member::<u32>(task, offset!(thread_info_status)) & COMPAT != 0;
            Self::new(regs, is_compat)
        }
    }

    /// The call that the task at hand is in.
    ///
    /// # Safety
    ///
    /// The task must be in a call.
    #[inline(always)]
    pub(crate) unsafe fn current() -> Self {
        // SAFETY: the caller.
        unsafe { Self::of_task(Self::at_hand(false).regs) }
    }

    /// The same where it is known by which interface it came.
    ///
    /// # Safety
    ///
    /// The task must be in a call.
    #[inline(always)]
    pub(crate) unsafe fn at_hand(is_compat: bool) -> Self {
        /// `THREAD_SIZE` of x86-64.
        const STACK: usize = 4 * 4096;
        // SAFETY: the helper takes the task at hand; else they are the first on the task's stack.
        unsafe {
            let regs = if present!(credentials.task_pt_regs_helper) {
                bpf_task_pt_regs(bpf_get_current_task_btf().cast()) as Address
            } else {
                let stack: Address = Probed::member(bpf_get_current_task() as Address, offset!(task_stack));
                stack.wrapping_byte_add(STACK - offset!(regs_size) as usize)
            };
            Self::new(regs, is_compat)
        }
    }

    /// Its number, as [`Ended`] has it.
    #[inline(always)]
    pub(crate) unsafe fn number(self) -> u32 {
        // SAFETY: probed.
        unsafe { number(Probed::member(self.regs, offset!(regs_number))) }
    }

    /// Where the caller's stack is.
    #[inline(always)]
    pub(crate) unsafe fn stack_pointer(self) -> u64 {
        // SAFETY: probed.
        unsafe { Probed::member(self.regs, offset!(regs_sp)) }
    }

    /// The n-th argument, of the first five.
    #[inline(always)]
    pub(crate) unsafe fn argument<const N: usize>(self) -> u64 {
        // SAFETY: probed.
        unsafe {
            if self.is_compat {
                let register = match N {
                    0 => offset!(regs_bx),
                    1 => offset!(regs_cx),
                    2 => offset!(regs_dx),
                    3 => offset!(regs_si),
                    _ => offset!(regs_di),
                };
                u64::from(Probed::member::<u32>(self.regs, register))
            } else {
                let register = match N {
                    0 => offset!(regs_di),
                    1 => offset!(regs_si),
                    2 => offset!(regs_dx),
                    3 => offset!(regs_r10),
                    _ => offset!(regs_r8),
                };
                Probed::member(self.regs, register)
            }
        }
    }
}

/// A system call that has ended, at `sys_exit`.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    regs: Address,
    pub(crate) number: u32,
    pub(crate) returned: u64,
}

impl Ended {
    /// None where the verifier knows too little of the registers and of the task.
    ///
    /// # Safety
    ///
    /// `ctx` must be that of a program at `sys_exit`.
    #[inline(always)]
    pub(crate) unsafe fn at(ctx: *mut c_void) -> Option<Self> {
        if !present!(regs_number) || !present!(current_task_helper) {
            return None;
        }
        // SAFETY: the arguments are the `struct pt_regs` and what the call returns.
        unsafe {
            let regs = word::<0>(ctx) as Address;
            let number = number(Typed::member(regs, offset!(regs_number)));
            Some(Self { regs, number, returned: word::<1>(ctx) })
        }
    }

    /// The call, by whichever interface it came.
    #[inline(always)]
    pub(crate) fn call(self) -> Call {
        // SAFETY: the task's registers.
        unsafe { Call::of_task(self.regs) }
    }
}

/// A call's number without the bit of x32, whose calls have those of the others, or numbers from 512 on.
#[inline(always)]
pub(crate) const fn number(word: u32) -> u32 {
    word & !X32
}

/// The file of a task's descriptor; zero if there is none, as when another thread has closed it since.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(crate) unsafe fn file<M: Memory>(task: Address, descriptor: u32) -> Address {
    // SAFETY: the caller, and what the verifier knows.
    unsafe {
        let files: Address = M::member(task, offset!(task_files));
        if files.is_null() {
            return files;
        }
        let table: Address = M::member(files, offset!(files_fdt));
        if table.is_null() || descriptor >= M::member::<u32>(table, offset!(fdt_max_fds)) {
            return core::ptr::null();
        }
        let slots: Address = M::member(table, offset!(fdt_fd));
        Probed::member(slots.wrapping_byte_add(descriptor as usize * 8), 0)
    }
}

/// What a task is among those that have a `struct pid`: `enum pid_type` of Linux.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(crate) enum PidType {
    Thread = 0,
    Process = 1,
}

/// A task of a `struct pid`; zero if there is none any more.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(crate) unsafe fn task_of(pid: Address, kind: PidType) -> Address {
    /// `struct hlist_head`, and `struct hlist_node`.
    const HEAD: usize = 8;
    const NODE: usize = 16;
    if pid.is_null() {
        return core::ptr::null();
    }
    // SAFETY: as above.
    unsafe {
        let first: Address = Probed::member(pid.wrapping_byte_add(kind as usize * HEAD), offset!(pid_tasks));
        if first.is_null() {
            return first;
        }
        first.wrapping_byte_sub(offset!(task_pid_links) as usize + kind as usize * NODE)
    }
}

/// The `struct pid` of a descriptor of a process.
///
/// # Safety
///
/// `file` must be such a descriptor's, or zero.
#[inline(always)]
pub(crate) unsafe fn pid_of_descriptor(file: Address) -> Address {
    if file.is_null() {
        return file;
    }
    // SAFETY: probed.
    unsafe {
        if present!(pid_stashed) {
            let inode: Address = Probed::member(file, offset!(file_inode));
            Probed::member(inode, offset!(inode_private))
        } else {
            Probed::member(file, offset!(file_private_data))
        }
    }
}

/// The `struct pid` that has this number for the task at hand, as the kernel looks it up (`find_vpid`); zero if none has.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(crate) unsafe fn pid_of(number: u32) -> Address {
    /// Levels of a tree of `PID_MAX_LIMIT` entries, 64 for each node.
    const LEVELS: u32 = 4;
    /// How the kernel marks the address of a node.
    const NODE: u64 = 2;
    // SAFETY: as above.
    unsafe {
        let task = bpf_get_current_task() as Address;
        let own: Address = Probed::member(task, offset!(task_thread_pid));
        let level: u32 = Probed::member(own, offset!(pid_level));
        let innermost = own.wrapping_byte_add((level * offset!(upid_size)) as usize);
        let namespace: Address = Probed::member(innermost, offset!(pid_numbers) + offset!(upid_ns));
        let mut entry: u64 = Probed::member(namespace, offset!(pid_ns_tree));
        let mut step = 0;
        while step < LEVELS && entry & 3 == NODE {
            step += 1;
            let node = (entry & !3) as Address;
            let shift = u32::from(Probed::member::<u8>(node, offset!(xa_node_shift)));
            // More than one node can reach has none.
            if shift < 24 && number >> shift >= 64 && step == 1 {
                return core::ptr::null();
            }
            let slot = (number >> (shift & 31) & 63) as usize;
            entry = Probed::member(node.wrapping_byte_add(slot * 8), offset!(xa_node_slots));
        }
        if entry & 3 == 0 { entry as Address } else { core::ptr::null() }
    }
}
