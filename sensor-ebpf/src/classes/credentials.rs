//! Credentials: a process goes on with other ids or other capabilities.
//!
//! The kernel gives a task other credentials in `commit_creds` (kernel/cred.c), in the call of the task itself, whichever system
//! call that is: the setuid and setgid families, capset, prctl, unshare, setns, and exec, of which the record of the exec tells.
//! The first place that can be had serves:
//!
//! 1. the entry of `commit_creds`: runs for nothing else. Its argument is the new `struct cred`; the task has the old one still.
//!    It does not run where somebody writes over credentials in the kernel's memory.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions. What a thread had at the end of
//!    its call before is kept, so a change is seen however it came about, the last one of a call. While this is attached each
//!    system call of the host takes a longer way: it is, as all, only while a policy asks for it.
//!
//! What a thread had is known from its first call on until it ends, of [`KNOWN_THREADS`] at a time. Calls of further ones are counted as
//! failed: what they change is not seen.
//!
//! Minimum: Linux 5.11.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "credentials",
    ring: Ring::Rare,
    // Who has a capability can take it up and lay it down at will.
    sources: &[SourceSpec::new("credential_change").budget(Budget::per_second(1_000))],
    hooks: &[
        Hook::new(Source::CredentialChange, "commit_creds", point!(fentry "commit_creds"))
            .needs(&["current_task_helper", "commit_creds_parameters", "task_in_execve"])
            .missed("of several changes of credentials in one system call the last one alone is seen"),
        Hook {
            // A change is seen at the end of the thread's next call.
            recursion_loses: false,
            ..Hook::new(Source::CredentialChange, "sys_exit", point!(tp_btf "sys_exit"))
                .rung(2)
                .beside(&[Beside::new("thread_ended", point!(tp_btf "sched_process_exit"))])
                .needs(&["current_task_helper"])
                .missed("changes of credentials are not seen")
        },
    ],
    facts: FACTS,
    records: &[CredentialRecord::KIND],
};

facts! {
    required cred_suid = Member("cred", "suid");
    required cred_sgid = Member("cred", "sgid");
    required cred_fsuid = Member("cred", "fsuid");
    required cred_fsgid = Member("cred", "fsgid");
    required cred_cap_inheritable = Member("cred", "cap_inheritable");
    required cred_cap_permitted = Member("cred", "cap_permitted");
    required cred_cap_bset = Member("cred", "cap_bset");
    required cred_cap_ambient = Member("cred", "cap_ambient");
    optional task_in_execve = Bit("task_struct", "in_execve");
    optional commit_creds_parameters = Parameters("commit_creds");
    // Linux 5.15.
    optional task_pt_regs_helper = Parameters("bpf_task_pt_regs");
}

/// Threads of which it is kept what credentials they had, at most: their map takes memory for those that there are.
pub const KNOWN_THREADS: u32 = 65_536;

/// The number of a system call that is not known, or none.
pub const NO_CALL: i32 = -1;
/// It was a call of the 32 bit interface, which has numbers of its own.
pub const IS_COMPAT: u32 = 1;

/// Places in the lists of ids.
pub mod id {
    pub const UID: usize = 0;
    pub const GID: usize = 1;
    pub const EUID: usize = 2;
    pub const EGID: usize = 3;
    pub const SUID: usize = 4;
    pub const SGID: usize = 5;
    pub const FSUID: usize = 6;
    pub const FSGID: usize = 7;
    pub const COUNT: usize = 8;
}

/// Places in the lists of capabilities.
pub mod cap {
    pub const EFFECTIVE: usize = 0;
    pub const PERMITTED: usize = 1;
    pub const INHERITABLE: usize = 2;
    pub const BOUNDING: usize = 3;
    pub const AMBIENT: usize = 4;
    pub const COUNT: usize = 5;
}

