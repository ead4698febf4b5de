//! Values of a rule: text with wildcards, encoded if that is asked for, as globs of the rule language.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rules::escape;

/// Text with wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// What options begin with, any of [`DASHES`].
    Dash,
}

/// The characters that `windash` takes for each other: hyphen, slash, en dash, em dash, horizontal bar.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

impl Pattern {
    /// Reads a value: `*` and `?` are wildcards. A backslash takes the meaning of a wildcard or of a backslash behind it
    /// away, and is itself before anything else.
    pub(super) fn read(text: &str) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            pieces.push(match char {
                '*' => Piece::Many,
                '?' => Piece::One,
                '\\' => Piece::Char(chars.next_if(|next| ['*', '?', '\\'].contains(next)).unwrap_or('\\')),
                char => Piece::Char(char),
            });
        }
        Self { pieces }
    }

    /// The pattern of bytes that are text, such as what base64 makes.
    fn literal(text: &str) -> Self {
        Self { pieces: text.chars().map(Piece::Char).collect() }
    }

    /// Any run of characters before it, or behind it.
    pub(super) fn unbound(mut self, before: bool, behind: bool) -> Self {
        if before && self.pieces.first() != Some(&Piece::Many) {
            self.pieces.insert(0, Piece::Many);
        }
        if behind && self.pieces.last() != Some(&Piece::Many) {
            self.pieces.push(Piece::Many);
        }
        self
    }

    /// With any dash in place of each.
    pub(super) fn any_dash(mut self) -> Self {
        for piece in &mut self.pieces {
            if matches!(piece, Piece::Char(char) if DASHES.contains(char)) {
                *piece = Piece::Dash;
            }
        }
        self
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The one text that it is; none if it has wildcards.
    pub(super) fn exact(&self) -> Option<String> {
        let char = |piece: &Piece| if let Piece::Char(char) = piece { Some(*char) } else { None };
        self.pieces.iter().map(char).collect()
    }

    /// As a glob of the rule language.
    pub(super) fn glob(&self) -> String {
        let mut out = String::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            match piece {
                Piece::Char(char) => out.push_str(&escape(char.encode_utf8(&mut [0; 4]))),
                Piece::One => out.push('?'),
                Piece::Many => out.push('*'),
                // A hyphen that is no range stands last.
                Piece::Dash => {
                    out.push('[');
                    out.extend(&DASHES[1..]);
                    out.push_str("-]");
                }
            }
        }
        out
    }

    /// As a regular expression of the rule language that the whole value must be, letter case told apart.
    pub(super) fn expression(&self) -> String {
        let mut out = String::from("\\A");
        for piece in &self.pieces {
            match piece {
                Piece::Char(char) => out.push_str(&regex_syntax::escape(char.encode_utf8(&mut [0; 4]))),
                Piece::One => out.push_str("(?u:.)"),
                Piece::Many => out.push_str(".*"),
                Piece::Dash => out.push_str("(?:-|/|\u{2013}|\u{2014}|\u{2015})"),
            }
        }
        out + "\\z"
    }
}

/// How UTF-16 is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Little,
    Big,
    /// Little, with the mark that says so.
    Marked,
}

/// A text in UTF-16.
pub(super) fn wide(text: &str, how: Wide) -> Vec<u8> {
    let units = (how == Wide::Marked).then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units
        .flat_map(|unit| match how {
            Wide::Big => unit.to_be_bytes(),
            Wide::Little | Wide::Marked => unit.to_le_bytes(),
        })
        .collect()
}

/// Bytes in base64.
pub(super) fn base64(bytes: &[u8]) -> Pattern {
    Pattern::literal(&STANDARD.encode(bytes))
}

/// What is certain of bytes that stand somewhere within what is encoded: one text for each of the three places that they
/// can have in a group of three. A digit holds six bits, so those at the ends may be a neighbour's, too.
pub(super) fn base64_within(bytes: &[u8]) -> Vec<Pattern> {
    let place = |offset: usize| {
        let mut all = vec![0; offset];
        all.extend_from_slice(bytes);
        let first = (offset * 8).div_ceil(6);
        let last = all.len() * 8 / 6;
        let digits = STANDARD.encode(&all);
        digits.get(first..last).filter(|digits| !digits.is_empty()).map(Pattern::literal)
    };
    (0..3).filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_backslash_is_one_before_anything_but_a_wildcard() {
        for (value, glob) in [
            ("a*b?c", "a*b?c"),
            (r"a\*b\?c", r"a\*b\?c"),
            (r"C:\Windows\x", r"C:\\Windows\\x"),
            (r"a\\b", r"a\\b"),
            (r"a\\*", r"a\\*"),
            (r"a\\\*", r"a\\\*"),
            (r"a\\\b", r"a\\\\b"),
            (r"a\\\\b", r"a\\\\b"),
            (r"a\", r"a\\"),
            ("[x] ", r"\[x] "),
            ("", ""),
        ] {
            assert_eq!(Pattern::read(value).glob(), glob, "{value}");
        }
        assert_eq!(Pattern::read(r"x\").unbound(false, true).glob(), r"x\\*");
        assert_eq!(Pattern::read("*x").unbound(true, true).glob(), "*x*");
        assert_eq!(Pattern::read("-a /b").any_dash().glob(), "[/–—―-]a [/–—―-]b");
    }

    #[test]
    fn encodings() {
        assert_eq!(wide("cmd", Wide::Little), b"c\0m\0d\0");
        assert_eq!(wide("cmd", Wide::Big), b"\0c\0m\0d");
        assert_eq!(wide("cmd", Wide::Marked), b"\xff\xfec\0m\0d\0");
        assert_eq!(base64(b"foobar").exact().as_deref(), Some("Zm9vYmFy"));
        let within: Vec<_> = base64_within(b"foobar").iter().filter_map(Pattern::exact).collect();
        assert_eq!(within, ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"]);
    }

    proptest! {
        #[test]
        fn bytes_are_found_in_what_is_encoded(before in prop::collection::vec(any::<u8>(), 0..4), bytes in prop::collection::vec(any::<u8>(), 2..9), behind in prop::collection::vec(any::<u8>(), 0..4)) {
            let whole = STANDARD.encode([before.clone(), bytes.clone(), behind].concat());
            let within = base64_within(&bytes)[before.len() % 3].exact().unwrap();
            prop_assert!(whole.contains(&within), "{} lacks {}", whole, within);
        }
    }
}
