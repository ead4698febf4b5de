//! The kernel programs as one object.
//!
//! Built for the BPF target by the agent's build script and embedded in the agent. Minimum kernel: 5.10 with
//! `CONFIG_DEBUG_INFO_BTF` (ring buffer 5.8, boot clock helper 5.8, BTF tracepoints 5.5, task iterator 5.8).
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

// They are in the library, beside what both sides know of each class.
#[cfg(target_arch = "bpf")]
use sensor_ebpf as _;

/// The programs exist on the BPF target alone; elsewhere this is an empty program that keeps tools content.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// Helpers such as `bpf_probe_read_kernel` are open to programs under the GPL; the kernel side is dual-licensed.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
