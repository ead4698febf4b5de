//! What an event is, in terms that every format has words for, and how it ended.
//!
//! An event's kind, of an audit message its message type, says which [`Activity`] it is. The formats read that and the
//! fields' roles ([`crate::Role`]) alone, so what an event is stands in one place, with the words that the published schemas have
//! for it.

/// Declares the activities, each with its words.
macro_rules! activities {
    ($(
        $(#[$doc:meta])*
        $activity:ident = ecs $categories:tt $types:tt, ocsf $class:ident $(, $number:literal, $name:literal)?;
    )*) => {
        /// What an event tells of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Activity {
            $($(#[$doc])* $activity,)*
        }

        impl Activity {
            /// The categories and types that the Elastic Common Schema has for it; each type is one that it expects of a category.
            #[must_use]
            pub const fn ecs(self) -> (&'static [&'static str], &'static [&'static str]) {
                match self {
                    $(Self::$activity => (&$categories, &$types),)*
                }
            }

            /// What it is in the Open Cybersecurity Schema Framework.
            #[must_use]
            pub const fn ocsf(self) -> Ocsf {
                match self {
                    $(Self::$activity => Ocsf::$class$(.activity($number, $name))?,)*
                }
            }
        }
    };
}

activities! {
    /// A process was forked, or runs a program.
    ProcessStart = ecs ["process"] ["start"], ocsf Process, 1, "Launch";
    ProcessEnd = ecs ["process"] ["end"], ocsf Process, 2, "Terminate";
    /// A process was found running.
    ProcessFound = ecs ["process"] ["info"], ocsf Process;
    /// Who somebody is was checked, by a password say.
    Authentication = ecs ["authentication"] ["start"], ocsf Authentication, 1, "Logon";
    /// Whether an account may be used now was checked.
    Authorization = ecs ["authentication"] ["info"], ocsf Authentication;
    CredentialsTaken = ecs ["authentication"] ["info"], ocsf Authentication;
    CredentialsDropped = ecs ["authentication"] ["info"], ocsf Authentication;
    Login = ecs ["authentication", "session"] ["start"], ocsf Authentication, 1, "Logon";
    Logout = ecs ["authentication", "session"] ["end"], ocsf Authentication, 2, "Logoff";
    SessionStart = ecs ["session"] ["start"], ocsf Authentication, 1, "Logon";
    SessionEnd = ecs ["session"] ["end"], ocsf Authentication, 2, "Logoff";
    AccountCreation = ecs ["iam"] ["user", "creation"], ocsf AccountChange, 1, "Create";
    AccountDeletion = ecs ["iam"] ["user", "deletion"], ocsf AccountChange, 6, "Delete";
    AccountChange = ecs ["iam"] ["user", "change"], ocsf AccountChange;
    AccountLock = ecs ["iam"] ["user", "change"], ocsf AccountChange, 9, "Lock";
    AccountUnlock = ecs ["iam"] ["user", "change"], ocsf AccountChange, 12, "Unlock";
    PasswordChange = ecs ["iam"] ["user", "change"], ocsf AccountChange, 3, "Password Change";
    GroupCreation = ecs ["iam"] ["group", "creation"], ocsf Group, 6, "Create";
    GroupDeletion = ecs ["iam"] ["group", "deletion"], ocsf Group, 5, "Delete";
    GroupChange = ecs ["iam"] ["group", "change"], ocsf Group;
    GroupPasswordChange = ecs ["iam"] ["group", "change"], ocsf Group;
    RoleAssignment = ecs ["iam"] ["admin", "change"], ocsf UserAccess, 1, "Assign Privileges";
    RoleRemoval = ecs ["iam"] ["admin", "change"], ocsf UserAccess, 2, "Revoke Privileges";
    /// Somebody goes on as another user, group or role.
    IdentityChange = ecs ["authentication"] ["info"], ocsf Authentication;
    /// A command that somebody runs as somebody else.
    Command = ecs ["process"] ["start"], ocsf Base;
    /// A program that guards something decided on an access.
    AccessDecision = ecs ["host"] ["access"], ocsf Base;
    ServiceStart = ecs ["process"] ["start"], ocsf Application, 3, "Start";
    ServiceStop = ecs ["process"] ["end"], ocsf Application, 4, "Stop";
    HostStart = ecs ["host"] ["start"], ocsf Base;
    HostStop = ecs ["host"] ["end"], ocsf Base;
    ConfigurationChange = ecs ["configuration"] ["change"], ocsf Base;
    SoftwareChange = ecs ["package"] ["change"], ocsf Application, 8, "Update";
    DeviceChange = ecs ["host"] ["change"], ocsf Base;
    /// An intrusion detection found something odd about a login.
    LoginAnomaly = ecs ["authentication", "intrusion_detection"] ["info"], ocsf Authentication;
    /// The same about anything else.
    Anomaly = ecs ["intrusion_detection"] ["info"], ocsf Base;
    /// What an intrusion detection did about it.
    Response = ecs ["intrusion_detection"] ["info"], ocsf Base;
    /// A message to the kernel's audit that the kernel refused: whatever it says is nobody's word.
    Forgery = ecs ["intrusion_detection"] ["denied"], ocsf Base;
    /// A process took another one over.
    ProcessAccess = ecs ["process"] ["access"], ocsf Process, 3, "Open";
    /// A process wrote into the memory of another one.
    ProcessInjection = ecs ["process"] ["change"], ocsf Process, 4, "Inject";
    /// A process goes on in other namespaces.
    NamespaceChange = ecs ["process"] ["change"], ocsf Base;
    /// A file system was mounted, moved or taken away, or another folder was made the root.
    MountChange = ecs ["configuration"] ["change"], ocsf Base;
    /// A container comes or goes.
    ContainerChange = ecs ["host"] ["change"], ocsf Base;
    /// Memory was made executable.
    MemoryProtection = ecs ["process"] ["change"], ocsf Memory, 2, "Modify Page";
    /// A file was made in memory.
    MemoryAllocation = ecs ["process"] ["change"], ocsf Memory, 1, "Allocate Page";
    /// Something else was done to a process's memory.
    MemoryOther = ecs ["process"] ["change"], ocsf Memory;
    /// A module or a BPF program was loaded into the kernel.
    KernelExtension = ecs ["driver"] ["start"], ocsf KernelExtension, 1, "Load";
    /// A connection is asked for.
    ConnectionAttempt = ecs ["network"] ["connection", "start"], ocsf Network, 1, "Open";
    /// It came about, or failed.
    ConnectionResult = ecs ["network"] ["connection", "info"], ocsf Network, 1, "Open";
    /// Somebody else's was taken.
    ConnectionAccepted = ecs ["network"] ["connection", "start"], ocsf Network, 1, "Open";
    /// Something is sent without one.
    Datagram = ecs ["network"] ["info"], ocsf Network, 6, "Traffic";
    /// A socket is given an address.
    Bind = ecs ["network"] ["info"], ocsf Network;
    Listen = ecs ["network"] ["info"], ocsf Network, 7, "Listen";
    FileCreation = ecs ["file"] ["creation"], ocsf File, 1, "Create";
    FileChange = ecs ["file"] ["change"], ocsf File, 3, "Update";
    FileDeletion = ecs ["file"] ["deletion"], ocsf File, 4, "Delete";
    FileRename = ecs ["file"] ["change"], ocsf File, 5, "Rename";
    FileAccess = ecs ["file"] ["access"], ocsf File, 14, "Open";
    FileAttributeChange = ecs ["file"] ["change"], ocsf File, 6, "Set Attributes";
    /// What the sensor tells of itself.
    Sensor = ecs ["host"] ["info"], ocsf Base;
    /// An audit message of another type.
    Other = ecs ["host"] ["info"], ocsf Base;
}

