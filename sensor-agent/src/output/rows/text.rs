//! The text of a row: plain JSON, or an event of a published schema.

use schema::Table;

use super::ocsf::OcsfWriter;
use crate::event::{Event, Host, json::RowWriter};
use crate::output::format::RowFormat;

/// Makes lines of rows.
pub(crate) struct RowTexts {
    format: RowFormat,
    /// One per table that rows came of.
    writers: Vec<(&'static str, Writer)>,
}

enum Writer {
    Json(RowWriter),
    Ocsf(OcsfWriter),
}

impl RowTexts {
    pub(crate) const fn new(format: RowFormat) -> Self {
        Self { format, writers: Vec::new() }
    }

    /// Appends a row of this table and a newline.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, table: &'static Table, event: &Event, host: &Host) {
        let known = self.writers.iter().position(|(name, _)| *name == table.name).unwrap_or_else(|| {
            let writer = match self.format {
                RowFormat::Json => Writer::Json(RowWriter::new(table)),
                RowFormat::Ocsf => Writer::Ocsf(OcsfWriter::new(table)),
            };
            self.writers.push((table.name, writer));
            self.writers.len() - 1
        });
        match &self.writers[known].1 {
            Writer::Json(writer) => writer.write(out, event, host),
            Writer::Ocsf(writer) => writer.write(out, event, host),
        }
    }
}
