//! What a program told the kernel's audit: who logged in, who became whom, which account was changed.
//!
//! ```text
//! op=PAM:session_open grantors=pam_unix acct="root" exe="/usr/bin/sudo" hostname=? addr=? terminal=/dev/pts/0 res=success
//! ```
//!
//! The text is the sender's; what it says of the sender itself is worth as much as the sender. Whom it comes from is told by
//! the event's process, which is the kernel's word.

mod text;
mod types;

use std::borrow::Cow;
use std::net::IpAddr;

pub use sensor_ebpf::record::Refusal;
pub use types::{type_name, type_number};

use super::Arguments;
use crate::budget::{Budget, Charge, Part};

/// A message, taken apart.
#[derive(Clone, Debug, Default)]
pub struct AuditMessage {
    /// Its number, such as 1105.
    pub message_type: u16,
    /// The name of that, such as `USER_START`.
    pub type_name: Cow<'static, str>,
    /// As it was sent, without the zeroes at the end.
    pub text: Vec<u8>,
    /// Whether it was longer than what was kept of it.
    pub is_cut: bool,
    /// Why the kernel did not take it; none for a message that counts.
    pub refused: Option<&'static str>,
    /// Each `key=value`, in order, values without their quotes and their hexadecimal digits.
    pairs: Arguments,
    _charge: Charge,
}

/// How the thing that a message is about ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failed,
}

impl Outcome {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// The words for why the kernel did not take a message.
pub const REFUSALS: &[&str] = &["capability", "user_namespace", "kernel_type", "length", "security_module", "unknown"];

impl AuditMessage {
    /// Takes a message apart. No bytes are wrong: what is no `key=value` is in [`AuditMessage::text`] alone.
    #[must_use]
    pub fn new(message_type: u16, text: &[u8], bytes_sent: usize, refusal: u16) -> Self {
        let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let is_cut = bytes_sent > text.len();
        let text = &text[..end];
        let mut pairs = Vec::with_capacity(text.len() + 1);
        text::pairs(text, &mut pairs);
        let mut message = Self {
            message_type,
            type_name: type_name(message_type),
            text: text.to_vec(),
            is_cut,
            refused: (refusal != 0).then(|| refusal_word(Refusal::from_code(refusal))),
            pairs: Arguments::default(),
            _charge: Charge::default(),
        };
        message.pairs.set(&pairs, &[], pairs.len() as u64, false);
        message
    }

    /// The same, taken out of a budget.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        let charge = Charge::new(budget, Part::Messages, self.size());
        Self { _charge: charge, ..self }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.pairs.size()
    }

    /// Each `key=value`.
    #[must_use]
    pub const fn pairs(&self) -> &Arguments {
        &self.pairs
    }

    /// The value that a key has first. What libaudit writes before anything that others chose (`op`, `acct`, `exe`) is to
    /// be asked for so.
    #[must_use]
    pub fn first(&self, key: &str) -> Option<&[u8]> {
        self.values(key).next()
    }

    /// The value that a key has last: of what libaudit writes at the end (`addr`, `terminal`, `res`), after a host name that
    /// its owner chose.
    #[must_use]
    pub fn last(&self, key: &str) -> Option<&[u8]> {
        self.values(key).last()
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &[u8]> {
        self.pairs.iter().filter_map(move |pair| pair.strip_prefix(key.as_bytes())?.strip_prefix(b"="))
    }

    /// Puts these pairs in place of those of the text, then these values in place of those with the same keys.
    pub(super) fn replace(&mut self, pairs: Option<Vec<Vec<u8>>>, values: &[(&str, Vec<u8>)]) {
        let mut pairs = pairs.unwrap_or_else(|| self.pairs.iter().map(<[u8]>::to_vec).collect());
        for (key, value) in values {
            let start = format!("{key}=").into_bytes();
            pairs.retain(|pair| !pair.starts_with(&start));
            pairs.push([start, value.clone()].concat());
        }
        let mut bytes = Vec::new();
        for pair in pairs {
            bytes.extend_from_slice(&pair);
            bytes.push(0);
        }
        self.pairs.set(&bytes, &[], bytes.len() as u64, false);
    }

    /// Where the user comes from; none when that is local or not told.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let parsed = |text: &[u8]| str::from_utf8(text).ok()?.parse().ok();
        self.last("addr").and_then(parsed).or_else(|| self.first("hostname").and_then(parsed))
    }

    /// How it ended; none if the message does not say, or not in a known way.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let word = self.last("res").or_else(|| self.last("result"))?;
        if [&b"success"[..], b"1", b"yes"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
            Some(Outcome::Success)
        } else if [&b"failed"[..], b"0", b"no", b"fail", b"failure"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
        {
            Some(Outcome::Failed)
        } else {
            None
        }
    }
}

/// The word for why the kernel did not take a message.
const fn refusal_word(refusal: Option<Refusal>) -> &'static str {
    match refusal {
        Some(Refusal::Capability) => "capability",
        Some(Refusal::UserNamespace) => "user_namespace",
        Some(Refusal::KernelType) => "kernel_type",
        Some(Refusal::Length) => "length",
        Some(Refusal::SecurityModule) => "security_module",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> AuditMessage {
        AuditMessage::new(1105, text.as_bytes(), text.len(), 0)
    }

    #[test]
    fn a_session_of_sudo() {
        let sent = "op=PAM:session_open grantors=pam_limits,pam_unix acct=\"root\" exe=\"/usr/bin/sudo\" hostname=? addr=? \
                    terminal=/dev/pts/0 res=success";
        let message = message(&format!("{sent}\0\0"));
        assert_eq!((message.message_type, &*message.type_name), (1105, "USER_START"));
        assert_eq!(message.text, sent.as_bytes());
        assert_eq!(message.first("op"), Some(&b"PAM:session_open"[..]));
        assert_eq!(message.first("grantors"), Some(&b"pam_limits,pam_unix"[..]));
        assert_eq!(message.first("acct"), Some(&b"root"[..]));
        assert_eq!(message.last("terminal"), Some(&b"/dev/pts/0"[..]));
        assert_eq!((message.address(), message.outcome()), (None, Some(Outcome::Success)));
        assert!(!message.is_cut);
    }

    #[test]
    fn an_address_may_stand_for_the_host_name() {
        assert_eq!(message("addr=203.0.113.7 res=0").address(), Some([203, 0, 113, 7].into()));
        assert_eq!(message("hostname=::1 addr=? res=failed").address(), Some("::1".parse().unwrap()));
        assert_eq!(message("hostname=host.test addr=? res=failed").address(), None);
        assert_eq!(message("hostname=host.test").outcome(), None);
    }

    /// A host name comes from its owner's name server.
    #[test]
    fn what_a_host_name_adds_does_not_count() {
        let forged = message(
            "op=login acct=\"bob\" hostname=x addr=10.0.0.1 res=success addr=203.0.113.7 terminal=ssh res=failed",
        );
        assert_eq!((forged.address(), forged.outcome()), (Some([203, 0, 113, 7].into()), Some(Outcome::Failed)));
        assert_eq!(message("acct=\"bob\" hostname=x acct=root").first("acct"), Some(&b"bob"[..]));
    }

    #[test]
    fn unknown_types_and_refusals_have_words() {
        let message = AuditMessage::new(1199, b"x", 5, 9);
        assert_eq!((&*message.type_name, message.refused, message.is_cut), ("UNKNOWN[1199]", Some("unknown"), true));
        for code in 0..10 {
            assert!(REFUSALS.contains(&refusal_word(Refusal::from_code(code))));
        }
    }
}
