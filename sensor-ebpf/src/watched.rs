//! Which files are told of: those that a rule can match, by the names that its paths must have.
//!
//! A rule such as `filePath == "/etc/ssh/*"` holds for paths alone that have `ssh` among their names. The agent gives the programs a
//! set of such names, of which each path that some rule can match has one; what has none is no event. The set is one of bits, by
//! a digest of each name's length and first bytes: a name that is not in it may pass for one that is, and the rules then decide.

/// What is told of one sort of events.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// One of [`NOTHING`], [`EVERYTHING`] and [`NAMES`].
    pub what: u32,
    pub reserved: u32,
    pub bits: Bits,
}

/// No event of the sort is told.
pub const NOTHING: u32 = 0;
/// All are.
pub const EVERYTHING: u32 = 1;
/// Those of paths that have a name of the set.
pub const NAMES: u32 = 2;

/// A set of names.
pub type Bits = [[u64; 32]; 8];

/// Places in tables of sorts of events.
pub mod sort {
    /// Whatever changes a file, or which files there are.
    pub const CHANGES: usize = 0;
    /// Files that are opened for reading alone.
    pub const READS: usize = 1;
    pub const COUNT: usize = 2;
}

/// Bytes of a name that its digest takes.
pub const DIGESTED: usize = 8;

/// Where a name's bit is: the two indices, and the bit. `first` are its first bytes, zeroes behind them, little-endian.
#[must_use]
#[inline(always)]
pub const fn place(first: u64, len: u64) -> (usize, usize, u64) {
    let digest = (first ^ len.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let digest = digest >> 50;
    ((digest >> 11) as usize & 7, (digest >> 6) as usize & 31, 1 << (digest & 63))
}

/// Adds a name.
pub fn add(bits: &mut Bits, name: &[u8]) {
    let mut first = [0; DIGESTED];
    let kept = name.len().min(DIGESTED);
    first[..kept].copy_from_slice(&name[..kept]);
    let (group, word, bit) = place(u64::from_le_bytes(first), name.len() as u64);
    bits[group][word] |= bit;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_bits_of_their_own() {
        let mut bits = Bits::default();
        let names = ["etc", "shadow", "shadow-", "authorized_keys", "authorized_keyz", "a", "b", ".ssh"];
        for name in names {
            add(&mut bits, name.as_bytes());
        }
        // The two long ones begin alike and are as long.
        let set: u32 = bits.iter().flatten().map(|word| word.count_ones()).sum();
        assert_eq!(set as usize, names.len() - 1);
    }
}
