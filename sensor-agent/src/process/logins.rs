//! How each audit session began: by the messages of whoever let the user in.
//!
//! The kernel numbers sessions and never uses a number again until the next boot. A session is known from its first
//! message of a login or of a session's start; what comes later in it (sudo, su, cron within cron) is no login and
//! changes nothing, except that it may tell an address where none was told before.

use std::sync::Arc;

use hashlink::LruCache;
use schema::classes::audit::Ending;

use crate::event::audit::{AuditMessage, Fact};
use crate::event::{Login, UNSET_ID};

/// Sessions remembered; the one not asked for for longest is forgotten first.
const SESSIONS: usize = 4096;
/// What is remembered of an account or a terminal, bytes: no name of either is longer.
const LONGEST: usize = 256;
/// `AUDIT_USER_START` and `AUDIT_USER_LOGIN` of Linux.
const USER_START: u16 = 1105;
const USER_LOGIN: u16 = 1112;

#[derive(Debug)]
pub(super) struct Logins(LruCache<u32, Arc<Login>>);

impl Default for Logins {
    fn default() -> Self {
        Self(LruCache::new(SESSIONS))
    }
}

impl Logins {
    /// How a session began, if it was seen.
    pub(super) fn get(&mut self, session: u32) -> Option<Arc<Login>> {
        if session == UNSET_ID { None } else { self.0.get(&session).cloned() }
    }

    /// Learns from a message that the kernel took, sent from within this session by this program.
    pub(super) fn learn(&mut self, session: u32, program: &[u8], message: &AuditMessage) {
        if session == UNSET_ID
            || !matches!(message.message_type, USER_START | USER_LOGIN)
            || message.ending() != Some(Ending::Success)
        {
            return;
        }
        let address = message.address();
        let text = |value: Option<&[u8]>| {
            let value = value.filter(|value| *value != b"?").unwrap_or_default();
            value[..value.len().min(LONGEST)].to_vec()
        };
        if let Some(known) = self.0.get_mut(&session) {
            if known.program == program {
                let login = Arc::make_mut(known);
                login.address = login.address.or(address);
                if login.account.is_empty() {
                    login.account = text(message.account());
                }
            }
            return;
        }
        let login = Login {
            address,
            account: text(message.account()),
            // As the kernel calls it: some senders name the file.
            terminal: text(message.fact(Fact::Terminal).map(|name| name.strip_prefix(b"/dev/").unwrap_or(name))),
            program: program.to_vec(),
        };
        self.0.insert(session, Arc::new(login));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(message_type: u16, text: &str) -> AuditMessage {
        AuditMessage::new(message_type, text.as_bytes(), text.len(), 0)
    }

    #[test]
    fn the_first_message_of_a_session_is_its_login() {
        let mut logins = Logins::default();
        let sshd = b"/usr/sbin/sshd";
        logins.learn(7, sshd, &message(1105, "acct=\"deploy\" addr=? terminal=ssh res=success"));
        logins.learn(7, b"/usr/bin/sudo", &message(1105, "acct=\"root\" addr=10.0.0.1 terminal=pts/1 res=success"));
        logins.learn(7, sshd, &message(1112, "acct=\"deploy\" addr=203.0.113.7 terminal=pts/1 res=success"));
        let login = logins.get(7).unwrap();
        assert_eq!((&login.account[..], &login.terminal[..]), (&b"deploy"[..], &b"ssh"[..]));
        assert_eq!((login.address, &login.program[..]), (Some([203, 0, 113, 7].into()), &sshd[..]));
    }

    #[test]
    fn a_login_that_tells_an_id_has_its_account() {
        let mut logins = Logins::default();
        let mut login = message(1112, "op=login id=1001 addr=203.0.113.7 terminal=pts/1 res=success");
        // Its name is not known yet.
        logins.learn(7, b"/usr/sbin/sshd", &login);
        assert_eq!(logins.get(7).unwrap().account, b"");
        login.resolve("deploy".into());
        logins.learn(7, b"/usr/sbin/sshd", &login);
        assert_eq!(logins.get(7).unwrap().account, b"deploy");
        logins.learn(8, b"/usr/sbin/sshd", &message(1112, "op=login id=7 terminal=/dev/pts/1 res=success"));
        assert_eq!(logins.get(8).unwrap().terminal, b"pts/1");
    }

    #[test]
    fn what_is_no_login_is_not_learnt() {
        let mut logins = Logins::default();
        logins.learn(UNSET_ID, b"x", &message(1105, "acct=\"a\" res=success"));
        logins.learn(8, b"x", &message(1105, "acct=\"a\" res=failed"));
        logins.learn(8, b"x", &message(1100, "acct=\"a\" res=success"));
        assert!(logins.get(8).is_none() && logins.get(UNSET_ID).is_none());
    }
}
