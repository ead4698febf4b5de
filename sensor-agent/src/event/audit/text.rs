//! The text of an audit message: `key=value` after `key=value`, with blanks in between.
//!
//! * A value in double quotes ends at the next one: libaudit does not quote what holds one, it writes untrusted text that
//!   is not plain as hexadecimal digits, without quotes ([`super::keys`]);
//! * a value without quotes ends where its text does: brackets, commas and colons around it are not part of it, as old
//!   PAM and account tools wrote `acct=root: exe=… (hostname=?, addr=?, terminal=pts/0 res=failed)`;
//! * `msg='…'` holds further pairs, and these count as if they stood alone;
//! * some senders write plain text with blanks (`op=adding user`): words without `=` belong to the value before them;
//! * what old PAM wrote before the first pair (`PAM: authentication acct=…`) is the operation;
//! * `userdel` of shadow 4.17 to 4.20 swaps two arguments and writes `wheel="grp"`: that is the group `wheel`.

use std::borrow::Cow;

use super::keys;

/// Appends each pair as `key=value` with a zero at its end. A zero within a value becomes a blank.
pub(super) fn pairs(text: &[u8], out: &mut Vec<u8>) {
    let mut reader = Reader { out, open: None, lead: Vec::new() };
    reader.read(text, false);
    reader.close();
}

struct Reader<'t, 'o> {
    out: &'o mut Vec<u8>,
    /// The key of the last pair, and where its value begins in `out`, if that may go on: it had no quotes.
    open: Option<(&'t [u8], usize)>,
    /// The words before the first pair.
    lead: Vec<u8>,
}

impl<'t> Reader<'t, '_> {
    fn read(&mut self, text: &'t [u8], nested: bool) {
        let mut rest = text;
        while let Some(start) = rest.iter().position(|&byte| !is_blank(byte)) {
            rest = &rest[start..];
            let word = &rest[..rest.iter().position(|&byte| is_blank(byte)).unwrap_or(rest.len())];
            let before = word.iter().take_while(|byte| b"([{,;".contains(byte)).count();
            let equals = memchr::memchr(b'=', word).filter(|&at| at > before && is_key(&word[before..at]));
            let Some(equals) = equals else {
                self.word(word);
                rest = &rest[word.len()..];
                continue;
            };
            self.close();
            self.operation();
            let (key, value) = (&word[before..equals], &rest[equals + 1..]);
            let word = one_pair(word, equals);
            match value.first() {
                Some(b'\'') if key == b"msg" && !nested => {
                    let inner = &value[1..];
                    // The last one: a value within may hold some itself.
                    let end = memchr::memrchr(b'\'', inner).unwrap_or(inner.len());
                    self.read(&inner[..end], true);
                    self.close();
                    rest = inner.get(end + 1..).unwrap_or_default();
                }
                Some(&quote @ (b'"' | b'\'')) => {
                    let inner = &value[1..];
                    let end = memchr::memchr(quote, inner).unwrap_or(inner.len());
                    match &inner[..end] {
                        b"grp" | b"new_group" if !keys::is_known(key) => self.push(b"grp", key),
                        value => self.push(key, value),
                    }
                    rest = inner.get(end + 1..).unwrap_or_default();
                }
                _ => {
                    self.begin(key);
                    push_value(&word[equals + 1..], self.out);
                    rest = &rest[word.len()..];
                }
            }
        }
    }

    /// A word that is no pair.
    fn word(&mut self, word: &[u8]) {
        if self.open.is_some() {
            self.out.push(b' ');
            push_value(word, self.out);
        } else if self.out.is_empty() {
            self.lead.extend_from_slice(word);
            self.lead.push(b' ');
        }
    }

    /// `PAM: authentication` and `PAM authentication:` are today's `op=PAM:authentication`.
    fn operation(&mut self) {
        if let Some(rest) = std::mem::take(&mut self.lead).strip_prefix(b"PAM")
            && let Some(start) = rest.iter().position(u8::is_ascii_alphanumeric)
            && start > 0
        {
            self.push(b"op", &[b"PAM:", bare(&rest[start..])].concat());
        }
    }

    fn begin(&mut self, key: &'t [u8]) {
        self.out.extend_from_slice(key);
        self.out.push(b'=');
        self.open = Some((key, self.out.len()));
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.out.extend_from_slice(key);
        self.out.push(b'=');
        push_value(value, self.out);
        self.out.push(0);
    }

    /// Ends a value without quotes.
    fn close(&mut self) {
        let Some((key, start)) = self.open.take() else { return };
        let end = start + bare(&self.out[start..]).len();
        self.out.truncate(end);
        if let Some(text) = keys::decoded(key, &self.out[start..]) {
            self.out.truncate(start);
            push_value(&text, self.out);
        }
        self.out.push(0);
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1d)
}

/// Whether this can be a key: `a"b=c` and the like are text.
fn is_key(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}

fn push_value(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
}

/// A word up to the comma behind which the next pair begins: `hostname=?,addr=203.0.113.9,res=failed`. A value may hold commas; a key
/// that is not in the table is no pair.
fn one_pair(word: &[u8], equals: usize) -> &[u8] {
    let is_pair = |rest: &[u8]| memchr::memchr(b'=', rest).is_some_and(|end| keys::is_known(&rest[..end]));
    memchr::memchr_iter(b',', word)
        .find(|&comma| comma > equals && is_pair(&word[comma + 1..]))
        .map_or(word, |comma| &word[..comma])
}

