//! User ids, group ids and capabilities of processes.

use libc::c_long;
use schema::EventType;
use schema::classes::credentials as facts;
use schema::classes::credentials::CredentialCall;
use sensor_ebpf::classes::credentials::{CredentialRecord, IS_COMPAT, NO_CALL, cap, id};

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::{Own, Value};

pub(super) const CLASS: Class = Class::of_act::<Change>(FIELDS);

/// A thread that goes on with other credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Change {
    before: Credentials,
    after: Credentials,
    /// In which it came about, if that is known.
    call: Option<CredentialCall>,
    /// What is written down by hand may say this alone.
    is_legal: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Credentials {
    /// By the places of [`id`].
    ids: [u32; id::COUNT],
    /// By the places of [`cap`].
    caps: [u64; cap::COUNT],
}

impl Own for Change {
    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Change {
    fn is_legal(&self) -> Option<bool> {
        self.is_legal.or_else(|| Some(self.call?.is_legal()))
    }

    /// Effective capabilities that are new.
    fn gained(&self) -> u64 {
        self.after.caps[cap::EFFECTIVE] & !self.before.caps[cap::EFFECTIVE]
    }
}

impl Act for Change {
    type Record = CredentialRecord;
    const EVENT: EventType = EventType::CredentialChange;

    fn read(record: &CredentialRecord) -> Self {
        let calls = if record.flags & IS_COMPAT == 0 { NATIVE } else { COMPAT };
        let number = c_long::from(record.call & !X32);
        let known =
            || calls.iter().find(|(known, _)| *known == number).map_or(CredentialCall::Other, |(_, call)| *call);
        Self {
            before: Credentials { ids: record.ids_before, caps: record.caps_before },
            after: Credentials { ids: record.ids_after, caps: record.caps_after },
            call: (record.call != NO_CALL).then(known),
            is_legal: None,
        }
    }

