//! An audit message while its fields are being set.

use serde_json::Value;

use super::draft::{Fault, address, bool, number, one_of, string, text};
use crate::event::EventType;
use crate::event::audit::{AuditMessage, REFUSALS, type_number};

#[derive(Default)]
pub(super) struct MessageDraft {
    message_type: Option<u16>,
    type_name: Option<String>,
    text: Vec<u8>,
    is_cut: bool,
    refused: Option<&'static str>,
    /// All `key=value`, instead of what the text holds.
    pairs: Option<Vec<Vec<u8>>>,
    /// Values that win over those of the text.
    values: Vec<(&'static str, Vec<u8>)>,
}

impl MessageDraft {
    /// Takes one field in.
    pub(super) fn set(&mut self, field: &str, value: &Value) -> Result<(), Fault> {
        let key = match field {
            "messageType" => {
                self.message_type = Some(number(value)?);
                return Ok(());
            }
            "messageTypeName" => {
                self.type_name = Some(string(value)?);
                return Ok(());
            }
            "message" => {
                self.text = text(value)?;
                return Ok(());
            }
            "messageTruncated" => {
                self.is_cut = bool(value)?;
                return Ok(());
            }
            "messageFields" => {
                let pairs = value.as_array().ok_or(Fault::Type)?;
                self.pairs = Some(pairs.iter().map(text).collect::<Result<_, _>>()?);
                return Ok(());
            }
            "refusal" => {
                self.refused = Some(one_of(value, REFUSALS)?);
                return Ok(());
            }
            "address" => {
                if value.as_str() != Some("?") {
                    self.values.push(("addr", address(value)?.to_string().into_bytes()));
                }
                return Ok(());
            }
            "result" => {
                self.values.push(("res", one_of(value, &["success", "failed"])?.into()));
                return Ok(());
            }
            "operation" => "op",
            "acct" => "acct",
            "remoteHost" => "hostname",
            "terminal" => "terminal",
            "messageProgram" => "exe",
            "messageCommand" => "cmd",
            "grantors" => "grantors",
            other => return Err(Fault::Value(format!("`{other}` cannot be set in an event written down by hand"))),
        };
        self.values.push((key, text(value)?));
        Ok(())
    }

    /// The kind of event that this makes likely.
    pub(super) const fn kind(&self) -> EventType {
        if self.refused.is_some() { EventType::AuditMessageRefused } else { EventType::AuditMessage }
    }

    pub(super) fn finish(self, kind: EventType) -> AuditMessage {
        let named = self.type_name.as_deref().and_then(type_number);
        let message_type = self.message_type.or(named).unwrap_or(0);
        let mut message = AuditMessage::new(message_type, &self.text, self.text.len() + usize::from(self.is_cut), 0);
        if let Some(name) = self.type_name {
            message.type_name = name.into();
        }
        message.refused = (kind == EventType::AuditMessageRefused).then(|| self.refused.unwrap_or("unknown"));
        message.replace(self.pairs, &self.values);
        message
    }
}
