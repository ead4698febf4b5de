//! Where alerts go: each output with its own settings.

use std::sync::Arc;

use diagnostic::{Report, Span, Spanned};
use settings::{Node, Section, Size};

use super::keys;
use crate::output::{
    Format,
    target::{self, Elsewhere, Given, Target},
};
use crate::policy::MessageType;

/// Where alerts go, and in what shape.
#[derive(Clone, Debug, Default)]
pub struct AlertOutput {
    /// The template of outputs that have none of their own.
    pub template: Option<Spanned<String>>,
    /// All outputs, those that are off included.
    pub outputs: Vec<Output>,
}

/// One output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where it is configured.
    pub span: Span,
    /// The keys that are given, and where.
    pub places: Vec<(&'static str, Span)>,
    pub enabled: bool,
    /// Its name in the log and in metrics; of a file, the path.
    pub name: Option<String>,
    pub template: Option<Spanned<String>>,
    /// The kinds of messages that it carries, each once.
    pub message_types: Vec<MessageType>,
    pub format: Format,
    /// The longest alert, bytes; without it, what receivers of the type take as they come.
    pub max_bytes: Option<u64>,
    pub target: Arc<dyn Target>,
}

/// Takes the outputs of the merged configuration.
pub(crate) fn read(section: &Section<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> AlertOutput {
    let outputs = section.items("outputs").iter().filter_map(|node| output(node, elsewhere, report)).collect();
    AlertOutput { template: section.spanned("template"), outputs }
}

fn output(node: &Node, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Output> {
    let variants = &keys::OUTPUTS;
    let section = Section::new(Some(node), variants.common);
    let sort = variants.find(&section.get::<String>("type")?)?;
    let section = section.with_own_keys(sort.keys);
    let given = Given { enabled: section.bool("enabled"), node, section };
    let target = target::output(sort, &given, elsewhere, report)?;
    let Given { section, enabled, .. } = given;
    Some(Output {
        span: node.span.clone(),
        places: section.places(),
        enabled,
        name: section.get("name"),
        template: section.spanned("template"),
        message_types: section.values("message_types").unwrap_or_else(|| MessageType::USUAL.to_vec()),
        format: section.get("format")?,
        max_bytes: section.get::<Size>("max_bytes").map(|Size(bytes)| bytes),
        target,
    })
}