    fn sentence(&self, program: &str) -> String {
        let (before, after) = (self.before.ids, self.after.ids);
        let [user, group] = [(id::EUID, "user"), (id::EGID, "group")].map(|(place, what)| {
            (before[place] != after[place]).then(|| format!("{what} {} instead of {}", after[place], before[place]))
        });
        let what = match (user, group) {
            (Some(user), Some(group)) => format!("goes on as {user} and {group}"),
            (Some(one), None) | (None, Some(one)) => format!("goes on as {one}"),
            (None, None) if self.gained() != 0 => "took up capabilities".to_owned(),
            (None, None) if before != after => "changed its ids".to_owned(),
            (None, None) => "changed its capabilities".to_owned(),
        };
        let call = self.call.filter(|call| call.is_legal());
        let way = match (call, self.is_legal()) {
            (Some(call), _) => format!(" by {}", call.word()),
            (None, Some(false)) => ", by no system call that can do that".to_owned(),
            (None, _) => String::new(),
        };
        format!("Program {program} {what}{way}")
    }
}

/// `__X32_SYSCALL_BIT` of Linux.
const X32: i32 = 0x4000_0000;

/// The numbers of the calls.
const NATIVE: &[(c_long, CredentialCall)] = &[
    (libc::SYS_setuid, CredentialCall::Setuid),
    (libc::SYS_setgid, CredentialCall::Setgid),
    (libc::SYS_setreuid, CredentialCall::Setreuid),
    (libc::SYS_setregid, CredentialCall::Setregid),
    (libc::SYS_setresuid, CredentialCall::Setresuid),
    (libc::SYS_setresgid, CredentialCall::Setresgid),
    (libc::SYS_setfsuid, CredentialCall::Setfsuid),
    (libc::SYS_setfsgid, CredentialCall::Setfsgid),
    (libc::SYS_capset, CredentialCall::Capset),
    (libc::SYS_prctl, CredentialCall::Prctl),
    (libc::SYS_unshare, CredentialCall::Unshare),
    (libc::SYS_setns, CredentialCall::Setns),
];

/// Those of i386, where the first calls took ids of 16 bits and have a second number each.
const COMPAT: &[(c_long, CredentialCall)] = &[
    (23, CredentialCall::Setuid),
    (46, CredentialCall::Setgid),
    (70, CredentialCall::Setreuid),
    (71, CredentialCall::Setregid),
    (138, CredentialCall::Setfsuid),
    (139, CredentialCall::Setfsgid),
    (164, CredentialCall::Setresuid),
    (170, CredentialCall::Setresgid),
    (172, CredentialCall::Prctl),
    (185, CredentialCall::Capset),
    (203, CredentialCall::Setreuid),
    (204, CredentialCall::Setregid),
    (208, CredentialCall::Setresuid),
    (210, CredentialCall::Setresgid),
    (213, CredentialCall::Setuid),
    (214, CredentialCall::Setgid),
    (215, CredentialCall::Setfsuid),
    (216, CredentialCall::Setfsgid),
    (310, CredentialCall::Unshare),
    (346, CredentialCall::Setns),
];

/// A field of the list of ids.
macro_rules! ids {
    ($facts:path, $side:ident, $place:path) => {
        of_event(
            &$facts,
            |event, _| event.own(|change: &Change| Value::Int(change.$side.ids[$place].into())),
            |d, v| v.put(&mut d.act::<Change>().$side.ids[$place]),
        )
    };
}

/// A field of the list of capabilities.
macro_rules! caps {
    ($facts:path, $side:ident, $place:path) => {
        of_event(
            &$facts,
            |event, _| event.own(|change: &Change| Value::Int(change.$side.caps[$place].cast_signed())),
            |d, v| v.put(&mut d.act::<Change>().$side.caps[$place]),
        )
    };
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::CREDENTIAL_CALL,
        |event, _| event.own(|change: &Change| change.call.map_or(Value::Absent, |call| Value::Word(call.word()))),
        |d, v| v.put_word(&mut d.act::<Change>().call),
    ),
    of_event(
        &facts::IS_CREDENTIAL_CHANGE_LEGAL,
        |event, _| event.own(|change: &Change| change.is_legal().map_or(Value::Absent, Value::Bool)),
        |d, v| v.put(&mut d.act::<Change>().is_legal),
    ),
    of_event(
        &facts::GAINED_CAPABILITIES,
        |event, _| event.own(|change: &Change| Value::Int(change.gained().cast_signed())),
        |d, v| {
            d.act::<Change>().after.caps[cap::EFFECTIVE] |= v.take::<u64>()?;
            Ok(())
        },
    ),
    ids!(facts::OLD_UID, before, id::UID),
    ids!(facts::OLD_GID, before, id::GID),
    ids!(facts::OLD_EUID, before, id::EUID),
    ids!(facts::OLD_EGID, before, id::EGID),
    ids!(facts::OLD_SUID, before, id::SUID),
    ids!(facts::OLD_SGID, before, id::SGID),
    ids!(facts::OLD_FSUID, before, id::FSUID),
    ids!(facts::OLD_FSGID, before, id::FSGID),
    ids!(facts::NEW_UID, after, id::UID),
    ids!(facts::NEW_GID, after, id::GID),
    ids!(facts::NEW_EUID, after, id::EUID),
    ids!(facts::NEW_EGID, after, id::EGID),
    ids!(facts::NEW_SUID, after, id::SUID),
    ids!(facts::NEW_SGID, after, id::SGID),
    ids!(facts::NEW_FSUID, after, id::FSUID),
    ids!(facts::NEW_FSGID, after, id::FSGID),
    caps!(facts::OLD_CAP_EFFECTIVE, before, cap::EFFECTIVE),
    caps!(facts::OLD_CAP_PERMITTED, before, cap::PERMITTED),
    caps!(facts::OLD_CAP_INHERITABLE, before, cap::INHERITABLE),
    caps!(facts::OLD_CAP_BOUNDING, before, cap::BOUNDING),
    caps!(facts::OLD_CAP_AMBIENT, before, cap::AMBIENT),
    caps!(facts::NEW_CAP_EFFECTIVE, after, cap::EFFECTIVE),
    caps!(facts::NEW_CAP_PERMITTED, after, cap::PERMITTED),
    caps!(facts::NEW_CAP_INHERITABLE, after, cap::INHERITABLE),
    caps!(facts::NEW_CAP_BOUNDING, after, cap::BOUNDING),
    caps!(facts::NEW_CAP_AMBIENT, after, cap::AMBIENT),
];
