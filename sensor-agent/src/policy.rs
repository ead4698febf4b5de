//! A configured detection, as far as its alerts tell of it: what detections and alerts both speak of.

/// What an alert tells of the policy that was violated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `strategy_name`.
    pub name: String,
    /// Such as `program`.
    pub policy_type: String,
    pub message_type: MessageType,
    pub priority: Priority,
    pub confidence: Confidence,
    /// `alertMessage`.
    pub description: String,
    pub comments: String,
    pub categories: Vec<String>,
    pub labels: Vec<(String, String)>,
    /// The content group that the policy belongs to, such as `Detection Analytics.Persistence`.
    pub content_group: String,
}

/// What kind of message an alert is to the outputs' `message_types`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageType {
    #[default]
    Alert,
    SmartPolicy,
    Audit,
}

impl MessageType {
    pub const ALL: [Self; 3] = [Self::Alert, Self::SmartPolicy, Self::Audit];

    /// The word in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::SmartPolicy => "smart_policy",
            Self::Audit => "audit",
        }
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    Info,
    Low,
    #[default]
    Medium,
    High,
}

impl Priority {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "Info",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// How sure it is that an alert is not a false one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    Low,
    #[default]
    Medium,
    High,
}

impl Confidence {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}
