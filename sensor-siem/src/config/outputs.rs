//! Outputs, as their keys describe them.

use std::collections::HashMap;

use delivery::receivers::{kafka::keys as kafka, zeromq::keys as zeromq};
use diagnostic::{Report, Span};
use settings::{Node, Section, Size};

use super::{
    Output, StartWord, http,
    keys::{Name, OUTPUTS},
    parquet, syslog, tls,
    words::OutputType,
};
use crate::{
    destination::{Destination, Receiver, kafka::KafkaOutput, zeromq::ZeromqOutput},
    format::{Format, Layout},
    source::Start,
};

/// What receivers are told that sends.
const AGENT: &str = concat!("sensor-siem/", env!("CARGO_PKG_VERSION"));

/// All of them.
pub(super) fn outputs(top: &Section<'_>, has_script: bool, report: &mut Report) -> Vec<Output> {
    let mut names: HashMap<String, Span> = HashMap::new();
    let mut places: HashMap<String, Span> = HashMap::new();
    let (mut outputs, mut spans): (Vec<Output>, Vec<Span>) = Default::default();
    for node in top.items("outputs") {
        let section = Section::new(Some(node), OUTPUTS.common);
        let Some(kind) = section.get::<OutputType>("type") else { continue };
        let section = section.with_own_keys(OUTPUTS.find(kind.word()).map_or(&[], |variant| variant.keys));
        let Some(destination) = destination(kind, &section, node, report) else { continue };
        let name = section.get::<Name>("name").map_or_else(|| kind.word().to_owned(), |Name(name)| name);
        let StartWord(start) = section.value("start");
        if start == Start::Script && !has_script {
            report
                .error(section.span("start"), "`start: script` needs `script_state`")
                .help("add the path of the script's state, state/siem_sophos.json in its folder");
        }
        let mut once = |seen: &mut HashMap<String, Span>, what: String, message: String, help: &str| {
            if let Some(first) = seen.insert(what, node.span.clone()) {
                report.error(node.span.clone(), message).related(first, "and here").help(help);
            }
        };
        let twice = format!("two outputs are called `{name}`");
        once(&mut names, name.clone(), twice, "give one of them another `name`: its position is kept under it");
        if !matches!(destination, Destination::Receiver(_)) {
            let twice = format!("two outputs write to {destination}");
            once(&mut places, destination.to_string(), twice, "each would cut off what the other wrote");
        }
        spans.push(node.span.clone());
        outputs.push(Output {
            name,
            destination,
            layout: Layout {
                format: section.value::<Format>("format"),
                compat: section.bool("compat"),
                fqdn: section.bool("fqdn"),
            },
            start,
            max_bytes: section.get::<Size>("max_bytes").map(|Size(bytes)| bytes),
        });
    }
    let sockets = outputs.iter().zip(&spans).filter_map(|(output, span)| match &output.destination {
        Destination::Receiver(Receiver::Zeromq(zeromq)) => Some((span, &zeromq.socket)),
        _ => None,
    });
    zeromq::shared(sockets, report);
    outputs
}

fn destination(kind: OutputType, section: &Section<'_>, node: &Node, report: &mut Report) -> Option<Destination> {
    Some(Destination::Receiver(match kind {
        OutputType::Stdout => return Some(Destination::Stdout),
        OutputType::File => return Some(Destination::File(section.get("path")?)),
        OutputType::Syslog => Receiver::Syslog(syslog::read(section, report)?),
        OutputType::SplunkHec => Receiver::Splunk(Box::new(http::splunk(section, node, report)?)),
        OutputType::Zeromq => {
            Receiver::Zeromq(ZeromqOutput { socket: zeromq::read(section, report)?, topic: section.get("topic")? })
        }
        OutputType::Kafka => Receiver::Kafka(Box::new(KafkaOutput {
            topic: kafka::read(section, AGENT, report, |is_encrypted, report| {
                tls::read(section, (!is_encrypted).then_some("brokers with `tls: false`"), report)
            })?,
            key: section.get("key")?,
        })),
        OutputType::Parquet => Receiver::Parquet(parquet::read(section, node, report)?),
        OutputType::Webhook => Receiver::Webhook(Box::new(http::webhook(section, report)?)),
    }))
}
