//! How kernel memory is read.
//!
//! Two ways, by what the verifier knows of a pointer. A *typed* pointer (a tracepoint argument, or a member
//! loaded through one) may be dereferenced directly: the verifier checks offset and size against the kernel's
//! BTF, and a page fault reads as zero. Everything else (a container of an embedded structure, a name, the walk of
//! a list) goes through `bpf_probe_read_kernel`, or by a cast, see [`crate::cast`].

use core::arch::asm;
use core::ffi::c_void;
use core::mem::MaybeUninit;

use crate::cast::CONSTANT;
use crate::offsets::All;
use aya_ebpf::helpers::generated::bpf_probe_read_kernel;

/// Filled in by the agent before the load; frozen, so that the verifier knows each value.
#[unsafe(no_mangle)]
static OFFSETS: All = All::NONE;

/// Reads one entry of [`OFFSETS`], of a class by its name and the fact's; volatile, for the compiler must not take the initial value for the final one.
macro_rules! offset {
    ($field:ident) => {
        $crate::kernel::load::fact(core::mem::offset_of!($crate::offsets::All, shared.$field))
    };
    ($class:ident.$field:ident) => {
        $crate::kernel::load::fact(core::mem::offset_of!($crate::offsets::All, of.$class.$field))
    };
}
pub(crate) use offset;

/// The fact at a place in the table; the macro names it.
#[inline(always)]
pub(crate) fn fact(place: usize) -> u32 {
    // SAFETY: `offset!` passes the place of a field.
    unsafe { (&raw const OFFSETS).byte_add(place).cast::<u32>().read_volatile() }
}

/// Whether an entry of the table is known.
macro_rules! present {
    ($($fact:tt)+) => {
        $crate::kernel::load::offset!($($fact)+) != $crate::offsets::ABSENT
    };
}
pub(crate) use present;

/// A kernel address; whether it is typed is known to the verifier only.
pub(crate) type Address = *const c_void;

/// Loads directly through a typed pointer.
///
/// # Safety
///
/// The verifier proves what matters: it refuses the program if `base` is not typed or has no such member.
#[inline(always)]
pub(crate) unsafe fn member<T: Copy>(base: Address, offset: u32) -> T {
    // SAFETY: the verifier, as above. Volatile keeps the compiler from merging neighbours into one wider load, which
    // the verifier would refuse.
    unsafe { base.byte_add(offset as usize).cast::<T>().read_volatile() }
}

/// A word of the program's context: an argument, or the returned value behind the last one.
///
/// # Safety
///
/// The verifier refuses words that the function does not have.
#[inline(always)]
pub(crate) unsafe fn word<const INDEX: usize>(ctx: *mut c_void) -> u64 {
    let word: u64;
    // SAFETY: the verifier. In assembly, as the compiler would make one load with a computed address out of several, and
    // that is refused on the context.
    unsafe {
        asm!(
            "{word} = *(u64 *)({ctx} + {offset})",
            word = lateout(reg) word,
            ctx = in(reg) ctx,
            offset = const INDEX * 8,
            options(pure, readonly, nostack),
        );
    }
    word
}

/// How the members of a structure are read; code that describes a task works with either.
pub(crate) trait Memory {
    /// Reads a member.
    ///
    /// # Safety
    ///
    /// As the implementor says.
    unsafe fn member<T: Copy>(base: Address, offset: u32) -> T;
}

/// Through typed pointers, as [`member`] does. For each pointer that is loaded through one, the verifier looks through all types of
/// the kernel by name, several times (`btf_nested_type_is_trusted` of kernel/bpf/btf.c, since Linux 6.3): a millisecond for each. See
/// [`CastOrTyped`].
pub(crate) enum Typed {}

impl Memory for Typed {
    #[inline(always)]
    unsafe fn member<T: Copy>(base: Address, offset: u32) -> T {
        // SAFETY: the verifier.
        unsafe { member(base, offset) }
    }
}

/// Through typed pointers, but by a cast where there is one: for what many ways lead to, so that a start is half as long. The loads
/// themselves take no longer, but keep fewer registers.
pub(crate) enum CastOrTyped {}

impl Memory for CastOrTyped {
    #[inline(always)]
    unsafe fn member<T: Copy>(base: Address, offset: u32) -> T {
        // SAFETY: a fault reads as zero; or the verifier.
        unsafe { if present!(rdonly_cast) { load(base as u64 + u64::from(offset)) } else { member(base, offset) } }
    }
}

/// Through any pointer. In a loop of a kernel before Linux 6.17 use [`address`] and [`fetch`], into an area: these go by the stack, of
/// which Linux 5.10 takes what a round left there for what the next one may read. What cannot be read is zero, so `T` must be an integer, a pointer, or an array of them.
pub(crate) enum Probed {}

impl Memory for Probed {
    #[inline(always)]
    unsafe fn member<T: Copy>(base: Address, offset: u32) -> T {
        if present!(rdonly_cast) {
            // SAFETY: a fault reads as zero; zeroes are a value of every `T` used.
            return unsafe { load(base as u64 + u64::from(offset)) };
        }
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the helper checks the source, and writes zeroes where it cannot be read; these are a value of every `T` used. Zeroes
        // of our own would be one more state for the verifier to tell from others.
        unsafe {
            probe(value.as_mut_ptr(), base as u64 + u64::from(offset));
            value.assume_init()
        }
    }
}

