//! Places in what was read.

use std::ops::Range;

/// A file that was read, or something like one (an environment variable).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub(crate) u32);

/// A place in a source: byte offsets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub source: SourceId,
    pub bytes: Range<usize>,
}

/// A value with the place it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
    /// Whether the value stands in the source byte by byte from `span.bytes.start`, so that an offset in the
    /// value is an offset in the source. Not so for quoted text with escapes or folded lines.
    pub verbatim: bool,
}

impl<T> Spanned<T> {
    /// The place of a part of the value: exact if the value stands verbatim in the source, else the whole.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Span {
        if self.verbatim {
            let at = |offset: usize| (self.span.bytes.start + offset).min(self.span.bytes.end);
            Span { source: self.span.source, bytes: at(part.start)..at(part.end) }
        } else {
            self.span.clone()
        }
    }

    /// Another value from the same place.
    #[must_use]
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: map(self.value), span: self.span, verbatim: self.verbatim }
    }
}
