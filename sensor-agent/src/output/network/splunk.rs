//! The `splunk_hec` output: Splunk's HTTP Event Collector.
//!
//! A reply of 200 says that events were taken in, not that they are kept. With `ack`, an alert counts as delivered
//! when the collector says on its acknowledgement channel that it is indexed; what it does not say so of in time is
//! sent again, so an alert may be there twice, with the same `uuid`.
//!
//! | code | what follows |
//! | --- | --- |
//! | 0 | taken in |
//! | 1 to 4 (token), 7 (index), 10, 11, 14 (channel) | nothing leaves the spool; it is said, and tried every 5 minutes |
//! | 5, 6, 12, 13, 15 (a bad event) | that event becomes a dead letter, the others are sent again |
//! | 8, 9, 18 to 20, 23, 26 and others | tried again later |

use std::{
    io,
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    http::{self, Client, HttpSettings, Reply},
    remote::{Answer, Message, Remote, Setback, Settled},
};
use crate::delivery::Pace;

/// How long the collector may take to index events.
const INDEXED_WITHIN: Duration = Duration::from_secs(60);
/// Between two questions for it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A `splunk_hec` output.
#[derive(Clone, Debug)]
pub struct SplunkSettings {
    pub url: Url,
    pub token: SecretString,
    pub index: Option<String>,
    pub sourcetype: Option<String>,
    pub source: Option<String>,
    /// Whether an alert counts as delivered only when it is indexed.
    pub ack: bool,
    pub gzip: bool,
    pub http: HttpSettings,
}

impl PartialEq for SplunkSettings {
    fn eq(&self, other: &Self) -> bool {
        (&self.url, &self.index, &self.sourcetype, &self.source, self.ack, self.gzip, &self.http)
            == (&other.url, &other.index, &other.sourcetype, &other.source, other.ack, other.gzip, &other.http)
            && self.token.expose_secret() == other.token.expose_secret()
    }
}

impl Eq for SplunkSettings {}

impl SplunkSettings {
    pub(crate) fn place(&self) -> String {
        http::place(&self.url)
    }
}

/// Speaks to one collector.
pub(crate) struct Splunk {
    events: Url,
    acks: Url,
    ack: bool,
    gzip: bool,
    settings: HttpSettings,
    client: Client,
}

/// What a collector says.
#[derive(Debug, Default, Deserialize)]
struct Said {
    code: Option<u32>,
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
    #[serde(rename = "invalid-event-number")]
    invalid_event: Option<usize>,
}

/// Which events are indexed.
#[derive(Debug, Deserialize)]
struct Acks {
    acks: std::collections::BTreeMap<String, bool>,
}

impl Splunk {
    /// Connects when there is something to send.
    ///
    /// # Errors
    ///
    /// If the token cannot be one.
    pub(crate) fn new(settings: &SplunkSettings) -> io::Result<Self> {
        let token = settings.token.expose_secret();
        let mut authorization = HeaderValue::try_from(format!("Splunk {token}"))
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the token has characters that none can have"))?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        // Acknowledgements are told on the channel that the events came by.
        let channel = Uuid::new_v4().to_string();
        if let Ok(channel) = HeaderValue::try_from(&channel) {
            headers.insert(HeaderName::from_static("x-splunk-request-channel"), channel);
        }
        let base = settings.url.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/services/collector/event").unwrap_or(base);
        let base = base.strip_suffix("/services/collector").unwrap_or(base);
        let url = |path: &str| {
            Url::parse(&format!("{base}{path}")).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
        };
        Ok(Self {
            events: url("/services/collector/event")?,
            acks: url(&format!("/services/collector/ack?channel={channel}"))?,
            ack: settings.ack,
            gzip: settings.gzip,
            settings: settings.http.clone(),
            client: Client::new(settings.http.clone(), headers, vec![token.to_owned()])?,
        })
    }

