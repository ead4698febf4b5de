//! A module that is loaded into the kernel.

use super::{Actor, Header};

/// Longest name of a module, with the zero at its end (`MODULE_NAME_LEN`: 64 bytes less a pointer).
pub const NAME_LEN: usize = 56;

/// The module is whole and about to be started; it may still refuse. No sections follow.
///
/// Its parameters are not told: by now the kernel has cut them up in place, and the command line of who loads it has them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleRecord {
    pub header: Header,
    /// Who loads it: `modprobe` or the like, also where the kernel asked for the module.
    pub actor: Actor,
    /// What loading it makes of the kernel, in the bits of `/proc/sys/kernel/tainted`: not signed (13), from outside of the
    /// kernel's sources (12), forced (1).
    pub taints: u64,
    /// Ends at the first zero.
    pub name: [u8; NAME_LEN],
}
