//! Delivers to Central: alerts and table rows over HTTPS, from a spool.
//!
//! ```text
//! messages ─▶ narrowing ─▶ batch ─▶ client: trust, proxy, zstd ──POST──▶ Central
//!                 ▲ 400, 413, 422: halves                                   │
//! settled ◀───────┴─────────────────────── verdict ◀── reply ◀──────────────┘
//! ```
//!
//! | reply | what follows |
//! | --- | --- |
//! | 2xx that accounts for each message | what was accepted leaves the spool, what was rejected becomes a dead letter |
//! | 400, 413, 422 | the batch is sent in halves; a single message becomes a dead letter |
//! | 415 | the same without compression |
//! | 401, 403, other 3xx and 4xx | nothing leaves the spool; a try every 5 minutes, and it is said |
//! | 408, 425, 429, 5xx, any fault of the network, untrusted | a try after 1 s up to 5 min, not before `Retry-After` |
//!
//! The wire is ours, open and documented in `proto/`. Delivery into another service is this module put in its place:
//! the spool and the trust beneath it know nothing of it.

mod batch;
mod client;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod greeting;
mod proxy;
mod reply;
mod statistics;
#[cfg(test)]
mod tests;

use std::{io, ops::Range, time::Instant};

use reqwest::header::InvalidHeaderValue;
use secrecy::SecretString;
use sensor_proto::path;
use url::Url;
use uuid::Uuid;

use self::{client::Client, greeting::Greeting, reply::Verdict};
pub use self::{
    client::Timeouts,
    proxy::{ProxyError, on_the_way},
    statistics::publish as publish_statistics,
};
use crate::{
    backoff::Pace,
    narrowing::{Narrowing, Refusal, Took},
    remote::{Answer, Interrupt, Message, Remote, Setback, Settled},
    spool::Kind,
    trust::TrustFolder,
};

/// Where to deliver, as whom, and how.
pub struct McsSettings {
    /// What the output is called in the log.
    pub name: String,
    pub url: Url,
    pub token: SecretString,
    /// The `customer_id`.
    pub tenant: Uuid,
    /// 1 to 128 visible ASCII characters, the same for all that one sensor sends.
    pub sensor_id: String,
    pub trust: TrustFolder,
    /// In place of that of the environment.
    pub proxy: Option<Url>,
    pub hello: Hello,
    pub bounds: Bounds,
    pub pace: Pace,
    pub timeouts: Timeouts,
}

impl McsSettings {
    /// Looks whether these can work, whatever the network does.
    ///
    /// # Errors
    ///
    /// When they cannot.
    pub fn check(self) -> Result<(), StartError> {
        Central::new(self).map(drop)
    }
}

/// How the sensor introduces itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    pub sensor_version: String,
    pub hostname: String,
    /// Facts about the host, as in an alert's `metadata`.
    pub metadata: Vec<(String, String)>,
    /// Whether statistics on the sensor's health may go along, now and then.
    pub statistics: bool,
}

/// The largest batch. What Central says it takes bounds it further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Alerts, or rows.
    pub messages: usize,
    /// Bytes before compression.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages: 500, bytes: 1 << 20 }
    }
}

/// Why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("mcs.url cannot be used: {reason}")]
    Url { reason: &'static str },
    #[error("mcs.token holds characters that a token never has; copy it anew, without quotes and line ends")]
    Token,
    #[error("the sensor's id {id:?} is not 1 to 128 visible ASCII characters")]
    SensorId { id: String },
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("there can be no runtime for requests: {0}")]
    Runtime(#[from] io::Error),
    #[error("a header could not be made: {0}")]
    Header(#[from] InvalidHeaderValue),
}

/// Speaks to Central.
pub struct Central {
    name: String,
    client: Client,
    bounds: Bounds,
    pace: Pace,
    greeting: Greeting,
    /// By [`Kind`].
    narrowing: [Narrowing; Kind::ALL.len()],
    /// What has been said of trust in the log.
    said: Vec<String>,
}

impl Central {
    /// Connects when there is something to send.
    ///
    /// # Errors
    ///
    /// When the settings cannot work, whatever the network does.
    pub fn new(settings: McsSettings) -> Result<Self, StartError> {
        Ok(Self {
            name: settings.name.clone(),
            bounds: settings.bounds,
            pace: settings.pace,
            greeting: Greeting::new(settings.hello.clone(), settings.pace),
            client: Client::new(settings)?,
            narrowing: Default::default(),
            said: Vec::new(),
        })
    }
}

/// Sends messages of one kind together.
fn post(client: &mut Client, messages: &[Message<'_>]) -> Result<Took, Setback> {
    let path = match messages.first().map(|message| message.kind) {
        Some(Kind::Urgent) => path::ALERTS,
        Some(Kind::Bulk) => path::EVENTS,
        None => return Ok(Took::all(0)),
    };
    let (key, body) = (Message::idempotency_key(messages), batch::encode(messages));
    let verdict = loop {
        let reply = client.post(path, key, &body)?;
        match reply.verdict(messages.len(), |text| client.say(text)) {
            Verdict::Compression if client.compress => client.compress = false,
            verdict => break verdict,
        }
    };
    let refusal = |reason, is_for_size| Ok(Took::Refused(Refusal { at: None, reason, is_for_size, wait: None }));
    match verdict {
        Verdict::Taken(rejected) => {
            let mut settled = vec![Settled::Confirmed; messages.len()];
            for one in rejected {
                let place = usize::try_from(one.index).ok().and_then(|place| settled.get_mut(place));
                if let Some(place) = place {
                    *place = Settled::Rejected(client.say(one.reason.as_bytes()));
                }
            }
            Ok(Took::Each(settled))
        }
        Verdict::Split(reason) => refusal(reason, false),
        Verdict::TooLarge(reason) => refusal(reason, true),
        Verdict::Compression => {
            let reason = "the receiver takes no body of this type; check that mcs.url leads to Central".to_owned();
            Err(Setback { reason, wait: None, lasting: true })
        }
        Verdict::Refused(reason, wait) => Err(Setback { reason, wait, lasting: true }),
        Verdict::Later(reason, wait) => Err(Setback { reason, wait, lasting: false }),
    }
}

impl Remote for Central {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        let Some(first) = messages.first() else { return Answer::default() };
        let Self { client, narrowing, .. } = self;
        narrowing[first.kind as usize].send(messages, |part| post(client, part))
    }

    fn interrupt(&self) -> Option<Interrupt> {
        Some(self.client.interrupt())
    }

    fn kinds(&self) -> &'static [Kind] {
        &Kind::ALL
    }

    fn parts(&self, body: &[u8]) -> Option<Vec<Range<usize>>> {
        batch::messages(body).ok()
    }

    fn bounds(&self) -> (usize, usize) {
        let Bounds { messages, bytes } = self.greeting.within(self.bounds);
        (messages, bytes)
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn greets_at(&self) -> Option<Instant> {
        self.greeting.due()
    }

    fn greet(&mut self) -> Result<bool, Setback> {
        self.greeting.greet(&mut self.client)
    }

    fn notes(&mut self) -> Vec<String> {
        let warnings: Vec<String> = self.client.warnings().iter().map(ToString::to_string).collect();
        for warning in warnings.iter().filter(|warning| !self.said.contains(warning)) {
            tracing::warn!(output = self.name, "{warning}");
        }
        self.said.clone_from(&warnings);
        warnings.into_iter().chain(self.greeting.note()).collect()
    }
}
