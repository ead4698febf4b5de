//! The manual page of the configuration file, in roff, out of the table of keys.

use roff::{Inline, Roff, bold, italic, roman};

use super::environment;
use super::keys::{LIST, OUTPUTS, POLICY, SINKS, TOP};
use super::schema::{Key, Kind, Variants};

/// What the file is called.
pub const NAME: &str = "runtimedetections.yaml";

/// The page `runtimedetections.yaml(5)`. `version` is the program's.
#[must_use]
pub fn manual(version: &str) -> String {
    let mut page = Roff::new();
    // The date stays empty: the page is the same however often it is built.
    page.control("TH", [NAME, "5", "\"\"", &format!("sophoslinuxsensor {version}")]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{NAME} - configuration of the Linux runtime security sensor"))]);
    page.control("SH", ["DESCRIPTION"]);
    paragraph(
        &mut page,
        "A YAML mapping. Each top-level key that is not listed here is the name of a detection. The files are read in \
         this order, and a later one wins key by key; an empty or missing file is fine. `sophoslinuxsensor -check` \
         names everything that is wrong, with its place.",
    );
    let files = [
        (
            "/var/lib/sophos/content/runtimedetections-content.yaml",
            "Shipped detections and lists; replaced by upgrades.",
        ),
        ("/etc/sophos/runtimedetections.yaml", "The main configuration."),
        ("/etc/sophos/runtimedetections-rules.yaml", "Your overrides, detections and lists."),
        ("the environment", "A key's path in upper case, joined by underscores: MCS_URL."),
    ];
    for (path, doc) in files {
        page.control("TP", []);
        page.text([italic(path)]);
        page.text([roman(doc)]);
    }
    page.control("SH", ["KEYS"]);
    keys(&mut page, "", TOP);
    variants(&mut page, "OUTPUTS", &OUTPUTS);
    variants(&mut page, "SINKS", &SINKS);
    page.control("SH", ["A LIST"]);
    paragraph(&mut page, "Keys of each entry of `lists`.");
    keys(&mut page, "", LIST);
    page.control("SH", ["A DETECTION"]);
    paragraph(&mut page, "Keys of each detection.");
    keys(&mut page, "", POLICY);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("sophoslinuxsensor"), roman("(8)")]);
    page.to_roff()
}

fn variants(page: &mut Roff, title: &str, variants: &'static Variants) {
    page.control("SH", [title]);
    paragraph(page, &format!("Keys of {} of any `{}`.", variants.called, variants.tag));
    keys(page, "", variants.common);
    for variant in variants.variants {
        page.control("SS", [format!("{}: {}", variants.tag, variant.name).as_str()]);
        paragraph(page, variant.doc);
        keys(page, "", variant.keys);
    }
}

fn keys(page: &mut Roff, path: &str, keys_here: &'static [Key]) {
    let variables = environment::variables();
    for key in keys_here {
        let name = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        let is_list = matches!(key.kind, Kind::List(Kind::Map(_) | Kind::Variants(_)) | Kind::Topics);
        let shown = if is_list { format!("{name}[]") } else { name.clone() };
        page.control("TP", []);
        page.text([bold(&shown), roman(format!(" ({})", key.kind.name().replace('`', "")))]);
        page.text(inline(key.doc));
        if key.required {
            page.text([roman("Required.")]);
        } else if !key.default.is_empty() {
            page.text([roman("Default: "), bold(key.default)]);
        }
        if !key.aliases.is_empty() {
            page.text([roman(format!("Also written {}.", key.aliases.join(", ")))]);
        }
        let variable = variables.iter().find(|(_, path)| path.last().is_some_and(|last| std::ptr::eq(*last, key)));
        if let Some((variable, _)) = variable {
            page.text([roman("Environment: "), bold(variable.as_str())]);
        }
        match &key.kind {
            Kind::Map(below) => keys(page, &name, below),
            Kind::List(Kind::Map(below)) => keys(page, &shown, below),
            _ => {}
        }
    }
}

fn paragraph(page: &mut Roff, text: &str) {
    page.control("PP", []);
    page.text(inline(text));
}

/// What stands in backquotes becomes bold.
fn inline(text: &str) -> Vec<Inline> {
    text.split('`').enumerate().map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::every_table;

    #[test]
    fn every_key_is_in_the_manual() {
        let page = manual("1");
        for key in every_table().into_iter().flatten() {
            let name = key.name.replace('-', "\\-");
            assert!(page.contains(&name), "{}", key.name);
            let first = key.doc.split('`').next().unwrap_or_default().replace('-', "\\-");
            assert!(page.contains(first.trim()), "{}", key.name);
        }
    }
}
