//! The compatible way is byte by byte what the vendor's public script writes.
//!
//! `golden/` holds items of our own making and what release 2.1.0 of the script made of them under Python 3.11, run
//! unchanged.

use std::path::Path;

use sensor_siem::format::{Format, Layout};
use sensor_siem::item::{Item, Stream};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(borrow)]
    alerts: Vec<&'a RawValue>,
}

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(golden(name)).expect("UTF-8")
}

/// The lines of all items, as far as they are wanted.
fn lines(format: Format, is_wanted: impl Fn(&Item<'_>) -> bool) -> Vec<String> {
    let text = text("items.json");
    let Items { events, alerts } = serde_json::from_str(&text).expect("items");
    let layout = Layout { format, compat: true, fqdn: true };
    let all = events.into_iter().map(|json| (json, Stream::Events));
    all.chain(alerts.into_iter().map(|json| (json, Stream::Alerts)))
        .map(|(json, stream)| (Item::new(json), stream))
        .filter(|(item, _)| is_wanted(item))
        .map(|(item, stream)| layout.line(&item, stream).text)
        .collect()
}

fn file(lines: &[String]) -> String {
    lines.iter().map(|line| line.clone() + "\n").collect()
}

#[test]
fn files() {
    for (format, name) in [(Format::Json, "json.txt"), (Format::Cef, "cef.txt"), (Format::KeyValue, "keyvalue.txt")] {
        let lines = lines(format, |_| true);
        assert_eq!(lines.len(), 20);
        for (line, wanted) in lines.iter().zip(text(name).lines()) {
            assert_eq!(line, wanted, "{name}");
        }
        assert_eq!(file(&lines), text(name));
    }
}

#[test]
fn light() {
    // What the server leaves out.
    let lines = lines(Format::Json, |item| !matches!(item.id(), Some("evt-000011" | "evt-000012" | "evt-000013")));
    assert_eq!(file(&lines), text("light.json.txt"));
}
