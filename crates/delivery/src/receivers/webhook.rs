//! The `webhook` output: each alert, or a list of some, as an HTTP request.

pub mod headers;

use std::io;

use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use settings::words;

use crate::{
    backoff::Pace,
    http::{self, Client, HttpSettings},
    narrowing::{Narrowing, Took},
    remote::{Answer, Message, Remote, Setback},
};

words! {
    /// How a webhook is called.
    pub WebhookMethod {
        Post = "POST",
        Put = "PUT",
    }
}

/// A `webhook` output.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    pub url: Url,
    pub method: WebhookMethod,
    /// Names and values; the latter may be secret.
    pub headers: Vec<(String, SecretString)>,
    pub http: HttpSettings,
}

impl PartialEq for WebhookSettings {
    fn eq(&self, other: &Self) -> bool {
        let headers = |settings: &Self| -> Vec<(String, String)> {
            let all = settings.headers.iter();
            all.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect()
        };
        (&self.url, self.method, &self.http) == (&other.url, other.method, &other.http)
            && headers(self) == headers(other)
    }
}

impl Eq for WebhookSettings {}

impl WebhookSettings {
    pub fn place(&self) -> String {
        http::place(&self.url)
    }
}

/// Calls one receiver.
pub struct Webhook {
    url: Url,
    method: Method,
    batch_size: usize,
    settings: HttpSettings,
    /// Whether `headers` say what the body is.
    has_content_type: bool,
    client: Client,
    narrowing: Narrowing,
}

impl Webhook {
    /// Connects when there is something to send.
    ///
    /// # Errors
    ///
    /// If a header cannot be one.
    pub fn new(settings: &WebhookSettings) -> io::Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let wrong = |what| io::Error::new(io::ErrorKind::InvalidInput, format!("the header {name:?} {what}"));
            let key = HeaderName::try_from(name).map_err(|_| wrong("is no name of a header"))?;
            let mut value =
                HeaderValue::try_from(value.expose_secret()).map_err(|_| wrong("has characters that none can have"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let has_content_type = headers.contains_key(CONTENT_TYPE);
        let secrets = settings.headers.iter().flat_map(|(_, value)| {
            // `Bearer TOKEN`: the token alone is secret too.
            let value = value.expose_secret();
            [value.to_owned(), value.rsplit(' ').next().unwrap_or_default().to_owned()]
        });
        let secrets = secrets.chain(http::secrets_of_url(&settings.url)).collect();
        let client = Client::new(settings.http.clone(), headers, secrets)?;
        Ok(Self {
            url: settings.url.clone(),
            method: match settings.method {
                WebhookMethod::Post => Method::POST,
                WebhookMethod::Put => Method::PUT,
            },
            batch_size: settings.http.batch_size,
            settings: settings.http.clone(),
            has_content_type,
            client,
            narrowing: Narrowing::default(),
        })
    }

    /// Whether anybody replies there, whatever it says. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Why nobody does, or why who does is not trusted.
    pub fn reach(&mut self) -> Result<(), Setback> {
        self.client.send(&Method::OPTIONS, &self.url, HeaderMap::new(), Vec::new()).map(drop)
    }

    fn request(&mut self, messages: &[Message<'_>]) -> Result<Took, Setback> {
        let (body, content_type) = self.body(messages);
        let mut headers = HeaderMap::new();
        // What is set holds, whatever the body is.
        if !self.has_content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Ok(key) = HeaderValue::try_from(Message::idempotency_key(messages).to_string()) {
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        let reply = self.client.send(&self.method, &self.url, headers, body)?;
        match reply.status {
            200..=299 => Ok(Took::all(messages.len())),
            _ => self.client.refusal(&self.url, &reply).map(Took::Refused),
        }
    }

    /// One alert as it is; of an output that sends several at once, always a list.
    fn body(&self, messages: &[Message<'_>]) -> (Vec<u8>, &'static str) {
        let is_json = |body: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if self.batch_size == 1
            && let [message] = messages
        {
            let kind = if is_json(message.body) { "application/json" } else { "text/plain; charset=utf-8" };
            return (message.body.to_vec(), kind);
        }
        let mut list = vec![b'['];
        for (number, message) in messages.iter().enumerate() {
            if number > 0 {
                list.push(b',');
            }
            if is_json(message.body) {
                list.extend_from_slice(message.body);
            } else {
                list.extend_from_slice(serde_json::json!(String::from_utf8_lossy(message.body)).to_string().as_bytes());
            }
        }
        list.push(b']');
        (list, "application/json")
    }
}

impl Remote for Webhook {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        let mut narrowing = std::mem::take(&mut self.narrowing);
        let answer = narrowing.send(messages, |part| self.request(part));
        self.narrowing = narrowing;
        answer
    }

    fn bounds(&self) -> (usize, usize) {
        (self.batch_size, 4 << 20)
    }

    fn pace(&self) -> Pace {
        self.settings.pace()
    }

    fn linger(&self) -> std::time::Duration {
        self.settings.linger()
    }
}
