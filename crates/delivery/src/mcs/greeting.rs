//! How the sensor introduces itself, and what Central says of itself in return.
//!
//! Whether it works out or not, messages are tried: without any, the greeting shows whether delivery would work, so it goes
//! on trying.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use prost::Message as _;
use sensor_proto::{
    path,
    v1::{HelloReply, HelloRequest},
};
use uuid::Uuid;

use super::{Bounds, Hello, client::Client, reply::Verdict, statistics};
use crate::{
    backoff::{Backoff, Pace},
    remote::Setback,
};

/// A sensor whose statistics may go along greets anew this often; before there are any, sooner.
const GREET_EVERY: Duration = Duration::from_secs(3600);
const GREET_SOON: Duration = Duration::from_secs(60);
/// Clocks that differ by less are as good as the same.
const SKEW: Duration = Duration::from_secs(60);

pub(super) struct Greeting {
    hello: Hello,
    backoff: Backoff,
    /// When it is tried next; none if that is not to be.
    due: Option<Instant>,
    /// What Central said last.
    reply: Option<HelloReply>,
}

impl Greeting {
    pub(super) fn new(hello: Hello, pace: Pace) -> Self {
        Self { hello, backoff: Backoff::new(pace), due: Some(Instant::now()), reply: None }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The bounds for batches, and those that Central has set.
    pub(super) fn within(&self, Bounds { messages, bytes }: Bounds) -> Bounds {
        let Some(reply) = &self.reply else { return Bounds { messages, bytes } };
        let at_most = |bound: usize, limit: u64| match usize::try_from(limit) {
            Ok(limit) if limit > 0 => bound.min(limit),
            _ => bound,
        };
        // Compressed or not, it fits; a little is left for what stands around the messages.
        let limit = reply.max_decoded_bytes.min(reply.max_body_bytes);
        Bounds { messages: at_most(messages, reply.max_items), bytes: at_most(bytes, limit - limit / 16) }
    }

    /// What is to be said of Central's clock.
    pub(super) fn note(&self) -> Option<String> {
        let skew = self.reply.as_ref()?.clock_skew_nano?;
        if u128::from(skew.unsigned_abs()) < SKEW.as_nanos() {
            return None;
        }
        let seconds = skew.unsigned_abs() / 1_000_000_000;
        let way = if skew > 0 { "behind" } else { "ahead of" };
        Some(format!("this host's clock is {seconds} s {way} Central's"))
    }

    /// Greets. True if Central is there.
    pub(super) fn greet(&mut self, client: &mut Client) -> Result<bool, Setback> {
        let outcome = self.exchange(client);
        if let Err(setback) = &outcome {
            let wait = match setback.lasting {
                true => self.backoff.wait_after_refusal(setback.wait),
                false => self.backoff.wait_after_fault(setback.wait),
            };
            self.backoff.count();
            self.due = Some(Instant::now() + wait);
        }
        outcome
    }

    fn exchange(&mut self, client: &mut Client) -> Result<bool, Setback> {
        let request = HelloRequest {
            sensor_version: self.hello.sensor_version.clone(),
            hostname: self.hello.hostname.clone(),
            metadata: self.hello.metadata.iter().cloned().collect(),
            unix_nano_timestamp: Some(clock::unix_now()),
            statistics: if self.hello.statistics { statistics::newest() } else { BTreeMap::new() },
        };
        let has_statistics = !request.statistics.is_empty();
        let reply = client.post(path::HELLO, Uuid::new_v4(), &request.encode_to_vec())?;
        let hello = HelloReply::decode(&*reply.body).ok().filter(|hello| hello.max_items > 0);
        match (reply.status, hello) {
            (200..=299, Some(hello)) => {
                self.due = match (self.hello.statistics, has_statistics) {
                    (false, _) => None,
                    (true, false) => Some(Instant::now() + GREET_SOON),
                    (true, true) => Some(Instant::now() + GREET_EVERY),
                };
                self.backoff.reset();
                let version = client.say(hello.central_version.as_bytes());
                tracing::debug!(version, "Central is there");
                self.reply = Some(hello);
                Ok(true)
            }
            (200..=299, None) => {
                let status = reply.status;
                let reason = format!("what replied {status} is not Central; is there a proxy or a portal in between?");
                Err(Setback { reason, wait: reply.wish, lasting: false })
            }
            // Central of another version does without.
            (400 | 404 | 405 | 413 | 415 | 422, _) => {
                self.due = None;
                Ok(false)
            }
            _ => match reply.verdict(usize::MAX, |text| client.say(text)) {
                Verdict::Refused(reason, wait) => Err(Setback { reason, wait, lasting: true }),
                Verdict::Later(reason, wait) => Err(Setback { reason, wait, lasting: false }),
                // What is no greeting is none of these.
                Verdict::Taken(_) | Verdict::Split(_) | Verdict::TooLarge(_) | Verdict::Compression => {
                    self.due = None;
                    Ok(false)
                }
            },
        }
    }
}
