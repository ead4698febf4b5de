//! The tables of keys in the manual are those of the program.

use std::{fmt::Write as _, fs, path::Path};

use sensor_siem::{
    config::keys::{OUTPUTS, SCHEMA, TOP},
    config_ini::keys::KEYS,
};
use settings::reference;

/// Holds what stands between the marks against what is to stand there, or writes it.
fn hold(what: &str, wanted: &str) {
    let begin =
        format!("<!-- {what}: begin; made from the table of keys by `UPDATE_DOCS=1 cargo test -p sensor-siem` -->\n");
    let end = format!("<!-- {what}: end -->");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/siem.md");
    let page = fs::read_to_string(&path).expect("the manual");
    let (before, rest) = page.split_once(&begin).expect("the mark where the table begins");
    let (table, after) = rest.split_once(&end).expect("the mark where it ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, format!("{before}{begin}{wanted}{end}{after}")).expect("the manual can be written");
    } else {
        assert!(table == wanted, "docs/siem.md is stale: UPDATE_DOCS=1 cargo test -p sensor-siem --test manual");
    }
}

#[test]
fn the_manual_has_every_key() {
    let mut wanted = String::from("| key | default | |\n| --- | --- | --- |\n");
    for key in KEYS {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let ours = if key.is_ours { " The script does not have it." } else { "" };
        writeln!(wanted, "| `{}` | {default} | {}{ours} |", key.name, key.doc).expect("a string takes all");
    }
    // One after the other: both are in one file.
    hold("keys", &wanted);
    let outputs = reference::variants("Outputs", &OUTPUTS, &SCHEMA);
    hold("yaml keys", &format!("{}{outputs}", reference::keys(TOP, &SCHEMA)));
}
