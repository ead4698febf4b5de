//! What an event is, in terms that every format has words for, and how it ended.
//!
//! An event's class and type, of an audit message its message type, say which [`Activity`] it is. The formats read that
//! and the fields' roles ([`super::fields::Role`]) alone, so what an event is stands in one place, and a format that lacks
//! a word for an activity does not compile.

use super::{Class, Detail, Event, EventType, audit};

/// What an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// A process was forked, or runs a program.
    ProcessStart,
    ProcessEnd,
    /// A process was found running.
    ProcessFound,
    /// Who somebody is was checked, by a password say.
    Authentication,
    /// Whether an account may be used now was checked.
    Authorization,
    CredentialsTaken,
    CredentialsDropped,
    Login,
    Logout,
    SessionStart,
    SessionEnd,
    AccountCreation,
    AccountDeletion,
    AccountChange,
    AccountLock,
    AccountUnlock,
    PasswordChange,
    GroupCreation,
    GroupDeletion,
    GroupChange,
    GroupPasswordChange,
    RoleAssignment,
    RoleRemoval,
    /// Somebody goes on as another user, group or role.
    IdentityChange,
    /// A command that somebody runs as somebody else.
    Command,
    /// A program that guards something decided on an access.
    AccessDecision,
    ServiceStart,
    ServiceStop,
    HostStart,
    HostStop,
    ConfigurationChange,
    SoftwareChange,
    DeviceChange,
    /// An intrusion detection found something odd about a login.
    LoginAnomaly,
    /// The same about anything else.
    Anomaly,
    /// What an intrusion detection did about it.
    Response,
    /// A message to the kernel's audit that the kernel refused: whatever it says is nobody's word.
    Forgery,
    /// What the sensor tells of itself.
    Sensor,
    /// An audit message of another type.
    Other,
}

impl Activity {
    /// Whether it is about a group rather than a user: then the account and its id are those of the group.
    #[must_use]
    pub const fn is_of_group(self) -> bool {
        matches!(self, Self::GroupCreation | Self::GroupDeletion | Self::GroupChange | Self::GroupPasswordChange)
    }

    /// Whether the account that the event is about is another than the one that acts.
    #[must_use]
    pub const fn is_of_account(self) -> bool {
        self.is_of_group()
            || matches!(
                self,
                Self::AccountCreation
                    | Self::AccountDeletion
                    | Self::AccountChange
                    | Self::AccountLock
                    | Self::AccountUnlock
                    | Self::PasswordChange
                    | Self::RoleAssignment
                    | Self::RoleRemoval
            )
    }

    /// Whether somebody proves who they are, comes or goes.
    #[must_use]
    pub const fn is_of_login(self) -> bool {
        matches!(
            self,
            Self::Authentication
                | Self::Authorization
                | Self::CredentialsTaken
                | Self::CredentialsDropped
                | Self::Login
                | Self::Logout
                | Self::SessionStart
                | Self::SessionEnd
                | Self::LoginAnomaly
        )
    }
}

/// How what an event tells of ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// The event does not say.
    Unknown,
}

impl Outcome {
    /// The word of CEF and of the Elastic Common Schema.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

impl Event {
    /// What it tells of.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match (self.kind, &self.detail) {
            (EventType::Fork | EventType::Exec | EventType::ExecFailed, _) => Activity::ProcessStart,
            (EventType::Exit, _) => Activity::ProcessEnd,
            (EventType::Baseline, _) => Activity::ProcessFound,
            (EventType::AuditMessageRefused, _) => Activity::Forgery,
            (EventType::AuditMessage, Detail::Audit(message)) => message.activity(),
            (EventType::AuditMessage, _) => Activity::Other,
            (EventType::LostRecords | EventType::SensorStarted, _) => Activity::Sensor,
        }
    }

    /// How that ended. What is not known is no success.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.kind, &self.detail) {
            (EventType::Fork | EventType::Exec | EventType::Exit, _) => Outcome::Success,
            // The kernel refused the message.
            (EventType::ExecFailed | EventType::AuditMessageRefused, _) => Outcome::Failure,
            (EventType::AuditMessage, Detail::Audit(message)) => match message.outcome() {
                Some(audit::Outcome::Success) => Outcome::Success,
                Some(audit::Outcome::Failed) => Outcome::Failure,
                None => Outcome::Unknown,
            },
            (EventType::Baseline | EventType::AuditMessage | EventType::LostRecords | EventType::SensorStarted, _) => {
                Outcome::Unknown
            }
        }
    }

    /// Whether a login name that rules may ask for is being asked for: that of the process, or of a message's account.
    #[must_use]
    pub fn awaits_name(&self) -> bool {
        let of_account = matches!(&self.detail, Detail::Audit(message) if message.awaits_name());
        self.process.user.is_pending() || of_account
    }

    /// Whether it is the word of a program, which says more of the message's subject than of its sender.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.kind.class() == Class::Audit
    }
}
