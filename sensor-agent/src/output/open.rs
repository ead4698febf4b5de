//! How outputs and sinks are opened: one line per kind, which says whether it is written, spooled, or neither.

use std::{io, sync::Arc};

use delivery::{
    lane::{group::Route, queue::Deliver},
    lines::Lines,
    open_error::OpenError,
    receivers::file::FileLines,
    receivers::stdout::{Descriptor, StdoutSettings},
    receivers::{splunk::Splunk, syslog::Syslog, webhook::Webhook},
    remote::Remote,
    spooled::Spooled,
};

use super::{
    alerts::AlertLines,
    central::AlertMessages,
    central::RowMessages,
    envelope::Envelope,
    parquet::ParquetFiles,
    queued::QueuedAlert,
    render::Renderer,
    rendered::Rendered,
    rows::{QueuedRows, RowLines},
    settings::{OutputSettings, SinkSettings, TargetSettings},
    zeromq::{ZeromqAlerts, ZeromqRows},
};

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
            let alerts = ZeromqAlerts::open(self.renderer(), settings);
            return Ok(Box::new(alerts.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        Ok(match self.target.open(&self.name)? {
            Opened::Lines(lines) => Box::new(AlertLines::new(self.renderer(), lines, self.target.write_each_line())),
            Opened::Remote(remote) => {
                let rendered = Rendered(self.renderer());
                Box::new(Spooled::new(self.spool.clone(), rendered, remote))
            }
            Opened::Central(remote) => {
                Box::new(Spooled::new(self.spool.clone(), AlertMessages(self.template.clone()), remote))
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
            let rows = ZeromqRows::open(settings, self.format);
            return Ok(Box::new(rows.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        if let TargetSettings::Parquet(settings) = &self.target {
            let files = ParquetFiles::open(settings);
            return Ok(Box::new(files.map_err(|reason| self.target.failed(&self.name, reason))?));
        }
        match self.target.open(&self.name)? {
            Opened::Lines(lines) => Ok(Box::new(RowLines::new(lines, self.format))),
            Opened::Central(remote) => Ok(Box::new(Spooled::new(self.spool.clone(), RowMessages, remote))),
            Opened::Remote(_) => {
                let reason = io::Error::new(io::ErrorKind::Unsupported, "it takes alerts alone");
                Err(OpenError { name: self.name.clone(), place: self.target.place(), reason: Arc::new(reason) })
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

impl OutputSettings {
    pub(super) fn renderer(&self) -> Renderer {
        let envelope = match &self.target {
            TargetSettings::Syslog(settings) => Envelope::Syslog(settings.facility, settings.protocol),
            TargetSettings::Splunk(settings) => Envelope::Splunk {
                index: settings.index.clone(),
                sourcetype: settings.sourcetype.clone(),
                source: settings.source.clone(),
            },
            _ => Envelope::None,
        };
        Renderer { template: self.template.clone(), format: self.format, max_bytes: self.max_bytes, envelope }
    }
}

/// A target, ready to be used.
enum Opened {
    /// What takes lines of text and confirms nothing.
    Lines(Box<dyn Lines>),
    /// What confirms: alerts wait in a spool until it does.
    Remote(Box<dyn Remote>),
    /// The same, in a form of its own.
    Central(Box<dyn Remote>),
}

impl Opened {
    fn lines(lines: impl Lines + 'static) -> Self {
        Self::Lines(Box::new(lines))
    }

    fn remote(remote: impl Remote + 'static) -> Self {
        Self::Remote(Box::new(remote))
    }
}

impl TargetSettings {
    /// Opens the target: one line per kind, which says whether it is written or spooled.
    fn open(&self, name: &str) -> Result<Opened, OpenError> {
        let opened: io::Result<Opened> = match self {
            Self::Stdout(StdoutSettings) => Descriptor::stdout().map(Opened::lines),
            Self::File(settings) => FileLines::open(settings).map(Opened::lines),
            Self::Mcs(settings) => settings.remote(name).map(|remote| Opened::Central(Box::new(remote))),
            #[cfg(test)]
            Self::Descriptor(shared) => shared.open().map(Opened::lines),
            #[cfg(test)]
            Self::Scripted(remote) => Ok(Opened::Remote(remote.open())),
            Self::Syslog(settings) => Ok(Opened::remote(Syslog::new(settings.receiver.clone()))),
            Self::Webhook(settings) => Webhook::new(settings).map(Opened::remote),
            Self::Splunk(settings) => Splunk::new(settings).map(Opened::remote),
            Self::Parquet(_) | Self::Zeromq(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        opened.map_err(|reason| self.failed(name, reason))
    }

    fn failed(&self, name: &str, reason: io::Error) -> OpenError {
        OpenError { name: name.to_owned(), place: self.place(), reason: Arc::new(reason) }
    }
}
