//! The closed sets of words of the sensor's configuration.

use settings::words;

use crate::policy::Action;

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

impl ResponseAction {
    /// What is done beyond telling of it; none also of what is not built.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        match self {
            Self::Stop => Some(Action::Stop),
            Self::Kill => Some(Action::Kill),
            Self::KillTree => Some(Action::KillTree),
            Self::KillContainer => Some(Action::KillContainer),
            Self::Alert | Self::Audit | Self::Quarantine | Self::Delete => None,
        }
    }
}

/// What the configuration may ask for and the program may not be able to do yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Action(ResponseAction),
    CloudMeta(CloudMeta),
}

/// Whether the program does it. The one list of what is accepted, checked, and then not acted upon.
#[must_use]
pub const fn is_built(feature: Feature) -> bool {
    match feature {
        Feature::Action(action) => {
            matches!(action, ResponseAction::Alert | ResponseAction::Audit) || action.action().is_some()
        }
        Feature::CloudMeta(cloud) => matches!(cloud, CloudMeta::Off),
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
        for action in ResponseAction::ALL.iter().filter(|action| action.action().is_some()) {
            assert_eq!(action.action().map(Action::word), Some(action.word()));
        }
        assert_eq!(CloudMeta::from_word("aws"), Some(CloudMeta::Ec2));
    }
}
