//! A template in tokens.

use std::ops::Range;

use crate::unicode::is_name;

/// What Go takes for blanks.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What stands between actions, trimmed as the markers say.
    Text,
    Open,
    Close,
    Blank,
    /// `=`
    Assign,
    /// `:=`
    Declare,
    Pipe,
    OpenParenthesis,
    CloseParenthesis,
    Dot,
    /// `.Name`
    Field,
    /// `$Name` or `$`
    Variable,
    Name,
    Keyword(Keyword),
    Number,
    /// `'x'`
    Letter,
    /// `"text"`
    Quoted,
    /// `` `text` ``
    Raw,
    /// Any other letter.
    Other,
    End,
    /// Nothing comes after it; what is wrong stands in [`Tokens::error`].
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    False,
    If,
    Nil,
    Range,
    Template,
    True,
    With,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Range<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// The last is the end or the error.
    pub(crate) list: Vec<Token>,
    pub(crate) error: String,
}

pub(crate) fn tokens(text: &str) -> Tokens {
    let mut lexer = Lexer { text, at: 0, start: 0, tokens: Tokens::default() };
    match lexer.all() {
        Ok(()) => lexer.emit(Kind::End),
        Err(error) => {
            lexer.tokens.error = error;
            lexer.emit(Kind::Error);
        }
    }
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Where the token begins that is being read.
    start: usize,
    tokens: Tokens,
}

impl<'a> Lexer<'a> {
    fn all(&mut self) -> Result<(), String> {
        while self.text_before_action() {
            self.at += 2;
            let trims = trims_left(self.rest());
            let skipped = if trims { 2 } else { 0 };
            if self.from(self.at + skipped).starts_with("/*") {
                self.at += skipped;
                self.comment()?;
            } else {
                self.emit(Kind::Open);
                self.at += skipped;
                self.start = self.at;
                self.action()?;
            }
        }
        Ok(())
    }

    /// Up to the next action; false if there is none.
    fn text_before_action(&mut self) -> bool {
        let Some(len) = self.rest().find("{{") else {
            self.at = self.text.len();
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            return false;
        };
        let open = self.at + len;
        let mut text = self.text.get(self.start..open).unwrap_or_default();
        if trims_left(self.from(open + 2)) {
            text = text.trim_end_matches(BLANKS);
        }
        if !text.is_empty() {
            self.at = self.start + text.len();
            self.emit(Kind::Text);
        }
        self.at = open;
        self.start = open;
        true
    }

    /// Past `/* … */}}`.
    fn comment(&mut self) -> Result<(), String> {
        let end = self.from(self.at + 2).find("*/").ok_or("unclosed comment")?;
        self.at += 2 + end + 2;
        let len = closes(self.rest()).ok_or("comment ends before closing delimiter")?;
        self.at += len;
        self.start = self.at;
        if len > 2 {
            self.trim_right();
        }
        Ok(())
    }

    /// What stands between `{{` and `}}`, which is taken too.
    fn action(&mut self) -> Result<(), String> {
        let mut depth = 0_usize;
        loop {
            self.start = self.at;
            if let Some(len) = closes(self.rest()) {
                if depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.at += len;
                self.emit(Kind::Close);
                if len > 2 {
                    self.trim_right();
                }
                return Ok(());
            }
            let Some(char) = self.next() else { return Err("unclosed action".to_owned()) };
            match char {
                ' ' | '\t' | '\r' | '\n' => self.blanks(),
                '=' => self.emit(Kind::Assign),
                ':' if self.next() == Some('=') => self.emit(Kind::Declare),
                ':' => return Err("expected :=".to_owned()),
                '|' => self.emit(Kind::Pipe),
                '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string")?,
                '\'' => self.quoted('\'', Kind::Letter, "unterminated character constant")?,
                '`' => self.raw()?,
                '$' => self.name(Kind::Variable, Kind::Variable)?,
                '.' if !self.rest().starts_with(|next: char| next.is_ascii_digit()) => {
                    self.name(Kind::Field, Kind::Dot)?;
                }
                '.' | '+' | '-' | '0'..='9' => {
                    self.at = self.start;
                    self.number()?;
                }
                '(' => {
                    depth += 1;
                    self.emit(Kind::OpenParenthesis);
                }
                ')' => {
                    depth = depth.checked_sub(1).ok_or("unexpected right paren")?;
                    self.emit(Kind::CloseParenthesis);
                }
                char if is_name(char) => self.word()?,
                ' '..='~' => self.emit(Kind::Other),
                char => return Err(format!("unrecognized character in action: {char:?}")),
            }
        }
    }

