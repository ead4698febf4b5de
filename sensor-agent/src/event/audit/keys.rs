//! What the keys of audit messages stand for, and how their values are written: the one table for both.
//!
//! The keys are those of the audit project's field dictionary (audit-documentation,
//! `specs/fields/field-dictionary.csv` as of 2021-07-11) that user programs send, those that libaudit's own reader takes
//! for encoded (audit-userspace 4.2, `auparse/typetab.h`), and what some senders add:
//!
//! | sender | key |
//! | --- | --- |
//! | gdm | `uid` for who logs in or out |
//! | PAM before 0.99.9 | `user` |
//! | shadow | `new_group`, `grp` |
//! | libvirt | `new-` and `old-` with the kind of device, `disk`, `chardev`, `path` |
//! | `USBGuard` | `device.rule`, `target.new`, `target.old` |

use std::sync::LazyLock;

use foldhash::{HashMap, HashMapExt as _};

/// What a value tells, whichever key it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The name of the account that the message is about.
    Account,
    /// The id of that account; of a message about a group, of that.
    AccountId,
    Group,
    GroupId,
    /// Where the user comes from.
    Address,
    RemoteHost,
    Terminal,
    Program,
    Command,
    Operation,
    Outcome,
    Grantors,
    /// What it is about that is no account: a unit, software, a virtual machine, a device.
    Object,
}

/// How a value without quotes is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// As hexadecimal digits when it is not plain, else in quotes (`audit_encode_nv_string` of libaudit).
    Text,
    /// Always as hexadecimal digits.
    Digits,
}

/// One key.
struct Key {
    name: &'static str,
    fact: Option<Fact>,
    coding: Coding,
}

const fn key(name: &'static str, fact: Fact, coding: Coding) -> Key {
    Key { name, fact: Some(fact), coding }
}

const fn text(name: &'static str) -> Key {
    Key { name, fact: None, coding: Coding::Text }
}

const fn plain(name: &'static str) -> Key {
    Key { name, fact: None, coding: Coding::Plain }
}

/// Of keys of one fact the one that counts stands first.
static KEYS: &[Key] = &[
    key("acct", Fact::Account, Coding::Text),
    key("user", Fact::Account, Coding::Text),
    key("id", Fact::AccountId, Coding::Plain),
    key("uid", Fact::AccountId, Coding::Plain),
    key("grp", Fact::Group, Coding::Text),
    key("new_group", Fact::Group, Coding::Text),
    key("new_gid", Fact::GroupId, Coding::Plain),
    key("gid", Fact::GroupId, Coding::Plain),
    key("addr", Fact::Address, Coding::Plain),
    key("hostname", Fact::RemoteHost, Coding::Plain),
    key("terminal", Fact::Terminal, Coding::Plain),
    key("tty", Fact::Terminal, Coding::Plain),
    key("exe", Fact::Program, Coding::Text),
    key("cmd", Fact::Command, Coding::Text),
    key("op", Fact::Operation, Coding::Plain),
    key("res", Fact::Outcome, Coding::Plain),
    key("result", Fact::Outcome, Coding::Plain),
    key("success", Fact::Outcome, Coding::Plain),
    key("grantors", Fact::Grantors, Coding::Plain),
    key("unit", Fact::Object, Coding::Plain),
    key("sw", Fact::Object, Coding::Text),
    key("vm", Fact::Object, Coding::Text),
    key("device", Fact::Object, Coding::Text),
    Key { name: "data", fact: None, coding: Coding::Digits },
    text("apparmor"),
    text("cgroup"),
    text("chardev"),
    text("comm"),
    text("cwd"),
    text("device.rule"),
    text("dir"),
    text("disk"),
    text("file"),
    text("info"),
    text("invalid_context"),
    text("key"),
    text("name"),
    text("new-chardev"),
    text("new-disk"),
    text("new-fs"),
    text("new-net"),
    text("new-rng"),
    text("new-smartcard"),
    text("ocomm"),
    text("old-chardev"),
    text("old-disk"),
    text("old-fs"),
    text("old-net"),
    text("old-rng"),
    text("old-smartcard"),
    text("path"),
    text("proctitle"),
    text("profile"),
    text("root_dir"),
    text("target.new"),
    text("target.old"),
    text("watch"),
    // Numbers and words that could pass for digits of a text.
    plain("added"),
    plain("auid"),
    plain("changed"),
    plain("cipher"),
    plain("egid"),
    plain("euid"),
    plain("fp"),
    plain("ino"),
    plain("inode"),
    plain("ksize"),
    plain("laddr"),
    plain("lport"),
    plain("mac"),
    plain("net"),
    plain("new-mem"),
    plain("new-vcpu"),
    plain("old-auid"),
    plain("old-mem"),
    plain("old-ses"),
    plain("old-vcpu"),
    plain("pfs"),
    plain("pid"),
    plain("ppid"),
    plain("removed"),
    plain("rport"),
    plain("sauid"),
    plain("ses"),
    plain("spid"),
    plain("subj"),
    plain("suid"),
    plain("uuid"),
    plain("vm-pid"),
];

