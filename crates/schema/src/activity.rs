//! What an event is, in terms that every format has words for, and how it ended.
//!
//! An event's kind, of an audit message its message type, says which [`Activity`] it is. The formats read that and the
//! fields' roles ([`crate::Role`]) alone, so what an event is stands in one place, and a format that lacks a word for an
//! activity does not compile.

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
    /// A module or a BPF program was loaded into the kernel.
    KernelExtension,
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

/// How far the harm can reach that an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// As far as its process can.
    Process,
    /// The whole host, whoever its process is.
    Host,
    /// It is no harm of a process's.
    Other,
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
