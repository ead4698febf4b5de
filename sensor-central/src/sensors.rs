//! Who said hello, as JSON lines.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::{detections::one_line, store::Sensor};

/// Writes what each sensor told of itself, one per line. `last_seen` is nanoseconds since the Unix epoch, by Central's
/// clock.
///
/// # Errors
/// The output cannot be written.
pub fn write_json(out: &mut impl Write, sensors: &[Sensor]) -> io::Result<()> {
    sensors.iter().try_for_each(|sensor| {
        let Sensor { tenant, sensor, hostname, version, last_seen, metadata, statistics } = sensor;
        let object = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let line = json!({
            "tenant": tenant,
            "sensor": sensor,
            "hostname": hostname,
            "version": version,
            "last_seen": last_seen,
            "metadata": object(metadata),
            "statistics": object(statistics),
        });
        writeln!(out, "{}", one_line(&line.to_string()))
    })
}
