//! A bucket of an S3-compatible store, as an output's keys describe it.

use std::path::PathBuf;

use diagnostic::Report;
use settings::{Key, Kind, Section, files};
use url::{Host, Url};

use super::{AccessKey, S3Settings};
use crate::http::HttpSettings;

pub const PREFIX: Key = Key::new("prefix", Kind::Text, "", "What the files' keys begin with, such as `sensors/rows`.");
pub const ENDPOINT: Key = Key::new(
    "endpoint",
    Kind::Url(&["https", "http"]),
    "",
    "The store; http on the loopback alone. Without it, https://s3.REGION.amazonaws.com.",
);
pub const REGION: Key =
    Key::new("region", Kind::Text, "us-east-1", "The bucket's region, which requests are signed for.");
pub const PATH_STYLE: Key = Key::new(
    "path_style",
    Kind::Bool,
    "",
    "Whether the bucket is named in the path rather than in the host name. Without it: yes where there is an `endpoint`.",
);
pub const ACCESS_KEY_ID: Key = Key::new(
    "access_key_id",
    Kind::Text,
    "",
    "The access key. Without it, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` in the environment.",
);
pub const SECRET_ACCESS_KEY: Key =
    Key::new("secret_access_key", Kind::Secret, "", "Its secret.").instead_of("secret_access_key_file");
pub const SECRET_ACCESS_KEY_FILE: Key =
    Key::new("secret_access_key_file", Kind::Path, "", "A file that holds the secret and nothing else.")
        .instead_of("secret_access_key");
pub const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "1m", "How long the upload of a file may take.");

/// Refuses keys that say nothing without a `bucket`.
pub fn without_bucket<'a>(section: &Section<'_>, keys: impl Iterator<Item = &'a Key>, report: &mut Report) {
    for (name, span) in keys.filter_map(|key| Some((key.name, section.span(key.name)?))) {
        report
            .error(span, format!("`{name}` is given and `bucket` is not"))
            .label("without a bucket, files stay in the folder")
            .help("add `bucket:` and its name, or leave this out");
    }
}

/// Takes the store that a `bucket` is of. How it is spoken to, `http` says of its address.
#[must_use]
pub fn read(
    section: &Section<'_>,
    bucket: String,
    report: &mut Report,
    http: impl FnOnce(&Url, &mut Report) -> Option<HttpSettings>,
) -> Option<S3Settings> {
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
    let http = http(&endpoint, report)?;
    Some(S3Settings {
        endpoint,
        bucket,
        prefix: prefix(section, report),
        region,
        path_style,
        access_key: access_key(section, report),
        http,
    })
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
