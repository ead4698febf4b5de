//! Outputs and sinks, as the configuration describes them, in the terms of those that serve them.

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::alert::Template;
use crate::config::{self, Config};
use crate::diagnostic::Report;
use crate::output::{
    FileSettings, Format, OutputSettings, SinkSettings, StdoutSettings, TargetSettings, Topics, ZeromqSettings,
};
use crate::policy::MessageType;

/// The outputs that are on. Templates of those that are off are checked all the same.
pub(super) fn outputs(config: &Config, report: &mut Report) -> Vec<OutputSettings> {
    let global = config.alert_output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
    let mut outputs: Vec<OutputSettings> = Vec::new();
    for output in &config.alert_output.outputs {
        let own = output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
        let Some(target) = alert_target(&output.settings).filter(|_| output.enabled) else { continue };
        let name = free_name(output.name.as_deref(), target.kind(), outputs.iter().map(|output| output.name.as_str()));
        outputs.push(OutputSettings {
            template: own.or_else(|| global.clone()),
            message_types: output.message_types.iter().map(|&kind| message_type(kind)).collect(),
            format: format(output.format),
            max_bytes: output.max_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            ..OutputSettings::new(name, target)
        });
    }
    outputs
}

pub(super) fn sinks(config: &Config) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    for sink in &config.investigations.sinks {
        let Some(target) = row_target(&sink.settings, &config.investigations.topics) else { continue };
        let name = free_name(sink.name.as_deref(), target.kind(), sinks.iter().map(|sink| sink.name.as_str()));
        sinks.push(SinkSettings::new(name, target));
    }
    sinks
}

/// None for types that nothing serves yet; the configuration's own check has said so.
fn alert_target(settings: &config::OutputSettings) -> Option<TargetSettings> {
    match settings {
        config::OutputSettings::Stdout => Some(TargetSettings::Stdout(StdoutSettings)),
        config::OutputSettings::File(file) => Some(TargetSettings::File(file_settings(file))),
        config::OutputSettings::Zeromq(zeromq) => {
            let topic = zeromq.topic.clone().unwrap_or_default();
            Some(TargetSettings::Zeromq(zeromq_settings(zeromq, Topics::One(topic))))
        }
        config::OutputSettings::Syslog(_)
        | config::OutputSettings::Webhook(_)
        | config::OutputSettings::Mcs
        | config::OutputSettings::SplunkHec(_) => None,
    }
}

fn row_target(settings: &config::SinkSettings, topics: &[config::Topic]) -> Option<TargetSettings> {
    match settings {
        config::SinkSettings::Stdout => Some(TargetSettings::Stdout(StdoutSettings)),
        config::SinkSettings::File(file) => Some(TargetSettings::File(file_settings(file))),
        config::SinkSettings::Zeromq(zeromq) => {
            let topics = topics.iter().map(|topic| (topic.table.name, topic.topic.value.clone())).collect();
            Some(TargetSettings::Zeromq(zeromq_settings(zeromq, Topics::Tables(topics))))
        }
        _ => None,
    }
}

fn zeromq_settings(zeromq: &config::ZeromqSettings, topics: Topics) -> ZeromqSettings {
    ZeromqSettings {
        endpoint: zeromq.endpoint.clone(),
        pattern: zeromq.pattern,
        bind: zeromq.bind,
        high_water_mark: usize::try_from(zeromq.high_water_mark).unwrap_or(usize::MAX),
        topics,
        encoding: zeromq.encoding,
    }
}

fn file_settings(file: &config::FileSettings) -> FileSettings {
    FileSettings {
        max_size: NonZeroU64::new(file.max_size).unwrap_or(NonZeroU64::MIN),
        max_backups: file.max_backups.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        ..FileSettings::new(&file.path)
    }
}

const fn format(format: config::Format) -> Format {
    match format {
        config::Format::Json => Format::Json,
        config::Format::Cef => Format::Cef,
        config::Format::Ecs => Format::Ecs,
        config::Format::Ocsf => Format::Ocsf,
    }
}

const fn message_type(kind: config::MessageType) -> MessageType {
    match kind {
        config::MessageType::Alert => MessageType::Alert,
        config::MessageType::SmartPolicy => MessageType::SmartPolicy,
        config::MessageType::Audit => MessageType::Audit,
    }
}

/// The name that was given, or the kind; with a number if another has it already.
fn free_name<'a>(given: Option<&str>, kind: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let wanted = given.unwrap_or(kind);
    let taken: Vec<&str> = taken.collect();
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}
