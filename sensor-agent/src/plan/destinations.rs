//! Outputs and sinks, as the configuration describes them, in the terms of those that serve them.

use std::sync::Arc;

use delivery::{spool::Limits, spooled::backlog::SpoolSettings};
use diagnostic::{Report, Span};

use crate::alert::Template;
use crate::config::Config;
use crate::output::{OutputSettings, SinkSettings, Target, target::Waiting};

/// The outputs that are on. Templates of those that are off are checked all the same.
pub(super) fn outputs(config: &Config, report: &mut Report) -> Vec<OutputSettings> {
    let global = config.alert_output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
    let mut outputs: Vec<OutputSettings> = Vec::new();
    for output in &config.alert_output.outputs {
        let own = output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
        if !output.enabled || output.target.is_off() {
            continue;
        }
        let target = Arc::clone(&output.target);
        tell_of_fault(&*target, &output.span, &output.places, report);
        let name = free_name(output.name.as_deref(), target.kind(), outputs.iter().map(|output| output.name.as_str()));
        let defaults = OutputSettings::new(name, target);
        outputs.push(OutputSettings {
            template: own.or_else(|| global.clone()),
            message_types: output.message_types.clone(),
            format: output.format,
            max_bytes: output
                .max_bytes
                .map_or(defaults.max_bytes, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            spool: spool(config, "alerts"),
            ..defaults
        });
    }
    outputs
}

pub(super) fn sinks(config: &Config, report: &mut Report) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    for sink in &config.investigations.sinks {
        if sink.target.is_off() {
            continue;
        }
        let target = Arc::clone(&sink.target);
        tell_of_fault(&*target, &sink.span, &sink.places, report);
        let name = free_name(sink.name.as_deref(), target.kind(), sinks.iter().map(|sink| sink.name.as_str()));
        sinks.push(SinkSettings {
            format: sink.format,
            spool: spool(config, "rows"),
            ..SinkSettings::new(name, target)
        });
    }
    sinks
}

/// Says what is wrong with settings, at the key that is to blame.
fn tell_of_fault(target: &dyn Target, whole: &Span, places: &[(&str, Span)], report: &mut Report) {
    let place = |key: Option<&str>| {
        let place = key.and_then(|key| places.iter().find(|(name, _)| *name == key));
        place.map_or(whole, |(_, span)| span).clone()
    };
    if let Some(fault) = target.fault() {
        report.error(place(fault.key), fault.reason).label(fault.label);
    } else if let Some(doubt) = target.doubt() {
        // No error: whoever can put something there is not to keep the sensor from starting.
        report.warning(place(doubt.key), doubt.reason).label(doubt.label);
    }
}

/// Outputs and sinks may share names, so each sort has a folder of its own.
fn spool(config: &Config, what: &str) -> SpoolSettings {
    let Waiting { max_bytes, max_age } = config.spool;
    let defaults = Limits::default();
    // While the disk takes nothing: for each output a thirty-second of what there is.
    let memory_bytes = defaults.memory_bytes.min(config.memory_budget / 32);
    let limits = Limits { disk_bytes: max_bytes, age: max_age, memory_bytes, ..defaults };
    SpoolSettings { folder: config.locations.state_dir.join("spool").join(what), limits }
}

/// The name that was given, or the kind; with a number if another has it already.
fn free_name<'a>(given: Option<&str>, kind: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let wanted = given.unwrap_or(kind);
    let taken: Vec<&str> = taken.collect();
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}