/// A value less what stands behind it: punctuation, and a bracket that was opened before it. `(none)` stays, as does the
/// address `::`.
fn bare(mut value: &[u8]) -> &[u8] {
    let opens = |text: &[u8], open| memchr::memchr(open, text).is_some();
    loop {
        value = match value {
            [rest @ .., b' ' | b',' | b';' | b'\''] => rest,
            [rest @ .., b':'] if !rest.ends_with(b":") => rest,
            [rest @ .., b')'] if !opens(rest, b'(') => rest,
            [rest @ .., b']'] if !opens(rest, b'[') => rest,
            [rest @ .., b'}'] if !opens(rest, b'{') => rest,
            _ => return value,
        };
    }
}

/// The text with what this takes out of each value that is written as hexadecimal digits; none if it takes nothing out.
pub(super) fn digits_without(text: &[u8], without: &dyn Fn(&[u8]) -> Cow<'_, [u8]>) -> Option<Vec<u8>> {
    let (mut told, mut next) = (Vec::new(), 0);
    for equals in memchr::memchr_iter(b'=', text) {
        let value = equals + 1;
        let length = text[value..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let Some(bytes) = hexadecimal(&text[value..value + length]) else { continue };
        if let Cow::Owned(less) = without(&bytes) {
            told.extend_from_slice(&text[next..value]);
            told.extend(less.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()));
            next = value + length;
        }
    }
    (next > 0).then(|| [&told, &text[next..]].concat())
}

/// The bytes that digits stand for, as [`push_value`] has them.
fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok();
    let bytes: Option<Vec<u8>> = digits.chunks_exact(2).map(byte).collect();
    bytes.map(|bytes| bytes.into_iter().map(|byte| if byte == 0 { b' ' } else { byte }).collect())
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
    fn what_stands_around_a_value_is_no_part_of_it() {
        let told = [
            "acct=bugroot",
            "exe=/usr/sbin/sshd",
            "hostname=host.test",
            "addr=203.0.113.9",
            "terminal=ssh",
            "res=failed",
        ];
        let rest = r#"exe="/usr/sbin/sshd" (hostname=host.test, addr=203.0.113.9, terminal=ssh res=failed)"#;
        for account in [r#"acct="bugroot" :"#, "acct=bugroot :", "acct=bugroot:", r#"acct="bugroot","#] {
            assert_eq!(of(format!("{account} {rest}").as_bytes()), told, "{account}");
            assert_eq!(of(format!("pid=1 msg='{account} {rest}'").as_bytes())[1..], told, "{account}");
        }
        assert_eq!(
            of(b"{a=1, b=[x], c=(none) d=x(y) e=x)) f=::, h=u:"),
            ["a=1", "b=[x]", "c=(none)", "d=x(y)", "e=x", "f=::", "h=u"]
        );
        assert_eq!(of(br#"acct="a,b)" exe="/x" ,res=1;"#), ["acct=a,b)", "exe=/x", "res=1"]);
    }

    #[test]
    fn pairs_may_be_joined_by_commas_alone() {
        let told = ["acct=bob", "exe=/x", "hostname=?", "addr=203.0.113.9", "terminal=ssh", "res=failed"];
        for text in [
            r#"acct="bob",exe="/x",hostname=?,addr=203.0.113.9,terminal=ssh,res=failed"#,
            "(acct=bob,exe=/x,hostname=?,addr=203.0.113.9,terminal=ssh,res=failed)",
            "acct=bob exe=/x (hostname=?,addr=203.0.113.9,terminal=ssh res=failed)",
        ] {
            assert_eq!(of(text.as_bytes()), told, "{text}");
        }
        // Commas and equals signs of values.
        assert_eq!(
            of(b"grantors=pam_a,pam_b vm-ctx=s0:c1,c2 label=a,b=c res=1"),
            ["grantors=pam_a,pam_b", "vm-ctx=s0:c1,c2", "label=a,b=c", "res=1"]
        );
    }

    #[test]
    fn the_operation_of_old_pam() {
        let told = ["op=PAM:session open", "acct=root", "res=success"];
        assert_eq!(of(br#"PAM: session open acct="root" : (res=success)"#), told);
        assert_eq!(of(b"PAM session open: acct=root res=success")[..], told);
        assert_eq!(of(b"PAMELA: x acct=root"), ["acct=root"]);
    }

    #[test]
    fn a_group_under_its_own_name() {
        assert_eq!(
            of(br#"op=deleting-user-from-shadow-group wheel="grp" id=1001 res=success"#),
            ["op=deleting-user-from-shadow-group", "grp=wheel", "id=1001", "res=success"]
        );
        // The account may be called so.
        assert_eq!(of(br#"op=x acct="grp""#), ["op=x", "acct=grp"]);
    }

    #[test]
    fn digits_under_any_key() {
        assert_eq!(
            of(br#"op="x" device.rule=626C6F636B20696420 new-chardev=2F6465762F6120 fd="y" res=success"#),
            ["op=x", "device.rule=block id ", "new-chardev=/dev/a ", "fd=y", "res=success"]
        );
        assert_eq!(of(b"new-shmem=2F6465762F73686D2F6120,"), ["new-shmem=/dev/shm/a "]);
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
