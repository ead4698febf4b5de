//! The `splunk_hec` output: Splunk's HTTP Event Collector.
//!
//! A reply of 200 says that events were taken in, not that they are kept. With `ack`, an alert counts as delivered
//! when the collector says on its acknowledgement channel that it is indexed; what it says no of for too long is sent
//! again, so an alert may be there twice, with the same `uuid`. A question without an answer is asked again, and sends
//! nothing again.
//!
//! | code | what follows |
//! | --- | --- |
//! | 0 | taken in |
//! | 1 to 4 (token), 7 (index), 10, 11, 14 (channel) | nothing leaves the spool; it is said, and tried every 5 minutes |
//! | 5, 6, 12, 13, 15 (a bad event) | the one it names becomes a dead letter, the others are sent again; else halves find it |
//! | status 413 | sent in halves |
//! | 8, 9, 18 to 20, 23, 26 and others | tried again later |

use std::{
    collections::{BTreeMap, HashSet},
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
use settings::secrets::url_credentials;
use uuid::Uuid;

use crate::{
    backoff::Pace,
    http::{self, Client, HttpSettings, Reply},
    narrowing::{Narrowing, Refusal, Took},
    remote::{Answer, Message, Remote, Setback, Settled},
};

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
    pub fn place(&self) -> String {
        http::place(&self.url)
    }
}

/// Speaks to one collector.
pub struct Splunk {
    events: Url,
    acks: Url,
    ack: bool,
    gzip: bool,
    settings: HttpSettings,
    client: Client,
    /// What the collector took last and has not acknowledged.
    pending: Option<Pending>,
    /// How long that may last.
    indexed_within: Duration,
    narrowing: Narrowing,
}

/// Events that the collector has taken in, as far as they are not indexed.
struct Pending {
    /// What to ask for.
    id: u64,
    uuids: HashSet<Uuid>,
    /// When they are sent again.
    until: Instant,
}

/// The words of a reply.
#[derive(Debug, Default, Deserialize)]
struct Words {
    code: Option<u32>,
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
    #[serde(rename = "invalid-event-number")]
    invalid_event: Option<i64>,
}

/// Which events are indexed.
#[derive(Debug, Deserialize)]
struct Acks {
    acks: BTreeMap<String, bool>,
}

impl Words {
    /// None of them if a reply is not a collector's.
    fn of(reply: &Reply) -> Self {
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }
}

impl Splunk {
    /// Connects when there is something to send.
    ///
    /// # Errors
    ///
    /// If the token cannot be one.
    pub fn new(settings: &SplunkSettings) -> io::Result<Self> {
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
        let secrets = [token.to_owned()].into_iter().chain(url_credentials(&settings.url)).collect();
        Ok(Self {
            events: url("/services/collector/event")?,
            acks: url(&format!("/services/collector/ack?channel={channel}"))?,
            ack: settings.ack,
            gzip: settings.gzip,
            settings: settings.http.clone(),
            client: Client::new(settings.http.clone(), headers, secrets)?,
            pending: None,
            indexed_within: INDEXED_WITHIN,
            narrowing: Narrowing::default(),
        })
    }

