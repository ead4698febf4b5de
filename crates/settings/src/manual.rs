//! Keys as parts of a manual page, in roff.

use roff::{Inline, Roff, bold, roman};

use crate::outline::outline;
use crate::schema::{Key, Schema, Variants};

/// The keys of a mapping and of those within it.
pub fn keys(page: &mut Roff, keys: &'static [Key], schema: &Schema) {
    for line in outline(keys, schema) {
        let key = line.key;
        page.control("TP", []);
        page.text([bold(&line.path), roman(format!(" ({})", key.kind.name().replace('`', "")))]);
        page.text(inline(key.doc));
        if key.required {
            page.text([roman("Required.")]);
        } else if !key.default.is_empty() {
            page.text([roman("Default: "), bold(key.default)]);
        }
        if let Some(meaning) = key.null {
            page.text([bold("null"), roman(format!(": {meaning}."))]);
        }
        if !key.aliases.is_empty() {
            page.text([roman(format!("Also written {}.", key.aliases.join(", ")))]);
        }
        if let Some(variable) = line.variable {
            page.text([roman("Environment: "), bold(variable)]);
        }
    }
}

/// The keys of mappings of several kinds, each kind under a heading of its own.
pub fn variants(page: &mut Roff, title: &str, variants: &'static Variants, schema: &Schema) {
    page.control("SH", [title]);
    paragraph(page, &format!("Keys of {} of any `{}`.", variants.called, variants.tag));
    keys(page, variants.common, schema);
    for variant in variants.variants {
        page.control("SS", [format!("{}: {}", variants.tag, variant.name).as_str()]);
        paragraph(page, variant.doc);
        keys(page, variant.keys, schema);
    }
}

/// A paragraph in which what stands in backquotes becomes bold.
pub fn paragraph(page: &mut Roff, text: &str) {
    page.control("PP", []);
    page.text(inline(text));
}

fn inline(text: &str) -> Vec<Inline> {
    text.split('`').enumerate().map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}
