//! Where alerts go: each output with its own settings.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use delivery::{
    http::HttpSettings, receivers::file::FileSettings, receivers::splunk::SplunkSettings,
    receivers::syslog::SyslogSettings, receivers::webhook::WebhookSettings, receivers::webhook::headers,
};
use diagnostic::{Report, Span, Spanned};
use foldhash::HashMap;
use secrecy::SecretString;
use settings::{Node, Section, Size, files};
use url::Url;

use super::keys;
use super::syslog;
use super::without_effect::without_effect;
use super::words::OutputType;
use super::zeromq::{self, ZeromqSettings};
use crate::output::{Format, ZeromqEncoding};
use crate::policy::MessageType;

/// Where alerts go, and in what shape.
#[derive(Clone, Debug, Default)]
pub struct AlertOutput {
    /// The template of outputs that have none of their own.
    pub template: Option<Spanned<String>>,
    /// All outputs, those that are off included.
    pub outputs: Vec<Output>,
}

/// One output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where it is configured.
    pub span: Span,
    /// The keys that are given, and where.
    pub places: Vec<(&'static str, Span)>,
    pub enabled: bool,
    /// Its name in the log and in metrics; of a file, the path.
    pub name: Option<String>,
    pub template: Option<Spanned<String>>,
    /// The kinds of messages that it carries, each once.
    pub message_types: Vec<MessageType>,
    pub format: Format,
    /// The longest alert, bytes; without it, what receivers of the type take as they come.
    pub max_bytes: Option<u64>,
    pub settings: OutputSettings,
}

/// What only one type of output has.
#[derive(Clone, Debug)]
pub enum OutputSettings {
    Stdout,
    File(FileSettings),
    Syslog(SyslogSettings),
    Webhook(WebhookSettings),
    Mcs,
    Zeromq(ZeromqSettings),
    SplunkHec(Box<SplunkSettings>),
}

impl OutputSettings {
    /// The type, as the configuration names it.
    #[must_use]
    pub const fn output_type(&self) -> OutputType {
        match self {
            Self::Stdout => OutputType::Stdout,
            Self::File(_) => OutputType::File,
            Self::Syslog(_) => OutputType::Syslog,
            Self::Webhook(_) => OutputType::Webhook,
            Self::Mcs => OutputType::Mcs,
            Self::Zeromq(_) => OutputType::Zeromq,
            Self::SplunkHec(_) => OutputType::SplunkHec,
        }
    }
}

/// Takes the outputs of the merged configuration. `files` collects what is written, to find what is written twice.
pub(crate) fn read(section: &Section<'_>, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> AlertOutput {
    let outputs: Vec<Output> = section.items("outputs").iter().filter_map(|node| output(node, files, report)).collect();
    AlertOutput { template: section.spanned("template"), outputs }
}

