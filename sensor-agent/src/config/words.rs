//! The closed sets of words that a configuration may use.
//!
//! Each is declared once: the enum that the program works with, the words that users write, and the older
//! spellings that are taken as well.

/// A closed set of words.
pub trait Word: Copy + Sized + 'static {
    /// All words.
    const WORDS: &'static Words;

    /// The value of a word, in any letter case.
    fn from_word(word: &str) -> Option<Self>;

    /// The word of a value.
    fn word(self) -> &'static str;
}

/// The words of a closed set, as users write them.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// In the order of the enum.
    pub current: &'static [&'static str],
    /// Older spellings, which are taken as well.
    pub older: &'static [&'static str],
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal $(| $older:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl Word for $name {
            const WORDS: &'static Words = &Words { current: &[$($word,)*], older: &[$($($older,)*)*] };

            fn from_word(word: &str) -> Option<Self> {
                let known: &[(&str, Self)] = &[$(($word, Self::$variant), $(($older, Self::$variant),)*)*];
                known.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
            }

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// Whose instance metadata goes into alerts.
    CloudMeta {
        Off = "off",
        /// Whichever cloud answers.
        Auto = "auto",
        Ec2 = "ec2" | "aws",
        Ec2WithTags = "ec2_with_tags",
        Gcp = "gcp",
        GcpWithLabels = "gcp_with_labels",
        Azure = "azure",
    }
}

words! {
    /// Which hooks tell audit messages.
    AuditHooks {
        /// The best that the kernel offers.
        Best = "best",
        /// The tracepoint, also where the kernel's functions could be traced.
        Tracepoint = "tracepoint",
        Off = "off",
    }
}

words! {
    /// What to do about a certificate revocation list that is out of date.
    CrlPolicy {
        /// Deliver nothing until it is fresh; alerts wait on disk.
        Refuse = "refuse",
        /// Deliver, and say so loudly.
        Warn = "warn",
    }
}

words! {
    /// Where alerts go.
    OutputType {
        Stdout = "stdout",
        File = "file",
        Syslog = "syslog",
        Webhook = "webhook",
        Mcs = "mcs",
        Zeromq = "zeromq",
        SplunkHec = "splunk_hec",
    }
}

words! {
    /// Where table rows go.
    SinkBackend {
        Mcs = "mcs",
        Zeromq = "zeromq",
        File = "file",
        Stdout = "stdout",
        Parquet = "parquet",
    }
}

words! {
    /// How a syslog message begins.
    SyslogProtocol {
        /// RFC 3164 without the host: what the C library writes to `/dev/log`, and system loggers read there.
        Local = "local",
        Rfc3164 = "rfc3164",
        Rfc5424 = "rfc5424",
    }
}

words! {
    /// How messages in a stream are told apart (RFC 6587).
    Framing {
        /// The length of each before it.
        Octets = "octets" | "octet-counting",
        /// A line feed behind each.
        Lf = "lf" | "newline",
        /// A zero byte behind each.
        Nul = "nul",
    }
}

words! {
    /// Kinds of messages that an output may carry.
    MessageType {
        Alert = "alert",
        SmartPolicy = "smart_policy",
        Audit = "audit",
    }
}

words! {
    /// The shape of an alert without a template.
    Format {
        Json = "json",
        Cef = "cef",
        Ecs = "ecs",
        Ocsf = "ocsf",
    }
}

words! {
    /// The shape of a table row.
    RowFormat {
        Json = "json",
        Ocsf = "ocsf",
    }
}

words! {
    /// How a ZeroMQ socket hands out messages.
    ZeromqPattern {
        /// To every subscriber that is there.
        Pub = "pub",
        /// To one of the peers in turn.
        Push = "push",
    }
}

words! {
    /// What a ZeroMQ message holds beside its topic.
    ZeromqEncoding {
        /// Of an alert what its template or format makes of it, of a row its JSON.
        Json = "json",
        /// The messages of `proto/`.
        Protobuf = "protobuf",
    }
}

words! {
    /// How a webhook is called.
    WebhookMethod {
        Post = "POST",
        Put = "PUT",
    }
}

words! {
    /// The facility of syslog messages (RFC 5424, section 6.2.1).
    Facility {
        Kern = "kern",
        User = "user",
        Mail = "mail",
        Daemon = "daemon",
        Auth = "auth",
        Syslog = "syslog",
        Lpr = "lpr",
        News = "news",
        Uucp = "uucp",
        Cron = "cron",
        Authpriv = "authpriv",
        Ftp = "ftp",
        Local0 = "local0",
        Local1 = "local1",
        Local2 = "local2",
        Local3 = "local3",
        Local4 = "local4",
        Local5 = "local5",
        Local6 = "local6",
        Local7 = "local7",
    }
}

impl Facility {
    /// The number that goes into the priority value.
    #[must_use]
    pub const fn code(self) -> u8 {
        // 12 to 15 have no name that is the same everywhere.
        let position = self as u8;
        if position < 12 { position } else { position + 4 }
    }
}

words! {
    /// What a policy watches.
    PolicyType {
        Program = "program",
        AuditUserMessage = "auditUserMessage",
        /// Audit messages that the kernel did not take.
        AuditUserMessageRefused = "auditUserMessageRefused",
        File = "file",
        FileMonitor = "fileMonitor",
        Connect = "connect",
        Sendto = "sendto",
        NetworkService = "networkService",
        CloudMetadata = "cloudMetadata",
        InteractiveShell = "interactiveShell",
        RemoteInteractiveShell = "remoteInteractiveShell",
        NewFileExec = "newFileExec",
        LoadKernelModule = "loadKernelModule",
        Userfaultfd = "userfaultfd",
        BpfExec = "bpfExec",
        Ptrace = "ptrace",
        SpectreMeltdown = "spectreMeltdown",
        Kprobe = "kprobe",
        Uprobe = "uprobe",
    }
}

words! {
    /// How much an alert matters.
    Priority {
        High = "High",
        Medium = "Medium",
        Low = "Low",
        Info = "Info",
    }
}

words! {
    /// How sure a policy is of what it says.
    Confidence {
        High = "High",
        Medium = "Medium",
        Low = "Low",
    }
}

words! {
    /// What a policy does about what it found.
    ResponseAction {
        Alert = "alert",
        /// Tells of it as a message of type `audit` instead of an alert.
        Audit = "audit",
        /// Stops the process; it can be continued.
        Stop = "stop",
        Kill = "kill",
        /// Kills the process and its descendants.
        KillTree = "kill-tree",
        KillContainer = "kill-container",
        Quarantine = "quarantine",
        Delete = "delete",
    }
}

words! {
    /// What a list holds, and so how its values are compared.
    ListType {
        /// Globs.
        Names = "names",
        /// CIDR ranges, addresses and domain names.
        Hosts = "hosts",
        /// Globs over paths.
        Paths = "paths",
        Numbers = "numbers",
        /// Programs of ancestors.
        Lineage = "lineage",
    }
}

/// What the configuration may ask for and the program may not be able to do yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Policy(PolicyType),
    Action(ResponseAction),
    CloudMeta(CloudMeta),
    ContainerRuntimes,
}

/// Whether the program does it. The one list of what is accepted, checked, and then not acted upon.
#[must_use]
pub const fn is_built(feature: Feature) -> bool {
    match feature {
        Feature::Policy(policy) => {
            matches!(policy, PolicyType::Program | PolicyType::AuditUserMessage | PolicyType::AuditUserMessageRefused)
        }
        Feature::Action(action) => matches!(action, ResponseAction::Alert | ResponseAction::Audit),
        Feature::CloudMeta(cloud) => matches!(cloud, CloudMeta::Off),
        Feature::ContainerRuntimes => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_older_ones_too() {
        assert_eq!(Priority::from_word("high"), Some(Priority::High));
        assert_eq!(CloudMeta::from_word("aws"), Some(CloudMeta::Ec2));
        assert_eq!(CloudMeta::from_word("aw"), None);
        for word in PolicyType::WORDS.current {
            assert_eq!(PolicyType::from_word(word).map(Word::word), Some(*word));
        }
    }

    #[test]
    fn facilities_have_their_codes() {
        assert_eq!((Facility::Kern.code(), Facility::Authpriv.code(), Facility::Ftp.code()), (0, 10, 11));
        assert_eq!((Facility::Local0.code(), Facility::Local7.code()), (16, 23));
    }
}
