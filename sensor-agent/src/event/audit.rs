//! What a program told the kernel's audit: who logged in, who became whom, which account was changed.
//!
//! ```text
//! op=PAM:session_open grantors=pam_unix acct="root" exe="/usr/bin/sudo" hostname=? addr=? terminal=/dev/pts/0 res=success
//! ```
//!
//! The text is the sender's; what it says of the sender itself is worth as much as the sender. Whom it comes from is told by
//! the event's process, which is the kernel's word.

mod keys;
mod text;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddrV4};

pub use keys::Fact;

use budget::{Budget, Charge, Part};
use schema::Activity;
use schema::classes::audit::{Ending, Refusal, type_activity, type_name};
use sensor_ebpf::record;

use super::{Arguments, UserName};

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
    pub refused: Option<Refusal>,
    /// Each `key=value`, in order, values without their quotes and their hexadecimal digits.
    pairs: Arguments,
    /// The login name of the account, when the message tells its id alone.
    resolved: UserName,
    _charge: Charge,
}

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
            refused: (refusal != 0).then(|| refusal_of(record::Refusal::from_code(refusal))),
            pairs: Arguments::default(),
            resolved: UserName::default(),
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

    /// What it tells of.
    #[must_use]
    pub fn activity(&self) -> Activity {
        type_activity(self.message_type)
    }

    /// The value that tells this, under whichever key.
    ///
    /// A host name may have been chosen by its owner, who can put further pairs into it. So of what libaudit writes behind
    /// it (`addr`, `terminal`, `res`) the last value counts, of all else the first, and what stands behind a host name only
    /// if nothing before it tells the same.
    #[must_use]
    pub fn fact(&self, fact: Fact) -> Option<&[u8]> {
        if matches!(fact, Fact::Address | Fact::Terminal | Fact::Outcome) {
            let last = |key| self.pairs.iter().filter_map(|pair| value_of(pair, key)).last();
            return keys::of(fact).find_map(last);
        }
        Some(self.first(fact)?.value)
    }

    /// The first value that tells this.
    fn first(&self, fact: Fact) -> Option<First<'_>> {
        let first = |key| {
            let mut is_behind_host = false;
            for pair in self.pairs.iter() {
                if let Some(value) = value_of(pair, key) {
                    return Some(First { is_behind_host, value });
                }
                is_behind_host |= value_of(pair, "hostname").is_some();
            }
            None
        };
        // Of two keys one may tell nothing: `acct="" user="bob"`.
        let says_nothing = |first: &First<'_>| matches!(first.value, b"" | b"?");
        keys::of(fact).filter_map(first).min_by_key(|first| (first.is_behind_host, says_nothing(first)))
    }

    /// The name that the message tells of the account. PAM writes `?` for one that it does not know, which is a name only
    /// where no id tells more.
    fn named(&self) -> Option<&[u8]> {
        let name = self.first(Fact::Account)?;
        let id = self.first(Fact::AccountId);
        let is_forged = name.is_behind_host && id.as_ref().is_some_and(|id| !id.is_behind_host);
        let is_unknown = matches!(name.value, b"" | b"?") && id.is_some_and(|id| number(id.value).is_some());
        (!is_forged && !is_unknown).then_some(name.value)
    }

    /// The account that it is about: its name, or the login name of its id. Of a message about a group, the group.
    #[must_use]
    pub fn account(&self) -> Option<&[u8]> {
        let named = self.named().or_else(|| self.resolved.as_deref().map(str::as_bytes));
        match named {
            None if self.activity().is_of_group() => self.fact(Fact::Group),
            named => named,
        }
    }

    /// The id of that account; none of messages about groups.
    #[must_use]
    pub fn account_id(&self) -> Option<u32> {
        if self.activity().is_of_group() { None } else { number(self.fact(Fact::AccountId)?) }
    }

    /// The group that it is about.
    #[must_use]
    pub fn group(&self) -> Option<&[u8]> {
        let named = self.fact(Fact::Group);
        if self.activity().is_of_group() { named.or_else(|| self.fact(Fact::Account)) } else { named }
    }

    /// The id of that group.
    #[must_use]
    pub fn group_id(&self) -> Option<u32> {
        let own = if self.activity().is_of_group() { self.fact(Fact::AccountId) } else { None };
        number(own.or_else(|| self.fact(Fact::GroupId))?)
    }

    /// The id whose login name has to be looked up, since the message tells no name.
    pub(crate) fn unnamed_account(&self) -> Option<u32> {
        if self.named().is_some() { None } else { self.account_id() }
    }

    /// Takes the login name of [`AuditMessage::unnamed_account`] in.
    pub(crate) fn resolve(&mut self, name: UserName) {
        self.resolved = name;
    }

    /// Whether the name service is being asked for the account's name.
    pub(super) fn awaits_name(&self) -> bool {
        self.resolved.is_pending()
    }

    /// Puts these pairs in place of those of the text, then these values in place of those with the same keys.
    pub(super) fn replace(&mut self, pairs: Option<Vec<Vec<u8>>>, values: &[(&str, Vec<u8>)]) {
        let mut pairs = pairs.unwrap_or_else(|| self.pairs.iter().map(<[u8]>::to_vec).collect());
        for (key, value) in values {
            let start = format!("{key}=").into_bytes();
            pairs.retain(|pair| !pair.starts_with(&start));
            // Where it counts: see `told`.
            let at = if matches!(*key, "addr" | "terminal" | "res") { pairs.len() } else { 0 };
            pairs.insert(at, [start, value.clone()].concat());
        }
        let mut bytes = Vec::new();
        for pair in pairs {
            bytes.extend_from_slice(&pair);
            bytes.push(0);
        }
        self.pairs.set(&bytes, &[], bytes.len() as u64, false);
    }

    /// The same with what these take out of texts and of pairs; none if they take nothing out.
    pub(crate) fn without(
        &self,
        text: &dyn Fn(&[u8]) -> Cow<'_, [u8]>,
        pairs: &dyn Fn(&Arguments) -> Option<Arguments>,
    ) -> Option<Self> {
        let decoded = text::digits_without(&self.text, text);
        let plain = text(decoded.as_deref().unwrap_or(&self.text));
        let pairs = pairs(&self.pairs);
        if decoded.is_none() && matches!(plain, Cow::Borrowed(_)) && pairs.is_none() {
            return None;
        }
        let text = plain.into_owned();
        let mut told = Self { text, pairs: pairs.unwrap_or_else(|| self.pairs.clone()), ..self.clone() };
        told._charge = self._charge.alike(told.size());
        Some(told)
    }

    /// Where the user comes from; none when that is local or not told.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        [Fact::Address, Fact::RemoteHost].into_iter().find_map(|fact| address(self.fact(fact)?))
    }

    /// How it ended; none if the message does not say, or not in a known way.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        let word = self.fact(Fact::Outcome)?;
        let first = first_word(word);
        let is_one_of = |words: &[&str]| words.iter().any(|known| first.eq_ignore_ascii_case(known.as_bytes()));
        // Old PAM tells the text of its error, such as `Authentication failure`.
        let ends_with = |end: &str| {
            word.len().checked_sub(end.len()).is_some_and(|at| word[at..].eq_ignore_ascii_case(end.as_bytes()))
        };
        if is_one_of(&["success", "1", "yes"]) {
            Some(Ending::Success)
        } else if is_one_of(&["failed", "0", "no", "fail"]) || ["failure", "denied"].into_iter().any(ends_with) {
            Some(Ending::Failed)
        } else {
            None
        }
    }
}