fn output(node: &Node, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> Option<Output> {
    let variants = &keys::OUTPUTS;
    let section = Section::new(Some(node), variants.common);
    let kind: OutputType = section.get("type")?;
    let own_keys = variants.find(kind.word())?.keys;
    let section = section.with_own_keys(own_keys);
    let enabled = section.bool("enabled");
    let settings = match kind {
        OutputType::Stdout => OutputSettings::Stdout,
        OutputType::Mcs => OutputSettings::Mcs,
        OutputType::File => {
            let file = file(&section, node, "an output of type `file`", report)?;
            if enabled {
                once(&file.path, &section, files, report);
            }
            OutputSettings::File(file)
        }
        OutputType::Syslog => OutputSettings::Syslog(syslog::read(&section, enabled, report)?),
        OutputType::Webhook => {
            let url: Url = section.get("url")?;
            OutputSettings::Webhook(WebhookSettings {
                method: section.get("method")?,
                headers: headers::read(&section, &url, report),
                http: http(&section, &url, enabled, report)?,
                url,
            })
        }
        OutputType::Zeromq => OutputSettings::Zeromq(zeromq::read(&section, section.get("topic"), report)?),
        OutputType::SplunkHec => OutputSettings::SplunkHec(Box::new(SplunkSettings {
            http: http(&section, &section.get("url")?, enabled, report)?,
            url: section.get("url")?,
            token: splunk_token(&section, node, report)?,
            index: section.get("index"),
            sourcetype: section.get("sourcetype"),
            source: section.get("source"),
            ack: section.bool("ack"),
            gzip: section.bool("gzip"),
        })),
    };
    let format = section.get("format")?;
    match &settings {
        OutputSettings::Zeromq(zeromq) if zeromq.encoding == ZeromqEncoding::Protobuf => {
            excluded_by_protobuf(&section, &["format", "template"], "an alert", report);
        }
        OutputSettings::Mcs => without_effect(
            &section,
            &["format", "max_bytes"],
            "an output of type `mcs`",
            "alerts go to the management service in a form of its own; take it out",
            report,
        ),
        _ => {}
    }
    Some(Output {
        span: node.span.clone(),
        places: section.places(),
        enabled,
        name: section.get("name"),
        template: section.spanned("template"),
        message_types: section.values("message_types").unwrap_or_else(|| MessageType::USUAL.to_vec()),
        format,
        max_bytes: section.get::<Size>("max_bytes").map(|Size(bytes)| bytes),
        settings,
    })
}

/// Refuses keys that the message of protobuf leaves nothing to decide about.
pub(crate) fn excluded_by_protobuf(section: &Section<'_>, keys: &[&str], what: &str, report: &mut Report) {
    for (key, span) in keys.iter().filter_map(|key| Some((key, section.span(key)?))) {
        report
            .error(span, format!("`{key}` and `encoding: protobuf` exclude each other"))
            .help(format!("the message of {what} is always the same; leave one of the two out"));
    }
}

/// The file of an output or a sink; its path is the `name`.
pub(crate) fn file(section: &Section<'_>, node: &Node, what: &str, report: &mut Report) -> Option<FileSettings> {
    let path = path(section, node, what, report)?;
    let megabytes: u64 = section.get("max_size")?;
    let max_backups = section.get::<u64>("max_backups").map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Some(FileSettings { path, max_bytes: NonZeroU64::new(megabytes * 1_000_000)?, max_backups })
}

/// The `name` that is a path.
pub(crate) fn path(section: &Section<'_>, node: &Node, what: &str, report: &mut Report) -> Option<PathBuf> {
    let path = section.get::<PathBuf>("name");
    if path.is_none() {
        report
            .error(section.span("name").unwrap_or_else(|| node.span.clone()), format!("{what} needs a path"))
            .label("no `name` here")
            .help("add `name:` and the path, such as /var/log/sophos/alerts.json");
    }
    path
}

/// Refuses a file that something else writes as well: each would rename it under the other.
pub(crate) fn once(path: &Path, section: &Section<'_>, files: &mut HashMap<PathBuf, Span>, report: &mut Report) {
    let Some(span) = section.span("name") else { return };
    if let Some(first) = files.insert(path.to_owned(), span.clone()) {
        report
            .error(span, format!("{} is written twice", path.display()))
            .label("written here")
            .related(first, "and here")
            .help("give each its own file");
    }
}

fn http(section: &Section<'_>, url: &Url, enabled: bool, report: &mut Report) -> Option<HttpSettings> {
    let (batch_size, batch_delay) = (section.get::<u64>("batch_size")?, section.get("batch_delay")?);
    let batch_size = usize::try_from(batch_size).unwrap_or(usize::MAX);
    if batch_size == 1
        && let Some(span) = section.span("batch_delay")
    {
        // Not an error: many write down all keys, with their defaults.
        report
            .warning(span, "`batch_delay` has no effect on requests of one alert each")
            .help("set `batch_size` to more than 1, or take it out");
    }
    Some(HttpSettings { batch_size, batch_delay, ..single_requests(section, url, enabled, report)? })
}

/// Requests that never carry more than one thing. Files are looked at if it is `enabled`.
pub(crate) fn single_requests(
    section: &Section<'_>,
    url: &Url,
    enabled: bool,
    report: &mut Report,
) -> Option<HttpSettings> {
    let (retry_min, retry_max) = (section.get("retry_min")?, section.get("retry_max")?);
    if retry_min > retry_max {
        report
            .error(
                section.span("retry_min").or_else(|| section.span("retry_max")),
                "`retry_min` is longer than `retry_max`",
            )
            .help("the first wait cannot be longer than the longest");
    }
    Some(HttpSettings {
        agent: concat!("sensor/", env!("CARGO_PKG_VERSION")),
        batch_size: 1,
        batch_delay: Duration::ZERO,
        timeout: section.get("timeout")?,
        retry_min,
        retry_max,
        tls: delivery::tls::keys::read(section, enabled, (url.scheme() != "https").then_some("http://"), report),
    })
}

/// A token that is given, or the file that holds it. Whether there is one at all is for the caller to say.
pub(crate) fn token(section: &Section<'_>, report: &mut Report) -> Option<SecretString> {
    section.secret("token").or_else(|| {
        let path: PathBuf = section.get("token_file")?;
        files::secret(&path, section.span("token_file"), report)
    })
}

fn splunk_token(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<SecretString> {
    if section.node("token").is_none() && section.node("token_file").is_none() {
        report
            .error(node.span.clone(), "an output of type `splunk_hec` needs a token")
            .label("neither `token` nor `token_file` here")
            .help("add `token_file:` and the path of a file that holds the token");
    }
    token(section, report)
}
