//! What alerts and rows have in common in the Open Cybersecurity Schema Framework.

use schema::process::Runtime;
use serde_json::{Value, json};

use crate::{
    alert::cuts::Cuts,
    event::{Container, Host, Process},
};

/// Names longer than this are refused by the schema.
const LONGEST_NAME: usize = 255;

/// What tells: the sensor.
pub(crate) fn product() -> Value {
    json!({"name": "sophoslinuxsensor", "vendor_name": "sophoslinuxsensor", "version": env!("CARGO_PKG_VERSION")})
}

/// The host.
pub(crate) fn device(host: &Host, cuts: &Cuts) -> Value {
    let fact =
        |name: &str| cuts.words(host.metadata.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value));
    let os_name = fact("os_name");
    json!({
        "type_id": 0,
        "type": "Unknown",
        "hostname": cuts.words(&host.hostname),
        "name": cuts.words(&host.hostname),
        // The one identifier that is always there.
        "uid": host.sensor_id,
        "os": {
            "type_id": 200,
            "type": "Linux",
            "name": if os_name.is_empty() { "Linux" } else { os_name },
            "version": fact("os_version"),
            "kernel_release": fact("kernel_release"),
        },
    })
}

/// A process without its ancestors; arguments up to so many bytes.
pub(crate) fn process_alone(process: &Process, host: &Host, args: usize, cuts: &Cuts) -> Value {
    let image = &*process.image;
    let path = cuts.text(&image.path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = &name[..name.floor_char_boundary(LONGEST_NAME)];
    let boot = host.boot_time;
    let mut object = json!({
        "pid": process.key.tgid,
        "uid": host.process_uuid(process.key),
        "name": name,
        "path": path,
        "cmd_line": Cuts::command_line(&image.args, args).0,
        "working_directory": cuts.text(&image.cwd),
        "created_time":
            if boot == 0 { Value::Null } else { milliseconds(boot.saturating_add(process.key.start)).into() },
        "user": {"uid": process.ids.uid.to_string(), "name": process.user.as_deref().map(|name| cuts.words(name))},
        "session": {"terminal": cuts.text(process.tty())},
    });
    if !name.is_empty() {
        object["file"] = json!({"type_id": 1, "type": "Regular File", "name": name, "path": path});
    }
    object
}

/// Adds where a process runs.
pub(crate) fn in_container(object: &mut Value, process: &Process, container: &Container, cuts: &Cuts) {
    if process.ns_pid != 0 {
        object["namespace_pid"] = process.ns_pid.into();
    }
    let facts = container.facts();
    object["container"] = json!({
        "uid": cuts.words(&container.id),
        "name": cuts.words(&facts.name),
        "runtime": container.runtime().map(Runtime::word),
        "orchestrator": if facts.pod.is_empty() { "" } else { "kubernetes" },
        "labels": labels(&facts.labels, cuts),
    });
    if !facts.image_id.is_empty() && cuts.texts > 0 {
        object["container"]["image"] = json!({
            "uid": cuts.words(&facts.image_id),
            "name": cuts.words(&facts.image_name),
            "tag": cuts.words(&facts.image_tag),
        });
    }
    if let Some(digits) = facts.image_digest.strip_prefix("sha256:").filter(|_| cuts.texts > 0) {
        object["container"]["hash"] = json!({"algorithm_id": 3, "algorithm": "SHA-256", "value": cuts.words(digits)});
    }
}

/// Pairs as the schema has them.
pub(crate) fn labels(items: &[(String, String)], cuts: &Cuts) -> Vec<String> {
    let items = items.iter().take(cuts.lists);
    items.map(|(key, value)| format!("{}:{}", cuts.words(key), cuts.words(value))).collect()
}

/// Since the Unix epoch, from nanoseconds.
pub(crate) const fn milliseconds(time: u64) -> u64 {
    time / 1_000_000
}
