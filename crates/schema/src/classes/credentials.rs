//! User ids, group ids and capabilities of processes.

use crate::field::{Field, IDS, Integer, Role, Type, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "credentials";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::CredentialChange,
    word: "CREDENTIAL_EVENT_TYPE_CHANGE",
    activity: Some(Activity::IdentityChange),
    outcome: Some(Outcome::Success),
    reach: Reach::Process,
    parts: &[
        &CREDENTIAL_CALL,
        &IS_CREDENTIAL_CHANGE_LEGAL,
        &OLD_UID,
        &NEW_UID,
        &OLD_EUID,
        &NEW_EUID,
        &OLD_GID,
        &NEW_GID,
        &OLD_EGID,
        &NEW_EGID,
        &OLD_CAP_EFFECTIVE,
        &NEW_CAP_EFFECTIVE,
    ],
}];

pub(super) const POLICY_TYPES: &[PolicyType] =
    &[PolicyType { word: "credentialChange", sees: &[EventType::CredentialChange] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// The system calls that can change credentials; an exec does as well, and is told as such.
    CredentialCall {
        Setuid = "setuid",
        Setgid = "setgid",
        Setreuid = "setreuid",
        Setregid = "setregid",
        Setresuid = "setresuid",
        Setresgid = "setresgid",
        Setfsuid = "setfsuid",
        Setfsgid = "setfsgid",
        Capset = "capset",
        Prctl = "prctl",
        Unshare = "unshare",
        Setns = "setns",
        /// One that cannot.
        Other = "other",
    }
}

impl CredentialCall {
    /// Whether it can change credentials.
    #[must_use]
    pub const fn is_legal(self) -> bool {
        !matches!(self, Self::Other)
    }
}

const fn id(name: &'static str, column: &'static str, doc: &'static str) -> Field {
    event(Class::Credentials, name, column, Type::Number, doc).values(IDS)
}

const fn capabilities(name: &'static str, column: &'static str, doc: &'static str) -> Field {
    event(Class::Credentials, name, column, Type::Number, doc).integers(Integer::Uint64)
}

fields! {
    CREDENTIAL_CALL = event(
        Class::Credentials,
        "credentialCall",
        "credential_call",
        Type::Word(CredentialCall::WORDS),
        "The system call in which credentials changed; absent where it is not known.",
    )
    .role(Role::Operation);
    IS_CREDENTIAL_CHANGE_LEGAL = event(
        Class::Credentials,
        "isCredentialChangeLegal",
        "is_credential_change_legal",
        Type::Bool,
        "Whether credentials changed in a system call that can change them. If not, somebody wrote into the kernel's memory.",
    );
    GAINED_CAPABILITIES = capabilities(
        "gainedCapabilities",
        "gained_capabilities",
        "Which effective capabilities are new after a change of credentials, one bit each; 0 if none.",
    );
    OLD_UID = id("oldUid", "old_uid", "The real user id before a change of credentials.");
    OLD_GID = id("oldGid", "old_gid", "The real group id before a change of credentials.");
    OLD_EUID = id("oldEuid", "old_euid", "The effective user id before a change of credentials.");
    OLD_EGID = id("oldEgid", "old_egid", "The effective group id before a change of credentials.");
    OLD_SUID = id("oldSuid", "old_suid", "The saved user id before a change of credentials.");
    OLD_SGID = id("oldSgid", "old_sgid", "The saved group id before a change of credentials.");
    OLD_FSUID = id("oldFsuid", "old_fsuid", "The user id for access to files before a change of credentials.");
    OLD_FSGID = id("oldFsgid", "old_fsgid", "The group id for access to files before a change of credentials.");
    NEW_UID = id("newUid", "new_uid", "The real user id after a change of credentials.");
    NEW_GID = id("newGid", "new_gid", "The real group id after a change of credentials.");
    NEW_EUID = id("newEuid", "new_euid", "The effective user id after a change of credentials.").role(Role::AccountId);
    NEW_EGID = id("newEgid", "new_egid", "The effective group id after a change of credentials.");
    NEW_SUID = id("newSuid", "new_suid", "The saved user id after a change of credentials.");
    NEW_SGID = id("newSgid", "new_sgid", "The saved group id after a change of credentials.");
    NEW_FSUID = id("newFsuid", "new_fsuid", "The user id for access to files after a change of credentials.");
    NEW_FSGID = id("newFsgid", "new_fsgid", "The group id for access to files after a change of credentials.");
    OLD_CAP_EFFECTIVE = capabilities("oldCapEffective", "old_cap_effective", "The effective capabilities before a change of credentials, one bit each.");
    OLD_CAP_PERMITTED = capabilities("oldCapPermitted", "old_cap_permitted", "The permitted capabilities before a change of credentials, one bit each.");
    OLD_CAP_INHERITABLE = capabilities("oldCapInheritable", "old_cap_inheritable", "The inheritable capabilities before a change of credentials, one bit each.");
    OLD_CAP_BOUNDING = capabilities("oldCapBounding", "old_cap_bounding", "The bounding capabilities before a change of credentials, one bit each.");
    OLD_CAP_AMBIENT = capabilities("oldCapAmbient", "old_cap_ambient", "The ambient capabilities before a change of credentials, one bit each.");
    NEW_CAP_EFFECTIVE = capabilities("newCapEffective", "new_cap_effective", "The effective capabilities after a change of credentials, one bit each.");
    NEW_CAP_PERMITTED = capabilities("newCapPermitted", "new_cap_permitted", "The permitted capabilities after a change of credentials, one bit each.");
    NEW_CAP_INHERITABLE = capabilities("newCapInheritable", "new_cap_inheritable", "The inheritable capabilities after a change of credentials, one bit each.");
    NEW_CAP_BOUNDING = capabilities("newCapBounding", "new_cap_bounding", "The bounding capabilities after a change of credentials, one bit each.");
    NEW_CAP_AMBIENT = capabilities("newCapAmbient", "new_cap_ambient", "The ambient capabilities after a change of credentials, one bit each.");
}
