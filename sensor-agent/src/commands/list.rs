//! `policies`, `tables`, `lists` and `outputs`: what is configured of the running sensor, and what came of it.

use std::path::Path;

use clock::unix_now;
use diagnostic::printable_json;
use serde::Serialize;

use super::{fail, print, width};
use crate::cli::{Exit, Listed};
use crate::control::inventory::Policy;
use crate::control::{client, lists};

pub(super) fn list(run_dir: &Path, json: bool, what: &Listed) -> Exit {
    let inventory = match client::inventory(run_dir) {
        Ok(inventory) => inventory,
        Err(error) => return fail(&error),
    };
    let width = width();
    let text = match what {
        Listed::Policies { off, policy_type, group } => {
            let mut policies = inventory.policies;
            policies.retain(|policy| {
                (!off || !policy.on)
                    && policy_type.as_ref().is_none_or(|only| *only == policy.policy_type)
                    && group.as_ref().is_none_or(|only| is_in(policy, only))
            });
            if json { as_json(&policies) } else { lists::policies(&policies, unix_now(), width) }
        }
        Listed::Tables { off } => {
            let mut tables = inventory.tables;
            tables.retain(|table| !off || !table.on);
            if json { as_json(&tables) } else { lists::tables(&tables, unix_now(), width) }
        }
        Listed::Lists if json => as_json(&inventory.lists),
        Listed::Lists => lists::lists(&inventory.lists, width),
        Listed::Outputs if json => as_json(&inventory.outputs),
        Listed::Outputs => lists::outputs(&inventory.outputs, width),
    };
    if text.is_empty() { print("none\n") } else { print(&text) }
}

/// Whether a policy is in this content group, or in one that is in it.
fn is_in(policy: &Policy, group: &str) -> bool {
    policy.group.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn as_json(items: &impl Serialize) -> String {
    // Text and numbers always have a JSON form.
    printable_json(&serde_json::to_string_pretty(items).unwrap_or_default()).into_owned() + "\n"
}
