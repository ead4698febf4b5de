//! One file as a tree, or why it is none.

use diagnostic::{Report, SourceId, Span};

use crate::schema::Schema;
use crate::yaml::{self, Broken, Node, Value};
use crate::{faults, secrets};

/// One file, or the environment.
#[derive(Clone, Debug)]
pub struct Layer {
    /// A mapping, or nothing.
    pub root: Node,
    /// Whether it could be read as a tree.
    pub whole: bool,
}

impl Layer {
    /// Reads a text. What looks like a secret in it is hidden in all reports, also where it could not be read.
    #[must_use]
    pub fn read(source: SourceId, schema: &Schema, report: &mut Report) -> Self {
        secrets::hide(source, schema, report);
        let text = report.source_text(source).to_owned();
        let errors = report.error_count();
        let tree = yaml::parse(&text, source, schema, report).and_then(|root| match &root.value {
            Value::Null | Value::Mapping(_) => Ok(root),
            _ => Err(Broken {
                offset: root.span.bytes.start,
                message: format!("a configuration is a mapping, not {}", root.kind()),
                help: Some("write keys and values, such as `key: value`".into()),
            }),
        });
        match tree {
            Ok(root) => Self { root, whole: report.error_count() == errors },
            Err(broken) => {
                faults::explain(broken, &text, source, schema, report);
                Self { root: Node { span: Span { source, bytes: 0..0 }, value: Value::Null }, whole: false }
            }
        }
    }
}

/// Where a file holds a secret, if it holds one.
#[must_use]
pub fn first_secret(node: &Node, schema: &Schema) -> Option<Span> {
    let below = |node: &Node| {
        node.entries().iter().find_map(|entry| {
            let is_secret = schema.anywhere(&entry.key.value).is_some_and(|key| key.kind.is_secret());
            if is_secret && !entry.value.is_null() {
                return Some(entry.key.span.clone());
            }
            first_secret(&entry.value, schema)
        })
    };
    below(node).or_else(|| node.items().iter().find_map(|item| first_secret(item, schema)))
}
