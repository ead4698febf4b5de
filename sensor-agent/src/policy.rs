//! A configured detection, as far as its alerts tell of it: what detections and alerts both speak of.

use settings::words;

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
    /// What is done about what it finds, besides telling it.
    pub response: Response,
}

/// What a policy does about what it finds, in this order; usually nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub actions: Vec<Action>,
    /// Do everything but act, and say so.
    pub dry_run: bool,
}

words! {
    /// One thing that is done about what a policy finds.
    pub Action {
        /// Stops the process; it can be continued.
        Stop = "stop",
        Kill = "kill",
        /// Kills the process and its descendants.
        KillTree = "kill-tree",
        /// Kills all processes of its container.
        KillContainer = "kill-container",
    }
}

words! {
    /// What kind of message an alert is to the outputs' `message_types`.
    #[derive(Default)]
    pub MessageType {
        #[default]
        Alert = "alert",
        SmartPolicy = "smart_policy",
        Audit = "audit",
    }
}

impl MessageType {
    /// What an output carries that does not say.
    pub const USUAL: [Self; 2] = [Self::Alert, Self::SmartPolicy];
}

words! {
    /// How urgent an alert is.
    #[derive(Default)]
    pub Priority {
        Info = "Info",
        Low = "Low",
        #[default]
        Medium = "Medium",
        High = "High",
    }
}

words! {
    /// How sure it is that an alert is not a false one.
    #[derive(Default)]
    pub Confidence {
        Low = "Low",
        #[default]
        Medium = "Medium",
        High = "High",
    }
}