/// A class of the Open Cybersecurity Schema Framework, and an activity of it: numbers and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ocsf {
    pub category: (u32, &'static str),
    pub class: (u32, &'static str),
    /// Without a name: the event's own.
    pub activity: (u32, &'static str),
}

#[expect(non_upper_case_globals, reason = "they stand in a table beside names of types")]
impl Ocsf {
    pub const Base: Self = Self::class((0, "Uncategorized"), 0, "Base Event");
    pub const File: Self = Self::class(Self::SYSTEM, 1001, "File System Activity");
    pub const KernelExtension: Self = Self::class(Self::SYSTEM, 1002, "Kernel Extension Activity");
    pub const Memory: Self = Self::class(Self::SYSTEM, 1004, "Memory Activity");
    pub const Process: Self = Self::class(Self::SYSTEM, 1007, "Process Activity");
    pub const AccountChange: Self = Self::class(Self::IAM, 3001, "Account Change");
    pub const Authentication: Self = Self::class(Self::IAM, 3002, "Authentication");
    pub const UserAccess: Self = Self::class(Self::IAM, 3005, "User Access Management");
    pub const Group: Self = Self::class(Self::IAM, 3006, "Group Management");
    pub const Network: Self = Self::class((4, "Network Activity"), 4001, "Network Activity");
    pub const Application: Self = Self::class((6, "Application Activity"), 6002, "Application Lifecycle");

    const SYSTEM: (u32, &str) = (1, "System Activity");
    const IAM: (u32, &str) = (3, "Identity & Access Management");
    /// What a class has no word for.
    pub const OTHER: (u32, &str) = (99, "");

    const fn class(category: (u32, &'static str), number: u32, name: &'static str) -> Self {
        Self { category, class: (number, name), activity: Self::OTHER }
    }

    /// This activity of the class.
    #[must_use]
    pub const fn activity(self, number: u32, name: &'static str) -> Self {
        Self { activity: (number, name), ..self }
    }

    /// The class, with whichever activity.
    #[must_use]
    pub const fn class_alone(self) -> Self {
        Self { activity: Self::OTHER, ..self }
    }
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
