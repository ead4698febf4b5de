//! The arguments of an exec.

mod without;

use std::ops::Range;

/// The arguments of an exec: NUL-terminated, as in the process's memory, whole or head and tail.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Head and, if cut, tail, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// The same with blanks for the NULs between arguments and a mark where something is missing.
    pub(crate) joined: Vec<u8>,
    /// Where the tail begins in `bytes`; their length when nothing was cut.
    pub(crate) tail_at: usize,
    /// Size in the process's memory, kept or not.
    pub(crate) total: u64,
    /// Some kept chunk could not be read and is zero-filled.
    pub(crate) unreadable: bool,
    /// Whether the middle is missing.
    cut: bool,
}

/// What is to be taken out of arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Where it stands in the joined line.
    pub(crate) at: Range<usize>,
    /// Whether it is the value of an option or of a variable, which is the rest of its argument.
    pub(crate) is_value: bool,
}

impl Arguments {
    /// Takes the arguments in, in place of what was there.
    pub fn set(&mut self, head: &[u8], tail: &[u8], total: u64, unreadable: bool) {
        self.total = total;
        self.unreadable = unreadable;
        self.put(head, tail, total > (head.len() + tail.len()) as u64);
    }

    fn put(&mut self, head: &[u8], tail: &[u8], cut: bool) {
        self.bytes.clear();
        self.bytes.extend_from_slice(head);
        self.tail_at = self.bytes.len();
        self.bytes.extend_from_slice(tail);
        self.cut = cut;
        self.joined.clear();
        let blanks = |out: &mut Vec<u8>, part: &[u8]| {
            let part = part.strip_suffix(&[0]).unwrap_or(part);
            out.extend(part.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
        };
        if cut {
            blanks(&mut self.joined, head);
            self.joined.extend_from_slice(CUT_MARK);
            blanks(&mut self.joined, tail);
        } else {
            blanks(&mut self.joined, &self.bytes);
        }
    }

    /// Bytes that they take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.capacity() + self.joined.capacity()
    }

    /// The first and the last of them, if they are long.
    pub(super) fn in_short(&self) -> Self {
        let [head, tail] = SHORT_ARGS;
        if self.bytes.len() <= head + tail {
            return self.clone();
        }
        let mut short = Self::default();
        short.set(&self.bytes[..head], &self.bytes[self.bytes.len() - tail..], self.total, self.unreadable);
        short
    }

    /// Each argument, in order; at a cut the last one of the head and the first one of the tail are pieces.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let (head, tail) = if self.is_cut() { self.bytes.split_at(self.tail_at) } else { (&self.bytes[..], &[][..]) };
        split(head).chain(split(tail))
    }

    /// All arguments in one line.
    #[must_use]
    pub fn joined(&self) -> &[u8] {
        &self.joined
    }

    /// Size in the process's memory, bytes, kept or not.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that were kept.
    #[must_use]
    pub const fn kept(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the middle is missing.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether some part could not be read.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }
}

/// What [`Arguments::in_short`] keeps of the first and of the last arguments, bytes.
const SHORT_ARGS: [usize; 2] = [384, 128];

/// Stands in the joined line where the middle of the arguments is missing.
const CUT_MARK: &[u8] = " … ".as_bytes();

/// Splits by length, so that empty arguments count.
fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let terminated = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    (!bytes.is_empty()).then(|| terminated.split(|&byte| byte == 0)).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(head: &[u8], tail: &[u8], total: u64) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.set(head, tail, total, false);
        arguments
    }

    #[test]
    fn empty_arguments_count() {
        let args = arguments(b"a\0\0b\0\0", b"", 6);
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"b", b""]);
        assert_eq!(args.joined(), b"a  b ");
    }

    #[test]
    fn no_arguments_are_none() {
        assert_eq!(arguments(b"", b"", 0).iter().count(), 0);
        assert_eq!(arguments(b"\0", b"", 1).iter().collect::<Vec<_>>(), [b""]);
    }

    #[test]
    fn a_cut_is_seen() {
        let args = arguments(b"a\0bb", b"yy\0z\0", 100);
        assert!(args.is_cut());
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"bb", b"yy", b"z"]);
        assert_eq!(args.joined(), "a bb … yy z".as_bytes());
    }

    #[test]
    fn a_whole_argv_in_two_pieces_is_one() {
        let args = arguments(b"a\0bb", b"cc\0", 7);
        assert!(!args.is_cut());
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"bbcc"]);
    }
}
