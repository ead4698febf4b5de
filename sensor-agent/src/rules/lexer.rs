//! A rule's text to words, numbers, strings and symbols.

use std::ops::Range;

use super::Problem;

/// One token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    /// A field name or a word of the language.
    Word(&'a str),
    /// A number with whatever suffix it has.
    Number(&'a str),
    /// A string's value, and whether it stands byte by byte in the text.
    Text(Vec<u8>, bool),
    /// The name after `$`.
    List(&'a str),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `==` is not taken for two of `=`.
const SYMBOLS: [&str; 19] =
    ["==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "!", "&", "(", ")", "[", "]", ",", ".", "="];

/// The names of the lists that a rule reads. One that is no rule reads none.
pub fn lists_named(text: &str) -> Vec<String> {
    let tokens = lex(text).unwrap_or_default();
    let names = tokens.iter().filter_map(|token| match token.kind {
        TokenKind::List(name) => Some(name.to_owned()),
        _ => None,
    });
    names.collect()
}

/// The lists that a rule reads, each with the field that it is compared with. One that is no rule reads none.
pub fn lists_compared(text: &str) -> Vec<(String, String)> {
    let tokens = lex(text).unwrap_or_default();
    let mut compared = Vec::new();
    let mut field = "";
    for token in &tokens {
        match token.kind {
            // In any case of letters, as words of the language are.
            TokenKind::Word(word) if ["in", "not"].iter().any(|operator| word.eq_ignore_ascii_case(operator)) => {}
            TokenKind::Word("lineage") => field = "programName",
            TokenKind::Word(word) => field = word,
            TokenKind::List(name) => compared.push((name.to_owned(), field.to_owned())),
            _ => {}
        }
    }
    compared
}

/// All tokens of a rule, the last being [`TokenKind::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: TokenKind::End, range: text.len()..text.len() });
            return Ok(tokens);
        };
        let (kind, len) = match first {
            '"' => quoted(rest, at)?,
            '`' => raw(rest, at)?,
            '$' => {
                let name = run(&rest[1..], |char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.'));
                if name.is_empty() {
                    return Err(Problem::error(at..at + 1, "a list's name is missing after `$`")
                        .label("a list is written `$Name`"));
                }
                (TokenKind::List(name), 1 + name.len())
            }
            '0'..='9' => number(rest),
            '-' if rest[1..].starts_with(|char: char| char.is_ascii_digit()) => number(rest),
            char if char.is_alphabetic() || char == '_' => {
                let word = run(rest, |char| char.is_alphanumeric() || char == '_');
                (TokenKind::Word(word), word.len())
            }
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (TokenKind::Symbol(symbol), symbol.len()),
                None => return Err(stray(first, at)),
            },
        };
        tokens.push(Token { kind, range: at..at + len });
        at += len;
    }
}

fn stray(char: char, at: usize) -> Problem {
    let problem =
        Problem::error(at..at + char.len_utf8(), format!("`{}` has no meaning in a rule", char.escape_debug()));
    match char {
        '\'' | '“' | '”' | '‘' | '’' | '„' | '«' | '»' => {
            problem.label("not a quote of this language").help("put text in plain double quotes: \"text\"")
        }
        '|' => problem.label("one of two is missing").help("write `or` or `||`"),
        '{' => problem.help("write the values of a list in round brackets: (\"a\", \"b\")"),
        '+' => problem.label("a number has no such sign").help("write it without: 1"),
        ';' | '#' => problem.help("a rule ends with its text; the next one is an entry of its own"),
        _ => problem.label("unexpected character"),
    }
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|char| !belongs(char)).unwrap_or(text.len())]
}

/// Digits and whatever letters follow them; what they mean depends on the field.
fn number(rest: &str) -> (TokenKind<'_>, usize) {
    let sign = usize::from(rest.starts_with('-'));
    let mut len = sign + run(&rest[sign..], |char| char.is_alphanumeric() || char == '_').len();
    // A fraction, as in 1.5h: only if digits follow, for a full stop means something else elsewhere.
    if let Some(after) = rest[len..].strip_prefix('.')
        && after.starts_with(|char: char| char.is_ascii_digit())
    {
        len += 1 + run(after, |char| char.is_alphanumeric()).len();
    }
    (TokenKind::Number(&rest[..len]), len)
}

fn raw(rest: &str, at: usize) -> Result<(TokenKind<'static>, usize), Problem> {
    let Some(len) = rest[1..].find('`') else {
        return Err(Problem::error(at..at + rest.len(), "a text has no end").label("the closing ` is missing"));
    };
    Ok((TokenKind::Text(rest.as_bytes()[1..=len].to_vec(), true), len + 2))
}

fn quoted(rest: &str, at: usize) -> Result<(TokenKind<'static>, usize), Problem> {
    let (mut value, mut plain) = (Vec::new(), true);
    let bytes = rest.as_bytes();
    let mut here = 1;
    loop {
        match bytes.get(here) {
            None => {
                return Err(Problem::error(at..at + rest.len(), "a text has no end").label("the closing \" is missing"));
            }
            Some(b'"') => return Ok((TokenKind::Text(value, plain), here + 1)),
            Some(b'\\') => {
                plain = false;
                here += escape(&rest[here..], at + here, &mut value)?;
            }
            Some(byte) => {
                value.push(*byte);
                here += 1;
            }
        }
    }
}

