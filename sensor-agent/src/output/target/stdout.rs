//! Standard output.

use std::sync::Arc;

use delivery::receivers::stdout::{Descriptor, StdoutSettings};
use diagnostic::Report;
use settings::Variant;

use super::{Elsewhere, Given, Opened, Target, keys::ROW_FORMAT, written, written_rows};
use crate::output::{
    queued::QueuedAlert,
    rows::QueuedRows,
    settings::{OutputSettings, SinkSettings},
};

pub(super) const OUTPUT: Variant =
    Variant { name: "stdout", keys: &[], doc: "The sensor's standard output: alerts and nothing else." };

pub(super) const SINK: Variant =
    Variant { keys: &[ROW_FORMAT], doc: "The sensor's standard output, JSON lines.", ..OUTPUT };

pub(super) fn output(_: &Given<'_>, _: &mut Elsewhere, _: &mut Report) -> Option<Arc<dyn Target>> {
    Some(Arc::new(StdoutSettings))
}

pub(super) fn sink(_: &Given<'_>, _: &mut Elsewhere, _: &mut Report) -> Option<Arc<dyn Target>> {
    Some(Arc::new(StdoutSettings))
}

impl Target for StdoutSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        OUTPUT.name.to_owned()
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(written(output, Descriptor::stdout()?, false))
    }

    fn rows(&self, sink: &SinkSettings) -> Opened<QueuedRows> {
        Ok(written_rows(sink, Descriptor::stdout()?))
    }
}
