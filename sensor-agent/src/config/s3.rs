//! An S3-compatible store, as a sink's keys describe it.

use std::path::PathBuf;

use delivery::http::HttpSettings;
use diagnostic::Report;
use secrecy::SecretString;
use settings::{Section, files};
use url::{Host, Url};

use super::keys;
use super::outputs;

/// The key of a sink that has no store. All others of a `parquet` sink say nothing without one.
const WITHOUT_STORE: &str = "roll_interval";

/// A bucket of a store.
#[derive(Clone, Debug)]
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

/// Takes the store; none inside if files stay in their folder, none at all if something is wrong, which is reported.
#[expect(clippy::option_option, reason = "as everywhere here, none means that the report says what is wrong")]
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> Option<Option<S3Settings>> {
    let Some(bucket) = section.get::<String>("bucket") else {
        let names = keys::PARQUET.iter().map(|key| key.name).filter(|name| *name != WITHOUT_STORE);
        for (name, span) in names.filter_map(|name| Some((name, section.span(name)?))) {
            report
                .error(span, format!("`{name}` is given and `bucket` is not"))
                .label("without a bucket, files stay in the folder")
                .help("add `bucket:` and its name, or leave this out");
        }
        return Some(None);
    };
    let region: String = section.get("region")?;
    let given: Option<Url> = section.get("endpoint");
    let path_style = section.get("path_style").unwrap_or(given.is_some());
    let endpoint = given.or_else(|| Url::parse(&format!("https://s3.{region}.amazonaws.com")).ok());
    let Some(endpoint) = endpoint else {
        report.error(section.span("region"), format!("`{region}` cannot be a region")).help("such as eu-central-1");
        return None;
    };
    if endpoint.scheme() == "http" && !is_loopback(&endpoint) {
        report
            .error(section.span("endpoint"), "this would send rows and signatures off this host unencrypted")
            .label("not the loopback")
            .help("write https://");
    }
    let http = outputs::single_requests(section, &endpoint, true, report)?;
    Some(Some(S3Settings {
        endpoint,
        bucket,
        prefix: prefix(section, report),
        region,
        path_style,
        access_key: access_key(section, report),
        http,
    }))
}

fn prefix(section: &Section<'_>, report: &mut Report) -> String {
    let prefix: String = section.get("prefix").unwrap_or_default();
    let prefix = prefix.trim_matches('/');
    if prefix.split('/').any(|part| matches!(part, "." | "..")) {
        report
            .error(section.span("prefix"), "`.` and `..` cannot be parts of a key")
            .help("HTTP would take them for steps in a path");
    }
    prefix.to_owned()
}

fn access_key(section: &Section<'_>, report: &mut Report) -> Option<AccessKey> {
    let id: Option<String> = section.get("access_key_id");
    let secret_at = section.span("secret_access_key").or_else(|| section.span("secret_access_key_file"));
    if id.is_some() != secret_at.is_some() {
        report
            .error(section.span("access_key_id").or(secret_at), "an access key and its secret belong together")
            .label("the other one is missing")
            .help("give `access_key_id` with `secret_access_key_file`, or none of them for the environment's");
        return None;
    }
    let secret = section.secret("secret_access_key").or_else(|| {
        let path: PathBuf = section.get("secret_access_key_file")?;
        files::secret(&path, section.span("secret_access_key_file"), report)
    })?;
    Some(AccessKey { id: id?, secret })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
