//! Where alerts go: each output with its own settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use foldhash::HashMap;
use secrecy::SecretString;
use url::Url;

use super::address::{SyslogAddress, ZeromqEndpoint};
use super::files;
use super::keys;
use super::scalar::Size;
use super::section::Section;
use super::words::{Facility, Format, MessageType, OutputType, WebhookMethod, Word, ZeromqEncoding, ZeromqPattern};
use super::yaml::Node;
use crate::diagnostic::{Report, Span, Spanned};

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
    pub enabled: bool,
    /// Its name in the log and in metrics; of a file, the path.
    pub name: Option<String>,
    pub template: Option<Spanned<String>>,
    /// The kinds of messages that it carries, each once.
    pub message_types: Vec<MessageType>,
    pub format: Format,
    /// The longest alert, bytes.
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
    SplunkHec(SplunkHecSettings),
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

/// A file that is rotated by renaming it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    pub path: PathBuf,
    /// The size at which it is rotated, bytes.
    pub max_size: u64,
    /// Rotated files to keep; none for all.
    pub max_backups: Option<u64>,
}

/// A syslog receiver.
#[derive(Clone, Debug)]
pub struct SyslogSettings {
    pub address: SyslogAddress,
    pub facility: Facility,
    pub tls: TlsSettings,
}

/// An HTTP receiver.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    pub url: Url,
    pub method: WebhookMethod,
    /// Names and values; the latter may be secret.
    pub headers: Vec<(String, SecretString)>,
    pub http: HttpSettings,
}

/// Splunk's HTTP Event Collector.
#[derive(Clone, Debug)]
pub struct SplunkHecSettings {
    pub url: Url,
    pub token: SecretString,
    pub index: Option<String>,
    pub sourcetype: Option<String>,
    pub source: Option<String>,
    /// Whether an alert counts as delivered only when it is indexed.
    pub ack: bool,
    pub gzip: bool,
    pub http: HttpSettings,
}

/// How requests are made, whoever takes them.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Alerts in one request at most.
    pub batch_size: u64,
    /// How long the first alert waits for others at most.
    pub batch_delay: Duration,
    pub timeout: Duration,
    /// The first wait before a request is tried again.
    pub retry_min: Duration,
    /// The longest wait.
    pub retry_max: Duration,
    pub tls: TlsSettings,
}

/// Whom to trust, and who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// CA certificates; without it, those of the system.
    pub ca_file: Option<PathBuf>,
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// A ZeroMQ socket.
#[derive(Clone, Debug)]
pub struct ZeromqSettings {
    pub endpoint: ZeromqEndpoint,
    pub pattern: ZeromqPattern,
    /// The topic of all messages; none where each table has its own.
    pub topic: Option<String>,
    /// Whether to bind rather than connect.
    pub bind: bool,
    /// Messages that wait for a slow peer at most.
    pub high_water_mark: u64,
    pub encoding: ZeromqEncoding,
}

/// Takes the outputs of the merged configuration. `files` collects what is written, to find what is written twice.
pub(crate) fn read(section: &Section<'_>, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> AlertOutput {
    let outputs = section.items("outputs").iter().filter_map(|node| output(node, files, report)).collect();
    AlertOutput { template: section.spanned("template"), outputs }
}

