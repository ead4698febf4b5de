//! Sensors: when one is missed, what a new one is told, and who said hello, as JSON lines.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use serde_json::json;

use crate::{detections::one_line, store::Sensor, told};

/// Nanoseconds without a word after which a sensor is late, and after which it is silent. One that may tell of its health
/// does so each hour.
pub const LATE: i64 = 2 * 3600 * 1_000_000_000;
pub const SILENT: i64 = 24 * 3600 * 1_000_000_000;

/// What to put into a sensor's `runtimedetections.yaml` for it to deliver here. Without a folder of certificates it takes
/// those of `/etc/sophos`.
#[must_use]
pub fn configuration(tenant: &str, url: &str, token: &str, certs_dir: Option<&str>) -> String {
    // JSON's quoting is YAML's.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut yaml = format!(
        "customer_id: {}\nmcs:\n  enabled: true\n  url: {}\n  token: {}\n",
        quoted(tenant),
        quoted(url),
        quoted(token),
    );
    if let Some(certs_dir) = certs_dir {
        // Writing to a String cannot fail.
        let _ = writeln!(yaml, "  certs_dir: {}", quoted(certs_dir));
    }
    yaml.push_str("alert_output:\n  outputs:\n    - type: mcs\n      enabled: true\n");
    yaml
}

/// Writes what each sensor told of itself, one per line. `last_seen` is nanoseconds since the Unix epoch, by Central's
/// clock.
///
/// # Errors
/// The output cannot be written.
pub fn write_json(out: &mut impl Write, sensors: &[Sensor]) -> io::Result<()> {
    sensors.iter().try_for_each(|sensor| {
        let Sensor { tenant, sensor, hostname, version, last_seen, metadata, statistics } = sensor;
        let line = json!({
            "tenant": tenant,
            "sensor": sensor,
            "hostname": hostname,
            "version": version,
            "last_seen": last_seen,
            "metadata": told::value(metadata),
            "statistics": told::value(statistics),
        });
        writeln!(out, "{}", one_line(&line.to_string()))
    })
}
