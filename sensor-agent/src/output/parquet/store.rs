//! A bucket of an S3-compatible store, and putting a file into it.
//!
//! Requests are signed in their URL, which is good for minutes and for one object alone; the key's secret never leaves
//! this host.

use std::{io, time::Duration};

use delivery::{
    http::{self, Client, HttpSettings, Reply},
    remote::Setback,
};
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use secrecy::{ExposeSecret as _, SecretString};
use settings::secrets::url_credentials;

/// How long a signature is good for: as long as clocks may differ.
const SIGNED_FOR: Duration = Duration::from_secs(900);

/// Where files are moved to.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    pub endpoint: Url,
    pub bucket: String,
    /// What keys begin with: without slashes at its ends, empty for nothing.
    pub prefix: String,
    pub region: String,
    /// Whether the bucket is named in the path rather than in the host name.
    pub path_style: bool,
    /// The access key and its secret. Without it, the environment's.
    pub access_key: Option<(String, SecretString)>,
    pub http: HttpSettings,
    /// What may wait in the folder, bytes.
    pub max_bytes: u64,
    /// How long a file may wait.
    pub max_age: Duration,
}

impl PartialEq for StoreSettings {
    fn eq(&self, other: &Self) -> bool {
        let key = |settings: &Self| {
            settings.access_key.as_ref().map(|(id, secret)| (id.clone(), secret.expose_secret().to_owned()))
        };
        let place = |settings: &Self| {
            let Self { endpoint, bucket, prefix, region, path_style, .. } = settings.clone();
            (endpoint, bucket, prefix, region, path_style)
        };
        place(self) == place(other)
            && key(self) == key(other)
            && (&self.http, self.max_bytes, self.max_age) == (&other.http, other.max_bytes, other.max_age)
    }
}

impl Eq for StoreSettings {}

impl StoreSettings {
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
        let given = self.access_key.as_ref().map(|(id, secret)| Credentials::new(id, secret.expose_secret()));
        given.or_else(Credentials::from_env)
    }
}

/// Puts files into a bucket.
pub(super) struct Store {
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
    pub(super) fn new(settings: &StoreSettings) -> io::Result<Self> {
        let bucket = settings.at().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let credentials = settings.credentials();
        let secrets = credentials.iter().flat_map(|all| [Some(all.secret()), all.token()]).flatten();
        let secrets = secrets.map(str::to_owned).chain(url_credentials(&settings.endpoint)).collect();
        let client = Client::new(settings.http.clone(), HeaderMap::new(), secrets)?;
        Ok(Self { bucket, prefix: settings.prefix.clone(), credentials, client })
    }

    /// Puts a file there. The same key with the same body again changes nothing.
    pub(super) fn put(&mut self, key: &str, body: Vec<u8>) -> Result<(), Setback> {
        let Some(credentials) = &self.credentials else {
            let reason = "there is no access key: set `access_key_id` and `secret_access_key_file`, or \
                          AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the sensor's environment";
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

#[cfg(feature = "fuzzing")]
pub(in crate::output) mod fuzzing;

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
