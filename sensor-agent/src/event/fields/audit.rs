//! Fields of messages to the kernel's audit.

use std::borrow::Cow;

use super::IDS;
use super::field::{Field, Role, Type, Values, event};
use crate::event::audit::{AuditMessage, Fact, Outcome, REFUSALS, TYPE_NAMES, TYPE_NUMBERS};
use crate::event::{Class, Detail, Event, EventType, Value};

pub(super) const FIELDS: &[Field] = &[
    event(
        Class::Audit,
        "messageType",
        "type",
        Type::Number,
        "Number of an audit message's type, such as 1105.",
        |event, _| audit(event, |message| Value::Int(i64::from(message.message_type))),
    )
    .values(Values::Within(TYPE_NUMBERS)),
    event(
        Class::Audit,
        "messageTypeName",
        "type_name",
        Type::Word(TYPE_NAMES),
        "Name of an audit message's type, such as USER_START.",
        |event, _| {
            audit(event, |message| match message.type_name {
                Cow::Borrowed(name) => Value::Word(name),
                Cow::Owned(ref name) => Value::text(name.as_bytes()),
            })
        },
    )
    .role(Role::Name),
    event(Class::Audit, "unixTime", "time", Type::Number, "When, seconds since the Unix epoch.", |event, _| {
        Value::Int(i64::try_from(event.time / 1_000_000_000).unwrap_or(i64::MAX))
    }),
    event(Class::Audit, "message", "message", Type::Text, "An audit message's text, as it was sent.", |event, _| {
        audit(event, |message| Value::text(&message.text))
    })
    .role(Role::Text),
    event(
        Class::Audit,
        "messageFields",
        "message_fields",
        Type::Texts,
        "Each key=value of an audit message's text, values without quotes and hexadecimal digits.",
        |event, _| audit(event, |message| Value::Args(message.pairs())),
    ),
    event(
        Class::Audit,
        "messageTruncated",
        "message_truncated",
        Type::Bool,
        "Whether the end of an audit message's text was cut off.",
        |event, _| audit(event, |message| Value::Bool(message.is_cut)),
    ),
    event(
        Class::Audit,
        "operation",
        "op",
        Type::Text,
        "What was done, such as PAM:session_open or add-user.",
        |event, _| audit(event, |message| message.told(Fact::Operation).map_or(Value::Absent, Value::text)),
    )
    .role(Role::Operation),
    event(
        Class::Audit,
        "acct",
        "acct",
        Type::Text,
        "The account that an audit message is about; where that tells an id alone, its login name.",
        |event, _| audit(event, |message| message.account().map_or(Value::Absent, Value::text)),
    )
    .role(Role::Account),
    event(
        Class::Audit,
        "accountId",
        "acct_id",
        Type::Number,
        "The user id of that account, where an audit message tells it.",
        |event, _| audit(event, |message| message.account_id().map_or(Value::Absent, |id| Value::Int(id.into()))),
    )
    .values(IDS)
    .role(Role::AccountId),
    event(Class::Audit, "group", "grp", Type::Text, "The group that an audit message is about.", |event, _| {
        audit(event, |message| message.group().map_or(Value::Absent, Value::text))
    })
    .role(Role::Group),
    event(
        Class::Audit,
        "groupId",
        "grp_id",
        Type::Number,
        "The id of that group, where an audit message tells it.",
        |event, _| audit(event, |message| message.group_id().map_or(Value::Absent, |id| Value::Int(id.into()))),
    )
    .values(IDS)
    .role(Role::GroupId),
    event(Class::Audit, "result", "result", Type::Word(Outcome::WORDS), "How it ended.", |event, _| {
        audit(event, |message| message.outcome().map_or(Value::Absent, |outcome| Value::Word(outcome.word())))
    }),
    event(
        Class::Audit,
        "address",
        "address",
        Type::Address,
        "Where the user comes from; in rows `?` when that is local or not told, which no range holds.",
        |event, _| audit(event, |message| message.address().map_or(Value::Unknown, Value::Addr)),
    )
    .role(Role::Address),
    event(
        Class::Audit,
        "remoteHost",
        "remote_host",
        Type::Text,
        "The name of the host that the user comes from; its owner may have made it up.",
        |event, _| audit(event, |message| message.told(Fact::RemoteHost).map_or(Value::Absent, Value::text)),
    )
    .role(Role::RemoteHost),
    event(
        Class::Audit,
        "terminal",
        "terminal",
        Type::Text,
        "The terminal that an audit message names, such as /dev/pts/10, ssh or cron.",
        |event, _| audit(event, |message| message.told(Fact::Terminal).map_or(Value::Absent, Value::text)),
    )
    .role(Role::Terminal),
    event(
        Class::Audit,
        "messageProgram",
        "message_program",
        Type::Path,
        "The program that an audit message names; programName is the one that sent it.",
        |event, _| audit(event, |message| message.told(Fact::Program).map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "messageCommand",
        "message_command",
        Type::Text,
        "The command that an audit message of sudo tells.",
        |event, _| audit(event, |message| message.told(Fact::Command).map_or(Value::Absent, Value::text)),
    )
    .role(Role::Command),
    event(
        Class::Audit,
        "grantors",
        "grantors",
        Type::Text,
        "The PAM modules that agreed, with commas in between.",
        |event, _| audit(event, |message| message.told(Fact::Grantors).map_or(Value::Absent, Value::text)),
    ),
    event(
        Class::Audit,
        "messageObject",
        "message_object",
        Type::Text,
        "What else an audit message is about: a unit, software, a virtual machine, a device.",
        |event, _| audit(event, |message| message.told(Fact::Object).map_or(Value::Absent, Value::text)),
    )
    .role(Role::Object),
    event(
        Class::Audit,
        "refusal",
        "refusal",
        Type::Word(REFUSALS),
        "Why the kernel did not take an audit message; absent for those that it took.",
        |event, _| audit(event, |message| message.refused.map_or(Value::Absent, Value::Word)),
    )
    .only_in(EventType::AuditMessageRefused),
];

fn audit<'a>(event: &'a Event, value: impl Fn(&'a AuditMessage) -> Value<'a>) -> Value<'a> {
    if let Detail::Audit(message) = &event.detail { value(message) } else { Value::Absent }
}
