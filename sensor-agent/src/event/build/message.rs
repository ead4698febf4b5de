//! An audit message while its fields are being set.

use serde_json::Value;

use super::draft::{Fault, address, bool, number, text, word};
use crate::event::EventType;
use crate::event::audit::{AuditMessage, type_name, type_number};
use crate::event::fields::Field;

#[derive(Default)]
pub(super) struct MessageDraft {
    message_type: Option<u16>,
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
    pub(super) fn set(&mut self, field: &Field, value: &Value) -> Result<(), Fault> {
        let key = match field.name {
            "messageType" => {
                let told = number(value)?;
                if let Some(named) = self.message_type.filter(|named| *named != told) {
                    return Err(Fault::Value(format!("the number of {} is {named}", type_name(named))));
                }
                self.message_type = Some(told);
                return Ok(());
            }
            "messageTypeName" => {
                // A type without a name is called by its number.
                let number = match type_number(value.as_str().ok_or(Fault::Type)?) {
                    Some(number) => number,
                    None => type_number(word(field, value)?).unwrap_or_default(),
                };
                if self.message_type.is_some_and(|told| told != number) {
                    return Err(Fault::Value(format!("the number of {} is {number}", type_name(number))));
                }
                self.message_type = Some(number);
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
                self.refused = Some(word(field, value)?);
                return Ok(());
            }
            "address" => {
                if value.as_str() != Some("?") {
                    self.values.push(("addr", address(value)?.to_string().into_bytes()));
                }
                return Ok(());
            }
            "result" => {
                self.values.push(("res", word(field, value)?.into()));
                return Ok(());
            }
            "accountId" => {
                self.values.push(("id", number::<u32>(value)?.to_string().into_bytes()));
                return Ok(());
            }
            "groupId" => {
                self.values.push(("new_gid", number::<u32>(value)?.to_string().into_bytes()));
                return Ok(());
            }
            "operation" => "op",
            "acct" => "acct",
            "group" => "grp",
            "messageObject" => "unit",
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
        let message_type = self.message_type.unwrap_or(0);
        let mut message = AuditMessage::new(message_type, &self.text, self.text.len() + usize::from(self.is_cut), 0);
        message.refused = (kind == EventType::AuditMessageRefused).then(|| self.refused.unwrap_or("unknown"));
        message.replace(self.pairs, &self.values);
        message
    }
}
