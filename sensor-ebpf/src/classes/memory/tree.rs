//! The kernel's tree of a process's memory: since Linux 6.1 a maple tree (lib/maple_tree.c).

use aya_ebpf::helpers::generated::bpf_get_current_task;

use crate::kernel::load::{Address, Memory, Probed, offset};

/// More levels than a tree of as many parts as the kernel allows has.
const LEVELS: u32 = 8;
/// `maple_range_64` and `maple_arange_64` in `enum maple_type` of Linux; what is less is a leaf.
const RANGE: u64 = 2;
const ARANGE: u64 = 3;
/// Where a node's address has its type.
const SORT: u32 = 3;

/// The part of the memory of the task at hand that an address is in, as the kernel looks it up (`mtree_range_walk`); zero if it is
/// in none.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn find(address: u64) -> Address {
    // SAFETY: as above.
    unsafe {
        let mm: Address = Probed::member(bpf_get_current_task() as Address, offset!(task_mm));
        let mut entry: u64 = Probed::member(mm, offset!(memory.mm_tree));
        // How the kernel marks a root that is a node.
        if entry & 3 != 2 {
            return core::ptr::null();
        }
        let mut level = 0;
        while level < LEVELS {
            level += 1;
            let sort = entry >> SORT & 0xf;
            entry = memory_below(entry, address);
            if sort < RANGE {
                break;
            }
        }
        let part = entry as Address;
        let start: u64 = Probed::member(part, offset!(memory.vma_start));
        let end: u64 = Probed::member(part, offset!(memory.vma_end));
        if entry & 3 == 0 && start <= address && address < end { part } else { core::ptr::null() }
    }
}

/// What a node has for an address: another node, or a part of memory. A function of its own, so that the verifier looks at it once
/// and not once for each level.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn memory_below(entry: u64, address: u64) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let node = (entry & !0xff) as Address;
        let slot = if entry >> SORT & 0xf == ARANGE {
            let pivots: [u64; 9] = Probed::member(node, offset!(memory.maple_arange_pivot));
            let end: u8 = Probed::member(node, offset!(memory.maple_arange_end));
            offset!(memory.maple_arange_slot) + 8 * before(&pivots, end, address)
        } else {
            let pivots: [u64; 15] = Probed::member(node, offset!(memory.maple_pivot));
            // Where all are in use the last slot is where the end stands otherwise.
            let end = if pivots[14] == 0 { Probed::member(node, offset!(memory.maple_end)) } else { 15 };
            offset!(memory.maple_slot) + 8 * before(&pivots, end, address)
        };
        Probed::member(node.wrapping_byte_add(slot as usize), 0)
    }
}

/// How many slots of a node end before an address; what stands at and behind `end` is none.
#[inline(always)]
fn before<const COUNT: usize>(pivots: &[u64; COUNT], end: u8, address: u64) -> u32 {
    let (mut count, mut at) = (0, 0);
    while at < COUNT {
        count += u32::from(at < end as usize && pivots[at] < address);
        at += 1;
    }
    count
}