/// Reads one escape as Go has them; gives its length.
fn escape(rest: &str, at: usize, value: &mut Vec<u8>) -> Result<usize, Problem> {
    let Some(letter) = rest[1..].chars().next() else {
        return Err(Problem::error(at..at + 1, "a text has no end").label("the closing \" is missing"));
    };
    let digits = |from: usize, count: usize, radix: u32| {
        rest.get(from..from + count)
            .filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)))
            .and_then(|digits| u32::from_str_radix(digits, radix).ok())
            .ok_or_else(|| {
                let kind = if radix == 8 { "octal" } else { "hexadecimal" };
                Problem::error(at..at + 1 + letter.len_utf8(), format!("`\\{letter}` needs {count} {kind} digits"))
                    .label("not a whole escape")
            })
    };
    let simple = |byte: u8, value: &mut Vec<u8>| {
        value.push(byte);
        Ok(2)
    };
    match letter {
        'a' => simple(7, value),
        'b' => simple(8, value),
        'f' => simple(12, value),
        'n' => simple(b'\n', value),
        'r' => simple(b'\r', value),
        't' => simple(b'\t', value),
        'v' => simple(11, value),
        '\\' => simple(b'\\', value),
        '"' => simple(b'"', value),
        '\'' => simple(b'\'', value),
        'x' => {
            let code = digits(2, 2, 16)?;
            value.push(u8::try_from(code).unwrap_or(u8::MAX));
            Ok(4)
        }
        '0'..='7' => {
            let code = u8::try_from(digits(1, 3, 8)?)
                .map_err(|_| Problem::error(at..at + 4, "an octal escape goes to `\\377`").label("greater than a byte"))?;
            value.push(code);
            Ok(4)
        }
        'u' | 'U' => {
            let count = if letter == 'u' { 4 } else { 8 };
            let char = char::from_u32(digits(2, count, 16)?).ok_or_else(|| {
                Problem::error(at..at + 2 + count, "there is no such Unicode character").label("not a character")
            })?;
            value.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            Ok(2 + count)
        }
        '*' | '?' | '[' | ']' | '.' | 'd' | 'w' | 's' | '(' | ')' | '+' | '/' | '$' | '^' | '{' | '}' | '|' | '-' => {
            Err(Problem::error(at..at + 2, format!("`\\{letter}` is no escape in a quoted text"))
                .label("unknown escape")
                .help(format!("write `\\\\{letter}` for a backslash and `{letter}`, or put the text in backquotes")))
        }
        other => Err(Problem::error(at..at + 1 + other.len_utf8(), format!("`\\{other}` is no escape in a quoted text"))
            .label("unknown escape")
            .help("the escapes are \\\\ \\\" \\n \\r \\t \\a \\b \\f \\v \\xHH \\OOO \\uHHHH \\UHHHHHHHH; a text in backquotes has none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind<'_>> {
        lex(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn tokens_of_each_kind() {
        assert_eq!(
            kinds("a_b  ==\"x\"&&$L-1.x in(0x1F,-3,1.5h)"),
            [
                TokenKind::Word("a_b"),
                TokenKind::Symbol("=="),
                TokenKind::Text(b"x".to_vec(), true),
                TokenKind::Symbol("&&"),
                TokenKind::List("L-1.x"),
                TokenKind::Word("in"),
                TokenKind::Symbol("("),
                TokenKind::Number("0x1F"),
                TokenKind::Symbol(","),
                TokenKind::Number("-3"),
                TokenKind::Symbol(","),
                TokenKind::Number("1.5h"),
                TokenKind::Symbol(")"),
                TokenKind::End,
            ]
        );
    }

    #[test]
    fn escapes_of_go() {
        assert_eq!(
            kinds(r#""\a\b\f\n\r\t\v\\\"\x41\101\u00e9\U0001F600""#)[0],
            TokenKind::Text(b"\x07\x08\x0c\n\r\t\x0b\\\"AA\xc3\xa9\xf0\x9f\x98\x80".to_vec(), false)
        );
        assert_eq!(kinds("`\\d+\"`")[0], TokenKind::Text(b"\\d+\"".to_vec(), true));
    }

    #[test]
    fn faults_are_pointed_at() {
        for (text, range, part) in [
            ("a == 'x'", 5..6, "no meaning"),
            ("a == \"x", 5..7, "no end"),
            ("a == `x", 5..7, "no end"),
            ("a == \"\\", 6..7, "no end"),
            ("a == \"x\\*\"", 7..9, "no escape"),
            ("a == \"\\xg0\"", 6..8, "2 hexadecimal digits"),
            ("a == \"\\777\"", 6..10, "goes to"),
            ("a == \"\\ud800\"", 6..12, "no such Unicode"),
            ("a in $", 5..6, "name is missing"),
            ("a | b", 2..3, "no meaning"),
        ] {
            let problem = lex(text).unwrap_err();
            assert_eq!(problem.range, range, "{text}");
            assert!(problem.message.contains(part), "{text}: {}", problem.message);
        }
    }
}