    /// Sends events until those that are left are not to be sent now.
    fn deliver(&mut self, messages: &[Message<'_>]) -> Answer {
        // Places of those that are refused for good.
        let mut refused: Vec<(usize, String)> = Vec::new();
        let outcome = loop {
            let sent: Vec<usize> =
                (0..messages.len()).filter(|at| !refused.iter().any(|(place, _)| place == at)).collect();
            if sent.is_empty() {
                break Ok(());
            }
            match self.post(&sent.iter().map(|&at| messages[at]).collect::<Vec<_>>()) {
                Err(setback) => break Err(setback),
                Ok(None) => break Ok(()),
                Ok(Some((place, reply))) => match self.client.refuse(&self.events, &reply) {
                    Ok(Settled::Rejected(reason)) => {
                        let Some(&at) = sent.get(place) else { break Err(self.later(&reply)) };
                        refused.push((at, reason));
                    }
                    Ok(Settled::Confirmed) => {}
                    Err(setback) => break Err(setback),
                },
            }
        };
        let settle = |at: usize| {
            let found = refused.iter().find(|(place, _)| *place == at);
            found.map_or(Settled::Confirmed, |(_, reason)| Settled::Rejected(reason.clone()))
        };
        match outcome {
            Ok(()) => Answer { settled: (0..messages.len()).map(settle).collect(), setback: None },
            Err(setback) => {
                // Of those before a setback only the first can be settled: the rest has to stay in order.
                let known = (0..messages.len()).take_while(|at| refused.iter().any(|(place, _)| place == at));
                Answer { settled: known.map(settle).collect(), setback: Some(setback) }
            }
        }
    }

    /// Sends events together. None if they are with the collector; else the place of one that never will be.
    fn post(&mut self, messages: &[Message<'_>]) -> Result<Option<(usize, Reply)>, Setback> {
        let body = messages.iter().map(|message| message.body).collect::<Vec<_>>().join(&b'\n');
        let mut headers = HeaderMap::new();
        let body = match compressed(&body).filter(|_| self.gzip) {
            Some(packed) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                packed
            }
            None => body,
        };
        let reply = self.client.send(&Method::POST, &self.events, headers, body)?;
        let said: Said = serde_json::from_slice(&reply.body).unwrap_or_default();
        match (reply.status, said.code) {
            (200..=299, Some(0)) if !self.ack => {
                self.client.taken();
                Ok(None)
            }
            (200..=299, Some(0)) => {
                let Some(id) = said.ack_id else {
                    let reason = format!(
                        "{} takes events, but acknowledges none; switch acknowledgement on for this token, or set `ack: false`",
                        http::place(&self.events)
                    );
                    return Err(Setback { reason, wait: None, lasting: true });
                };
                self.client.taken();
                self.wait_for_index(id).map(|()| None)
            }
            (_, Some(5 | 6 | 12 | 13 | 15)) => Ok(Some((said.invalid_event.unwrap_or(0), reply))),
            (_, Some(1..=4)) => Err(self.lasting(&reply, "check the token")),
            (_, Some(7)) => Err(self.lasting(&reply, "check `index`, and that the token may write to it")),
            (_, Some(10 | 11 | 14)) => Err(self.lasting(&reply, "check whether this token has acknowledgement")),
            (_, Some(_)) => Err(self.later(&reply)),
            // What replied is no collector: a balancer in front of one, or something else.
            (200..=299, None) => Err(self.later(&reply)),
            (_, None) => match self.client.setback(&self.events, &reply) {
                Some(setback) => Err(setback),
                None if reply.status == 413 && messages.len() == 1 => Ok(Some((0, reply))),
                None => Err(self.later(&reply)),
            },
        }
    }

    fn wait_for_index(&mut self, id: u64) -> Result<(), Setback> {
        let until = Instant::now() + INDEXED_WITHIN;
        let mut pause = FIRST_PAUSE;
        loop {
            let question = format!("{{\"acks\":[{id}]}}").into_bytes();
            let reply = self.client.send(&Method::POST, &self.acks, HeaderMap::new(), question)?;
            if reply.status != 200 {
                return Err(self.client.setback(&self.acks, &reply).unwrap_or_else(|| self.later(&reply)));
            }
            let acks = serde_json::from_slice::<Acks>(&reply.body).ok();
            if acks.is_some_and(|acks| acks.acks.get(&id.to_string()) == Some(&true)) {
                return Ok(());
            }
            if Instant::now() > until {
                let within = INDEXED_WITHIN.as_secs();
                let reason = format!(
                    "{} has not indexed what it took within {within} s; it is sent again",
                    http::place(&self.events)
                );
                return Err(Setback { reason, wait: None, lasting: false });
            }
            self.client.pause(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn lasting(&self, reply: &Reply, hint: &str) -> Setback {
        Setback { reason: format!("{}; {hint}", self.told(reply)), wait: reply.wish, lasting: true }
    }

    fn later(&self, reply: &Reply) -> Setback {
        Setback { reason: self.told(reply), wait: reply.wish, lasting: false }
    }

    fn told(&self, reply: &Reply) -> String {
        format!("{} replied {}: {}", http::place(&self.events), reply.status, self.client.words(&reply.body))
    }
}

impl Remote for Splunk {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        self.deliver(messages)
    }

    fn bounds(&self) -> (usize, usize) {
        // Collectors take 1 MB by default in older versions.
        (self.settings.batch_size, 900_000)
    }

    fn pace(&self) -> Pace {
        self.settings.pace()
    }

    fn linger(&self) -> Duration {
        self.settings.linger()
    }
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
