//! Messages that user programs send to the kernel's audit: who logged in, who became whom, which account was changed.

mod types;

pub use self::types::{TYPE_NAMES, TYPE_NUMBERS, type_activity, type_name, type_number};
use crate::field::{IDS, Integer, Role, Type, Values, event, fields};
use crate::process;
use crate::table::column;
use crate::words::{Word as _, words};
use crate::{Class, EventType, Field, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "audit";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::AuditMessage,
        word: "AUDIT_USER_MESSAGE",
        activity: None,
        outcome: None,
        reach: Reach::Process,
        parts: &PARTS,
    },
    // A message that the kernel did not take.
    Kind {
        is: EventType::AuditMessageRefused,
        word: "AUDIT_USER_MESSAGE_REFUSED",
        activity: Some(crate::Activity::Forgery),
        outcome: Some(Outcome::Failure),
        reach: Reach::Process,
        parts: &crate::concat::<&Field, { PARTS.len() + 1 }>(&[&PARTS, &[&REFUSAL]], PARTS[0]),
    },
];

const PARTS: [&Field; 11] = [
    &MESSAGE_TYPE,
    &MESSAGE_TYPE_NAME,
    &OPERATION,
    &ACCT,
    &ACCOUNT_ID,
    &GROUP,
    &GROUP_ID,
    &RESULT,
    &ADDRESS,
    &TERMINAL,
    &MESSAGE,
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "auditUserMessage", sees: &[EventType::AuditMessage] },
    PolicyType { word: "auditUserMessageRefused", sees: &[EventType::AuditMessageRefused] },
];

pub(super) static TABLES: &[&Table] = &[&AUDIT_USER_MSG];

pub static AUDIT_USER_MSG: Table = Table {
    name: "audit_user_msg",
    aliases: &["audit_usr_msg"],
    kinds: &[EventType::AuditMessage],
    mcs: true,
    default_on: false,
    number: 2,
    message: "AuditUserMessage",
    columns: &[
        column(&process::SENSOR_ID, 15),
        column(&process::TIME, 16),
        column(&UNIX_TIME, 5),
        column(&MESSAGE_TYPE, 4),
        column(&MESSAGE_TYPE_NAME, 10),
        column(&MESSAGE, 6),
        column(&ACCT, 11),
        column(&RESULT, 12),
        column(&ADDRESS, 8),
        column(&TERMINAL, 9),
        column(&process::PROGRAM_NAME, 7),
        column(&process::UID, 1),
        column(&process::PROCESS_PID, 2),
        column(&process::SOPHOS_PID, 3),
        column(&process::PROCESS_UUID, 17),
        column(&process::LOGIN_UID, 13),
        column(&process::SESSION_ID, 14),
        column(&process::CONTAINER_ID, 18),
        column(&MESSAGE_TRUNCATED, 19),
    ],
    doc: "Messages that user programs send to the kernel's audit system: logins, sudo, changes of accounts. Forged ones are not \
          among them.",
};

words! {
    /// How the thing that a message is about ended.
    Ending {
        Success = "success",
        Failed = "failed",
    }
}

words! {
    /// Why the kernel did not take a message.
    Refusal {
        Capability = "capability",
        UserNamespace = "user_namespace",
        KernelType = "kernel_type",
        Length = "length",
        SecurityModule = "security_module",
        Unknown = "unknown",
    }
}

fields! {
    MESSAGE_TYPE = event(
        Class::Audit,
        "messageType",
        "type",
        Type::Number,
        "Number of an audit message's type, such as 1105.",
    )
    .values(Values::Within(TYPE_NUMBERS));
    MESSAGE_TYPE_NAME = event(
        Class::Audit,
        "messageTypeName",
        "type_name",
        Type::Word(TYPE_NAMES),
        "Name of an audit message's type, such as USER_START.",
    )
    .role(Role::Name);
    UNIX_TIME = event(Class::Audit, "unixTime", "time", Type::Number, "When, seconds since the Unix epoch.")
        .integers(Integer::Int64);
    MESSAGE = event(Class::Audit, "message", "message", Type::Text, "An audit message's text, as it was sent.")
        .role(Role::Text);
    MESSAGE_FIELDS = event(
        Class::Audit,
        "messageFields",
        "message_fields",
        Type::Texts,
        "Each key=value of an audit message's text, values without quotes and hexadecimal digits.",
    );
    MESSAGE_TRUNCATED = event(
        Class::Audit,
        "messageTruncated",
        "message_truncated",
        Type::Bool,
        "Whether the end of an audit message's text was cut off.",
    );
    OPERATION = event(
        Class::Audit,
        "operation",
        "op",
        Type::Text,
        "What was done, such as PAM:session_open or add-user.",
    )
    .role(Role::Operation);
    ACCT = event(
        Class::Audit,
        "acct",
        "acct",
        Type::Text,
        "The account that an audit message is about; where that tells an id alone, its login name.",
    )
    .role(Role::Account);
    ACCOUNT_ID = event(
        Class::Audit,
        "accountId",
        "acct_id",
        Type::Number,
        "The user id of that account, where an audit message tells it.",
    )
    .values(IDS)
    .role(Role::AccountId);
    GROUP = event(Class::Audit, "group", "grp", Type::Text, "The group that an audit message is about.")
        .role(Role::Group);
    GROUP_ID = event(
        Class::Audit,
        "groupId",
        "grp_id",
        Type::Number,
        "The id of that group, where an audit message tells it.",
    )
    .values(IDS)
    .role(Role::GroupId);
    RESULT = event(Class::Audit, "result", "result", Type::Word(Ending::WORDS), "How it ended.");
    ADDRESS = event(
        Class::Audit,
        "address",
        "address",
        Type::Address,
        "Where the user comes from; in rows `?` when that is local or not told, which no range holds.",
    )
    .role(Role::Address);
    REMOTE_HOST = event(
        Class::Audit,
        "remoteHost",
        "remote_host",
        Type::Text,
        "The name of the host that the user comes from; its owner may have made it up.",
    )
    .role(Role::RemoteHost);
    TERMINAL = event(
        Class::Audit,
        "terminal",
        "terminal",
        Type::Text,
        "The terminal that an audit message names, such as /dev/pts/10, ssh or cron.",
    )
    .role(Role::Terminal);
    MESSAGE_PROGRAM = event(
        Class::Audit,
        "messageProgram",
        "message_program",
        Type::Path,
        "The program that an audit message names; programName is the one that sent it.",
    );
    MESSAGE_COMMAND = event(
        Class::Audit,
        "messageCommand",
        "message_command",
        Type::Text,
        "The command that an audit message of sudo tells.",
    )
    .role(Role::Command);
    GRANTORS = event(
        Class::Audit,
        "grantors",
        "grantors",
        Type::Text,
        "The PAM modules that agreed, with commas in between.",
    );
    MESSAGE_OBJECT = event(
        Class::Audit,
        "messageObject",
        "message_object",
        Type::Text,
        "What else an audit message is about: a unit, software, a virtual machine, a device.",
    )
    .role(Role::Object);
    REFUSAL = event(
        Class::Audit,
        "refusal",
        "refusal",
        Type::Word(Refusal::WORDS),
        "Why the kernel did not take an audit message; absent for those that it took.",
    )
    .only_in(&[EventType::AuditMessageRefused]);
}
