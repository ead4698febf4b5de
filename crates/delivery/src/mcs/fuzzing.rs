//! What a receiver replies to a batch.

use prost::Message as _;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use sensor_proto::v1::HelloReply;

use super::reply::{Reply, Verdict};
use crate::{backoff::retry_after, words};

/// A reply with this status, wish and body, to a batch of so many messages.
///
/// # Panics
///
/// If a reply deletes messages that it does not account for, or tells the token.
pub fn mcs_reply(status: u16, wish: &str, messages: usize, body: &[u8]) {
    const TOKEN: &str = "SLS-0123456789";
    let headers =
        HeaderValue::try_from(wish).map(|wish| HeaderMap::from_iter([(RETRY_AFTER, wish)])).unwrap_or_default();
    let wish = retry_after(&headers);
    let reply = Reply { status, wish, body: body.to_vec() };
    match reply.verdict(messages, |text| words::fit(text, [TOKEN], 300)) {
        Verdict::Taken(rejected) => {
            assert!((200..300).contains(&status) && rejected.len() <= messages);
            assert!(rejected.iter().all(|rejected| rejected.index < messages as u64));
        }
        Verdict::Split(text) | Verdict::TooLarge(text) | Verdict::Refused(text, _) | Verdict::Later(text, _) => {
            assert!(!text.contains(TOKEN) && !text.contains('\n'));
        }
        Verdict::Compression => assert_eq!(status, 415),
    }
    let _ = HelloReply::decode(body);
}
