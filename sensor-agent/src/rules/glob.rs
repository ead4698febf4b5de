//! Globs on bytes, in time linear in the text.
//!
//! `*` stands for any run of characters, `/` included, so that a subfolder is no way around `/etc/*`; `?` for one
//! character; `[a-z]`, `[!a-z]` or `[^a-z]` for one of a set, or one outside it; a backslash takes the meaning of
//! what follows away. A character is a valid UTF-8 sequence or, where there is none, a single byte.

use std::fmt::Write as _;

use super::fold::{capital, fold};

/// A glob, read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    tokens: Box<[Token]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Token {
    Literal(Box<[u8]>),
    One,
    Set {
        negated: bool,
        /// The text has small letters alone, and a capital one in the set stands for its small form, too.
        any_case: bool,
        ranges: Box<[(u32, u32)]>,
    },
    Many,
}

/// Why a text is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GlobError {
    /// The offending bytes of the glob: offset of the first.
    pub at: usize,
    pub message: &'static str,
}

/// What a glob asks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape<'a> {
    /// It is this.
    Exact(&'a [u8]),
    /// It begins with this.
    Prefix(&'a [u8]),
    /// It ends with this.
    Suffix(&'a [u8]),
    /// It has this somewhere.
    Contains(&'a [u8]),
    /// Nothing.
    Any,
}

impl Shape<'_> {
    pub(super) fn matches(self, text: &[u8]) -> bool {
        match self {
            Self::Exact(literal) => text == literal,
            Self::Prefix(literal) => text.starts_with(literal),
            Self::Suffix(literal) => text.ends_with(literal),
            Self::Contains(literal) => memchr::memmem::find(text, literal).is_some(),
            Self::Any => true,
        }
    }
}

impl Glob {
    /// Reads a glob.
    ///
    /// # Errors
    /// A set without end, a range that runs backwards, a backslash with nothing after it.
    pub fn new(text: &[u8]) -> Result<Self, GlobError> {
        let mut tokens = Vec::new();
        let mut literal = Vec::new();
        let mut at = 0;
        let flush = |literal: &mut Vec<u8>, tokens: &mut Vec<Token>| {
            if !literal.is_empty() {
                tokens.push(Token::Literal(std::mem::take(literal).into()));
            }
        };
        while at < text.len() {
            match text[at] {
                b'*' => {
                    flush(&mut literal, &mut tokens);
                    if tokens.last() != Some(&Token::Many) {
                        tokens.push(Token::Many);
                    }
                    at += 1;
                }
                b'?' => {
                    flush(&mut literal, &mut tokens);
                    tokens.push(Token::One);
                    at += 1;
                }
                b'[' => {
                    flush(&mut literal, &mut tokens);
                    let (set, len) = set(text, at)?;
                    tokens.push(set);
                    at += len;
                }
                b'\\' => {
                    let Some(next) = text.get(at + 1) else {
                        return Err(GlobError { at, message: "a backslash at the end takes nothing's meaning away" });
                    };
                    literal.push(*next);
                    at += 2;
                }
                byte => {
                    literal.push(byte);
                    at += 1;
                }
            }
        }
        flush(&mut literal, &mut tokens);
        Ok(Self { tokens: tokens.into() })
    }

    /// A text in which no character has a meaning of its own, with any run of characters before or after it.
    #[must_use]
    pub fn literal(any_before: bool, text: &[u8], any_after: bool) -> Self {
        let mut tokens = Vec::new();
        tokens.extend(any_before.then_some(Token::Many));
        tokens.extend((!text.is_empty()).then(|| Token::Literal(text.into())));
        if any_after && tokens.last() != Some(&Token::Many) {
            tokens.push(Token::Many);
        }
        Self { tokens: tokens.into() }
    }

    /// The glob that matches in any letter case, if the text is [folded](fold) first.
    #[must_use]
    pub(super) fn in_any_case(&self) -> Self {
        let token = |token: &Token| match token {
            Token::Literal(text) => Token::Literal(fold(text, &mut Vec::new()).into()),
            Token::Set { negated, ranges, .. } => {
                Token::Set { negated: *negated, any_case: true, ranges: ranges.clone() }
            }
            Token::One => Token::One,
            Token::Many => Token::Many,
        };
        Self { tokens: self.tokens.iter().map(token).collect() }
    }

    /// Whether a slash stands in it, outside a set.
    #[must_use]
    pub fn has_slash(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Literal(text) if text.contains(&b'/')))
    }

    /// Whether all that it matches begins with a slash.
    #[must_use]
    pub fn is_from_root(&self) -> bool {
        matches!(self.tokens.first(), Some(Token::Literal(text)) if text.starts_with(b"/"))
    }

    /// What it asks of the last part of a path whose beginning is not known: no more than what no beginning can make good.
    pub(super) fn end(&self) -> Shape<'_> {
        match self.tokens.last() {
            Some(Token::Literal(text)) => match memchr::memrchr(b'/', text) {
                Some(slash) => Shape::Exact(&text[slash + 1..]),
                None => Shape::Suffix(text),
            },
            _ => Shape::Any,
        }
    }

    /// The only text that it matches, if there is but one.
    #[must_use]
    pub fn exact(&self) -> Option<&[u8]> {
        match &*self.tokens {
            [] => Some(b""),
            [Token::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// A name that stands between slashes, or at the end, of every path that it matches: the longest.
    pub(super) fn whole_name(&self) -> Option<&[u8]> {
        let last = self.tokens.len().checked_sub(1)?;
        let literals = self.tokens.iter().enumerate().filter_map(|(at, token)| match token {
            Token::Literal(text) => Some((at, text)),
            _ => None,
        });
        let names = literals.flat_map(|(at, text)| {
            // The first and the last part may go on beyond the literal, unless the path itself ends there. Without a slash it is
            // held against the last name.
            let parts: Vec<_> = text.split(|byte| *byte == b'/').collect();
            let (is_first, is_last) = (at == 0, at == last);
            let end = parts.len() - 1;
            parts.into_iter().enumerate().filter_map(move |(part, name)| {
                let begins = part > 0 || is_first;
                let ends = part < end || is_last;
                (begins && ends && !name.is_empty()).then_some(name)
            })
        });
        names.max_by_key(|name| name.len())
    }

    /// The necessary condition that it is, if it is no more than that.
    pub(super) fn shape(&self) -> Option<Shape<'_>> {
        match &*self.tokens {
            [] => Some(Shape::Exact(b"")),
            [Token::Literal(text)] => Some(Shape::Exact(text)),
            [Token::Many] => Some(Shape::Any),
            [Token::Literal(text), Token::Many] => Some(Shape::Prefix(text)),
            [Token::Many, Token::Literal(text)] => Some(Shape::Suffix(text)),
            [Token::Many, Token::Literal(text), Token::Many] => Some(Shape::Contains(text)),
            _ => None,
        }
    }

    /// Conditions that are each necessary, but not sufficient. At most one is a beginning and one an end.
    pub(super) fn needs(&self) -> impl Iterator<Item = Shape<'_>> {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.iter().enumerate().filter_map(move |(index, token)| match token {
            Token::Literal(text) if index == 0 => Some(Shape::Prefix(text)),
            Token::Literal(text) if index == last => Some(Shape::Suffix(text)),
            Token::Literal(text) => Some(Shape::Contains(text)),
            Token::One | Token::Set { .. } | Token::Many => None,
        })
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self.shape() {
            Some(shape) => shape.matches(text),
            None => self.walk(text),
        }
    }

    /// Takes every token as early as it can be had; only the last `*` passed is ever given more, so the time is at
    /// most the text's length times the glob's.
    fn walk(&self, text: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            match self.tokens.get(token) {
                None if at == text.len() => return true,
                None => {}
                Some(Token::Many) if token + 1 == self.tokens.len() => return true,
                Some(Token::Many) => {
                    star = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                Some(one) => {
                    if let Some(len) = one.take(&text[at..]) {
                        token += 1;
                        at += len;
                        continue;
                    }
                }
            }
            let Some((after_star, from)) = &mut star else { return false };
            if *from == text.len() {
                return false;
            }
            *from += first_char(&text[*from..]).1;
            // What stands after the `*` is searched for rather than tried at each place.
            if let Some(Token::Literal(literal)) = self.tokens.get(*after_star) {
                let Some(skipped) = memchr::memmem::find(&text[*from..], literal) else { return false };
                *from += skipped;
            }
            (token, at) = (*after_star, *from);
        }
    }
}

