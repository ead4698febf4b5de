//! The table of keys in the manual is that of the program.

use std::{fmt::Write as _, fs, path::Path};

use sensor_siem::config_ini::keys::KEYS;

const BEGIN: &str = "<!-- keys: begin; made from the table of keys by `UPDATE_DOCS=1 cargo test -p sensor-siem` -->\n";
const END: &str = "<!-- keys: end -->";

#[test]
fn the_manual_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/siem.md");
    let page = fs::read_to_string(&path).expect("the manual");
    let (before, rest) = page.split_once(BEGIN).expect("the mark where the table begins");
    let (table, after) = rest.split_once(END).expect("the mark where it ends");
    let mut wanted = String::from("| key | default | |\n| --- | --- | --- |\n");
    for key in KEYS {
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let ours = if key.is_ours { " The script does not have it." } else { "" };
        writeln!(wanted, "| `{}` | {default} | {}{ours} |", key.name, key.doc).expect("a string takes all");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).expect("the manual can be written");
    } else {
        assert!(table == wanted, "docs/siem.md is stale: UPDATE_DOCS=1 cargo test -p sensor-siem --test manual");
    }
}
