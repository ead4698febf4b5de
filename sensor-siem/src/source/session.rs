//! Requests with what authorizes them.

use std::time::{Duration, Instant};

use reqwest::{
    RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    Connection, Credentials, Pace,
    client::{Answer, Client, Fault, place},
    connection::{ConnectionError, client},
};

/// A token is not used in the last part of its life: a request takes time, and clocks differ.
const RESERVE: Duration = Duration::from_secs(60);

/// What Central is asked through, as one client.
#[derive(Debug)]
pub struct Session {
    client: Client,
    credentials: Credentials,
    token: Option<Token>,
}

#[derive(Debug)]
struct Token {
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
        let client = Client { http: client(connection, is_tls)?, pace, secrets, token: None };
        Ok(Self { client, credentials, token: None })
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
        &mut self,
        url: &Url,
        headers: &[(&'static str, &str)],
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Fault> {
        let mut is_fresh = false;
        loop {
            let authorized = self.authorize(&mut is_fresh).await?;
            let request = |http: &reqwest::Client| {
                headers.iter().fold(http.get(url.clone()).headers(authorized.clone()), |request, (name, value)| {
                    request.header(*name, *value)
                })
            };
            match self.client.ask(url, request, &read).await? {
                Answer::Read(answer) => return Ok(answer),
                Answer::Unauthorized(_) if self.token.is_some() && !is_fresh => self.token = None,
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

    /// The headers that let us in. Says whether a token was fetched for them.
    async fn authorize(&mut self, is_fresh: &mut bool) -> Result<HeaderMap, Fault> {
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
            return Ok(headers);
        }
        let token = match self.token.take().filter(|token| token.until > Instant::now()) {
            Some(token) => token,
            None => {
                *is_fresh = true;
                self.fetch_token().await?
            }
        };
        put(AUTHORIZATION, &self.token.insert(token).header)?;
        Ok(headers)
    }

    async fn fetch_token(&mut self) -> Result<Token, Fault> {
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
        let read = |body: &[u8]| {
            let granted: Granted = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            if granted.access_token.is_empty() { Err("there is no token in it".to_owned()) } else { Ok(granted) }
        };
        let asked = Instant::now();
        let wrong = "check `client_id` and `client_secret`";
        let granted = match self.client.ask(auth_url, request, read).await {
            Ok(Answer::Read(granted)) => granted,
            Ok(Answer::Unauthorized(said)) => {
                return Err(Fault::Refused(format!("{} {said}; {wrong}", place(auth_url))));
            }
            Err(Fault::Bad(said)) => return Err(Fault::Refused(format!("{said}; {wrong}"))),
            Err(fault) => return Err(fault),
        };
        let life = Duration::from_secs(granted.expires_in.min(24 * 3600));
        let header = SecretString::from(format!("Bearer {}", granted.access_token));
        self.client.token = Some(granted.access_token);
        Ok(Token { header, until: asked + life.saturating_sub(RESERVE).max(life / 2) })
    }
}

/// Where the credentials are sent first.
const fn own(credentials: &Credentials) -> &Url {
    let (Credentials::Client { auth_url: url, .. } | Credentials::Legacy { url, .. }) = credentials;
    url
}
