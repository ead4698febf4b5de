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
        for word in ResponseAction::WORDS.current {
            assert_eq!(ResponseAction::from_word(word).map(ResponseAction::word), Some(*word));
        }
        assert_eq!(CloudMeta::from_word("aws"), Some(CloudMeta::Ec2));
    }
}
