//! The arguments, from the new image's own memory: what the program will see, not what the caller passed.

use crate::record::exec::{ARGS_HEAD, ARGS_TAIL};
use crate::record::{ExecRecord, exec_flags};
use aya_ebpf::helpers::generated::bpf_probe_read_user;

use crate::kernel::load::{Address, at_most, member, offset};
use crate::kernel::scratch::Area;

const WHOLE: u64 = (ARGS_HEAD + ARGS_TAIL) as u64;
/// What one bit of `args_unreadable` stands for.
const CHUNK: u64 = 4096;

/// Appends the argument sections and fills in their lengths.
///
/// # Safety
///
/// `mm` must be a typed pointer to the current task's `mm_struct`, `record` within `area`.
#[inline(always)]
pub(super) unsafe fn append(mm: Address, area: Area, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        let start: u64 = member(mm, offset!(mm_arg_start));
        let end: u64 = member(mm, offset!(mm_arg_end));
        let total = end.saturating_sub(start);
        (*record).args_bytes = total;
        (*record).args_unreadable = 0;
        if total <= WHOLE {
            let len = at_most::<WHOLE>(total);
            if bpf_probe_read_user(area.end().cast(), len as u32, start as Address) != 0 {
                (*record).args_unreadable = by_chunks(area, start, len);
                area.flag(exec_flags::READ_FAILED);
            }
            area.set_at(area.at() + len);
            (*record).args_head_len = len as u16;
            (*record).args_tail_len = 0;
            return;
        }
        area.flag(exec_flags::ARGS_CUT);
        let mut unreadable = 0;
        if bpf_probe_read_user(area.end().cast(), ARGS_HEAD as u32, start as Address) != 0 {
            unreadable |= by_chunks(area, start, ARGS_HEAD as u64);
        }
        area.set_at(area.at() + ARGS_HEAD as u64);
        let tail = end - ARGS_TAIL as u64;
        if bpf_probe_read_user(area.end().cast(), ARGS_TAIL as u32, tail as Address) != 0 {
            unreadable |= 1 << (ARGS_HEAD as u64 / CHUNK);
        }
        area.set_at(area.at() + ARGS_TAIL as u64);
        if unreadable != 0 {
            area.flag(exec_flags::READ_FAILED);
        }
        (*record).args_unreadable = unreadable;
        (*record).args_head_len = ARGS_HEAD as u16;
        (*record).args_tail_len = ARGS_TAIL as u16;
    }
}

/// Reads again piece by piece, so that one page that is not in memory costs its chunk only; the helper leaves zeroes in
/// place of what it could not read. Returns a bit for each such chunk.
#[inline(always)]
unsafe fn by_chunks(area: Area, start: u64, len: u64) -> u32 {
    let mut unreadable = 0;
    let mut chunk = 0;
    while chunk < WHOLE / CHUNK {
        let done = chunk * CHUNK;
        if done >= len {
            break;
        }
        let piece = at_most::<CHUNK>(len - done);
        // SAFETY: `end` leaves room for all chunks.
        unsafe {
            let to = area.end().add(done as usize);
            if bpf_probe_read_user(to.cast(), piece as u32, (start + done) as Address) != 0 {
                unreadable |= 1 << chunk;
            }
        }
        chunk += 1;
    }
    unreadable
}
