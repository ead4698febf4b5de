//! Messages to the kernel's audit.

use std::borrow::Cow;
use std::sync::Arc;

use schema::EventType;
use schema::classes::audit as facts;
use schema::classes::audit::{Ending, Refusal, type_name, type_number};

use super::Class;
use crate::event::audit::{AuditMessage, Fact, address};
use crate::event::build::{Draft, Fault, Given};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, Value};

pub(super) const CLASS: Class = Class { fields: FIELDS, readers: &[], detail, sentence };

const FIELDS: &[Field] = &[
    of_event(
        &facts::MESSAGE_TYPE,
        |event, _| audit(event, |message| Value::Int(i64::from(message.message_type))),
        |d, v| written(d).put_type(v.take()?),
    ),
    of_event(
        &facts::MESSAGE_TYPE_NAME,
        |event, _| {
            audit(event, |message| match message.type_name {
                Cow::Borrowed(name) => Value::Word(name),
                Cow::Owned(ref name) => Value::text(name.as_bytes()),
            })
        },
        |d, v| written(d).put_type_name(v),
    ),
    of_event(
        &facts::UNIX_TIME,
        |event, _| Value::Int(i64::try_from(event.time / 1_000_000_000).unwrap_or(i64::MAX)),
        |d, v| {
            written(d);
            v.take::<u64>().map(|seconds| d.time = seconds.saturating_mul(1_000_000_000))
        },
    ),
    of_event(
        &facts::MESSAGE,
        |event, _| audit(event, |message| Value::text(&message.text)),
        |d, v| v.put(&mut written(d).text),
    ),
    of_event(
        &facts::MESSAGE_FIELDS,
        |event, _| audit(event, |message| Value::Args(message.pairs())),
        |d, v| v.list().map(|pairs| written(d).pairs = Some(pairs)),
    ),
    of_event(
        &facts::MESSAGE_TRUNCATED,
        |event, _| audit(event, |message| Value::Bool(message.is_cut)),
        |d, v| v.put(&mut written(d).is_cut),
    ),
    of_event(
        &facts::OPERATION,
        |event, _| audit(event, |message| message.fact(Fact::Operation).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("op", v.take()?),
    ),
    of_event(
        &facts::ACCT,
        |event, _| audit(event, |message| message.account().map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("acct", v.take()?),
    ),
    of_event(
        &facts::ACCOUNT_ID,
        |event, _| audit(event, |message| message.account_id().map_or(Value::Absent, |id| Value::Int(id.into()))),
        |d, v| written(d).put_id("id", v.take()?),
    ),
    of_event(
        &facts::GROUP,
        |event, _| audit(event, |message| message.group().map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("grp", v.take()?),
    ),
    of_event(
        &facts::GROUP_ID,
        |event, _| audit(event, |message| message.group_id().map_or(Value::Absent, |id| Value::Int(id.into()))),
        |d, v| written(d).put_id("new_gid", v.take()?),
    ),
    of_event(
        &facts::RESULT,
        |event, _| audit(event, |message| message.ending().map_or(Value::Absent, |ending| Value::Word(ending.word()))),
        |d, v| written(d).put("res", v.word::<Ending>()?.word().into()),
    ),
    of_event(
        &facts::ADDRESS,
        |event, _| audit(event, |message| message.address().map_or(Value::Unknown, Value::Addr)),
        |d, v| written(d).put_address(v),
    ),
    of_event(
        &facts::REMOTE_HOST,
        |event, _| audit(event, |message| message.fact(Fact::RemoteHost).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("hostname", v.take()?),
    ),
    of_event(
        &facts::TERMINAL,
        |event, _| audit(event, |message| message.fact(Fact::Terminal).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("terminal", v.take()?),
    ),
    of_event(
        &facts::MESSAGE_PROGRAM,
        |event, _| audit(event, |message| message.fact(Fact::Program).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("exe", v.take()?),
    ),
    of_event(
        &facts::MESSAGE_COMMAND,
        |event, _| audit(event, |message| message.fact(Fact::Command).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("cmd", v.take()?),
    ),
    of_event(
        &facts::GRANTORS,
        |event, _| audit(event, |message| message.fact(Fact::Grantors).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("grantors", v.take()?),
    ),
    of_event(
        &facts::MESSAGE_OBJECT,
        |event, _| audit(event, |message| message.fact(Fact::Object).map_or(Value::Absent, Value::text)),
        |d, v| written(d).put("unit", v.take()?),
    ),
    of_event(
        &facts::REFUSAL,
        |event, _| audit(event, |message| message.refused.map_or(Value::Absent, |refusal| Value::Word(refusal.word()))),
        |d, v| {
            d.likeliest(EventType::AuditMessageRefused);
            v.put_word(&mut written(d).refusal)
        },
    ),
];

fn audit<'a>(event: &'a Event, value: impl Fn(&'a AuditMessage) -> Value<'a>) -> Value<'a> {
    if let Detail::Audit(message) = &event.detail { value(message) } else { Value::Absent }
}

/// A message in an event that is written down by hand.
#[derive(Default)]
struct Written {
    message_type: Option<u16>,
    text: Vec<u8>,
    is_cut: bool,
    refusal: Option<Refusal>,
    /// All `key=value`, instead of what the text holds.
    pairs: Option<Vec<Vec<u8>>>,
    /// Values that win over those of the text.
    values: Vec<(&'static str, Vec<u8>)>,
}

impl Written {
    fn put_type(&mut self, number: u16) -> Result<(), Fault> {
        if let Some(named) = self.message_type.filter(|named| *named != number) {
            return Err(Fault::Value(format!("the number of {} is {named}", type_name(named))));
        }
        self.message_type = Some(number);
        Ok(())
    }

    fn put_type_name(&mut self, given: Given<'_>) -> Result<(), Fault> {
        // A type without a name is called by its number.
        let number = match type_number(given.str()?) {
            Some(number) => number,
            None => type_number(given.known_word()?).unwrap_or_default(),
        };
        if self.message_type.is_some_and(|told| told != number) {
            return Err(Fault::Value(format!("the number of {} is {number}", type_name(number))));
        }
        self.message_type = Some(number);
        Ok(())
    }

    fn put(&mut self, key: &'static str, value: Vec<u8>) -> Result<(), Fault> {
        self.values.push((key, value));
        Ok(())
    }

    fn put_id(&mut self, key: &'static str, id: u32) -> Result<(), Fault> {
        self.put(key, id.to_string().into_bytes())
    }

    fn put_address(&mut self, given: Given<'_>) -> Result<(), Fault> {
        if given.str()? == "?" {
            return Ok(());
        }
        let text = given.str()?.as_bytes();
        let address = address(text).ok_or_else(|| Fault::Value("no IP address".into()))?;
        self.put("addr", address.to_string().into_bytes())
    }
}

fn written(draft: &mut Draft) -> &mut Written {
    draft.likely(EventType::AuditMessage);
    draft.part()
}

fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    let written: Written = std::mem::take(draft.part());
    let text = &written.text;
    let message_type = written.message_type.unwrap_or(0);
    let mut message = AuditMessage::new(message_type, text, text.len() + usize::from(written.is_cut), 0);
    message.refused = (kind == EventType::AuditMessageRefused).then(|| written.refusal.unwrap_or(Refusal::Unknown));
    message.replace(written.pairs, &written.values);
    Detail::Audit(Arc::new(message))
}

fn sentence(event: &Event, policy: &str) -> String {
    let program = lossless(&event.process.image.path);
    let Detail::Audit(message) = &event.detail else { return format!("Program {program} violated policy {policy}") };
    let (name, gist) = (&message.type_name, gist(message));
    match message.refused {
        None => format!("The audit message {name}{gist} of {program} violated policy {policy}"),
        Some(refusal) => format!(
            "The audit message {name}{gist} that {program} sent was refused by the kernel ({}); policy {policy}",
            refusal.word()
        ),
    }
}

/// Whom a message is about, from where, and how it ended; as far as it says.
fn gist(message: &AuditMessage) -> String {
    let account = message.account().map(|account| format!(", account {}", lossless(account)));
    let address = message.address().map(|address| format!(", from {address}"));
    let ending = message.ending().map(|ending| format!(", {},", ending.word()));
    [account, address, ending].into_iter().flatten().collect()
}
