//! Programs that the kernel itself has run, in the name of nobody.

use crate::field::{Role, Type, event, fields};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "user_helper";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::UserHelper,
    word: "USER_HELPER_EVENT_TYPE_START",
    activity: Some(Activity::Command),
    outcome: Some(Outcome::Unknown),
    reach: Reach::Host,
    parts: &[&HELPER_PATH, &HELPER_COMMAND_LINE],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "userHelper", sees: &[EventType::UserHelper] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

fields! {
    HELPER_PATH = event(
        Class::UserHelper,
        "helperPath",
        "helper_path",
        Type::Path,
        "The program that the kernel itself is about to have run, as root and outside of every container; the process of the event is who gave occasion to it, by the end of a program say, or a thread of the kernel.",
    )
    .role(Role::Object);
    HELPER_COMMAND_LINE = event(
        Class::UserHelper,
        "helperCommandLine",
        "helper_cmdline",
        Type::Text,
        "Its first four arguments, its own name before them, joined by blanks; 63 bytes of each.",
    );
}