    /// Whether the collector is there and takes the token. Nothing is put into it.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn reach(&mut self) -> Result<(), Setback> {
        // Of a request without events it says what is wrong with the token, or else that there are none.
        let reply = self.client.send(&Method::POST, &self.events, HeaderMap::new(), Vec::new())?;
        match Words::of(&reply).code {
            Some(0 | 5) => Ok(()),
            _ => Err(self.setback(&self.events, &reply)),
        }
    }

    /// Sends events until those that are left are not to be sent now.
    fn deliver(&mut self, messages: &[Message<'_>]) -> Answer {
        let asked = self.still_asked_for(messages);
        if asked > 0
            && let Err(setback) = self.wait_for_index()
        {
            return Answer { settled: Vec::new(), setback: Some(setback) };
        }
        let mut narrowing = std::mem::take(&mut self.narrowing);
        let Answer { settled, setback } = narrowing.send(&messages[asked..], |part| self.post(part));
        self.narrowing = narrowing;
        Answer { settled: [vec![Settled::Confirmed; asked], settled].concat(), setback }
    }

    /// How many of the first messages are with the collector already, which has not yet said that they are indexed.
    fn still_asked_for(&mut self, messages: &[Message<'_>]) -> usize {
        let Some(pending) = &self.pending else { return 0 };
        let asked = messages.iter().take_while(|message| pending.uuids.contains(&message.uuid)).count();
        if asked == 0 {
            self.pending = None;
        }
        asked
    }

    /// Sends events together, and waits until they are indexed if that is to be.
    fn post(&mut self, messages: &[Message<'_>]) -> Result<Took, Setback> {
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
        let words = Words::of(&reply);
        match (reply.status, words.code) {
            (200..=299, Some(0)) if !self.ack => Ok(Took::all(messages.len())),
            (200..=299, Some(0)) => {
                let Some(id) = words.ack_id else {
                    let reason = format!(
                        "{} takes events, but acknowledges none; switch acknowledgement on for this token, or set `ack: false`",
                        http::place(&self.events)
                    );
                    return Err(Setback { reason, wait: None, lasting: true });
                };
                let uuids = messages.iter().map(|message| message.uuid).collect();
                self.pending = Some(Pending { id, uuids, until: Instant::now() + self.indexed_within });
                self.wait_for_index()?;
                Ok(Took::all(messages.len()))
            }
            // Too much for it, or for a balancer in front of it.
            (413, _) => Ok(Took::Refused(self.refusal(&reply, None))),
            (_, Some(5 | 6 | 12 | 13 | 15)) => Ok(Took::Refused(self.refusal(&reply, refused_event(&words)))),
            _ => Err(self.setback(&self.events, &reply)),
        }
    }

    /// Asks whether the pending events are indexed, until they are. They stay pending if there is no answer, and are
    /// not if it is no for too long.
    fn wait_for_index(&mut self) -> Result<(), Setback> {
        let Some(&Pending { id, until, .. }) = self.pending.as_ref() else { return Ok(()) };
        let mut pause = FIRST_PAUSE;
        loop {
            let question = format!("{{\"acks\":[{id}]}}").into_bytes();
            let reply = self.client.send(&Method::POST, &self.acks, HeaderMap::new(), question)?;
            let acks = serde_json::from_slice::<Acks>(&reply.body).ok().filter(|_| reply.status == 200);
            let Some(acks) = acks else { return Err(self.setback(&self.acks, &reply)) };
            if acks.acks.get(&id.to_string()) == Some(&true) {
                self.pending = None;
                return Ok(());
            }
            if Instant::now() >= until {
                self.pending = None;
                let within = self.indexed_within.as_secs();
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

    /// What a reply means that neither takes events nor names a bad one; the same for events and for questions.
    fn setback(&self, url: &Url, reply: &Reply) -> Setback {
        match Words::of(reply).code {
            Some(1..=4) => self.lasting(reply, "check the token"),
            Some(7) => self.lasting(reply, "check `index`, and that the token may write to it"),
            Some(10 | 11 | 14) => self.lasting(reply, "check whether this token has acknowledgement"),
            Some(_) => self.later(reply),
            // What replied is no collector: a balancer in front of one, or something else.
            None if (200..=299).contains(&reply.status) => self.later(reply),
            None => self.client.refusal(url, reply).err().unwrap_or_else(|| self.later(reply)),
        }
    }

    fn refusal(&self, reply: &Reply, at: Option<usize>) -> Refusal {
        Refusal { at, reason: self.describe(reply), is_for_size: reply.status == 413, wait: reply.wish }
    }

    fn lasting(&self, reply: &Reply, hint: &str) -> Setback {
        Setback { reason: format!("{}; {hint}", self.describe(reply)), wait: reply.wish, lasting: true }
    }

    fn later(&self, reply: &Reply) -> Setback {
        Setback { reason: self.describe(reply), wait: reply.wish, lasting: false }
    }

    fn describe(&self, reply: &Reply) -> String {
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

/// The place of the bad event, if the collector says so.
fn refused_event(words: &Words) -> Option<usize> {
    words.invalid_event.and_then(|place| usize::try_from(place).ok())
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(test)]
mod tests;