impl Token {
    /// How much of the text's beginning it takes, if it can.
    fn take(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Literal(literal) => text.starts_with(literal).then_some(literal.len()),
            Self::One => (!text.is_empty()).then(|| first_char(text).1),
            Self::Set { negated, any_case, ranges } => {
                let (code, len) = (!text.is_empty()).then(|| first_char(text))?;
                let has = |code: u32| ranges.iter().any(|(from, to)| (*from..=*to).contains(&code));
                let as_capital = || char::from_u32(code).is_some_and(|char| has(u32::from(capital(char))));
                let inside = has(code) || *any_case && as_capital();
                (inside != *negated).then_some(len)
            }
            Self::Many => None,
        }
    }
}

/// Code and length of the first character. Bytes that are no UTF-8 get codes above all characters'.
fn first_char(text: &[u8]) -> (u32, usize) {
    let first = text[0];
    if first.is_ascii() {
        return (u32::from(first), 1);
    }
    let chunk = &text[..text.len().min(4)];
    match chunk.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(char) => (u32::from(char), char.len_utf8()),
        None => (0x11_0000 + u32::from(first), 1),
    }
}

fn set(text: &[u8], start: usize) -> Result<(Token, usize), GlobError> {
    let open =
        GlobError { at: start, message: "the set that begins with `[` has no `]`; write `\\[` for the character" };
    let mut at = start + 1;
    let negated = matches!(text.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let mut ranges = Vec::new();
    let first = at;
    loop {
        let member = |at: usize| {
            let escaped = usize::from(text.get(at) == Some(&b'\\'));
            let rest = text.get(at + escaped..).filter(|rest| !rest.is_empty())?;
            let (code, len) = first_char(rest);
            Some((code, at + escaped + len))
        };
        match text.get(at) {
            None => return Err(open),
            // Right after the opening it is a character.
            Some(b']') if at > first => {
                return Ok((Token::Set { negated, any_case: false, ranges: ranges.into() }, at + 1 - start));
            }
            Some(_) => {
                let (from, after) = member(at).ok_or_else(|| open.clone())?;
                if text.get(after) == Some(&b'-') && text.get(after + 1).is_some_and(|next| *next != b']') {
                    let (to, end) = member(after + 1).ok_or_else(|| open.clone())?;
                    if from > to {
                        return Err(GlobError { at, message: "the range in this set runs backwards" });
                    }
                    ranges.push((from, to));
                    at = end;
                } else {
                    ranges.push((from, from));
                    at = after;
                }
            }
        }
    }
}

/// Text as a glob that matches just it.
#[must_use]
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, char| {
        let escape = if matches!(char, '*' | '?' | '[' | '\\') { "\\" } else { "" };
        let _ = write!(out, "{escape}{char}");
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(glob: &str, text: &str) -> bool {
        Glob::new(glob.as_bytes()).unwrap().matches(text.as_bytes())
    }

    #[test]
    fn globs() {
        for (glob, yes, no) in [
            ("/etc/*", &["/etc/", "/etc/passwd", "/etc/ssh/sshd_config"][..], &["/etc", "/usr/etc/x"][..]),
            ("*.so", &[".so", "/lib/a.so"], &["a.so.1", ""]),
            ("*curl*", &["curl", "/usr/bin/curl -k"], &["cur"]),
            ("a?c", &["abc", "a/c", "aéc"], &["ac", "abbc"]),
            ("py[0-9.a-c]x", &["py3x", "py.x", "pybx"], &["pydx", "pyx"]),
            ("[!a-z]", &["A", "é", "1"], &["a", "", "AB"]),
            ("[]x-]", &["]", "x", "-"], &["y"]),
            ("[^^]", &["a"], &["^"]),
            ("a\\*b\\?\\[", &["a*b?["], &["axb?["]),
            ("[\\]]x", &["]x"], &["\\x"]),
            ("a*b*c", &["abc", "axxbyyc", "abbcc"], &["ab", "acb", "abcd"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*?", &["a", "é"], &[""]),
            ("**", &["", "x"], &[]),
            ("a*b?c[!x]d", &["a\nb\nc\nd"], &["a\nbc\nd"]),
            ("", &[""], &["x"]),
        ] {
            for text in yes {
                assert!(matches(glob, text), "{glob} does not match {text}");
            }
            for text in no {
                assert!(!matches(glob, text), "{glob} matches {text}");
            }
        }
    }

    #[test]
    fn globs_in_any_case() {
        for (glob, yes, no) in [
            ("/Etc/*", &["/etc/", "/ETC/PASSWD"][..], &["/etc"][..]),
            ("x[A-C]*[!D]", &["Xb\nE", "xAe", "XBé"], &["xdE", "xae d", "XAD"]),
            ("É?", &["éx", "ÉÉ"], &["ex"]),
            ("[É]", &["é", "É"], &["e"]),
        ] {
            let glob = Glob::new(glob.as_bytes()).unwrap().in_any_case();
            let matches = |text: &str| glob.matches(fold(text.as_bytes(), &mut Vec::new()));
            assert!(yes.iter().all(|text| matches(text)), "{glob:?} does not match one of {yes:?}");
            assert!(!no.iter().any(|text| matches(text)), "{glob:?} matches one of {no:?}");
        }
    }

    #[test]
    fn what_is_no_glob() {
        for (glob, at) in [("a[b", 1), ("[", 0), ("[]", 0), ("a\\", 1), ("[z-a]", 1), ("[a-", 0), ("[\\", 0)] {
            assert_eq!(Glob::new(glob.as_bytes()).unwrap_err().at, at, "{glob}");
        }
    }

    fn matches_bytes(glob: &str, text: &[u8]) -> bool {
        Glob::new(glob.as_bytes()).unwrap().matches(text)
    }

    #[test]
    fn a_byte_that_is_no_text_is_one_character() {
        assert!(Glob::new(b"a?b").unwrap().matches(b"a\xffb"));
        assert!(!Glob::new(b"a?b").unwrap().matches(b"a\xff\xfeb"));
        assert!(Glob::new(b"\xff*").unwrap().matches(b"\xffx"));
        for (glob, text) in [
            ("/tmp/*", &b"/tmp/\xff"[..]),
            ("*.sh", b"/tmp/\xff\xfe.sh"),
            ("/tmp/*x*", b"/tmp/\xffx\xc3"),
            ("/tmp/[!a-z]x", b"/tmp/\xffx"),
            ("/tmp/*[!a-z]?", b"/tmp/a\xff\xff"),
        ] {
            assert!(matches_bytes(glob, text), "{glob} does not match {}", text.escape_ascii());
        }
        // A byte of a character is not one by itself, and no character of a set.
        assert!(!matches_bytes("/tmp/?", "/tmp/éa".as_bytes()) && !matches_bytes("[\u{80}-\u{10ffff}]", b"\xff"));
    }

    /// What a glob means, said as briefly as can be, in exponential time.
    fn meaning(tokens: &[Token], text: &[u8]) -> bool {
        match tokens {
            [] => text.is_empty(),
            [Token::Many, rest @ ..] => {
                meaning(rest, text) || !text.is_empty() && meaning(tokens, &text[first_char(text).1..])
            }
            [one, rest @ ..] => one.take(text).is_some_and(|len| meaning(rest, &text[len..])),
        }
    }

    proptest! {
        #[test]
        fn as_the_meaning(glob in r"[ab*?é\[\]!\-]{0,7}", text in "[abcé]{0,8}") {
            if let Ok(glob) = Glob::new(glob.as_bytes()) {
                prop_assert_eq!(glob.matches(text.as_bytes()), meaning(&glob.tokens, text.as_bytes()));
            }
        }

        #[test]
        fn what_matches_a_path_may_match_its_end(glob in r"/[ab/*?]{0,6}", path in "/[ab/]{0,5}[ab]") {
            let glob = Glob::new(glob.as_bytes()).unwrap();
            prop_assert!(glob.is_from_root());
            let last = path.rsplit('/').next().unwrap();
            prop_assert!(!glob.matches(path.as_bytes()) || glob.end().matches(last.as_bytes()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(glob: Vec<u8>, text: Vec<u8>) {
            if let Ok(glob) = Glob::new(&glob) {
                let _ = glob.matches(&text);
            }
        }

        #[test]
        fn escaped_text_matches_itself_only(text in r"[ab*?\[\]\\]{0,6}", other in r"[ab*?\[\]\\]{0,6}") {
            let glob = Glob::new(escape(&text).as_bytes()).unwrap();
            prop_assert_eq!(glob.exact(), Some(text.as_bytes()));
            prop_assert_eq!(glob.matches(other.as_bytes()), text == other);
        }
    }
}
