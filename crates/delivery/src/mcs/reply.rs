//! What a receiver's reply means for the batch that it is about.

use std::time::Duration;

use prost::Message as _;
use sensor_proto::v1::{BatchReply, Rejected};

/// A reply as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    /// What the receiver wishes with `Retry-After`.
    pub(super) wish: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// What is to be done about a batch.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is stored there, except for these.
    Taken(Vec<Rejected>),
    /// It is not fit as it is: its halves may be, and at the end all but the bad message.
    Split(String),
    /// It is too much: half of it may not be, and a single alert may be shorter.
    TooLarge(String),
    /// It cannot be read compressed this way.
    Compression,
    /// Nothing will be taken before someone changes something, here or there.
    Refused(String, Option<Duration>),
    /// Later.
    Later(String, Option<Duration>),
}

impl Reply {
    /// What it says about a batch of so many messages. The texts are for people; `say` makes the receiver's fit for that.
    pub(super) fn verdict(&self, messages: usize, say: impl Fn(&[u8]) -> String) -> Verdict {
        let text = || format!("the receiver replied {}: {}", self.status, say(&self.body));
        match self.status {
            200..=299 => self.taken(messages),
            400 | 422 => Verdict::Split(text()),
            413 => Verdict::TooLarge(text()),
            415 => Verdict::Compression,
            408 | 425 | 429 | 500..=599 => Verdict::Later(text(), self.wish),
            401 => Verdict::Refused(format!("{}; check mcs.token", text()), self.wish),
            403 => Verdict::Refused(format!("{}; check customer_id and mcs.token", text()), self.wish),
            _ => Verdict::Refused(format!("{}; check that mcs.url leads to Central", text()), self.wish),
        }
    }

    /// A success counts only if it accounts for every message: what a captive portal or a broken proxy calls success
    /// must not delete anything.
    fn taken(&self, messages: usize) -> Verdict {
        let Ok(reply) = BatchReply::decode(&*self.body) else {
            return Verdict::Later(
                format!("what replied {} is not Central; is there a proxy or a portal in between?", self.status),
                self.wish,
            );
        };
        let mut places: Vec<u64> = reply.rejected.iter().map(|rejected| rejected.index).collect();
        places.sort_unstable();
        places.dedup();
        let distinct = places.len() == reply.rejected.len() && places.last().is_none_or(|last| *last < messages as u64);
        if !distinct || reply.accepted.checked_add(places.len() as u64) != Some(messages as u64) {
            let (accepted, rejected) = (reply.accepted, reply.rejected.len());
            return Verdict::Later(
                format!("of {messages} messages the receiver accounts for {accepted} taken and {rejected} rejected"),
                self.wish,
            );
        }
        Verdict::Taken(reply.rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &[u8]) -> Verdict {
        Reply { status, wish: Some(Duration::from_secs(3)), body: body.to_vec() }
            .verdict(3, |text| String::from_utf8_lossy(text).into_owned())
    }

    fn rejected(index: u64) -> Rejected {
        Rejected { index, reason: "no".to_owned(), ..Rejected::default() }
    }

    fn taken(accepted: u64, places: &[u64]) -> Verdict {
        let rejected = places.iter().map(|place| rejected(*place)).collect();
        verdict(200, &BatchReply { accepted, duplicates: 1, rejected }.encode_to_vec())
    }

    #[test]
    fn only_a_reply_that_accounts_for_all_deletes() {
        assert_eq!(taken(3, &[]), Verdict::Taken(Vec::new()));
        assert_eq!(taken(1, &[2, 0]), Verdict::Taken(vec![rejected(2), rejected(0)]));
        for wrong in [
            taken(2, &[]),
            taken(4, &[]),
            taken(2, &[3]),
            taken(1, &[1, 1]),
            taken(u64::MAX, &[0]),
            verdict(200, b""),
            verdict(204, b""),
            verdict(200, b"<html>please log in</html>"),
        ] {
            assert!(matches!(wrong, Verdict::Later(_, Some(_))), "{wrong:?}");
        }
    }

    #[test]
    fn every_status_has_a_meaning() {
        for status in 100..=999 {
            let verdict = verdict(status, b"because");
            match status {
                200..=299 => assert!(matches!(verdict, Verdict::Later(..))),
                400 | 422 => assert!(matches!(verdict, Verdict::Split(text) if text.contains("because"))),
                413 => assert!(matches!(verdict, Verdict::TooLarge(text) if text.contains("because"))),
                415 => assert_eq!(verdict, Verdict::Compression),
                408 | 425 | 429 | 500..=599 => {
                    assert!(matches!(verdict, Verdict::Later(text, Some(_)) if text.contains("because")));
                }
                401 | 403 => assert!(matches!(verdict, Verdict::Refused(text, _) if text.contains("mcs.token"))),
                _ => assert!(matches!(verdict, Verdict::Refused(text, _) if text.contains("mcs.url"))),
            }
        }
    }
}
