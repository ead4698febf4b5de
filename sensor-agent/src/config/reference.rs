//! The reference of all keys, for the manual, out of the table of keys.

use std::fmt::Write;

use super::environment;
use super::keys::{LIST, OUTPUTS, POLICY, SINKS, TOP};
use super::schema::{Key, Kind, Variants};

/// All keys with type, default, environment variable and meaning, as Markdown tables.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    text.push_str("### Top level\n\n");
    rows(&mut text, "", TOP);
    for (title, variants) in [("Outputs", &OUTPUTS), ("Sinks", &SINKS)] {
        self::variants(&mut text, title, variants);
    }
    text.push_str("### A list\n\nKeys of each entry of `lists`.\n\n");
    rows(&mut text, "", LIST);
    text.push_str("### A detection\n\nKeys of each detection, whose name is a top-level key.\n\n");
    rows(&mut text, "", POLICY);
    let trimmed = text.trim_end().len();
    text.truncate(trimmed);
    text.push('\n');
    text
}

fn variants(text: &mut String, title: &str, variants: &'static Variants) {
    let _ = write!(text, "### {title}\n\nKeys of {} of any `{}`.\n\n", variants.called, variants.tag);
    rows(text, "", variants.common);
    for variant in variants.variants {
        let _ = write!(text, "#### `{}: {}`\n\n{}", variants.tag, variant.name, variant.doc);
        if variant.keys.is_empty() {
            text.push_str(" No keys of its own.\n\n");
        } else {
            text.push_str("\n\n");
            rows(text, "", variant.keys);
        }
    }
}

fn rows(text: &mut String, path: &str, keys: &'static [Key]) {
    text.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    section(text, path, keys);
    text.push('\n');
}

/// One line a key, those of mappings below them.
fn section(text: &mut String, path: &str, keys: &'static [Key]) {
    let variables = environment::variables();
    for key in keys {
        let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        let list = matches!(key.kind, Kind::List(Kind::Map(_) | Kind::Variants(_)) | Kind::Topics);
        let shown = if list { format!("{name}[]") } else { name.clone() };
        let default = match (key.default, key.required) {
            (_, true) => "required".to_owned(),
            ("", false) => String::new(),
            (default, false) => format!("`{default}`"),
        };
        let mut doc = key.doc.to_owned();
        if !key.aliases.is_empty() {
            let _ = write!(doc, " Also written `{}`.", key.aliases.join("`, `"));
        }
        let variable = variables.iter().find(|(_, path)| path.last().is_some_and(|last| std::ptr::eq(*last, key)));
        if let Some((variable, _)) = variable {
            let _ = write!(doc, " Environment: `{variable}`.");
        }
        let _ = writeln!(text, "| `{shown}` | {} | {default} | {doc} |", key.kind.name().replace('|', "\\|"));
        match &key.kind {
            Kind::Map(below) => section(text, &name, below),
            Kind::List(Kind::Map(below)) => section(text, &format!("{name}[]"), below),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const BEGIN: &str = "<!-- keys: begin; made from the table of keys by `UPDATE_DOCS=1 cargo test` -->\n";
    const END: &str = "<!-- keys: end -->\n";

    #[test]
    fn the_manual_holds_the_keys() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the page has the mark where the keys begin");
        let (keys, after) = rest.split_once(END).expect("the page has the mark where the keys end");
        let wanted = format!("\n{}\n", reference());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        } else {
            assert!(keys == wanted, "docs/configuration.md is stale: run UPDATE_DOCS=1 cargo test the_manual");
        }
    }
}
