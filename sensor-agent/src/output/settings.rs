//! What is set for each output and sink, and how one is opened.

use std::{io, num::NonZeroU64, path::PathBuf, sync::Arc};

use super::{
    alerts::{AlertLines, QueuedAlert},
    file::FileLines,
    group::Route,
    lines::Lines,
    parquet::{ParquetFiles, ParquetSettings},
    queue::Deliver,
    remote::Remote,
    render::Renderer,
    rows::{QueuedRows, RowLines},
    splunk::{Splunk, SplunkSettings},
    spooled::{AlertMessages, CentralSettings, Rendered, RowMessages, SpoolSettings, Spooled, StartCourier, by_remote},
    stdout::Descriptor,
    syslog::{Syslog, SyslogSettings},
    webhook::{Webhook, WebhookSettings},
    zeromq::{ZeromqAlerts, ZeromqRows, ZeromqSettings},
};
use crate::{alert::Template, policy::MessageType};

/// One entry of `alert_output.outputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSettings {
    /// What the output is called in the status and the log; two outputs must not share a name.
    pub name: String,
    pub target: TargetSettings,
    /// In place of `format`.
    pub template: Option<Arc<Template>>,
    pub format: Format,
    pub message_types: Vec<MessageType>,
    /// Longest line that the receiver takes, bytes without the newline; see [`crate::alert::shorten`].
    pub max_bytes: Option<usize>,
    /// How many alerts wait for the output before further ones are lost.
    pub queue: usize,
    /// Of an output that keeps on disk what is not confirmed.
    pub spool: SpoolSettings,
}

impl OutputSettings {
    /// An output with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(name: impl Into<String>, target: TargetSettings) -> Self {
        Self {
            name: name.into(),
            target,
            template: None,
            format: Format::Json,
            message_types: vec![MessageType::Alert, MessageType::SmartPolicy],
            max_bytes: None,
            queue: 10_000,
            spool: SpoolSettings::default(),
        }
    }
}

/// One entry of `investigations.sinks`.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkSettings {
    /// What the sink is called in the status and the log; two sinks must not share a name.
    pub name: String,
    pub target: TargetSettings,
    /// How many rows wait for the sink before further batches are lost. One batch always finds room.
    pub queue_rows: usize,
    /// Of a sink that keeps on disk what is not confirmed.
    pub spool: SpoolSettings,
}

impl SinkSettings {
    /// A sink with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(name: impl Into<String>, target: TargetSettings) -> Self {
        Self { name: name.into(), target, queue_rows: 65_536, spool: SpoolSettings::default() }
    }
}

/// How an alert is written that has no template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Cef,
    Ecs,
    Ocsf,
}

/// Where an output or a sink writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSettings {
    Stdout(StdoutSettings),
    File(FileSettings),
    /// Central: alerts, and rows of the tables that it takes.
    Mcs(CentralSettings),
    Syslog(SyslogSettings),
    Webhook(WebhookSettings),
    Splunk(Box<SplunkSettings>),
    Parquet(ParquetSettings),
    Zeromq(ZeromqSettings),
    /// A descriptor of a test, who holds the other end of it.
    #[cfg(test)]
    Descriptor(super::tests::Shared),
    /// A receiver of a test.
    #[cfg(test)]
    Scripted(super::spooled::Script),
}

/// A target, ready to be used.
enum Opened {
    /// What takes lines of text and confirms nothing.
    Lines(Box<dyn Lines>),
    /// What confirms: alerts wait in a spool until it does.
    Remote(Box<dyn Remote>),
    /// The same, in a form of its own.
    Central(StartCourier),
}

impl Opened {
    fn lines(lines: impl Lines + 'static) -> Self {
        Self::Lines(Box::new(lines))
    }

    fn remote(remote: impl Remote + 'static) -> Self {
        Self::Remote(Box::new(remote))
    }
}

/// A `stdout` output: nothing is to be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdoutSettings;

/// A `file` output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// `name` in the configuration.
    pub path: PathBuf,
    /// At this size the file is moved out of the way; megabytes (1,000,000 bytes).
    pub max_size: NonZeroU64,
    /// How many old files are kept; none for all.
    pub max_backups: Option<u32>,
}

impl FileSettings {
    /// A file with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_size: NonZeroU64::MIN.saturating_add(99), max_backups: None }
    }

    pub(crate) fn max_bytes(&self) -> u64 {
        self.max_size.get().saturating_mul(1_000_000)
    }
}

/// An output or a sink that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("output {name}: cannot write to {place}: {reason}{}", hint(reason.kind()))]
pub struct OpenError {
    pub name: String,
    /// Such as a path.
    pub place: String,
    pub reason: io::Error,
}

pub(super) const fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; let the sensor write there",
        io::ErrorKind::IsADirectory => "; name a file in it",
        io::ErrorKind::NotADirectory => "; a part of the path is a file",
        _ => "",
    }
}

impl TargetSettings {
    /// Looks whether it could be opened, and changes nothing.
    ///
    /// # Errors
    ///
    /// If it is clear that it could not.
    pub fn check(&self, name: &str) -> Result<(), OpenError> {
        let found = match self {
            Self::File(settings) => super::file::check(&settings.path),
            _ => Ok(()),
        };
        found.map_err(|reason| OpenError { name: name.to_owned(), place: self.place(), reason })
    }

