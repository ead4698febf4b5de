//! The ring buffers: one for each degree of urgency, so that no flood of the less urgent takes the room of what counts more.
//!
//! | ring | holds |
//! | --- | --- |
//! | `Lifecycle` | programs that start, fork and end: what the process table is made of |
//! | `Audit` | messages to the kernel's audit: logins, sudo |
//! | `Rare` | what hardly happens and always counts: modules, BPF programs, credentials, traced processes, namespaces, mounts |
//! | `Busy` | what happens all the time: files, sockets, memory of compilers at run time |
//!
//! A ring takes its size of the host's memory, and three pages besides; one that no class uses has a single page.

/// A ring buffer, in order of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    Lifecycle,
    Audit,
    Rare,
    Busy,
}

impl Ring {
    pub const ALL: [Self; 4] = [Self::Lifecycle, Self::Audit, Self::Rare, Self::Busy];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place in tables by ring.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name of its map.
    #[must_use]
    pub const fn map(self) -> &'static str {
        match self {
            Self::Lifecycle => "LIFECYCLE",
            Self::Audit => "AUDIT",
            Self::Rare => "RARE",
            Self::Busy => "BUSY",
        }
    }

    /// Its size in bytes where nobody asks for another.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Lifecycle | Self::Busy => 4 << 20,
            Self::Audit | Self::Rare => 1 << 20,
        }
    }

    /// Unread bytes at which the drain thread is woken early, in a ring of this size.
    #[must_use]
    pub const fn watermark(size: u32) -> u64 {
        (size / 4) as u64
    }

    /// Whether so much of a ring is unread that nothing more is told of what anybody can repeat at will, be it ever so little. Of
    /// programs that cannot be run this holds with [`Self::is_pressed`]: what runs comes first.
    #[must_use]
    #[inline(always)]
    pub const fn is_crowded(self, unread: u64, size: u64) -> bool {
        match self {
            Self::Lifecycle => Self::is_pressed(unread, size),
            _ => unread * 4 >= size * 3,
        }
    }

    /// Whether so much of a ring is unread that the rest is kept for what nobody can make at will, and for who makes little of it.
    #[must_use]
    #[inline(always)]
    pub const fn is_pressed(unread: u64, size: u64) -> bool {
        unread * 4 >= size
    }
}

const _: () = {
    let mut n = 0;
    while n < Ring::COUNT {
        assert!(Ring::ALL[n].index() == n && Ring::ALL[n].bytes().is_power_of_two());
        n += 1;
    }
};
