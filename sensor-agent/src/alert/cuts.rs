//! What is left out of an alert, and how texts and arguments are cut. Each form of an alert takes its cuts from here;
//! [`super::shorten`] finds how much of them it takes.

use std::borrow::Cow;

use crate::event::{Arguments, json::lossless};

/// How much of each part of an alert is kept; [`usize::MAX`] where nothing was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Bytes of arguments of each ancestor.
    pub lineage_args: usize,
    /// Bytes of arguments of the process.
    pub args: usize,
    /// Entries of `metadata`.
    pub metadata: usize,
    /// Entries of each other list and map.
    pub lists: usize,
    /// Ancestors.
    pub lineage: usize,
    /// Bytes of each text but the policy's name.
    pub texts: usize,
}

impl Cuts {
    pub(crate) const NONE: Self = Self {
        lineage_args: usize::MAX,
        args: usize::MAX,
        metadata: usize::MAX,
        lists: usize::MAX,
        lineage: usize::MAX,
        texts: usize::MAX,
    };

    /// Whether nothing is cut.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Text of the configuration or the sensor's own, as much of it as is kept.
    pub(crate) fn words<'a>(&self, text: &'a str) -> &'a str {
        &text[..text.floor_char_boundary(self.texts)]
    }

    /// A kernel string, as much of it as is kept.
    pub(crate) fn text<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        lossless(cut_text(bytes, self.texts))
    }

    /// Arguments, both ends of them, up to so many bytes; whether something is missing.
    pub(crate) fn args(args: &Arguments, limit: usize) -> (Vec<String>, bool) {
        let list = |args: &Arguments| args.iter().map(|arg| lossless(arg).into_owned()).collect();
        if args.kept() <= limit { (list(args), args.is_cut()) } else { (list(&cut_args(args, limit)), true) }
    }

    /// The same in one line.
    pub(crate) fn command_line(args: &Arguments, limit: usize) -> (String, bool) {
        let line = |args: &Arguments| lossless(args.joined()).into_owned();
        if args.kept() <= limit { (line(args), args.is_cut()) } else { (line(&cut_args(args, limit)), true) }
    }
}

/// At most so many bytes from the beginning, no character of valid UTF-8 cut in two.
pub(crate) fn cut_text(text: &[u8], limit: usize) -> &[u8] {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while end > 0 && limit - end < 4 && is_continuation(text[end]) {
        end -= 1;
    }
    &text[..end]
}

/// Both ends of arguments that are longer than so many bytes: two thirds of them from the beginning, the rest from
/// the end, where what an attacker wants run may stand behind padding.
pub(crate) fn cut_args(args: &Arguments, limit: usize) -> Arguments {
    let (head, tail) =
        if args.is_cut() { args.bytes.split_at(args.tail_at) } else { (&args.bytes[..], &args.bytes[..]) };
    let head = cut_text(head, limit - limit / 3);
    let mut from = tail.len().saturating_sub(limit / 3);
    while from < tail.len() && is_continuation(tail[from]) {
        from += 1;
    }
    let mut cut = Arguments::default();
    cut.set(head, &tail[from..], args.total, args.unreadable);
    cut
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_side_cut_keeps_its_ends() {
        let mut args = Arguments::default();
        args.set(b"aaaa\0bbbb", b"yyyy\0zzzz\0", 1000, false);
        let cut = cut_args(&args, 12);
        assert_eq!(cut.iter().collect::<Vec<_>>(), [&b"aaaa"[..], b"bbb", b"zzz"]);
        assert!(cut.is_cut());
    }
}
