//! The message types of user programs: number, name as `ausearch` and auditd's log write it, and what such a message
//! tells of (audit-documentation, `specs/messages/message-dictionary.csv`; audit-userspace 4.2, `audit-records.h`).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::Activity;

/// The name of a type; `UNKNOWN[1199]` for one without.
#[must_use]
pub fn type_name(message_type: u16) -> Cow<'static, str> {
    match of(message_type) {
        Some((_, name, _)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("UNKNOWN[{message_type}]")),
    }
}

/// What a message of this type tells of.
#[must_use]
pub fn type_activity(message_type: u16) -> Activity {
    of(message_type).map_or(Activity::Other, |(_, _, activity)| *activity)
}

fn of(message_type: u16) -> Option<&'static (u16, &'static str, Activity)> {
    TYPES.binary_search_by_key(&message_type, |(number, ..)| *number).ok().map(|at| &TYPES[at])
}

/// The type of this name, also of one such as `UNKNOWN[1199]`.
#[must_use]
pub fn type_number(name: &str) -> Option<u16> {
    if let Some((number, ..)) = TYPES.iter().find(|(_, known, _)| *known == name) {
        return Some(*number);
    }
    let number = name.strip_prefix("UNKNOWN[")?.strip_suffix(']')?.parse().ok()?;
    (type_name(number) == name).then_some(number)
}

/// The names of all types that have one.
pub const TYPE_NAMES: &[&str] = &{
    let mut names = [""; TYPES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = TYPES[at].1;
        at += 1;
    }
    names
};

/// The numbers that user programs may send.
pub const TYPE_NUMBERS: &[RangeInclusive<i64>] = &[1005..=1005, 1100..=1199, 2100..=2999];