    /// A run of blanks; one that belongs to ` -}}` is left.
    fn blanks(&mut self) {
        while self.rest().starts_with(BLANKS) {
            self.at += 1;
        }
        let last = self.at - 1;
        if closes(self.from(last)).is_some_and(|len| len > 2) {
            self.at = last;
        }
        if self.at > self.start {
            self.emit(Kind::Blank);
        }
    }

    fn word(&mut self) -> Result<(), String> {
        self.names();
        self.terminated()?;
        let kind = match self.text.get(self.start..self.at).unwrap_or_default() {
            "block" => Kind::Keyword(Keyword::Block),
            "break" => Kind::Keyword(Keyword::Break),
            "continue" => Kind::Keyword(Keyword::Continue),
            "define" => Kind::Keyword(Keyword::Define),
            "else" => Kind::Keyword(Keyword::Else),
            "end" => Kind::Keyword(Keyword::End),
            "false" => Kind::Keyword(Keyword::False),
            "if" => Kind::Keyword(Keyword::If),
            "nil" => Kind::Keyword(Keyword::Nil),
            "range" => Kind::Keyword(Keyword::Range),
            "template" => Kind::Keyword(Keyword::Template),
            "true" => Kind::Keyword(Keyword::True),
            "with" => Kind::Keyword(Keyword::With),
            _ => Kind::Name,
        };
        self.emit(kind);
        Ok(())
    }

    /// A name behind `.` or `$`, or that letter alone.
    fn name(&mut self, kind: Kind, alone: Kind) -> Result<(), String> {
        if self.at_terminator() {
            self.emit(alone);
            return Ok(());
        }
        self.names();
        self.terminated()?;
        self.emit(kind);
        Ok(())
    }

    fn names(&mut self) {
        let rest = self.rest();
        self.at += rest.find(|char| !is_name(char)).unwrap_or(rest.len());
    }

    fn terminated(&mut self) -> Result<(), String> {
        if self.at_terminator() {
            return Ok(());
        }
        self.start = self.at;
        let char = self.next().unwrap_or_default();
        Err(format!("bad character U+{:04X} {char:?}", u32::from(char)))
    }

    /// Whether what follows can follow a name.
    fn at_terminator(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || rest.starts_with([' ', '\t', '\r', '\n', '.', ',', '|', ':', ')', '('])
            || rest.starts_with("}}")
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        loop {
            let char = match self.next() {
                Some('\\') => self.next().filter(|char| *char != '\n').map(|_| '\\'),
                other => other.filter(|char| *char != '\n'),
            };
            match char {
                None => return Err(unterminated.to_owned()),
                Some(char) if char == quote => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn raw(&mut self) -> Result<(), String> {
        let end = self.rest().find('`').ok_or("unterminated raw quoted string")?;
        self.at += end + 1;
        self.emit(Kind::Raw);
        Ok(())
    }

    /// What looks like a number; whether it is one is seen when it is read.
    fn number(&mut self) -> Result<(), String> {
        let complete = self.digits();
        if complete && !self.rest().starts_with(['+', '-']) {
            self.emit(Kind::Number);
            return Ok(());
        }
        if complete && self.digits() && self.text.get(..self.at).is_some_and(|text| text.ends_with('i')) {
            return Err("complex numbers are not supported".to_owned());
        }
        Err(format!("bad number syntax: {:?}", self.text.get(self.start..self.at).unwrap_or_default()))
    }

    fn digits(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(".") {
            while self.accept(digits) {}
        }
        let exponent = if digits.len() == 11 { "eE" } else { "pP" };
        if (digits.len() == 11 || digits.len() == 23) && self.accept(exponent) {
            self.accept("+-");
            while self.accept("0123456789_") {}
        }
        self.accept("i");
        if self.rest().starts_with(is_name) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, any: &str) -> bool {
        let accepted = self.rest().starts_with(|char| any.contains(char));
        self.at += usize::from(accepted);
        accepted
    }

    fn trim_right(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(BLANKS).len();
        self.start = self.at;
    }

    fn next(&mut self) -> Option<char> {
        let char = self.rest().chars().next()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn rest(&self) -> &'a str {
        self.from(self.at)
    }

    fn from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn emit(&mut self, kind: Kind) {
        self.tokens.list.push(Token { kind, place: self.start..self.at.max(self.start) });
        self.start = self.at;
    }
}

/// Whether an action that goes on so trims the text before it: a dash and a blank.
fn trims_left(action: &str) -> bool {
    action.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS))
}

/// How long `}}` is here, or with a blank and a dash before it; none if an action does not end here.
fn closes(rest: &str) -> Option<usize> {
    if rest.starts_with("}}") {
        return Some(2);
    }
    rest.strip_prefix(BLANKS)?.starts_with("-}}").then_some(4)
}
