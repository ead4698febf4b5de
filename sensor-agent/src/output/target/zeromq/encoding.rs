//! The second frame: an alert or a row as text, or as a message of `proto/`.

use budget::Budget;
use delivery::{ledger::Ledger, receivers::zeromq::Frames};
use prost::Message as _;
use schema::Table;
use sensor_proto::v1;

use super::ZeromqEncoding;
use crate::output::{format::RowFormat, render::Renderer, rows::RowTexts};
use crate::{
    alert::{Alert, json},
    event::{Event, Host},
};

/// Something that has no message in `proto/`.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be told as protobuf: {reason}")]
pub(super) struct EncodeError {
    what: &'static str,
    reason: serde_json::Error,
}

/// An alert as a message; as protobuf it is no longer than its JSON would be. None if its template makes nothing of it.
pub(super) fn alert(
    topic: &str,
    encoding: ZeromqEncoding,
    renderer: &Renderer,
    alert: &Alert,
    ledger: &Ledger,
) -> Result<Option<Frames>, EncodeError> {
    let mut body = Vec::new();
    match encoding {
        ZeromqEncoding::Json => {
            if !renderer.render(&mut body, alert, ledger) {
                return Ok(None);
            }
            body.pop_if(|last| *last == b'\n');
        }
        ZeromqEncoding::Protobuf => {
            if !renderer.wants(alert) {
                return Ok(None);
            }
            json::write(&mut body, alert, renderer.max_bytes);
            let message: v1::Alert =
                serde_json::from_slice(&body).map_err(|reason| EncodeError { what: "an alert", reason })?;
            body = message.encode_to_vec();
        }
    }
    Ok(Some(Frames::new(topic, &body, ledger.budget())))
}

/// Makes messages of rows.
pub(super) struct RowEncoder {
    encoding: ZeromqEncoding,
    texts: RowTexts,
    json: Vec<u8>,
}

impl RowEncoder {
    pub(super) const fn new(encoding: ZeromqEncoding, format: RowFormat) -> Self {
        // Messages are made of plain rows.
        let format = match encoding {
            ZeromqEncoding::Json => format,
            ZeromqEncoding::Protobuf => RowFormat::Json,
        };
        Self { encoding, texts: RowTexts::new(format), json: Vec::new() }
    }

    /// A row as a message.
    pub(super) fn row(
        &mut self,
        topic: &str,
        table: &'static Table,
        event: &Event,
        host: &Host,
        budget: Budget,
    ) -> Result<Frames, EncodeError> {
        self.json.clear();
        self.texts.write(&mut self.json, table, event, host);
        self.json.pop_if(|last| *last == b'\n');
        match self.encoding {
            ZeromqEncoding::Json => Ok(Frames::new(topic, &self.json, budget)),
            ZeromqEncoding::Protobuf => {
                let row: v1::Row =
                    serde_json::from_slice(&self.json).map_err(|reason| EncodeError { what: table.name, reason })?;
                Ok(Frames::new(topic, &row.encode_to_vec(), budget))
            }
        }
    }
}
