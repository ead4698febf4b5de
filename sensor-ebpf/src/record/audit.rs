//! A message that a user program sent to the kernel's audit.

use super::{COMM_LEN, Header, Ids, Namespaces, Place, ProcessKey, TTY_LEN};

/// Bytes of text kept; longer than any that libaudit sends (`MAX_AUDIT_MESSAGE_LENGTH` is 8970).
pub const TEXT_MAX: usize = 9216;

/// The fixed part of an audit message.
///
/// Then follow, in this order and with these lengths: `path_len`, `cgroup_len`, `text_len` bytes. The path is that of
/// the sender's program, *leaf first*, the cgroup's is not; see [`super::ExecRecord`]. The text is as it was sent, often
/// with a zero at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditRecord {
    pub header: Header,
    /// The sender.
    pub process: ProcessKey,
    pub parent: ProcessKey,
    /// As they are at this moment: a login sets them long after its program was started.
    pub ids: Ids,
    pub namespaces: Namespaces,
    pub place: Place,
    /// Bits of [`super::exec_flags`], and of this file.
    pub flags: u32,
    /// The process's id in its own, innermost pid namespace.
    pub ns_pid: u32,
    /// Size of the text as it was sent, kept or not.
    pub text_bytes: u32,
    /// Type of the message, such as 1105 for `USER_START`.
    pub message_type: u16,
    /// Whether the kernel took it: a [`Refusal`], or zero.
    pub refusal: u16,
    /// Section lengths, bytes.
    pub path_len: u16,
    pub cgroup_len: u16,
    pub text_len: u16,
    pub reserved: u16,
    /// As in [`super::ExecRecord::tty`].
    pub tty: [u8; TTY_LEN],
    pub comm: [u8; COMM_LEN],
}

/// The text was longer than kept. In [`AuditRecord::flags`].
pub const TEXT_CUT: u32 = 1 << 16;

/// Why the kernel did not take a message.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The sender, or whoever opened its socket, lacks `CAP_AUDIT_WRITE`.
    Capability = 1,
    /// The sender is in a user namespace of its own.
    UserNamespace = 2,
    /// Only the kernel makes messages of this type.
    KernelType = 3,
    /// The message says that it is longer than it is, or holds nothing.
    Length = 4,
    /// A security module (SELinux, AppArmor) forbids it.
    SecurityModule = 5,
}

impl Refusal {
    /// The refusal that a record tells; none for zero and for what is not known.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::Capability,
            2 => Self::UserNamespace,
            3 => Self::KernelType,
            4 => Self::Length,
            5 => Self::SecurityModule,
            _ => return None,
        })
    }
}

/// Whether user programs may send messages of this type (linux/audit.h: `AUDIT_USER`, `AUDIT_FIRST_USER_MSG` to
/// `AUDIT_LAST_USER_MSG`, and the second such range).
#[must_use]
#[inline]
pub const fn is_user_type(message_type: u16) -> bool {
    matches!(message_type, 1005 | 1100..=1199 | 2100..=2999)
}

/// Whether it is a request to the audit system itself, which is no message.
#[must_use]
#[inline]
pub const fn is_request(message_type: u16) -> bool {
    matches!(message_type, 0..=1004 | 1007..=1099)
}