/// How the values of a key are written; none for a key that is not known.
fn coding(key: &[u8]) -> Option<Coding> {
    static INDEX: LazyLock<HashMap<&'static [u8], Coding>> = LazyLock::new(|| {
        let mut index = HashMap::with_capacity(KEYS.len());
        index.extend(KEYS.iter().map(|key| (key.name.as_bytes(), key.coding)));
        index
    });
    INDEX.get(key).copied()
}

/// Whether the key is in the table.
pub(super) fn is_known(key: &[u8]) -> bool {
    coding(key).is_some()
}

/// The keys of a fact, the one that counts first.
pub(super) fn of(fact: Fact) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(move |key| key.fact == Some(fact)).map(|key| key.name)
}

/// The text that a value without quotes stands for; none if it is the text itself.
///
/// Digits are capital, as libaudit writes them. Of a key whose values are texts they stand for one, as libaudit's own reader
/// has it, unless they are a plain number and would be no text that one can read. Of a key that is not known they do if they
/// stand for a readable text that libaudit would have encoded.
pub(super) fn decoded(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let coding = coding(key);
    if coding == Some(Coding::Plain) || value.is_empty() || !value.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let bytes: Vec<u8> =
        value.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<_>>()?;
    let is_number = || value.iter().all(u8::is_ascii_digit);
    let is_readable = || str::from_utf8(&bytes).is_ok_and(|text| !text.contains(char::is_control));
    let is_text = match coding {
        Some(Coding::Digits) => true,
        Some(_) => !is_number() || is_readable(),
        None => !is_number() && is_readable() && needs_encoding(&bytes),
    };
    is_text.then_some(bytes)
}

/// `audit_value_needs_encoding` of libaudit.
fn needs_encoding(text: &[u8]) -> bool {
    text.iter().any(|&byte| byte == b'"' || !(0x21..=0x7e).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once() {
        let names: std::collections::HashSet<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len());
        assert_eq!(of(Fact::Outcome).collect::<Vec<_>>(), ["res", "result", "success"]);
    }

    #[test]
    fn digits_stand_for_texts_where_a_text_can_be_meant() {
        let text = |key: &str, value: &str| decoded(key.as_bytes(), value.as_bytes());
        assert_eq!(text("acct", "626F62206C6565"), Some(b"bob lee".to_vec()));
        assert_eq!(text("acct", "6465706C6F79"), Some(b"deploy".to_vec()));
        assert_eq!((text("acct", "1234"), text("acct", "dead"), text("acct", "626f62206c6565")), (None, None, None));
        assert_eq!((text("uid", "2020"), text("res", "10")), (None, None));
        assert_eq!(text("data", "6C73"), Some(b"ls".to_vec()));
        // Not known: a text all the same, unless it may be a number.
        assert_eq!(text("new-hostdev2", "2F746D702F612062"), Some(b"/tmp/a b".to_vec()));
        assert_eq!((text("count", "2022"), text("hash", "DEADBEEF"), text("hash", "0A0B")), (None, None, None));
    }
}
