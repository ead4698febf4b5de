//! Outputs, as their keys describe them.

use std::collections::HashMap;

use delivery::receivers::zeromq::keys as zeromq;
use diagnostic::{Report, Span};
use settings::{Section, Size};

use super::{
    Output, StartWord,
    keys::{Name, OUTPUTS},
};
use crate::{
    destination::Destination,
    format::{Format, Layout},
    source::Start,
};

/// All of them.
pub(super) fn outputs(top: &Section<'_>, has_script: bool, report: &mut Report) -> Vec<Output> {
    let mut names: HashMap<String, Span> = HashMap::new();
    let mut places: HashMap<String, Span> = HashMap::new();
    let (mut outputs, mut spans): (Vec<Output>, Vec<Span>) = Default::default();
    for node in top.items("outputs") {
        let section = Section::new(Some(node), OUTPUTS.common);
        let Some(sort) = section.get::<String>("type").and_then(|sort| OUTPUTS.find(&sort)) else { continue };
        let section = section.with_own_keys(sort.keys);
        let Some(destination) = Destination::read(sort.name, &section, node, report) else { continue };
        let name = section.get::<Name>("name").map_or_else(|| sort.name.to_owned(), |Name(name)| name);
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
        Destination::Receiver(receiver) => Some((span, receiver.socket()?)),
        _ => None,
    });
    zeromq::shared(sockets, report);
    outputs
}
