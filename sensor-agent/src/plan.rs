//! From a configuration to what runs: rules compiled, templates parsed, outputs described.
//!
//! Everything that can be wrong with what users wrote is found here or before, and told in one report; what is left
//! for the start are the host's own troubles.

mod destinations;
mod exceptions;
mod gaps;
mod in_vain;
mod policies;
mod tables;

use std::sync::Arc;

use crate::config::Config;
use crate::engine::Setup;
use crate::output::{OutputSettings, SinkSettings};
use crate::redaction::Redaction;
use crate::response::Limits;
use crate::rules::{ListSource, Lists};

use diagnostic::Report;
pub use gaps::gaps;
pub use policies::{InForce, PolicyLine, PolicyOff, in_force_apart, rule_books};

/// What runs under a configuration. Of use only if the report has no errors.
#[derive(Debug)]
pub struct Plan {
    pub setup: Setup,
    pub outputs: Vec<OutputSettings>,
    pub sinks: Vec<SinkSettings>,
    /// All policies in force, for `-check`.
    pub policies: Vec<PolicyLine>,
    /// All others, with the reason.
    pub off: Vec<PolicyOff>,
    /// The lists that rules can name.
    pub lists: Vec<ListLine>,
}

/// A list, all files taken together, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListLine {
    pub name: String,
    /// Such as `paths`.
    pub kind: &'static str,
    pub entries: usize,
}

/// Compiles a configuration.
#[must_use]
pub fn plan(config: &Config, report: &mut Report) -> Plan {
    in_vain::lists(config, report);
    let lists = lists(config, report);
    let (detection, policies) = policies::compile(config, &lists, report);
    let outputs = destinations::outputs(config, report);
    let sinks = destinations::sinks(config, report);
    let recorder = tables::compile(config, &lists, !sinks.is_empty(), report);
    let reporting_interval = config.investigations.reporting_interval;
    let off = policies::off(config);
    let mut names: Vec<&str> = lists.names().collect();
    names.sort_unstable();
    let line = |name: &str| {
        let list = lists.get(name)?;
        Some(ListLine { name: name.to_owned(), kind: list.kind.info().word, entries: list.texts.len() })
    };
    let lists = names.into_iter().filter_map(line).collect();
    let redaction = Arc::new(Redaction::new(config.redaction.clone()));
    let limits = Arc::new(Limits::new(config.response.actions_per_minute, &config.response.protected));
    let setup = Setup { detection, recorder, redaction, reporting_interval, limits };
    Plan { setup, outputs, sinks, policies, off, lists }
}

/// The lists of all files, merged.
fn lists(config: &Config, report: &mut Report) -> Lists {
    let sources: Vec<ListSource> = config
        .lists
        .iter()
        .flatten()
        .map(|list| ListSource {
            name: list.name.clone(),
            kind: list.list_type.clone().map(|kind| kind.map(|kind| kind.word().to_owned())),
            values: list.values.clone(),
            add: list.add.clone(),
            remove: list.remove.clone(),
        })
        .collect();
    Lists::merge(&sources, report)
}
