//! Programs that the kernel itself has run, in the name of nobody: `modprobe`, what `kernel.core_pattern` names, and the like.
//!
//! `call_usermodehelper_exec` (kernel/umh.c): the kernel is about to have one started, by a thread of its own, as root and outside of
//! every container. It is entered in the call of whoever gave occasion to it, by asking for a protocol that no module is loaded for
//! or by ending with a dump of memory, or by a thread of the kernel. Whether the program could be started is not known there: what
//! it does is told as that of any other.
//!
//! Minimum: Linux 5.10 that allows programs at functions.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "user_helper",
    ring: Ring::Rare,
    // Anybody may ask for protocols that there are not.
    sources: &[SourceSpec::new("user_helper").budget(Budget::per_second(200))],
    hooks: &[Hook::new(Source::UserHelper, "user_helper", point!(fentry "call_usermodehelper_exec"))
        .needs(&["user_helper_parameters", "helper_path", "helper_argv"])
        .missed("programs that the kernel itself has run are not told with what gave occasion to them")],
    facts: FACTS,
    records: &[UserHelperRecord::KIND],
};

facts! {
    optional user_helper_parameters = Parameters("call_usermodehelper_exec");
    optional helper_path = Member("subprocess_info", "path");
    optional helper_argv = Member("subprocess_info", "argv");
}

/// Bytes kept of the path, and of each argument, with the zero at its end; arguments kept.
pub const PATH_LEN: usize = 128;
pub const ARGUMENT_LEN: usize = 64;
pub const ARGUMENTS: usize = 4;

act! {
    57 =>
    /// The kernel is about to have a program run.
    pub struct UserHelperRecord {
        /// Ends at the first zero.
        pub path: [u8; PATH_LEN],
        /// How many arguments are kept.
        pub count: u32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
        /// Its first ones, its own name before them; each ends at the first zero.
        pub arguments: [[u8; ARGUMENT_LEN]; ARGUMENTS],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
    use aya_ebpf::macros::fentry;
    use aya_ebpf::programs::FEntryContext;

    use super::{ARGUMENT_LEN, ARGUMENTS, PATH_LEN, UserHelperRecord};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    replicas! {
        fentry, "call_usermodehelper_exec", FEntryContext, at_start:
        user_helper = 0, user_helper_2 = 1, user_helper_3 = 2, user_helper_4 = 3
    }

    #[inline(always)]
    fn at_start<const N: u32>(ctx: &FEntryContext) {
        if !present!(user_helper.helper_path) || !present!(user_helper.helper_argv) {
            return;
        }
        // SAFETY: the first argument is the `struct subprocess_info`.
        unsafe {
            let helper = word::<0>(ctx.as_ptr()) as Address;
            run_once::<N>(Source::UserHelper, helper, |run| tell(run, helper));
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, helper: Address) {
        if !run.has_room(Source::UserHelper) {
            return;
        }
        let Some(record) = run.reserve::<UserHelperRecord>(Source::UserHelper.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all else is probed.
        unsafe {
            (*record).header = header::<UserHelperRecord>();
            actor::describe(&raw mut (*record).actor);
            let path: Address = Probed::member(helper, offset!(user_helper.helper_path));
            bpf_probe_read_kernel_str((&raw mut (*record).path).cast(), PATH_LEN as u32, path);
            let arguments: Address = Probed::member(helper, offset!(user_helper.helper_argv));
            let mut at = 0;
            while at < ARGUMENTS {
                let argument: Address = Probed::member(arguments, at as u32 * 8);
                if argument.is_null() {
                    break;
                }
                let to = (&raw mut (*record).arguments).cast::<[u8; ARGUMENT_LEN]>().add(at);
                bpf_probe_read_kernel_str(to.cast(), ARGUMENT_LEN as u32, argument);
                at += 1;
            }
            (*record).count = at as u32;
            run.commit(Source::UserHelper.ring(), record);
        }
    }
}
