//! What outputs and sinks share in how they are read from a configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use delivery::http::HttpSettings;
use diagnostic::{Report, Span};
use foldhash::HashMap;
use secrecy::{ExposeSecret as _, SecretString};
use settings::{Node, Section, files};
use url::Url;

use super::mcs::CentralSettings;

/// An output or a sink, as it is written.
pub struct Given<'a> {
    pub section: Section<'a>,
    pub node: &'a Node,
    /// Files are looked at only if it is.
    pub enabled: bool,
}

/// What is said of targets elsewhere in the configuration, and what is known of those that were read before.
#[derive(Debug)]
pub struct Elsewhere {
    /// Where `mcs` leads, if it leads anywhere.
    pub central: Option<CentralSettings>,
    /// Whether rows may go there.
    pub rows_to_central: bool,
    /// The topics of tables.
    pub topics: Vec<(&'static str, String)>,
    pub waiting: Waiting,
    /// What is written already, and where that is said.
    pub files: HashMap<PathBuf, Span>,
}

/// How much may wait on disk for one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Bytes.
    pub max_bytes: u64,
    pub max_age: Duration,
}

impl Given<'_> {
    /// The `name` that is a path, which nothing else may write to.
    pub(super) fn path(&self, what: &str, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<PathBuf> {
        let path = self.section.get::<PathBuf>("name");
        match &path {
            None => {
                let place = self.section.span("name").unwrap_or_else(|| self.node.span.clone());
                report
                    .error(place, format!("{what} needs a path"))
                    .label("no `name` here")
                    .help("add `name:` and the path, such as /var/log/sophos/alerts.json");
            }
            Some(path) if self.enabled => self.once(path, elsewhere, report),
            Some(_) => {}
        }
        path
    }

    /// Refuses a file that something else writes as well: each would rename it under the other.
    fn once(&self, path: &Path, elsewhere: &mut Elsewhere, report: &mut Report) {
        let Some(span) = self.section.span("name") else { return };
        if let Some(first) = elsewhere.files.insert(path.to_owned(), span.clone()) {
            report
                .error(span, format!("{} is written twice", path.display()))
                .label("written here")
                .related(first, "and here")
                .help("give each its own file");
        }
    }

    /// Requests of several alerts each.
    pub(super) fn requests(&self, url: &Url, report: &mut Report) -> Option<HttpSettings> {
        let (batch_size, batch_delay) = (self.section.get::<u64>("batch_size")?, self.section.get("batch_delay")?);
        let batch_size = usize::try_from(batch_size).unwrap_or(usize::MAX);
        if batch_size == 1
            && let Some(span) = self.section.span("batch_delay")
        {
            // Not an error: many write down all keys, with their defaults.
            report
                .warning(span, "`batch_delay` has no effect on requests of one alert each")
                .help("set `batch_size` to more than 1, or take it out");
        }
        Some(HttpSettings { batch_size, batch_delay, ..self.single_requests(url, report)? })
    }

    /// Requests that never carry more than one thing.
    pub(super) fn single_requests(&self, url: &Url, report: &mut Report) -> Option<HttpSettings> {
        let section = &self.section;
        let (retry_min, retry_max) = (section.get("retry_min")?, section.get("retry_max")?);
        if retry_min > retry_max {
            report
                .error(
                    section.span("retry_min").or_else(|| section.span("retry_max")),
                    "`retry_min` is longer than `retry_max`",
                )
                .help("the first wait cannot be longer than the longest");
        }
        let plain = (url.scheme() != "https").then_some("http://");
        Some(HttpSettings {
            agent: concat!("sensor/", env!("CARGO_PKG_VERSION")),
            batch_size: 1,
            batch_delay: Duration::ZERO,
            timeout: section.get("timeout")?,
            retry_min,
            retry_max,
            tls: delivery::tls::keys::read(section, self.enabled, plain, report),
        })
    }

    /// Refuses those of these keys that were given and change nothing.
    pub(super) fn without_effect(&self, keys: &[&str], what: &str, help: &str, report: &mut Report) {
        for (key, span) in keys.iter().filter_map(|key| Some((key, self.section.span(key)?))) {
            report.error(span, format!("`{key}` has no effect on {what}")).help(help.to_owned());
        }
    }
}

/// A token that is given, or the file that holds it. Whether there is one at all is for the caller to say.
pub(crate) fn token(section: &Section<'_>, report: &mut Report) -> Option<SecretString> {
    let (key, token) = match section.secret("token") {
        Some(token) => ("token", token),
        None => {
            let path: PathBuf = section.get("token_file")?;
            ("token_file", files::secret(&path, section.span("token_file"), report)?)
        }
    };
    if token.expose_secret().contains(|char: char| char.is_whitespace() || char.is_control()) {
        report
            .error(section.span(key), format!("`{key}`: the token holds a blank, a line end or a control character"))
            .label("no request can carry it")
            .help("write the token alone, as the receiver shows it");
    }
    Some(token)
}
