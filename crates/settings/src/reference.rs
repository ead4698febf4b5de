//! Keys as Markdown tables: type, default, environment variable, meaning.

use std::fmt::Write;

use crate::outline::outline;
use crate::schema::{Key, Schema, Variants};

/// The keys of a mapping and of those within it, a line each.
#[must_use]
pub fn keys(keys: &'static [Key], schema: &Schema) -> String {
    let mut text = String::from("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for line in outline(keys, schema) {
        let key = line.key;
        let default = match (key.default, key.required) {
            (_, true) => "required".to_owned(),
            ("", false) => String::new(),
            (default, false) => format!("`{default}`"),
        };
        let mut doc = key.doc.to_owned();
        if let Some(meaning) = key.null {
            let _ = write!(doc, " `null`: {meaning}.");
        }
        if !key.aliases.is_empty() {
            let _ = write!(doc, " Also written `{}`.", key.aliases.join("`, `"));
        }
        if let Some(variable) = line.variable {
            let _ = write!(doc, " Environment: `{variable}`.");
        }
        let _ = writeln!(text, "| `{}` | {} | {default} | {doc} |", line.path, key.kind.name().replace('|', "\\|"));
    }
    text + "\n"
}

/// The keys of mappings of several kinds, each kind under a heading of its own.
#[must_use]
pub fn variants(title: &str, variants: &'static Variants, schema: &Schema) -> String {
    let mut text = format!("### {title}\n\nKeys of {} of any `{}`.\n\n", variants.called, variants.tag);
    text.push_str(&keys(variants.common, schema));
    for variant in variants.variants {
        let _ = write!(text, "#### `{}: {}`\n\n{}", variants.tag, variant.name, variant.doc);
        if variant.keys.is_empty() {
            text.push_str(" No keys of its own.\n\n");
        } else {
            text.push_str("\n\n");
            text.push_str(&keys(variant.keys, schema));
        }
    }
    text
}
