//! Keys of detections and of the lists that their rules name.

use schema::PolicyType;
use settings::{Key, Kind, Word as _, Words};

use super::super::words::{ListType, ResponseAction};
use super::kinds::{CONTENT_GROUP, DAY, FIELD, RULE};
use crate::policy::{Confidence, Priority};

/// Keys of a list.
pub(crate) static LIST: &[Key] = &[
    Key::new("type", Kind::Word(ListType::WORDS), "", "What it holds. Needed where the list is first defined."),
    Key::new("values", Kind::List(&Kind::Text), "", "All values, instead of those of earlier files."),
    Key::new("add", Kind::List(&Kind::Text), "", "Values on top of those of earlier files."),
    Key::new("remove", Kind::List(&Kind::Text), "", "Values to take out of those of earlier files."),
];

/// A type of policies.
pub(super) const POLICY_TYPE: Kind = Kind::Word(&Words { current: PolicyType::WORDS, older: &[] });

/// A detection.
pub(super) static DETECTION: Kind = Kind::Map(POLICY);

/// Keys of a detection.
pub(crate) static POLICY: &[Key] = &[
    Key::new("policy", POLICY_TYPE, "", "What it watches. Needed where the detection is first defined."),
    Key::new("enabled", Kind::Bool, "true", "Whether it is on."),
    Key::new("priority", Kind::Word(Priority::WORDS), "Medium", "How much its alerts matter."),
    Key::new("confidence", Kind::Word(Confidence::WORDS), "Medium", "How sure its alerts are."),
    Key::new("alertMessage", Kind::Text, "", "The alert's description."),
    Key::new("comments", Kind::Text, "", "What the reader of an alert should know.").aliases(&["comment"]),
    Key::new("description", Kind::Text, "", "What the detection is for."),
    Key::new("categories", Kind::OneOrMore(&Kind::Text), "", "Categories, such as MITRE techniques."),
    Key::new("alertLabels", Kind::MapOf(&Kind::Text), "", "Labels that its alerts carry."),
    Key::new(
        "responseActions",
        Kind::OneOrMore(&Kind::Word(ResponseAction::WORDS)),
        "[alert]",
        "What is done about it. `audit` without `alert`: its messages are of the type `audit`, which only outputs carry that name it in `message_types`. The older `responseAction` is taken as well.",
    )
    .aliases(&["responseAction"]),
    Key::new("dryRun", Kind::Bool, "false", "Do everything but act, and say so in the alert."),
    Key::new(
        "throttle",
        Kind::Map(THROTTLE),
        "",
        "How many alerts are sent at most; the next one counts those held back.",
    ),
    Key::new("contentGroup", Kind::Own(&CONTENT_GROUP), "", "The group of shipped detections that it belongs to."),
    Key::new(
        "exceptions",
        Kind::List(&Kind::Map(EXCEPTION)),
        "",
        "What it is not to tell although its rules say so: each like a rule in front of them. `sophoslinuxsensor rules except` \
         proposes them for an alert, and `sophoslinuxsensor policies` says how many alerts they took.",
    ),
    Key::new("rules", Kind::List(&Kind::Own(&RULE)), "", "The rules, in order: the first that holds decides."),
];

/// Keys of an exception.
pub(crate) static EXCEPTION: &[Key] = &[
    Key::new("rule", Kind::Own(&RULE), "", "What is excepted: `ignore` and a condition. Required."),
    Key::new("comment", Kind::Text, "", "Why, and whose word that is. Required."),
    Key::new("until", Kind::Own(&DAY), "", "The last day, UTC, such as 2026-12-31. Without it, for ever."),
];

static THROTTLE: &[Key] = &[
    Key::new("count", Kind::Count(1, 1_000_000), "1", "Alerts at most …"),
    Key::new("per", Kind::Duration(1), "1m", "… in this time …"),
    Key::new("by", Kind::OneOrMore(&Kind::Own(&FIELD)), "", "… for each combination of these fields' values."),
];
