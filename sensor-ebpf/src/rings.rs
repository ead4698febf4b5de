//! The ring buffers: one for each degree of urgency, so that no flood of the less urgent takes the room of what counts more.
//!
//! | ring | holds |
//! | --- | --- |
//! | `Lifecycle` | programs that start, fork and end: what the process table is made of |
//! | `Audit` | messages to the kernel's audit: logins, sudo |
//! | `Rare` | what hardly happens and always counts: modules, BPF programs, later credentials, traced processes, memory, mounts |
//! | `Busy` | what happens all the time: files, sockets |
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
            Self::Audit => 1 << 20,
            Self::Rare => 256 << 10,
        }
    }

    /// Unread bytes at which the drain thread is woken early, in a ring of this size.
    #[must_use]
    pub const fn watermark(size: u32) -> u64 {
        (size / 4) as u64
    }

    /// Whether so much of a ring is unread that the rest is kept for what nobody can make at will.
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
