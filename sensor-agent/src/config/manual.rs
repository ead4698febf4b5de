//! The manual page of the configuration file, in roff, out of the table of keys.

use roff::{Roff, bold, italic, roman};
use settings::manual::{keys, paragraph, variants};

use super::keys::{LIST, OUTPUTS, POLICY, SCHEMA, SINKS, TOP};

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
    keys(&mut page, TOP, &SCHEMA);
    variants(&mut page, "OUTPUTS", &OUTPUTS, &SCHEMA);
    variants(&mut page, "SINKS", &SINKS, &SCHEMA);
    page.control("SH", ["A LIST"]);
    paragraph(&mut page, "Keys of each entry of `lists`.");
    keys(&mut page, LIST, &SCHEMA);
    page.control("SH", ["A DETECTION"]);
    paragraph(&mut page, "Keys of each detection.");
    keys(&mut page, POLICY, &SCHEMA);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("sophoslinuxsensor"), roman("(8)")]);
    page.to_roff()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_manual() {
        let page = manual("1");
        for key in SCHEMA.tables().into_iter().flatten() {
            let name = key.name.replace('-', "\\-");
            assert!(page.contains(&name), "{}", key.name);
            let first = key.doc.split('`').next().unwrap_or_default().replace('-', "\\-");
            assert!(page.contains(first.trim()), "{}", key.name);
        }
    }
}
