//! Requests with what authorizes them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{
    RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;
use url::form_urlencoded;

use super::{
    Connection, Credentials, Pace,
    client::{Answer, Client, Facts, Fault, place},
    connection::{ConnectionError, client},
    rate::Rate,
};

/// A token is not used in the last part of its life: a request takes time, and clocks differ.
const RESERVE: Duration = Duration::from_secs(60);

/// What Central is asked through, as one client.
#[derive(Debug)]
pub struct Session {
    client: Client,
    credentials: Credentials,
    /// Held while it is fetched, so that one is fetched for all.
    token: tokio::sync::Mutex<Option<Token>>,
    pub(super) rate: Rate,
}

#[derive(Clone, Debug)]
struct Token {
    /// Which one it is, counted from 1.
    number: u64,
    header: SecretString,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

impl Session {
    /// One that has asked nothing yet.
    ///
    /// # Errors
    /// The authorities to trust cannot be read.
    pub fn new(credentials: Credentials, connection: &Connection, pace: Pace) -> Result<Self, ConnectionError> {
        let mut secrets = Vec::new();
        let mut keep = |secret: &SecretString| secrets.push(secret.expose_secret().to_owned());
        match &credentials {
            Credentials::Client { secret, .. } => {
                keep(secret);
                let encoded: String = form_urlencoded::byte_serialize(secret.expose_secret().as_bytes()).collect();
                secrets.push(encoded);
            }
            Credentials::Legacy { api_key, authorization, .. } => {
                keep(api_key);
                keep(authorization);
                secrets.extend(authorization.expose_secret().split_whitespace().last().map(str::to_owned));
            }
        }
        let is_tls = own(&credentials).scheme() == "https";
        let replies = Arc::new(Semaphore::new(connection.replies.max(1)));
        let way = connection.proxy.as_ref().map(|proxy| format!(" by the proxy {}", place(proxy))).unwrap_or_default();
        let http = client(connection, is_tls)?;
        let client = Client { http, pace, way, secrets, token: Mutex::default(), replies };
        Ok(Self { client, credentials, token: tokio::sync::Mutex::default(), rate: Rate::new(connection.rates) })
    }

    pub(super) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether a URL that Central names may be sent credentials: never without TLS where there was TLS before.
    pub(super) fn check(&self, url: Url) -> Result<Url, Fault> {
        let own = own(&self.credentials);
        if own.scheme() == "https" && url.scheme() != "https" {
            return Err(Fault::Refused(format!("{} names a host without https; nothing is sent there", place(own))));
        }
        Ok(url)
    }

    /// Asks for what stands at the URL.
    pub(super) async fn get<T>(
        &self,
        url: &Url,
        headers: &[(&'static str, &str)],
        read: impl Fn(&mut Vec<u8>) -> Result<T, String>,
    ) -> Result<(T, Facts), Fault> {
        let mut refused = None;
        loop {
            let (authorized, token) = self.authorize(refused).await?;
            let request = |http: &reqwest::Client| {
                headers.iter().fold(http.get(url.clone()).headers(authorized.clone()), |request, (name, value)| {
                    request.header(*name, *value)
                })
            };
            match self.client.ask(url, request, &read).await? {
                Answer::Read(answer, facts) => return Ok((answer, facts)),
                Answer::Unauthorized(_) if token.is_some() && refused.is_none() => refused = token,
                Answer::Unauthorized(said) => {
                    let hint = match &self.credentials {
                        Credentials::Client { .. } => "the token that was refused is a new one",
                        Credentials::Legacy { .. } => "check `token_info`: such access ends after a time",
                    };
                    return Err(Fault::Refused(format!("{} {said}; {hint}", place(url))));
                }
            }
        }
    }

    /// The headers that let us in, and the number of the token in them; another than the one that was refused.
    async fn authorize(&self, refused: Option<u64>) -> Result<(HeaderMap, Option<u64>), Fault> {
        let mut headers = HeaderMap::new();
        let mut put = |name: reqwest::header::HeaderName, secret: &SecretString| {
            let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| {
                Fault::Refused(format!("what is to be sent as {name} has characters that cannot be sent"))
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
            Ok(())
        };
        if let Credentials::Legacy { api_key, authorization, .. } = &self.credentials {
            put(reqwest::header::HeaderName::from_static("x-api-key"), api_key)?;
            put(AUTHORIZATION, authorization)?;
            return Ok((headers, None));
        }
        let mut held = self.token.lock().await;
        let last = held.as_ref().map_or(0, |token| token.number);
        let usable = held.take().filter(|token| token.until > Instant::now() && Some(token.number) != refused);
        let token = match usable {
            Some(token) => token,
            None => self.fetch_token(last + 1).await?,
        };
        let token = held.insert(token);
        put(AUTHORIZATION, &token.header)?;
        Ok((headers, Some(token.number)))
    }

    async fn fetch_token(&self, number: u64) -> Result<Token, Fault> {
        let Credentials::Client { id, secret, auth_url, .. } = &self.credentials else {
            return Err(Fault::Refused("an old token cannot be renewed".into()));
        };
        let form = SecretString::from(
            form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "client_credentials")
                .append_pair("client_id", id)
                .append_pair("client_secret", secret.expose_secret())
                .append_pair("scope", "token")
                .finish(),
        );
        let request = |http: &reqwest::Client| -> RequestBuilder {
            let request = http.post(auth_url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(form.expose_secret().to_owned())
        };
        let read = |body: &mut Vec<u8>| {
            let granted: Granted = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            if granted.access_token.is_empty() { Err("there is no token in it".to_owned()) } else { Ok(granted) }
        };
        let asked = Instant::now();
        let wrong = "check `client_id` and `client_secret`";
        let granted = match self.client.ask(auth_url, request, read).await {
            Ok(Answer::Read(granted, _)) => granted,
            Ok(Answer::Unauthorized(said)) => {
                return Err(Fault::Refused(format!("{} {said}; {wrong}", place(auth_url))));
            }
            Err(Fault::Bad(said)) => return Err(Fault::Refused(format!("{said}; {wrong}"))),
            Err(fault) => return Err(fault),
        };
        let life = Duration::from_secs(granted.expires_in.min(24 * 3600));
        let header = SecretString::from(format!("Bearer {}", granted.access_token));
        *self.client.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted.access_token);
        Ok(Token { number, header, until: asked + life.saturating_sub(RESERVE).max(life / 2) })
    }
}

/// Where the credentials are sent first.
const fn own(credentials: &Credentials) -> &Url {
    let (Credentials::Client { auth_url: url, .. } | Credentials::Legacy { url, .. }) = credentials;
    url
}
