//! Arguments less what is secret in them.

use std::ops::Range;

use super::{Arguments, CUT_MARK, Taken};

impl Arguments {
    /// The same with a mark in place of each of these. There are as many arguments as before; what is told of their size, and
    /// of whether something is missing, stays.
    pub(crate) fn without(&self, taken: &[Taken], mark: &[u8]) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for one in taken {
            for range in self.in_bytes(&one.at) {
                let range = if one.is_value { self.to_the_end(range) } else { range };
                if let Some(rest) = self.rest_of(&range) {
                    ranges.push(rest);
                }
                ranges.push(range);
            }
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut parts = [Vec::with_capacity(self.bytes.len()), Vec::new()];
        let mut next = 0;
        for range in self.merged(ranges) {
            self.copy(next..range.start, &mut parts);
            let out = &mut parts[usize::from(range.start >= self.split())];
            // Each argument is marked by itself.
            for (index, piece) in self.bytes[range.clone()].split(|&byte| byte == 0).enumerate() {
                if index > 0 {
                    out.push(0);
                }
                if !piece.is_empty() {
                    out.extend_from_slice(mark);
                }
            }
            next = range.end;
        }
        self.copy(next..self.bytes.len(), &mut parts);
        let mut without = Self { total: self.total, unreadable: self.unreadable, ..Self::default() };
        without.put(&parts[0], &parts[1], self.cut);
        without
    }

    /// Those that touch are one; each is of the head or of the tail.
    fn merged(&self, sorted: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.start <= last.end && (range.start < self.split() || last.start >= self.split()) => {
                    last.end = last.end.max(range.end);
                }
                _ => merged.push(range),
            }
        }
        merged
    }

    /// Where something is missing, if anything is: behind all else.
    fn split(&self) -> usize {
        if self.cut { self.tail_at } else { self.bytes.len() }
    }

    fn copy(&self, range: Range<usize>, parts: &mut [Vec<u8>; 2]) {
        let middle = self.split().clamp(range.start, range.end);
        parts[0].extend_from_slice(&self.bytes[range.start..middle]);
        parts[1].extend_from_slice(&self.bytes[middle..range.end]);
    }

    /// What stands at this place of the joined line: where in `bytes`. In two pieces, if the middle of it is missing.
    fn in_bytes(&self, at: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let head = if self.cut {
            self.bytes[..self.tail_at].strip_suffix(&[0]).map_or(self.tail_at, <[u8]>::len)
        } else {
            self.joined.len()
        };
        let tail = head + CUT_MARK.len();
        let before = at.start.min(head)..at.end.min(head);
        let behind = |place: usize| (place.max(tail) - tail + self.tail_at).min(self.bytes.len());
        let after = if self.cut { behind(at.start)..behind(at.end) } else { 0..0 };
        [before, after].into_iter().filter(|range| !range.is_empty())
    }

    /// The whole value that begins like this: of an option, of a variable, or of an option that stands before it.
    fn to_the_end(&self, range: Range<usize>) -> Range<usize> {
        let argument = self.argument(range.start);
        let text = &self.bytes[argument.clone()];
        let before = &self.bytes[argument.start..range.start];
        let is_plain =
            |text: &[u8]| !text.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''));
        let is_one_value = before.is_empty() || is_plain(before) && (text.starts_with(b"-") || is_plain(text));
        if is_one_value { range.start..argument.end.max(range.end) } else { range }
    }

    /// What may be the rest of a secret in the middle of which something is missing.
    fn rest_of(&self, range: &Range<usize>) -> Option<Range<usize>> {
        (self.cut && range.end == self.tail_at && range.start < range.end)
            .then(|| self.tail_at..self.argument(self.tail_at).end)
    }

    /// The argument at this place, or the piece of it that is there.
    fn argument(&self, at: usize) -> Range<usize> {
        let split = self.split();
        let part = if at < split { 0..split } else { split..self.bytes.len() };
        let start = memchr::memrchr(0, &self.bytes[part.start..at]).map_or(part.start, |zero| part.start + zero + 1);
        let end = memchr::memchr(0, &self.bytes[at..part.end]).map_or(part.end, |zero| at + zero);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(head: &[u8], tail: &[u8], total: u64, at: Range<usize>, is_value: bool) -> Arguments {
        let mut args = Arguments::default();
        args.set(head, tail, total, false);
        args.without(&[Taken { at, is_value }], b"[x]")
    }

    #[test]
    fn the_number_of_arguments_stays() {
        let args = without(b"a\0bb\0cc\0dd\0", b"", 11, 3..8, false);
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"a"[..], b"b[x]", b"[x]", b"dd"]);
        assert_eq!((args.joined(), args.total(), args.is_cut()), (&b"a b[x] [x] dd"[..], 11, false));
    }

    #[test]
    fn a_value_is_the_rest_of_its_argument() {
        let told = |args: &[u8], at: Range<usize>| {
            String::from_utf8_lossy(without(args, b"", args.len() as u64, at, true).joined()).into_owned()
        };
        assert_eq!(told(b"x\0--key=a b\0c\0", 8..9), "x --key=[x] c");
        assert_eq!(told(b"x\0--key\0a b\0c\0", 8..9), "x --key [x] c");
        assert_eq!(told(b"x\0KEY=a'b\0c\0", 6..7), "x KEY=[x]'b c");
        assert_eq!(told(b"sh\0KEY=a b\0c\0", 7..8), "sh KEY=[x] b c");
    }

    #[test]
    fn the_other_end_of_one_that_is_cut_goes_too() {
        let args = without(b"x\0--key=abc", b"xyz\0last\0", 100, 8..11, true);
        assert_eq!((args.joined(), args.is_cut(), args.total()), ("x --key=[x] … [x] last".as_bytes(), true, 100));
        let behind = without(b"x\0y\0", b"z\0--key=abc\0", 100, 16..19, false);
        assert_eq!(behind.joined(), "x y … z --key=[x]".as_bytes());
    }
}