act! {
    9 =>
    /// A thread goes on with other credentials. Those of its process's other threads stay as they are.
    pub struct CredentialRecord {
        /// By the places of [`cap`], one bit each.
        pub caps_before: [u64; cap::COUNT],
        pub caps_after: [u64; cap::COUNT],
        /// By the places of [`id`], in the initial user namespace.
        pub ids_before: [u32; id::COUNT],
        pub ids_after: [u32; id::COUNT],
        /// The system call in which it came about, by its number; or [`NO_CALL`].
        pub call: i32,
        /// [`IS_COMPAT`].
        pub flags: u32,
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
    use aya_ebpf::btf_maps::HashMap;
    use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
    use aya_ebpf::macros::{btf_map, btf_tracepoint, fentry};
    use aya_ebpf::programs::{BtfTracePointContext, FEntryContext};

    use super::{CredentialRecord, IS_COMPAT, KNOWN_THREADS, NO_CALL, cap, id};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Typed, offset, present, word};
    use crate::kernel::replicas::{once, replicas};

    /// `TS_COMPAT` of Linux.
    const COMPAT: u32 = 2;

    /// What a `struct cred` says.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Credentials {
        caps: [u64; cap::COUNT],
        ids: [u32; id::COUNT],
    }

    impl Credentials {
        /// Reads them.
        ///
        /// # Safety
        ///
        /// `cred` must be a typed `struct cred` pointer.
        #[inline(always)]
        unsafe fn of(cred: Address) -> Self {
            // SAFETY: the verifier.
            unsafe {
                Self {
                    caps: [
                        Typed::member(cred, offset!(cred_cap_effective)),
                        Typed::member(cred, offset!(credentials.cred_cap_permitted)),
                        Typed::member(cred, offset!(credentials.cred_cap_inheritable)),
                        Typed::member(cred, offset!(credentials.cred_cap_bset)),
                        Typed::member(cred, offset!(credentials.cred_cap_ambient)),
                    ],
                    ids: [
                        Typed::member(cred, offset!(cred_uid)),
                        Typed::member(cred, offset!(cred_gid)),
                        Typed::member(cred, offset!(cred_euid)),
                        Typed::member(cred, offset!(cred_egid)),
                        Typed::member(cred, offset!(credentials.cred_suid)),
                        Typed::member(cred, offset!(credentials.cred_sgid)),
                        Typed::member(cred, offset!(credentials.cred_fsuid)),
                        Typed::member(cred, offset!(credentials.cred_fsgid)),
                    ],
                }
            }
        }

        #[inline(always)]
        fn is(&self, other: &Self) -> bool {
            let mut differ = 0;
            let mut at = 0;
            while at < cap::COUNT {
                differ |= self.caps[at] ^ other.caps[at];
                at += 1;
            }
            at = 0;
            while at < id::COUNT {
                differ |= u64::from(self.ids[at] ^ other.ids[at]);
                at += 1;
            }
            differ == 0
        }
    }

    /// What a thread had at the end of its last system call.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Known {
        credentials: Credentials,
        /// Addresses are reused; one with the start of its thread is not.
        start: u64,
        /// Counts execs, see `task_struct.self_exec_id`.
        exec_id: u64,
    }

    /// By the address of the thread's task, which stays when an exec gives it another id. The agent sets the size.
    #[btf_map]
    static THREADS: HashMap<u64, Known, { KNOWN_THREADS as usize }, { BPF_F_NO_PREALLOC as usize }> = HashMap::new();

    replicas! {
        fentry, "commit_creds", FEntryContext, at_commit:
        commit_creds = 0, commit_creds_2 = 1, commit_creds_3 = 2, commit_creds_4 = 3
    }

    #[inline(always)]
    fn at_commit<const N: u32>(ctx: &FEntryContext) {
        // SAFETY: the one argument is the new `struct cred`.
        unsafe {
            let new = word::<0>(ctx.as_ptr()) as Address;
            once::<N>(Source::CredentialChange, new, || committed::<N>(new));
        }
    }

    #[btf_tracepoint(function = "sys_exit")]
    fn sys_exit(ctx: BtfTracePointContext) -> i32 {
        // SAFETY: the first argument is the `struct pt_regs`.
        unsafe { returned(word::<0>(ctx.as_ptr()) as Address) };
        0
    }

    #[btf_tracepoint(function = "sched_process_exit")]
    fn thread_ended(ctx: BtfTracePointContext) -> i32 {
        // SAFETY: the first argument is the task.
        let task = unsafe { word::<0>(ctx.as_ptr()) };
        let _ = THREADS.remove(&task);
        0
    }

    #[inline(always)]
    unsafe fn committed<const N: u32>(new: Address) {
        // SAFETY: the task is typed, and so is all that is loaded through it.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            let old: Address = Typed::member(task, offset!(task_cred));
            // Tasks of the kernel's own, which it is about to make programs of.
            let mm: Address = Typed::member(task, offset!(task_mm));
            if old.is_null() || mm.is_null() || is_in_exec(task) {
                return;
            }
            let (before, after) = (Credentials::of(old), Credentials::of(new));
            if before.is(&after) {
                return;
            }
            let call = if present!(credentials.task_pt_regs_helper) && present!(regs_call) {
                call_of(bpf_task_pt_regs(task.cast_mut().cast()) as Address)
            } else {
                NO_CALL
            };
            tell::<N>(task, &before, &after, call);
        }
    }

    #[inline(always)]
    unsafe fn returned(regs: Address) {
        // SAFETY: the task is typed, and so is all that is loaded through it.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            let cred: Address = Typed::member(task, offset!(task_cred));
            if cred.is_null() {
                return;
            }
            let start: u64 = Typed::member(task, offset!(task_start_boottime));
            let exec_id = u64::from(Typed::member::<u32>(task, offset!(task_self_exec_id)));
            let after = Credentials::of(cred);
            let key = task as u64;
            let Some(known) = THREADS.get_ptr_mut(&key) else {
                if THREADS.insert(&key, &Known { credentials: after, start, exec_id }, 0).is_err()
                    && let Some(run) = Run::begin::<0>(Source::CredentialChange)
                {
                    run.failed();
                }
                return;
            };
            let before = (*known).credentials;
            let is_told = (*known).start == start && (*known).exec_id == exec_id;
            if is_told && before.is(&after) {
                return;
            }
            (*known).credentials = after;
            (*known).start = start;
            (*known).exec_id = exec_id;
            if is_told {
                let call = if present!(regs_call) { call_of(regs) } else { NO_CALL };
                tell::<0>(task, &before, &after, call);
            }
        }
    }

    /// Whether the task is running another program, and that changes its credentials.
    #[inline(always)]
    unsafe fn is_in_exec(task: Address) -> bool {
        if !present!(credentials.task_in_execve) {
            return false;
        }
        let bit = offset!(credentials.task_in_execve);
        // SAFETY: the verifier.
        let byte: u8 = unsafe { Typed::member(task, bit / 8) };
        byte >> (bit % 8) & 1 != 0
    }

    /// The number of the system call, which is the first bytes of a longer member.
    #[inline(always)]
    unsafe fn call_of(regs: Address) -> i32 {
        if regs.is_null() {
            return NO_CALL;
        }
        // SAFETY: the verifier. The member is as long as a register.
        unsafe { Typed::member::<u32>(regs, offset!(regs_call)) as i32 }
    }

    #[inline(always)]
    unsafe fn tell<const N: u32>(task: Address, before: &Credentials, after: &Credentials, call: i32) {
        let Some(run) = Run::begin::<N>(Source::CredentialChange) else { return };
        if !run.has_room(Source::CredentialChange) {
            return;
        }
        let Some(record) = run.reserve::<CredentialRecord>(Source::CredentialChange.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; the task is typed.
        unsafe {
            (*record).header = header::<CredentialRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).caps_before = before.caps;
            (*record).caps_after = after.caps;
            (*record).ids_before = before.ids;
            (*record).ids_after = after.ids;
            (*record).call = call;
            if present!(thread_info_status) && Typed::member::<u32>(task, offset!(thread_info_status)) & COMPAT != 0 {
                (*record).flags = IS_COMPAT;
            }
            run.commit(Source::CredentialChange.ring(), record);
        }
    }
}
