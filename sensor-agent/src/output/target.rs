//! Where outputs and sinks write to: for each sort a file below, with its keys, how they are read and checked, and what speaks to
//! it; and its name in the list here.

#[macro_use]
mod list;

mod fault;
mod keys;
mod read;

use std::{any::Any, fmt, io, path::Path, sync::Arc};

use delivery::{
    lines::Lines, receivers::zeromq::ZeromqSettings as Socket, remote::Remote, spooled::Spooled, tls::TlsSettings,
    worker::queue::Deliver,
};
use diagnostic::Report;
use schema::Table;
use secrecy::SecretString;
use settings::{HostPort, Variant, Words};
use url::Url;

pub(crate) use self::read::token;
pub use self::{
    fault::Fault,
    mcs::CentralSettings,
    read::{Elsewhere, Given, Waiting},
};
use super::{
    alerts::AlertLines,
    queued::QueuedAlert,
    rendered::Rendered,
    rows::{QueuedRows, RowLines},
    settings::{OutputSettings, SinkSettings},
};
use crate::alert::{Alert, shorten::MOST_BYTES};

targets! {
    alerts and rows: file, stdout, mcs, zeromq;
    alerts: syslog, webhook, splunk_hec;
    rows: parquet;
}

/// Where an output or a sink writes to, as it is configured.
pub trait Target: Alike + fmt::Debug + Send + Sync {
    /// The `type` or `backend` in the configuration.
    fn kind(&self) -> &'static str;

    /// Where it is, for messages; two targets of the same place are the same.
    fn place(&self) -> String;

    /// Whether nothing goes there, as is said elsewhere in the configuration.
    fn is_off(&self) -> bool {
        false
    }

    /// What connections to it are made with, if it has such.
    fn tls(&self) -> Option<&TlsSettings> {
        None
    }

    /// What is wrong with the settings themselves, whatever the host and the receiver do.
    fn fault(&self) -> Option<Fault> {
        self.tls().and_then(Fault::of_tls)
    }

    /// What keeps it from working at the moment, or with some receivers, and may change any time.
    fn doubt(&self) -> Option<Fault> {
        self.tls().and_then(Fault::left_aside)
    }

    /// Looks whether it could be opened now, and changes nothing.
    ///
    /// # Errors
    /// It is clear that it could not.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }

    /// What `-check` says of it besides, as it is now.
    fn remarks(&self) -> String {
        String::new()
    }

    /// The longest alert that goes there unless something else is set, bytes.
    fn max_bytes(&self) -> usize {
        MOST_BYTES
    }

    /// Whether what waits is kept in a spool, and so stays with the output wherever it leads.
    fn is_spooled(&self) -> bool {
        false
    }

    /// Whether rows of this table go there.
    fn takes(&self, _: &Table) -> bool {
        true
    }

    /// The form that all has that goes there, if no other can be chosen.
    fn form(&self) -> Option<&'static str> {
        None
    }

    /// Whether rows go there under the topics of their tables.
    fn has_topics(&self) -> bool {
        false
    }

    /// The socket that all of the same endpoint share.
    fn socket(&self) -> Option<&Socket> {
        None
    }

    /// The folder that is written to.
    fn folder(&self) -> Option<Folder<'_>> {
        None
    }

    /// What is connected to.
    fn endpoint(&self) -> Option<Endpoint<'_>> {
        None
    }

    /// What must not be shown to anybody.
    fn secrets(&self) -> Vec<&SecretString> {
        Vec::new()
    }

    /// What stands in front of an alert.
    fn head(&self, _: &Alert) -> String {
        String::new()
    }

    /// Puts around an alert, which begins at `start`, what belongs around it.
    fn close(&self, _out: &mut Vec<u8>, _start: usize, _: &Alert) {}

    /// Opens it for alerts.
    ///
    /// # Errors
    /// It cannot be had now, or takes none.
    fn alerts(&self, _: &OutputSettings) -> Opened<QueuedAlert> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "it takes rows alone"))
    }

    /// Opens it for rows.
    ///
    /// # Errors
    /// It cannot be had now, or takes none.
    fn rows(&self, _: &SinkSettings) -> Opened<QueuedRows> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "it takes alerts alone"))
    }
}

/// What delivers to a target.
pub type Opened<T> = io::Result<Box<dyn Deliver<T>>>;

/// A folder on this host.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a> {
    pub path: &'a Path,
    /// Whether all that is in it is to be the sensor's.
    pub is_own: bool,
}

/// What is connected to.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint<'a> {
    Url(&'a Url),
    Address(&'a HostPort),
    /// Of this host.
    Socket(&'a Path),
}

/// Tells whether two targets are the same.
pub trait Alike: Any {
    fn is_alike(&self, other: &dyn Any) -> bool;
}

impl<T: Any + PartialEq> Alike for T {
    fn is_alike(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

impl PartialEq for dyn Target {
    fn eq(&self, other: &Self) -> bool {
        self.is_alike(other)
    }
}

/// Alerts that are written as lines.
fn written(output: &OutputSettings, lines: impl Lines + 'static, write_each: bool) -> Box<dyn Deliver<QueuedAlert>> {
    Box::new(AlertLines::new(output.renderer(), Box::new(lines), write_each))
}

/// Rows that are written as lines.
fn written_rows(sink: &SinkSettings, lines: impl Lines + 'static) -> Box<dyn Deliver<QueuedRows>> {
    Box::new(RowLines::new(Box::new(lines), sink.format))
}

/// Alerts that wait in a spool until the receiver confirms them.
fn spooled(output: &OutputSettings, remote: impl Remote + 'static) -> Box<dyn Deliver<QueuedAlert>> {
    Box::new(Spooled::new(output.spool.clone(), Rendered(output.renderer()), Box::new(remote)))
}