/// A value, and whether it stands behind a host name.
struct First<'a> {
    is_behind_host: bool,
    value: &'a [u8],
}

/// The value of a pair that has this key.
fn value_of<'a>(pair: &'a [u8], key: &str) -> Option<&'a [u8]> {
    pair.strip_prefix(key.as_bytes())?.strip_prefix(b"=")
}

/// What has no blanks in it ends at the first one: what stands behind it belongs to nothing.
fn first_word(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b' ').next().unwrap_or_default()
}

fn number(text: &[u8]) -> Option<u32> {
    // -1, for none, is no u32.
    str::from_utf8(first_word(text)).ok()?.parse().ok().filter(|&id| id != super::UNSET_ID)
}

/// An address as senders write it: also with its zone (`fe80::1%eth0`), in brackets, or with a port.
pub(in crate::event) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(first_word(text)).ok()?;
    let text = text.strip_prefix('[').and_then(|rest| Some(rest.split_once(']')?.0)).unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse().ok().or_else(|| Some(IpAddr::V4(*text.parse::<SocketAddrV4>().ok()?.ip())))
}

/// Why the kernel did not take a message.
const fn refusal_of(told: Option<record::Refusal>) -> Refusal {
    match told {
        Some(record::Refusal::Capability) => Refusal::Capability,
        Some(record::Refusal::UserNamespace) => Refusal::UserNamespace,
        Some(record::Refusal::KernelType) => Refusal::KernelType,
        Some(record::Refusal::Length) => Refusal::Length,
        Some(record::Refusal::SecurityModule) => Refusal::SecurityModule,
        None => Refusal::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use schema::classes::audit::TYPE_NUMBERS;

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
        assert_eq!(message.fact(Fact::Operation), Some(&b"PAM:session_open"[..]));
        assert_eq!(message.fact(Fact::Grantors), Some(&b"pam_limits,pam_unix"[..]));
        assert_eq!(message.account(), Some(&b"root"[..]));
        assert_eq!(message.fact(Fact::Terminal), Some(&b"/dev/pts/0"[..]));
        assert_eq!((message.address(), message.ending()), (None, Some(Ending::Success)));
        assert!(!message.is_cut);
    }

    #[test]
    fn an_address_may_stand_for_the_host_name() {
        assert_eq!(message("addr=203.0.113.7 res=0").address(), Some([203, 0, 113, 7].into()));
        assert_eq!(message("hostname=::1 addr=? res=failed").address(), Some("::1".parse().unwrap()));
        assert_eq!(message("hostname=host.test addr=? res=failed").address(), None);
        assert_eq!(message("hostname=host.test").ending(), None);
    }

    /// A host name comes from its owner's name server.
    #[test]
    fn what_a_host_name_adds_does_not_count() {
        let forged = message(
            "op=login acct=\"bob\" hostname=x addr=10.0.0.1 res=success addr=203.0.113.7 terminal=ssh res=failed",
        );
        assert_eq!((forged.address(), forged.ending()), (Some([203, 0, 113, 7].into()), Some(Ending::Failed)));
        assert_eq!(message("acct=\"bob\" hostname=x acct=root").account(), Some(&b"bob"[..]));
        let mut forged = message("op=login id=0 exe=\"/x\" hostname=x acct=bob user=bob addr=203.0.113.7 res=success");
        assert_eq!((forged.unnamed_account(), forged.account_id()), (Some(0), Some(0)));
        forged.resolve("root".into());
        assert_eq!(forged.account(), Some(&b"root"[..]));
    }

    #[test]
    fn an_account_has_several_keys() {
        for (text, name, id) in [
            ("op=x acct=\"bob\" res=1", Some("bob"), None),
            (
                "PAM authentication: user=bob exe=\"/bin/su\" (hostname=?, addr=?, terminal=pts/0 result=Success)",
                Some("bob"),
                None,
            ),
            ("op=login id=7 exe=\"/usr/sbin/sshd\" hostname=? addr=? terminal=ssh res=success", None, Some(7)),
            ("uid=7 exe=\"/usr/sbin/gdm\" hostname=? addr=? terminal=/dev/tty1 res=success", None, Some(7)),
            // What is not known under one key is under another.
            ("op=login acct=\"?\" id=7 res=success", None, Some(7)),
            ("op=login acct=\"\" uid=7 res=success", None, Some(7)),
            ("op=login acct=? user=\"bob\" res=success", Some("bob"), None),
            ("op=login acct=\"?\" id=4294967295 res=failed", Some("?"), None),
            ("op=x id=4294967295 res=1", None, None),
            ("op=x id=-1 res=1", None, None),
        ] {
            let mut message = message(text);
            assert_eq!((message.account(), message.account_id()), (name.map(str::as_bytes), id), "{text}");
            assert_eq!(message.unnamed_account(), id, "{text}");
            message.resolve(id.map_or_else(UserName::default, |_| "seven".into()));
            assert_eq!(message.account(), id.map_or(name, |_| Some("seven")).map(str::as_bytes), "{text}");
        }
        // The id of a group is no user's.
        let group = AuditMessage::new(1116, b"op=add-group id=7 res=success", 30, 0);
        assert_eq!((group.account_id(), group.unnamed_account(), group.group_id()), (None, None, Some(7)));
        let group = AuditMessage::new(1116, b"op=add-group grp=\"wheel\" res=success", 36, 0);
        assert_eq!((group.account(), group.group()), (Some(&b"wheel"[..]), Some(&b"wheel"[..])));
        let member = AuditMessage::new(1102, b"op=add-user-to-group grp=\"wheel\" acct=\"bob\"", 44, 0);
        assert_eq!((member.account(), member.group()), (Some(&b"bob"[..]), Some(&b"wheel"[..])));
    }

    #[test]
    fn addresses_as_senders_write_them() {
        for text in ["fe80::1%eth0", "fe80::1", "[fe80::1]", "[fe80::1%2]:22"] {
            assert_eq!(address(text.as_bytes()), Some("fe80::1".parse().unwrap()), "{text}");
        }
        for text in ["203.0.113.7:22", "203.0.113.7 and words"] {
            assert_eq!(address(text.as_bytes()), Some([203, 0, 113, 7].into()), "{text}");
        }
        for text in ["?", "", "%", "[", "host.test", "UNKNOWN"] {
            assert_eq!(address(text.as_bytes()), None, "{text}");
        }
        assert_eq!(message("hostname=fe80::1%eth0 addr=? res=1").address(), Some("fe80::1".parse().unwrap()));
    }

    #[test]
    fn what_is_not_known_is_neither() {
        for (word, outcome) in [
            ("Success", Some(Ending::Success)),
            ("Authentication failure", Some(Ending::Failed)),
            ("\"Permission denied\"", Some(Ending::Failed)),
            ("failed and words without a key", Some(Ending::Failed)),
            ("maybe", None),
            ("", None),
        ] {
            assert_eq!(message(&format!("op=x result={word}")).ending(), outcome, "{word}");
        }
    }

    #[test]
    fn the_types_that_the_kernel_side_tells_are_those_with_names() {
        let is_user_type = record::audit::is_user_type;
        let is_told = |number: u16| TYPE_NUMBERS.iter().any(|range| range.contains(&number.into()));
        assert!((0..=u16::MAX).all(|number| is_told(number) == is_user_type(number)));
    }

    #[test]
    fn unknown_types_and_refusals_have_words() {
        let message = AuditMessage::new(1199, b"x", 5, 9);
        assert_eq!(
            (&*message.type_name, message.refused, message.is_cut),
            ("UNKNOWN[1199]", Some(Refusal::Unknown), true)
        );
    }
}