/// Types of user messages, ascending.
const TYPES: &[(u16, &str, Activity)] = &[
    (1005, "USER", Activity::Other),
    (1100, "USER_AUTH", Activity::Authentication),
    (1101, "USER_ACCT", Activity::Authorization),
    (1102, "USER_MGMT", Activity::AccountChange),
    (1103, "CRED_ACQ", Activity::CredentialsTaken),
    (1104, "CRED_DISP", Activity::CredentialsDropped),
    (1105, "USER_START", Activity::SessionStart),
    (1106, "USER_END", Activity::SessionEnd),
    (1107, "USER_AVC", Activity::AccessDecision),
    (1108, "USER_CHAUTHTOK", Activity::PasswordChange),
    (1109, "USER_ERR", Activity::Authentication),
    (1110, "CRED_REFR", Activity::CredentialsTaken),
    (1111, "USYS_CONFIG", Activity::ConfigurationChange),
    (1112, "USER_LOGIN", Activity::Login),
    (1113, "USER_LOGOUT", Activity::Logout),
    (1114, "ADD_USER", Activity::AccountCreation),
    (1115, "DEL_USER", Activity::AccountDeletion),
    (1116, "ADD_GROUP", Activity::GroupCreation),
    (1117, "DEL_GROUP", Activity::GroupDeletion),
    (1118, "DAC_CHECK", Activity::AccessDecision),
    (1119, "CHGRP_ID", Activity::IdentityChange),
    (1120, "TEST", Activity::Other),
    (1121, "TRUSTED_APP", Activity::Other),
    (1122, "USER_SELINUX_ERR", Activity::AccessDecision),
    (1123, "USER_CMD", Activity::Command),
    (1124, "USER_TTY", Activity::Other),
    (1125, "CHUSER_ID", Activity::IdentityChange),
    (1126, "GRP_AUTH", Activity::Authentication),
    (1127, "SYSTEM_BOOT", Activity::HostStart),
    (1128, "SYSTEM_SHUTDOWN", Activity::HostStop),
    (1129, "SYSTEM_RUNLEVEL", Activity::ConfigurationChange),
    (1130, "SERVICE_START", Activity::ServiceStart),
    (1131, "SERVICE_STOP", Activity::ServiceStop),
    (1132, "GRP_MGMT", Activity::GroupChange),
    (1133, "GRP_CHAUTHTOK", Activity::GroupPasswordChange),
    (1134, "MAC_CHECK", Activity::AccessDecision),
    (1135, "ACCT_LOCK", Activity::AccountLock),
    (1136, "ACCT_UNLOCK", Activity::AccountUnlock),
    (1137, "USER_DEVICE", Activity::DeviceChange),
    (1138, "SOFTWARE_UPDATE", Activity::SoftwareChange),
    (2100, "ANOM_LOGIN_FAILURES", Activity::LoginAnomaly),
    (2101, "ANOM_LOGIN_TIME", Activity::LoginAnomaly),
    (2102, "ANOM_LOGIN_SESSIONS", Activity::LoginAnomaly),
    (2103, "ANOM_LOGIN_ACCT", Activity::LoginAnomaly),
    (2104, "ANOM_LOGIN_LOCATION", Activity::LoginAnomaly),
    (2105, "ANOM_MAX_DAC", Activity::Anomaly),
    (2106, "ANOM_MAX_MAC", Activity::Anomaly),
    (2107, "ANOM_AMTU_FAIL", Activity::Anomaly),
    (2108, "ANOM_RBAC_FAIL", Activity::Anomaly),
    (2109, "ANOM_RBAC_INTEGRITY_FAIL", Activity::Anomaly),
    (2110, "ANOM_CRYPTO_FAIL", Activity::Anomaly),
    (2111, "ANOM_ACCESS_FS", Activity::Anomaly),
    (2112, "ANOM_EXEC", Activity::Anomaly),
    (2113, "ANOM_MK_EXEC", Activity::Anomaly),
    (2114, "ANOM_ADD_ACCT", Activity::Anomaly),
    (2115, "ANOM_DEL_ACCT", Activity::Anomaly),
    (2116, "ANOM_MOD_ACCT", Activity::Anomaly),
    (2117, "ANOM_ROOT_TRANS", Activity::Anomaly),
    (2118, "ANOM_LOGIN_SERVICE", Activity::LoginAnomaly),
    (2119, "ANOM_LOGIN_ROOT", Activity::LoginAnomaly),
    (2120, "ANOM_ORIGIN_FAILURES", Activity::LoginAnomaly),
    (2121, "ANOM_SESSION", Activity::LoginAnomaly),
    (2200, "RESP_ANOMALY", Activity::Response),
    (2201, "RESP_ALERT", Activity::Response),
    (2202, "RESP_KILL_PROC", Activity::Response),
    (2203, "RESP_TERM_ACCESS", Activity::Response),
    (2204, "RESP_ACCT_REMOTE", Activity::AccountLock),
    (2205, "RESP_ACCT_LOCK_TIMED", Activity::AccountLock),
    (2206, "RESP_ACCT_UNLOCK_TIMED", Activity::AccountUnlock),
    (2207, "RESP_ACCT_LOCK", Activity::AccountLock),
    (2208, "RESP_TERM_LOCK", Activity::Response),
    (2209, "RESP_SEBOOL", Activity::ConfigurationChange),
    (2210, "RESP_EXEC", Activity::Response),
    (2211, "RESP_SINGLE", Activity::Response),
    (2212, "RESP_HALT", Activity::Response),
    (2213, "RESP_ORIGIN_BLOCK", Activity::Response),
    (2214, "RESP_ORIGIN_BLOCK_TIMED", Activity::Response),
    (2215, "RESP_ORIGIN_UNBLOCK_TIMED", Activity::Response),
    (2300, "USER_ROLE_CHANGE", Activity::IdentityChange),
    (2301, "ROLE_ASSIGN", Activity::RoleAssignment),
    (2302, "ROLE_REMOVE", Activity::RoleRemoval),
    (2303, "LABEL_OVERRIDE", Activity::ConfigurationChange),
    (2304, "LABEL_LEVEL_CHANGE", Activity::ConfigurationChange),
    (2305, "USER_LABELED_EXPORT", Activity::Other),
    (2306, "USER_UNLABELED_EXPORT", Activity::Other),
    (2307, "DEV_ALLOC", Activity::ConfigurationChange),
    (2308, "DEV_DEALLOC", Activity::ConfigurationChange),
    (2309, "FS_RELABEL", Activity::ConfigurationChange),
    (2310, "USER_MAC_POLICY_LOAD", Activity::ConfigurationChange),
    (2311, "ROLE_MODIFY", Activity::ConfigurationChange),
    (2312, "USER_MAC_CONFIG_CHANGE", Activity::ConfigurationChange),
    (2313, "USER_MAC_STATUS", Activity::ConfigurationChange),
    (2400, "CRYPTO_TEST_USER", Activity::Other),
    (2401, "CRYPTO_PARAM_CHANGE_USER", Activity::ConfigurationChange),
    (2402, "CRYPTO_LOGIN", Activity::Login),
    (2403, "CRYPTO_LOGOUT", Activity::Logout),
    (2404, "CRYPTO_KEY_USER", Activity::Other),
    (2405, "CRYPTO_FAILURE_USER", Activity::Other),
    (2406, "CRYPTO_REPLAY_USER", Activity::Other),
    (2407, "CRYPTO_SESSION", Activity::Other),
    (2408, "CRYPTO_IKE_SA", Activity::Other),
    (2409, "CRYPTO_IPSEC_SA", Activity::Other),
    (2500, "VIRT_CONTROL", Activity::Other),
    (2501, "VIRT_RESOURCE", Activity::Other),
    (2502, "VIRT_MACHINE_ID", Activity::Other),
    (2503, "VIRT_INTEGRITY_CHECK", Activity::Other),
    (2504, "VIRT_CREATE", Activity::Other),
    (2505, "VIRT_DESTROY", Activity::Other),
    (2506, "VIRT_MIGRATE_IN", Activity::Other),
    (2507, "VIRT_MIGRATE_OUT", Activity::Other),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_order_and_in_range() {
        assert!(TYPES.is_sorted_by(|a, b| a.0 < b.0));
        let is_told = |number: u16| TYPE_NUMBERS.iter().any(|range| range.contains(&number.into()));
        assert!(TYPES.iter().all(|(number, ..)| is_told(*number)));
        assert_eq!((type_name(1112), type_name(7)), ("USER_LOGIN".into(), "UNKNOWN[7]".into()));
        assert!((0..=u16::MAX).all(|number| type_number(&type_name(number)) == Some(number)));
        assert_eq!((type_number("UNKNOWN[1112]"), type_number("UNKNOWN[01199]")), (None, None));
    }
}