/// Makes an address one that may be loaded from, and loads from there. In one piece: the compiler would make one load of this and of
/// another one elsewhere, through two sorts of pointers, which the verifier refuses.
macro_rules! load {
    ($width:literal, $address:expr) => {{
        let value: u64;
        asm!(
            "r0 = {mark}",
            concat!("r0 = *(", $width, " *)(r0 + 0)"),
            mark = const CONSTANT,
            inlateout("r1") $address => _,
            inlateout("r2") 0_u64 => _,
            lateout("r0") value,
            lateout("r3") _,
            lateout("r4") _,
            lateout("r5") _,
            options(pure, readonly, nostack),
        );
        value
    }};
}

/// Loads by a cast: zeroes if it cannot be read.
///
/// # Safety
///
/// The kernel must have the cast; `T` must be an integer, a pointer, or an array of words.
#[inline(always)]
unsafe fn load<T: Copy>(address: u64) -> T {
    const { assert!(matches!(size_of::<T>(), 1 | 2 | 4) || size_of::<T>().is_multiple_of(8)) }
    let mut value = MaybeUninit::<T>::uninit();
    let to = value.as_mut_ptr();
    // SAFETY: a call of a function that returns its first argument and keeps no more registers than any other, and a load that faults to
    // zero; each word of the value is written.
    unsafe {
        match size_of::<T>() {
            1 => to.cast::<u8>().write(load!("u8", address) as u8),
            2 => to.cast::<u16>().write(load!("u16", address) as u16),
            4 => to.cast::<u32>().write(load!("u32", address) as u32),
            size => {
                let mut at = 0;
                while at < size / 8 {
                    to.cast::<u64>().add(at).write(load!("u64", address + at as u64 * 8));
                    at += 1;
                }
            }
        }
        value.assume_init()
    }
}

/// Writes a word behind an address that need not be aligned: the compiler would write byte by byte there.
///
/// # Safety
///
/// The verifier refuses what is not within a map's value or the stack.
#[inline(always)]
pub(crate) unsafe fn store<const AT: usize>(to: *mut u8, word: u64) {
    // SAFETY: the verifier.
    unsafe {
        asm!(
            "*(u64 *)({to} + {at}) = {word}",
            to = in(reg) to,
            at = const AT,
            word = in(reg) word,
            options(nostack),
        );
    }
}

/// Copies what is within maps' values, records or the stack. An assignment may be between what overlaps, so the compiler would copy
/// byte by byte there.
///
/// # Safety
///
/// The verifier refuses what is not; they must not overlap.
#[inline(always)]
pub(crate) unsafe fn copy<T: Copy>(from: *const T, to: *mut T) {
    // SAFETY: the caller.
    unsafe { to.copy_from_nonoverlapping(from, 1) }
}

/// Reads an address that is not zero into `to`. False if it is, or cannot be read: `to` is zero then.
///
/// # Safety
///
/// `to` must have room for it.
#[inline(always)]
pub(crate) unsafe fn address(to: *mut u64, from: u64) -> bool {
    // SAFETY: the caller.
    unsafe {
        fetch(to, from);
        to.read_volatile() != 0
    }
}

/// Reads words into `to`: zeroes if they cannot be read.
///
/// # Safety
///
/// `to` must have room for them; zeroes must be a value of `T`.
#[inline(always)]
pub(crate) unsafe fn fetch<T: Copy>(to: *mut T, from: u64) {
    // SAFETY: the caller; a fault reads as zero.
    unsafe {
        if present!(rdonly_cast) {
            to.write_volatile(load(from));
        } else {
            probe(to, from);
        }
    }
}

/// Reads memory that the verifier knows nothing about into `to`. True on success.
///
/// # Safety
///
/// `to` must have room for `N` bytes.
#[inline(always)]
pub(crate) unsafe fn probe<T>(to: *mut T, from: u64) -> bool {
    // SAFETY: the helper checks the source, the verifier the destination.
    unsafe { bpf_probe_read_kernel(to.cast(), size_of::<T>() as u32, from as Address) == 0 }
}

/// Where a loop begins to count: zero, which the compiler does not know, so it does not write the loop out round by round.
#[inline(always)]
pub(crate) fn zero() -> u32 {
    let zero: u32;
    // SAFETY: a move.
    unsafe { asm!("{zero} = 0", zero = lateout(reg) zero, options(pure, nomem, nostack)) };
    zero
}

/// `value`, or `MAX` if that is less, in a way that the verifier of every kernel follows: the compiler cannot move
/// the comparison to another copy of the register.
#[inline(always)]
pub(crate) fn at_most<const MAX: u64>(value: u64) -> u64 {
    let mut value = value;
    // SAFETY: a comparison and a move.
    unsafe {
        asm!(
            "if {value} <= {max} goto +1",
            "{value} = {max}",
            value = inout(reg) value,
            max = const MAX,
            options(pure, nomem, nostack),
        );
    }
    value
}
