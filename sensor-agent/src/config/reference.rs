//! The reference of all keys, for the manual, out of the table of keys.

use settings::reference::{keys, variants};

use super::keys::{LIST, OUTPUTS, POLICY, SCHEMA, SINKS, TOP};

/// The JSON Schema of all keys, for editors.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    settings::json_schema(&SCHEMA, "Sophos Linux Sensor")
}

/// All keys with type, default, environment variable and meaning, as Markdown tables.
#[must_use]
pub fn reference() -> String {
    let parts = [
        "### Top level\n\n".to_owned(),
        keys(TOP, &SCHEMA),
        variants("Outputs", &OUTPUTS, &SCHEMA),
        variants("Sinks", &SINKS, &SCHEMA),
        "### A list\n\nKeys of each entry of `lists`.\n\n".to_owned(),
        keys(LIST, &SCHEMA),
        "### A detection\n\nKeys of each detection, whose name is a top-level key.\n\n".to_owned(),
        keys(POLICY, &SCHEMA),
    ];
    format!("{}\n", parts.concat().trim_end())
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
