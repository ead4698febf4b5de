//! Where lines go.
//!
//! A page of lines is handed over whole, and the cursor behind it is kept only once the destination has it.

#[macro_use]
mod receiver;

pub mod file;
mod http;
pub mod sender;
pub mod stdout;
mod tls;

use std::{fmt, sync::Arc};

use diagnostic::Report;
use settings::{Node, Section, Variant, Words};

pub use self::file::FileOutput;
pub use self::receiver::Receiver;
pub(crate) use self::tls::{authorities, look};

receivers! {
    syslog,
    splunk,
    webhook,
    zeromq,
    parquet,
    kafka,
}

/// What the configuration names.
#[derive(Clone, Debug)]
pub enum Destination {
    File(FileOutput),
    Stdout,
    Receiver(Arc<dyn Receiver>),
}

impl Destination {
    /// Takes an output of this sort; none if it cannot be one, and the report says why.
    #[must_use]
    pub fn read(sort: &str, section: &Section<'_>, node: &Node, report: &mut Report) -> Option<Self> {
        match sort {
            _ if sort == file::VARIANT.name => file::read(section, report).map(Self::File),
            _ if sort == stdout::VARIANT.name => Some(Self::Stdout),
            _ => receiver(sort, section, node, report).map(Self::Receiver),
        }
    }

    /// What is known of items that are handed over, for people; none where the destination says that it has them.
    #[must_use]
    pub fn known(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::Stdout => Some("written to standard output"),
            Self::Receiver(receiver) => receiver.known(),
        }
    }
}

/// As it is told.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.path.display().fmt(out),
            Self::Stdout => out.write_str("standard output"),
            Self::Receiver(receiver) => out.write_str(&receiver.place()),
        }
    }
}
