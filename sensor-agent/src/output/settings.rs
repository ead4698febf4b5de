//! What is set for each output and sink.

use std::io;
use std::sync::Arc;

use delivery::{
    open_error::OpenError,
    receivers::file::FileSettings,
    receivers::stdout::StdoutSettings,
    receivers::{
        splunk::{Splunk, SplunkSettings},
        syslog::{self, SyslogSettings},
        webhook::{Webhook, WebhookSettings},
    },
    spooled::backlog::SpoolSettings,
    tls::{self, TlsSettings},
};

use super::{
    central::CentralSettings,
    format::{Format, RowFormat},
    parquet::ParquetSettings,
    zeromq::ZeromqSettings,
};
use crate::{
    alert::{
        Template,
        shorten::{self, MOST_BYTES},
    },
    policy::MessageType,
};

// What alerts are shortened to first is what receivers of syslog take as it comes.
const _: () = assert!(shorten::COMMON_BYTES == syslog::COMMON_BYTES);

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
    pub max_bytes: usize,
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
            max_bytes: target.max_bytes(),
            target,
            template: None,
            format: Format::Json,
            message_types: MessageType::USUAL.to_vec(),
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
    pub format: RowFormat,
    /// How many rows wait for the sink before further batches are lost. One batch always finds room.
    pub queue_rows: usize,
    /// Of a sink that keeps on disk what is not confirmed.
    pub spool: SpoolSettings,
}

impl SinkSettings {
    /// A sink with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(name: impl Into<String>, target: TargetSettings) -> Self {
        Self { name: name.into(), target, format: RowFormat::Json, queue_rows: 65_536, spool: SpoolSettings::default() }
    }
}

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key that is to blame, if it is one alone.
    pub key: Option<&'static str>,
    /// For people.
    pub reason: String,
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
    Scripted(super::scripted::Script),
}

impl TargetSettings {
    /// What is wrong with the settings themselves, whatever the host and the receiver do.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        if let Some(Err(error)) = self.tls().map(tls::check) {
            return Some(Fault { key: error.key(), reason: error.to_string() });
        }
        let made = match self {
            Self::Webhook(settings) => Webhook::new(settings).map(drop),
            Self::Splunk(settings) => Splunk::new(settings).map(drop),
            _ => Ok(()),
        };
        let wrong = made.err().filter(|error| error.kind() == io::ErrorKind::InvalidInput);
        wrong.map(|error| Fault { key: None, reason: error.to_string() })
    }

    /// What keeps it from working at the moment, or with some receivers, and may change any time; and in a few words what
    /// comes of it.
    #[must_use]
    pub fn doubt(&self) -> Option<(Fault, &'static str)> {
        if let Some(reasons) = self.tls().map(tls::left_aside).filter(|reasons| !reasons.is_empty()) {
            let fault = Fault { key: Some("ca_file"), reason: reasons.join("; ") };
            return Some((fault, "only the others in it are trusted"));
        }
        let Self::File(settings) = self else { return None };
        let found = delivery::receivers::file::in_its_place(&settings.path)?;
        let fault = Fault { key: Some("name"), reason: format!("{}: {found}", settings.path.display()) };
        Some((fault, "nothing can be written there as it is"))
    }

    /// What connections to it are made with, if there are files for that.
    fn tls(&self) -> Option<&TlsSettings> {
        let tls = match self {
            Self::Syslog(settings) => Some(&settings.receiver.tls),
            Self::Webhook(settings) => Some(&settings.http.tls),
            Self::Splunk(settings) => Some(&settings.http.tls),
            Self::Parquet(settings) => settings.store.as_ref().map(|store| &store.s3.http.tls),
            _ => None,
        };
        tls.filter(|tls| **tls != TlsSettings::default())
    }

    /// Looks whether it could be opened now, and changes nothing.
    ///
    /// # Errors
    ///
    /// If it is clear that it could not.
    pub fn check(&self, name: &str) -> Result<(), OpenError> {
        let found = match self {
            Self::File(settings) => delivery::receivers::file::check(&settings.path),
            Self::Parquet(settings) => delivery::receivers::parquet::check(&settings.folder),
            _ => Ok(()),
        };
        found.map_err(|reason| OpenError { name: name.to_owned(), place: self.place(), reason: Arc::new(reason) })
    }

    /// The longest alert that goes there unless something else is set, bytes.
    const fn max_bytes(&self) -> usize {
        match self {
            Self::Syslog(_) => syslog::COMMON_BYTES,
            _ => MOST_BYTES,
        }
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
    pub(super) fn place(&self) -> String {
        match self {
            Self::Stdout(_) => "stdout".to_owned(),
            Self::File(settings) => settings.path.display().to_string(),
            Self::Mcs(settings) => settings.url.to_string(),
            Self::Syslog(settings) => settings.receiver.place(),
            Self::Webhook(settings) => settings.place(),
            Self::Splunk(settings) => settings.place(),
            Self::Parquet(settings) => settings.folder.display().to_string(),
            Self::Zeromq(settings) => settings.socket.endpoint.to_string(),
            #[cfg(test)]
            Self::Descriptor(shared) => format!("{shared:?}"),
            #[cfg(test)]
            Self::Scripted(remote) => format!("{remote:?}"),
        }
    }

    /// Whether what waits is kept in a spool, and so stays with the output wherever it leads.
    pub(super) const fn is_spooled(&self) -> bool {
        !matches!(self, Self::Stdout(_) | Self::File(_) | Self::Parquet(_) | Self::Zeromq(_))
    }

    /// A file has a write per line, so that nobody ever reads half an alert.
    pub(super) const fn write_each_line(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_the_place_of_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let of = |path: &std::path::Path| TargetSettings::File(FileSettings::new(path));
        let (doubt, _) = of(folder.path()).doubt().unwrap();
        assert_eq!(doubt.key, Some("name"));
        assert!(doubt.reason.contains("is a directory"), "{}", doubt.reason);
        assert!(of(&folder.path().join("a.json")).doubt().is_none());
        assert!(of(folder.path()).fault().is_none(), "no reason not to start");
    }
}
