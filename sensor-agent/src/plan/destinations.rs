//! Outputs and sinks, as the configuration describes them, in the terms of those that serve them.

use std::sync::Arc;

use delivery::{
    receivers::s3::S3Settings, receivers::stdout::StdoutSettings, spool::Limits, spooled::backlog::SpoolSettings, trust,
};
use diagnostic::{Report, Span};

use crate::alert::Template;
use crate::config::{self, Config};
use crate::output::{
    CentralSettings, Fault, OutputSettings, ParquetSettings, SinkSettings, StoreSettings, TargetSettings, Topics,
    ZeromqSettings,
};

/// The outputs that are on. Templates of those that are off are checked all the same.
pub(super) fn outputs(config: &Config, report: &mut Report) -> Vec<OutputSettings> {
    let global = config.alert_output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
    let mut outputs: Vec<OutputSettings> = Vec::new();
    for output in &config.alert_output.outputs {
        let own = output.template.as_ref().and_then(|text| Template::parse(text, report)).map(Arc::new);
        let Some(target) = alert_target(config, output, report).filter(|_| output.enabled) else { continue };
        tell_of_fault(&target, &output.span, &output.places, report);
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
        let Some(target) = row_target(config, sink, report) else { continue };
        tell_of_fault(&target, &sink.span, &sink.places, report);
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
fn tell_of_fault(target: &TargetSettings, whole: &Span, places: &[(&str, Span)], report: &mut Report) {
    let place = |key: Option<&str>| {
        let place = key.and_then(|key| places.iter().find(|(name, _)| *name == key));
        place.map_or(whole, |(_, span)| span).clone()
    };
    if let Some(Fault { key, reason }) = target.fault() {
        report.error(place(key), reason).label("cannot deliver as this says");
    } else if let Some((Fault { key, reason }, label)) = target.doubt() {
        // No error: whoever can put something there is not to keep the sensor from starting.
        report.warning(place(key), reason).label(label);
    }
}

/// None for types that nothing serves yet; the configuration's own check has said so.
fn alert_target(config: &Config, output: &config::Output, report: &mut Report) -> Option<TargetSettings> {
    match &output.settings {
        config::OutputSettings::Stdout => Some(TargetSettings::Stdout(StdoutSettings)),
        config::OutputSettings::File(file) => Some(TargetSettings::File(file.clone())),
        config::OutputSettings::Mcs => central(config, &output.span, report),
        config::OutputSettings::Zeromq(zeromq) => {
            let topic = zeromq.topic.clone().unwrap_or_default();
            Some(TargetSettings::Zeromq(zeromq_settings(zeromq, Topics::One(topic))))
        }
        config::OutputSettings::Syslog(syslog) => Some(TargetSettings::Syslog(syslog.clone())),
        config::OutputSettings::Webhook(webhook) => Some(TargetSettings::Webhook(webhook.clone())),
        config::OutputSettings::SplunkHec(splunk) => Some(TargetSettings::Splunk(splunk.clone())),
    }
}

fn row_target(config: &Config, sink: &config::Sink, report: &mut Report) -> Option<TargetSettings> {
    match &sink.settings {
        config::SinkSettings::Stdout => Some(TargetSettings::Stdout(StdoutSettings)),
        config::SinkSettings::File(file) => Some(TargetSettings::File(file.clone())),
        config::SinkSettings::Mcs if config.endpoint_telemetry_enabled => central(config, &sink.span, report),
        config::SinkSettings::Zeromq(zeromq) => {
            let topics = config.investigations.topics.iter();
            let topics = topics.map(|topic| (topic.table.name, topic.topic.value.clone())).collect();
            Some(TargetSettings::Zeromq(zeromq_settings(zeromq, Topics::Tables(topics))))
        }
        config::SinkSettings::Parquet(parquet) => {
            let store = parquet.s3.as_ref().map(|s3| store(config, s3));
            if let Some(Err(reason)) = store.as_ref().map(|store| store.s3.check()) {
                report.error(sink.span.clone(), reason).label("cannot be reached as this says");
            }
            Some(TargetSettings::Parquet(ParquetSettings {
                folder: parquet.folder.clone(),
                roll_interval: parquet.roll_interval,
                store,
            }))
        }
        config::SinkSettings::Mcs => None,
    }
}

fn store(config: &Config, s3: &S3Settings) -> StoreSettings {
    StoreSettings { s3: s3.clone(), max_bytes: config.spool.max_bytes, max_age: config.spool.max_age }
}

/// Where the top-level `mcs` leads; none while it is off, which the configuration's own check has said.
fn central(config: &Config, span: &Span, report: &mut Report) -> Option<TargetSettings> {
    let mcs = &config.mcs;
    let (true, Some(url), Some(token), Some(tenant)) = (mcs.enabled, &mcs.url, &mcs.token, config.customer_id) else {
        return None;
    };
    let settings = CentralSettings {
        url: url.clone(),
        token: token.clone(),
        tenant,
        certs_dir: trust::folder(mcs.certs_dir.as_deref()),
        crl_policy: mcs.crl_policy,
        proxy: mcs.proxy.clone(),
        state_dir: config.locations.state_dir.clone(),
        statistics: config.send_labs_telemetry,
    };
    if let Err(reason) = settings.check() {
        report.error(span.clone(), reason).label("cannot deliver as `mcs` says");
    }
    Some(TargetSettings::Mcs(settings))
}

/// Outputs and sinks may share names, so each sort has a folder of its own.
fn spool(config: &Config, what: &str) -> SpoolSettings {
    let config::Spool { max_bytes, max_age } = config.spool;
    let defaults = Limits::default();
    // While the disk takes nothing: for each output a thirty-second of what there is.
    let memory_bytes = defaults.memory_bytes.min(config.memory_budget / 32);
    let limits = Limits { disk_bytes: max_bytes, age: max_age, memory_bytes, ..defaults };
    SpoolSettings { folder: config.locations.state_dir.join("spool").join(what), limits }
}

fn zeromq_settings(zeromq: &config::ZeromqSettings, topics: Topics) -> ZeromqSettings {
    ZeromqSettings { socket: zeromq.socket.clone(), topics, encoding: zeromq.encoding }
}

/// The name that was given, or the kind; with a number if another has it already.
fn free_name<'a>(given: Option<&str>, kind: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let wanted = given.unwrap_or(kind);
    let taken: Vec<&str> = taken.collect();
    let numbered = (2..).map(|number| format!("{wanted} {number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}
