//! Whether the running kernel wants `CAP_BPF` for the use of maps that are open already.

use rustix::{
    io::Errno,
    thread::{CapabilitySet, CapabilitySets},
};

/// The command of `bpf(2)` that asks about an open object.
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// Puts the effective capabilities of this thread aside, asks `bpf(2)` about a descriptor that is not open, and sees
/// what is complained about: the descriptor, or the lack of privilege. The effective set is `sets.effective` again
/// afterwards.
///
/// Versions tell less: distributions carry the change of 5.19 back, and a container's filter of system calls can
/// refuse too.
///
/// # Errors
/// Capabilities could not be set.
pub(super) fn bpf_is_refused_without_capabilities(sets: CapabilitySets) -> Result<bool, Errno> {
    rustix::thread::set_capabilities(None, CapabilitySets { effective: CapabilitySet::empty(), ..sets })?;
    let refused = matches!(info_of_no_object(), Some(libc::EPERM | libc::EACCES));
    rustix::thread::set_capabilities(None, sets)?;
    Ok(refused)
}

/// The errno.
fn info_of_no_object() -> Option<i32> {
    /// The part of `union bpf_attr` that the command reads.
    #[repr(C)]
    struct Attributes {
        bpf_fd: u32,
        info_len: u32,
        info: u64,
    }
    let attributes = Attributes { bpf_fd: u32::MAX, info_len: 0, info: 0 };
    // SAFETY: the kernel reads the given size from `attributes`, and writes nowhere: the descriptor is not open.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &raw const attributes, std::mem::size_of_val(&attributes))
    };
    (result < 0).then(|| std::io::Error::last_os_error().raw_os_error()).flatten()
}
