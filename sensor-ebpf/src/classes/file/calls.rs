//! The program at the end of every system call, for kernels that allow none at functions.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_get_current_task;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use super::open;
use crate::classes::Source;
use crate::kernel::call::{self, Call};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Memory, Probed, Typed, offset, present, word};

#[btf_tracepoint(function = "sys_exit")]
fn file_opened(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments are the `struct pt_regs`, and what the call returned.
    unsafe {
        let returned = word::<1>(ctx.as_ptr()) as i64;
        if (0..=i64::from(i32::MAX)).contains(&returned) {
            ended(word::<0>(ctx.as_ptr()) as Address, returned as u32);
        }
    }
    0
}

/// A call that did not fail.
#[inline(always)]
unsafe fn ended(regs: Address, returned: u32) {
    // SAFETY: the registers are typed, all else is probed.
    unsafe {
        let number = call::number(Typed::member::<u32>(regs, offset!(regs_call)));
        if !is_any_open(number) || !is_open(number, Call::of_task(regs).is_compat) {
            return;
        }
        let file = call::file::<Probed>(bpf_get_current_task() as Address, returned);
        if file.is_null() || !open::is_told(file) {
            return;
        }
        if let Some(run) = Run::begin::<0>(Source::FileOpen) {
            open::opened::<0>(run, file, 0);
        }
    }
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
