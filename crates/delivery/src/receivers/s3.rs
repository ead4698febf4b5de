//! A bucket of an S3-compatible store, and putting a file into it.
//!
//! Requests are signed in their URL, which is good for minutes and for one object alone; the key's secret never leaves
//! this host.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub mod keys;

use std::{io, time::Duration};

use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use secrecy::{ExposeSecret as _, SecretString};
use settings::secrets::url_credentials;

use crate::{
    http::{self, Client, HttpSettings, Reply},
    remote::Setback,
};

/// How long a signature is good for: as long as clocks may differ.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// A bucket of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    pub endpoint: Url,
    pub bucket: String,
    /// What keys begin with: without slashes at its ends, empty for nothing.
    pub prefix: String,
    pub region: String,
    /// Whether the bucket is named in the path rather than in the host name.
    pub path_style: bool,
    /// Without it, the environment's.
    pub access_key: Option<AccessKey>,
    pub http: HttpSettings,
}

/// An access key with its secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: String,
    pub secret: SecretString,
}

impl PartialEq for AccessKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.secret.expose_secret()) == (&other.id, other.secret.expose_secret())
    }
}

impl Eq for AccessKey {}

impl S3Settings {
    /// For messages.
    #[must_use]
    pub fn place(&self) -> String {
        let below = if self.prefix.is_empty() { String::new() } else { format!("/{}", self.prefix) };
        format!("the bucket {}{below} at {}", self.bucket, http::place(&self.endpoint))
    }

    /// Looks whether there can be such a bucket, without asking anyone.
    ///
    /// # Errors
    ///
    /// If not: why, and what to do.
    pub fn check(&self) -> Result<(), String> {
        self.at().map(drop)
    }

    fn at(&self) -> Result<Bucket, String> {
        let style = if self.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        Bucket::new(self.endpoint.clone(), style, self.bucket.clone(), self.region.clone()).map_err(|error| {
            let hint = if self.path_style { "" } else { "; a name that no host can have needs `path_style: true`" };
            format!("the bucket {:?} at {}: {error}{hint}", self.bucket, http::place(&self.endpoint))
        })
    }

    fn credentials(&self) -> Option<Credentials> {
        let given = self.access_key.as_ref().map(|key| Credentials::new(&key.id, key.secret.expose_secret()));
        given.or_else(Credentials::from_env)
    }
}

/// Puts files into a bucket.
pub struct Store {
    bucket: Bucket,
    prefix: String,
    credentials: Option<Credentials>,
    client: Client,
}

impl Store {
    /// Connects when there is something to put.
    ///
    /// # Errors
    ///
    /// If there can be no such bucket, or no more descriptors.
    pub fn new(settings: &S3Settings) -> io::Result<Self> {
        let bucket = settings.at().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let credentials = settings.credentials();
        let secrets = credentials.iter().flat_map(|all| [Some(all.secret()), all.token()]).flatten();
        let secrets = secrets.map(str::to_owned).chain(url_credentials(&settings.endpoint)).collect();
        let client = Client::new(settings.http.clone(), HeaderMap::new(), secrets)?;
        Ok(Self { bucket, prefix: settings.prefix.clone(), credentials, client })
    }

    /// Puts a file there. The same key with the same body again changes nothing.
    ///
    /// # Errors
    /// Why the store does not have it. What it was is never given up for what a store says.
    pub fn put(&mut self, key: &str, body: Vec<u8>) -> Result<(), Setback> {
        let Some(credentials) = &self.credentials else {
            let reason = "there is no access key: set `access_key_id` and `secret_access_key_file`, or \
                          AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
            return Err(Setback { reason: reason.to_owned(), wait: None, lasting: true });
        };
        let key = if self.prefix.is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        let url = self.bucket.put_object(Some(credentials), &key).sign(SIGNED_FOR);
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/vnd.apache.parquet"))]);
        let reply = self.client.send(&Method::PUT, &url, headers, body)?;
        match reply.status {
            200..=299 => Ok(()),
            _ => Err(self.setback(&reply)),
        }
    }

    /// Whether somebody is there and trusted. Nothing is asked of the bucket: a key that may put files may not do more.
    ///
    /// # Errors
    /// Why not.
    pub fn reach(&mut self) -> Result<(), Setback> {
        self.client.send(&Method::HEAD, &self.bucket.base_url().clone(), HeaderMap::new(), Vec::new()).map(drop)
    }

    /// No file is ever given up for what the store says: it says such things of keys, buckets and clocks.
    fn setback(&self, reply: &Reply) -> Setback {
        let text = String::from_utf8_lossy(&reply.body);
        let said = match (element(&text, "Code"), element(&text, "Message")) {
            (Some(code), message) => self.client.words(format!("{code}: {}", message.unwrap_or_default()).as_bytes()),
            (None, _) => self.client.words(&reply.body),
        };
        let (lasting, hint) = match reply.status {
            408 | 425 | 429 | 500..=599 => (false, ""),
            401 | 403 => (true, "; check the access key, what it may do, and this host's clock"),
            404 => (true, "; check `bucket` and `endpoint`"),
            _ => (true, "; check `endpoint`, `region` and the access key"),
        };
        let (place, name) = (http::place(self.bucket.base_url()), self.bucket.name());
        let reason = format!("{place} replied {} about the bucket {name}: {said}{hint}", reply.status);
        Setback { reason, wait: reply.wish, lasting }
    }
}

/// The text of the first element of this name. Replies are small and flat, so nothing more of XML is needed.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_says_is_found() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>None of it</Message></Error>";
        assert_eq!(element(xml, "Code"), Some("NoSuchBucket"));
        assert_eq!(element(xml, "Message"), Some("None of it"));
        assert_eq!(element("<Code>cut", "Code"), None);
    }
}
