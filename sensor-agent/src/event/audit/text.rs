//! The text of an audit message: `key=value` after `key=value`, with blanks in between.
//!
//! * A value in double quotes ends at the next one: libaudit does not quote what holds one, it
//! * writes untrusted text that is not plain as hexadecimal digits, without quotes. Which keys may have that is a fixed set,
//!   as numbers look the same;
//! * `msg='…'` holds further pairs, and these count as if they stood alone;
//! * some senders write plain text with blanks (`op=adding user`): words without `=` belong to the value before them.

/// Keys whose values may be hexadecimal digits in place of text.
const ENCODED: &[&[u8]] = &[
    b"acct",
    b"cgroup",
    b"cmd",
    b"comm",
    b"cwd",
    b"data",
    b"device",
    b"dir",
    b"exe",
    b"file",
    b"grp",
    b"key",
    b"name",
    b"new-disk",
    b"new-fs",
    b"new_group",
    b"old-disk",
    b"old-fs",
    b"path",
    b"proctitle",
    b"root_dir",
    b"sw",
    b"vm",
    b"watch",
];

/// Appends each pair as `key=value` with a zero at its end. A zero within a value becomes a blank.
pub(super) fn pairs(text: &[u8], out: &mut Vec<u8>) {
    pairs_within(text, false, out);
}

fn pairs_within(text: &[u8], nested: bool, out: &mut Vec<u8>) {
    let mut rest = text;
    // Whether the last pair's value may go on: it had no quotes.
    let mut open = false;
    while let Some(start) = rest.iter().position(|&byte| !is_blank(byte)) {
        rest = &rest[start..];
        let word = &rest[..rest.iter().position(|&byte| is_blank(byte)).unwrap_or(rest.len())];
        let Some(equals) = memchr::memchr(b'=', word).filter(|&at| at > 0 && is_key(&word[..at])) else {
            rest = &rest[word.len()..];
            if open {
                out.pop();
                out.push(b' ');
                push_value(word, out);
                out.push(0);
            }
            continue;
        };
        let (key, value) = (&word[..equals], &rest[equals + 1..]);
        match value.first() {
            Some(b'\'') if key == b"msg" && !nested => {
                let inner = &value[1..];
                // The last one: a value within may hold some itself.
                let end = memchr::memrchr(b'\'', inner).unwrap_or(inner.len());
                pairs_within(&inner[..end], true, out);
                rest = inner.get(end + 1..).unwrap_or_default();
                open = false;
            }
            Some(&quote @ (b'"' | b'\'')) => {
                let inner = &value[1..];
                let end = memchr::memchr(quote, inner).unwrap_or(inner.len());
                push(key, &inner[..end], out);
                rest = inner.get(end + 1..).unwrap_or_default();
                open = false;
            }
            _ => {
                let value = &word[equals + 1..];
                match decoded(key, value) {
                    Some(bytes) => push(key, &bytes, out),
                    None => push(key, value, out),
                }
                rest = &rest[word.len()..];
                open = true;
            }
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1d)
}

/// Whether this can be a key: `a"b=c` and the like are text.
fn is_key(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}

fn push(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    out.push(b'=');
    push_value(value, out);
    out.push(0);
}

fn push_value(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
}

/// The text that hexadecimal digits stand for; none if they are none.
fn decoded(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    if value.is_empty() || !value.len().is_multiple_of(2) || !ENCODED.contains(&key) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    value.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        pairs(text, &mut out);
        assert!(out.is_empty() || out.ends_with(&[0]), "{out:?}");
        out.split(|&byte| byte == 0)
            .filter(|pair| !pair.is_empty())
            .map(|pair| String::from_utf8_lossy(pair).into())
            .collect()
    }

    #[test]
    fn quoted_hexadecimal_and_plain() {
        assert_eq!(
            of(br#"cwd="/root a" cmd=6C73202D6C id=1001 acct="4142" name=636166C3A9 unit=ssh@1-a exe="#),
            ["cwd=/root a", "cmd=ls -l", "id=1001", "acct=4142", "name=café", "unit=ssh@1-a", "exe="]
        );
        // Odd, no digits at all, or of a key that is never encoded.
        assert_eq!(of(b"cmd=6C7 acct=root uid=1000 res=10"), ["cmd=6C7", "acct=root", "uid=1000", "res=10"]);
        assert_eq!(of(b"data=610062"), ["data=a b"]);
    }

    #[test]
    fn nested_messages_count_as_if_they_stood_alone() {
        assert_eq!(
            of(br#"pid=1 msg='op=login acct="o'brien" res=success' x=1"#),
            ["pid=1", "op=login", "acct=o'brien", "res=success", "x=1"]
        );
        assert_eq!(of(b"msg='op=a msg='op=b' c=d'"), ["op=a", "msg=op=b", "c=d"]);
        assert_eq!(of(b"msg='op=never ended"), ["op=never ended"]);
    }

    #[test]
    fn plain_text_with_blanks() {
        assert_eq!(
            of(b"op=adding user  to group grp=\"x\" exe=\"/a\" res=success"),
            ["op=adding user to group", "grp=x", "exe=/a", "res=success"]
        );
        assert_eq!(of(b"avc:  denied  { send } for x=1 \"quoted\" =y a\"b=c"), ["x=1 \"quoted\" =y a\"b=c"]);
        assert_eq!(of(b"just words"), Vec::<String>::new());
    }

    #[test]
    fn an_open_quote_takes_the_rest() {
        assert_eq!(of(b"acct=\"bob res=success"), ["acct=bob res=success"]);
        assert_eq!(of(b"acct=\"\" res="), ["acct=", "res="]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(text: Vec<u8>) {
            of(&text);
        }

        #[test]
        fn much_like_messages(text in r#"(( |[a-z]{1,3}|=|"|'|msg='|cmd=|[0-9A-F]{2}){0,40})"#) {
            of(text.as_bytes());
        }

        #[test]
        fn what_libaudit_writes_is_read_back(name in "[ -~]{1,20}") {
            // libaudit's own rule: plain text in quotes, anything else in digits.
            let plain = name.bytes().all(|byte| byte > b' ' && byte < 0x7f && byte != b'"');
            let value = if plain {
                format!("\"{name}\"")
            } else {
                name.bytes().map(|byte| format!("{byte:02X}")).collect()
            };
            let text = format!("op=x acct={value} res=success");
            prop_assert_eq!(of(text.as_bytes()), ["op=x".to_owned(), format!("acct={name}"), "res=success".into()]);
        }
    }
}