    /// Opens the target: one line per kind, which says whether it is written or spooled.
    fn open(&self, name: &str) -> Result<Opened, OpenError> {
        let opened: io::Result<Opened> = match self {
            Self::Stdout(StdoutSettings) => Descriptor::stdout().map(Opened::lines),
            Self::File(settings) => FileLines::open(settings).map(Opened::lines),
            Self::Mcs(settings) => settings.courier(name).map(Opened::Central),
            #[cfg(test)]
            Self::Descriptor(shared) => shared.open().map(Opened::lines),
            #[cfg(test)]
            Self::Scripted(remote) => Ok(Opened::Remote(remote.open())),
            Self::Syslog(settings) => Ok(Opened::remote(Syslog::new(settings.clone()))),
            Self::Webhook(settings) => Webhook::new(settings).map(Opened::remote),
            Self::Splunk(settings) => Splunk::new(settings).map(Opened::remote),
            Self::Parquet(_) | Self::Zeromq(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        opened.map_err(|reason| self.failed(name, reason))
    }

    fn failed(&self, name: &str, reason: io::Error) -> OpenError {
        OpenError { name: name.to_owned(), place: self.place(), reason }
    }

    /// The `type` or `backend` in the configuration.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Stdout(_) => "stdout",
            Self::File(_) => "file",
            Self::Mcs(_) => "mcs",
            Self::Syslog(_) => "syslog",
            Self::Webhook(_) => "webhook",
            Self::Splunk(_) => "splunk_hec",
            Self::Parquet(_) => "parquet",
            Self::Zeromq(_) => "zeromq",
            #[cfg(test)]
            Self::Descriptor(_) => "descriptor",
            #[cfg(test)]
            Self::Scripted(_) => "scripted",
        }
    }

    /// Where it writes to, for messages; two targets of the same place are the same.
    fn place(&self) -> String {
        match self {
            Self::Stdout(_) => "stdout".to_owned(),
            Self::File(settings) => settings.path.display().to_string(),
            Self::Mcs(settings) => settings.url.to_string(),
            Self::Syslog(settings) => settings.place(),
            Self::Webhook(settings) => settings.place(),
            Self::Splunk(settings) => settings.place(),
            Self::Parquet(settings) => settings.folder.display().to_string(),
            Self::Zeromq(settings) => settings.endpoint.to_string(),
            #[cfg(test)]
            Self::Descriptor(shared) => format!("{shared:?}"),
            #[cfg(test)]
            Self::Scripted(remote) => format!("{remote:?}"),
        }
    }

    /// Whether what waits is kept in a spool, and so stays with the output wherever it leads.
    const fn is_spooled(&self) -> bool {
        !matches!(self, Self::Stdout(_) | Self::File(_) | Self::Parquet(_) | Self::Zeromq(_))
    }

    /// A file has a write per line, so that nobody ever reads half an alert.
    const fn write_each_line(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

impl Route for OutputSettings {
    type Item = QueuedAlert;

    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        self.target.kind()
    }

    fn place(&self) -> String {
        self.target.place()
    }

    fn capacity(&self) -> usize {
        self.queue
    }

    fn takes(&self, item: &QueuedAlert) -> bool {
        self.message_types.contains(&item.alert.policy.message_type)
    }

    fn open(&self) -> Result<Box<dyn Deliver<QueuedAlert>>, OpenError> {
        if let TargetSettings::Zeromq(settings) = &self.target {
            let alerts = ZeromqAlerts::open(self, settings);
            return Ok(Box::new(alerts.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        Ok(match self.target.open(&self.name)? {
            Opened::Lines(lines) => Box::new(AlertLines::new(self, lines, self.target.write_each_line())),
            Opened::Remote(remote) => {
                let rendered = Rendered(Renderer::new(self));
                Box::new(Spooled::new(self.spool.clone(), rendered, by_remote(remote)))
            }
            Opened::Central(start) => {
                Box::new(Spooled::new(self.spool.clone(), AlertMessages(self.template.clone()), start))
            }
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        is_same(self, other, self.target.is_spooled())
    }
}

impl Route for SinkSettings {
    type Item = QueuedRows;

    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        self.target.kind()
    }

    fn place(&self) -> String {
        self.target.place()
    }

    fn capacity(&self) -> usize {
        self.queue_rows
    }

    fn takes(&self, rows: &QueuedRows) -> bool {
        rows.batch.table.mcs || !matches!(self.target, TargetSettings::Mcs(_))
    }

    fn open(&self) -> Result<Box<dyn Deliver<QueuedRows>>, OpenError> {
        if let TargetSettings::Zeromq(settings) = &self.target {
            let rows = ZeromqRows::open(settings);
            return Ok(Box::new(rows.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        if let TargetSettings::Parquet(settings) = &self.target {
            let files = ParquetFiles::open(settings);
            return Ok(Box::new(files.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        match self.target.open(&self.name)? {
            Opened::Lines(lines) => Ok(Box::new(RowLines::new(lines))),
            Opened::Central(start) => Ok(Box::new(Spooled::new(self.spool.clone(), RowMessages, start))),
            Opened::Remote(_) => {
                let reason = io::Error::new(io::ErrorKind::Unsupported, "it takes alerts alone");
                Err(OpenError { name: self.name.clone(), place: self.target.place(), reason })
            }
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        is_same(self, other, self.target.is_spooled())
    }
}

/// Whether what waits for one is for the other. What is spooled is the output's wherever it leads.
fn is_same<R: Route>(one: &R, other: &R, spooled: bool) -> bool {
    one.name() == other.name() && one.kind() == other.kind() && (spooled || one.place() == other.place())
}
