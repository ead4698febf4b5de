//! Maps that nobody but the kernel programs has to write are closed to writers from user space, root's included.

use std::os::fd::{AsRawFd as _, BorrowedFd};

/// The command of `bpf(2)`.
const BPF_MAP_FREEZE: libc::c_long = 22;

/// Freezes a map for good. Reading it goes on, and so does writing by kernel programs.
///
/// # Errors
/// The kernel refuses: the map is mapped for writing, or frozen already.
pub(super) fn freeze(map: BorrowedFd<'_>) -> std::io::Result<()> {
    /// The part of `union bpf_attr` that the command reads.
    #[repr(C)]
    struct Attributes {
        map_fd: u32,
    }
    let attributes = Attributes { map_fd: map.as_raw_fd().cast_unsigned() };
    // SAFETY: the kernel reads the given size from `attributes` and writes nowhere.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_MAP_FREEZE, &raw const attributes, std::mem::size_of_val(&attributes))
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
