//! The closed sets of words of the sensor's configuration.

use settings::words;

words! {
    /// Whose instance metadata goes into alerts.
    pub CloudMeta {
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
    pub AuditHooks {
        /// The best that the kernel offers.
        Best = "best",
        /// The tracepoint, also where the kernel's functions could be traced.
        Tracepoint = "tracepoint",
        Off = "off",
    }
}

words! {
    /// What to do about a certificate revocation list that is out of date.
    pub CrlPolicy {
        /// Deliver nothing until it is fresh; alerts wait on disk.
        Refuse = "refuse",
        /// Deliver, and say so loudly.
        Warn = "warn",
    }
}

words! {
    /// Where alerts go.
    pub OutputType {
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
    pub SinkBackend {
        Mcs = "mcs",
        Zeromq = "zeromq",
        File = "file",
        Stdout = "stdout",
        Parquet = "parquet",
    }
}

words! {
    /// How a syslog message begins.
    pub SyslogProtocol {
        /// RFC 3164 without the host: what the C library writes to `/dev/log`, and system loggers read there.
        Local = "local",
        Rfc3164 = "rfc3164",
        Rfc5424 = "rfc5424",
    }
}

words! {
    /// How messages in a stream are told apart (RFC 6587).
    pub Framing {
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
    pub MessageType {
        Alert = "alert",
        SmartPolicy = "smart_policy",
        Audit = "audit",
    }
}

words! {
    /// The shape of an alert without a template.
    pub Format {
        Json = "json",
        Cef = "cef",
        Ecs = "ecs",
        Ocsf = "ocsf",
    }
}

words! {
    /// The shape of a table row.
    pub RowFormat {
        Json = "json",
        Ocsf = "ocsf",
    }
}

words! {
    /// How a ZeroMQ socket hands out messages.
    pub ZeromqPattern {
        /// To every subscriber that is there.
        Pub = "pub",
        /// To one of the peers in turn.
        Push = "push",
    }
}

words! {
    /// What a ZeroMQ message holds beside its topic.
    pub ZeromqEncoding {
        /// Of an alert what its template or format makes of it, of a row its JSON.
        Json = "json",
        /// The messages of `proto/`.
        Protobuf = "protobuf",
    }
}

words! {
    /// How a webhook is called.
    pub WebhookMethod {
        Post = "POST",
        Put = "PUT",
    }
}

words! {
    /// The facility of syslog messages (RFC 5424, section 6.2.1).
    pub Facility {
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
    /// How much an alert matters.
    pub Priority {
        High = "High",
        Medium = "Medium",
        Low = "Low",
        Info = "Info",
    }
}

words! {
    /// How sure a policy is of what it says.
    pub Confidence {
        High = "High",
        Medium = "Medium",
        Low = "Low",
    }
}

words! {
    /// What a policy does about what it found.
    pub ResponseAction {
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
    pub ListType {
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
    Action(ResponseAction),
    CloudMeta(CloudMeta),
    ContainerRuntimes,
}

/// Whether the program does it. The one list of what is accepted, checked, and then not acted upon.
#[must_use]
pub const fn is_built(feature: Feature) -> bool {
    match feature {
        Feature::Action(action) => matches!(action, ResponseAction::Alert | ResponseAction::Audit),
        Feature::CloudMeta(cloud) => matches!(cloud, CloudMeta::Off),
        Feature::ContainerRuntimes => false,
    }
}

#[cfg(test)]
mod tests {
    use settings::Word as _;

    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for word in Priority::WORDS.current {
            assert_eq!(Priority::from_word(word).map(Priority::word), Some(*word));
        }
        assert_eq!(CloudMeta::from_word("aws"), Some(CloudMeta::Ec2));
    }

    #[test]
    fn facilities_have_their_codes() {
        assert_eq!((Facility::Kern.code(), Facility::Authpriv.code(), Facility::Ftp.code()), (0, 10, 11));
        assert_eq!((Facility::Local0.code(), Facility::Local7.code()), (16, 23));
    }
}
