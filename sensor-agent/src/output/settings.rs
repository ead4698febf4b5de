//! What is set for each output and sink.

use std::sync::Arc;

use delivery::spooled::backlog::SpoolSettings;

use super::{
    format::{Format, RowFormat},
    render::Renderer,
    target::Target,
};
use crate::{alert::Template, policy::MessageType};

/// One entry of `alert_output.outputs`.
#[derive(Clone, Debug)]
pub struct OutputSettings {
    /// What the output is called in the status and the log; two outputs must not share a name.
    pub name: String,
    pub target: Arc<dyn Target>,
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

// Not derived: that would move the target out (rust-lang/rust#31740).
impl PartialEq for OutputSettings {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, target, template, format, message_types, max_bytes, queue, spool } = self;
        **target == *other.target
            && (name, template, format, message_types)
                == (&other.name, &other.template, &other.format, &other.message_types)
            && (max_bytes, queue, spool) == (&other.max_bytes, &other.queue, &other.spool)
    }
}

impl OutputSettings {
    /// An output with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(name: impl Into<String>, target: Arc<dyn Target>) -> Self {
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

    pub(super) fn renderer(&self) -> Renderer {
        Renderer {
            template: self.template.clone(),
            format: self.format,
            max_bytes: self.max_bytes,
            target: Arc::clone(&self.target),
        }
    }
}

/// One entry of `investigations.sinks`.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// What the sink is called in the status and the log; two sinks must not share a name.
    pub name: String,
    pub target: Arc<dyn Target>,
    pub format: RowFormat,
    /// How many rows wait for the sink before further batches are lost. One batch always finds room.
    pub queue_rows: usize,
    /// Of a sink that keeps on disk what is not confirmed.
    pub spool: SpoolSettings,
}

impl PartialEq for SinkSettings {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, target, format, queue_rows, spool } = self;
        **target == *other.target
            && (name, format, queue_rows, spool) == (&other.name, &other.format, &other.queue_rows, &other.spool)
    }
}

impl SinkSettings {
    /// A sink with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(name: impl Into<String>, target: Arc<dyn Target>) -> Self {
        Self { name: name.into(), target, format: RowFormat::Json, queue_rows: 65_536, spool: SpoolSettings::default() }
    }
}
