//! Which rows of the sensors' tables are of note: the events of the public API.
//!
//! | rows | type |
//! | --- | --- |
//! | `sensors` | `Event::Endpoint::Sensor::Started` |
//! | `lost_records` | `Event::Endpoint::Sensor::RecordsLost` |
//! | what Central sees itself | `Event::Endpoint::Sensor::Silent`, `LosingRecords`, `TamperedWith`, `WellAgain` |
//! | `audit_user_msg`: `USER_LOGIN` | `Event::Endpoint::Login::Succeeded`, `Event::Endpoint::Login::Failed` |
//! | `audit_user_msg`: `USER_AUTH` that failed | `Event::Endpoint::Authentication::Failed` |
//! | `audit_user_msg`: users, groups and passwords | `Event::Endpoint::Account::Changed` |

use sensor_proto::v1::row::Table;

/// A type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    SensorStarted,
    RecordsLost,
    LoginSucceeded,
    LoginFailed,
    AuthenticationFailed,
    AccountChanged,
    /// This and the next three are told by Central itself.
    SensorSilent,
    SensorLosing,
    SensorTampered,
    SensorWell,
}

/// Names of audit messages (linux/audit.h) about accounts.
const ACCOUNT: [&str; 9] = [
    "ADD_USER",
    "DEL_USER",
    "USER_MGMT",
    "ADD_GROUP",
    "DEL_GROUP",
    "GRP_MGMT",
    "USER_CHAUTHTOK",
    "ACCT_LOCK",
    "ACCT_UNLOCK",
];

impl EventType {
    pub const ALL: [Self; 10] = [
        Self::SensorStarted,
        Self::RecordsLost,
        Self::LoginSucceeded,
        Self::LoginFailed,
        Self::AuthenticationFailed,
        Self::AccountChanged,
        Self::SensorSilent,
        Self::SensorLosing,
        Self::SensorTampered,
        Self::SensorWell,
    ];

    /// The type of a row, if it is of note.
    #[must_use]
    pub fn of(row: &Table) -> Option<Self> {
        match row {
            Table::Sensors(_) => Some(Self::SensorStarted),
            Table::LostRecords(_) => Some(Self::RecordsLost),
            Table::AuditUserMsg(message) => {
                let failed = message.result == "failed";
                match message.type_name.as_str() {
                    "USER_LOGIN" if failed => Some(Self::LoginFailed),
                    "USER_LOGIN" => Some(Self::LoginSucceeded),
                    "USER_AUTH" if failed => Some(Self::AuthenticationFailed),
                    name if ACCOUNT.contains(&name) => Some(Self::AccountChanged),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// As the API tells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SensorStarted => "Event::Endpoint::Sensor::Started",
            Self::RecordsLost => "Event::Endpoint::Sensor::RecordsLost",
            Self::LoginSucceeded => "Event::Endpoint::Login::Succeeded",
            Self::LoginFailed => "Event::Endpoint::Login::Failed",
            Self::AuthenticationFailed => "Event::Endpoint::Authentication::Failed",
            Self::AccountChanged => "Event::Endpoint::Account::Changed",
            Self::SensorSilent => "Event::Endpoint::Sensor::Silent",
            Self::SensorLosing => "Event::Endpoint::Sensor::LosingRecords",
            Self::SensorTampered => "Event::Endpoint::Sensor::TamperedWith",
            Self::SensorWell => "Event::Endpoint::Sensor::WellAgain",
        }
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// In the words of `siem`.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        match self {
            Self::SensorStarted | Self::LoginSucceeded | Self::SensorWell => "none",
            Self::LoginFailed | Self::AuthenticationFailed | Self::AccountChanged => "low",
            Self::RecordsLost | Self::SensorLosing => "medium",
            Self::SensorSilent | Self::SensorTampered => "high",
        }
    }

    /// What it belongs to, as `siem` tells it.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::SensorStarted
            | Self::RecordsLost
            | Self::SensorSilent
            | Self::SensorLosing
            | Self::SensorTampered
            | Self::SensorWell => "PROTECTION",
            Self::LoginSucceeded | Self::LoginFailed | Self::AuthenticationFailed | Self::AccountChanged => {
                "AUTHENTICATION"
            }
        }
    }
}