fn output(node: &Node, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> Option<Output> {
    let variants = &keys::OUTPUTS;
    let section = Section::new(Some(node), variants.common);
    let kind: OutputType = section.word("type")?;
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
        OutputType::Syslog => OutputSettings::Syslog(SyslogSettings {
            address: section.get("address")?,
            facility: section.word("facility")?,
            tls: tls(&section, enabled, report),
        }),
        OutputType::Webhook => OutputSettings::Webhook(WebhookSettings {
            url: section.get("url")?,
            method: section.word("method")?,
            headers: section
                .pairs("headers")
                .map(|(entry, value)| (entry.key.value.clone(), SecretString::from(value)))
                .collect(),
            http: http(&section, enabled, report)?,
        }),
        OutputType::Zeromq => OutputSettings::Zeromq(zeromq(&section, section.get("topic"), report)?),
        OutputType::SplunkHec => OutputSettings::SplunkHec(SplunkHecSettings {
            url: section.get("url")?,
            token: splunk_token(&section, node, report)?,
            index: section.get("index"),
            sourcetype: section.get("sourcetype"),
            source: section.get("source"),
            ack: section.bool("ack"),
            gzip: section.bool("gzip"),
            http: http(&section, enabled, report)?,
        }),
    };
    let format = section.word("format")?;
    if let OutputSettings::Zeromq(ZeromqSettings { encoding: ZeromqEncoding::Protobuf, .. }) = &settings {
        for key in ["format", "template"] {
            if let Some(span) = section.span(key) {
                report
                    .error(Some(span), format!("`{key}` and `encoding: protobuf` exclude each other"))
                    .help("the message of an alert is always the same; leave one of the two out");
            }
        }
    }
    Some(Output {
        span: node.span.clone(),
        enabled,
        name: section.get("name"),
        template: section.spanned("template"),
        message_types: section
            .words("message_types")
            .unwrap_or_else(|| vec![MessageType::Alert, MessageType::SmartPolicy]),
        format,
        max_bytes: section.get::<Size>("max_bytes").map(|Size(bytes)| bytes),
        settings,
    })
}

/// The file of an output or a sink; its path is the `name`.
pub(crate) fn file(section: &Section<'_>, node: &Node, what: &str, report: &mut Report) -> Option<FileSettings> {
    let path = path(section, node, what, report)?;
    let megabytes: u64 = section.get("max_size")?;
    Some(FileSettings { path, max_size: megabytes * 1_000_000, max_backups: section.get("max_backups") })
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

/// The socket of an output or a sink.
pub(crate) fn zeromq(section: &Section<'_>, topic: Option<String>, report: &mut Report) -> Option<ZeromqSettings> {
    let endpoint: ZeromqEndpoint = section.get("endpoint")?;
    let pattern: ZeromqPattern = section.word("pattern")?;
    if !endpoint.is_local() && !section.bool("allow_plaintext") {
        report
            .error(section.span("endpoint"), "this would send unencrypted TCP off this host")
            .label("not the loopback")
            .help("use 127.0.0.1 or ipc://, or say that it is meant: `allow_plaintext: true`");
    }
    Some(ZeromqSettings {
        endpoint,
        pattern,
        topic,
        bind: section.get("bind").unwrap_or(pattern == ZeromqPattern::Pub),
        high_water_mark: section.get("high_water_mark")?,
        encoding: section.word("encoding")?,
    })
}

fn http(section: &Section<'_>, enabled: bool, report: &mut Report) -> Option<HttpSettings> {
    let (batch_size, batch_delay) = (section.get("batch_size")?, section.get("batch_delay")?);
    Some(HttpSettings { batch_size, batch_delay, ..single_requests(section, enabled, report)? })
}

/// Requests that never carry more than one thing. Files are looked at if it is `enabled`.
pub(crate) fn single_requests(section: &Section<'_>, enabled: bool, report: &mut Report) -> Option<HttpSettings> {
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
        batch_size: 1,
        batch_delay: Duration::ZERO,
        timeout: section.get("timeout")?,
        retry_min,
        retry_max,
        tls: tls(section, enabled, report),
    })
}

fn tls(section: &Section<'_>, enabled: bool, report: &mut Report) -> TlsSettings {
    let tls = TlsSettings {
        ca_file: section.get("ca_file"),
        cert_file: section.get("cert_file"),
        key_file: section.get("key_file"),
    };
    if tls.cert_file.is_some() != tls.key_file.is_some() {
        report
            .error(
                section.span("cert_file").or_else(|| section.span("key_file")),
                "`cert_file` and `key_file` belong together",
            )
            .label("the other one is missing")
            .help("give both or none");
    }
    if enabled {
        for (name, path) in [("ca_file", &tls.ca_file), ("cert_file", &tls.cert_file), ("key_file", &tls.key_file)] {
            if let Some(path) = path {
                files::present(path, name == "key_file", section.span(name), report);
            }
        }
    }
    tls
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
