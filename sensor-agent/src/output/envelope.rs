//! What a receiver wants around the text of an alert: the header of a syslog message, the event of a Splunk collector.

use std::{fmt::Write as _, io::Write as _};

use serde_json::json;

use crate::{
    alert::{Alert, printable, rfc3339},
    config::Facility,
    policy::{MessageType, Priority},
};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Envelope {
    None,
    Syslog(Facility),
    Splunk { index: Option<String>, sourcetype: Option<String>, source: Option<String> },
}

impl Envelope {
    /// What stands before the text, and counts as a part of it (`max_bytes`).
    pub(crate) fn head(&self, alert: &Alert) -> String {
        match self {
            Self::Syslog(facility) => syslog_head(*facility, alert),
            Self::None | Self::Splunk { .. } => String::new(),
        }
    }

    /// Puts the text that begins here into its envelope.
    pub(crate) fn close(&self, out: &mut Vec<u8>, start: usize, alert: &Alert) {
        let Self::Splunk { index, sourcetype, source } = self else { return };
        let text = String::from_utf8_lossy(&out[start..]).trim_end_matches('\n').to_owned();
        out.truncate(start);
        let mut event = json!({
            // Milliseconds are what a collector keeps.
            "time": format!("{}.{:03}", alert.time() / 1_000_000_000, alert.time() / 1_000_000 % 1000),
            "host": alert.host.hostname,
        });
        for (key, value) in [("index", index), ("sourcetype", sourcetype), ("source", source)] {
            if let Some(value) = value {
                event[key] = value.as_str().into();
            }
        }
        let mut fields = event.to_string();
        fields.pop();
        // The text as it is, if it is JSON: its numbers and the order of its keys stay.
        let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok();
        let text = if is_object { text } else { json!(text).to_string() };
        // Writing to memory does not fail.
        let _ = writeln!(out, "{fields},\"event\":{text}}}");
    }
}

/// RFC 5424, up to the text.
fn syslog_head(facility: Facility, alert: &Alert) -> String {
    let severity = match alert.policy.priority {
        Priority::Info => 6,
        Priority::Low => 5,
        Priority::Medium => 4,
        Priority::High => 2,
    };
    let kind = match alert.policy.message_type {
        MessageType::Alert => "alert",
        MessageType::SmartPolicy => "smart_policy",
        MessageType::Audit => "audit",
    };
    let priority = u32::from(facility.code()) * 8 + severity;
    // A syslog time has no more than six digits behind the point.
    let mut time = rfc3339(alert.time());
    time.truncate(time.len() - 4);
    let host = header_text(&alert.host.hostname, 255);
    let pid = std::process::id();
    let mut head = format!("<{priority}>1 {time}Z {host} sophoslinuxsensor {pid} {kind} [alert@32473");
    for (name, value) in [
        ("uuid", alert.uuid.to_string().as_str()),
        ("incident", &alert.incident_id.to_string()),
        ("policy", &alert.policy.name),
        ("priority", alert.policy.priority.word()),
        ("sensor", &alert.host.sensor_id),
    ] {
        let _ = write!(head, " {name}=\"");
        let value = printable(value);
        for char in value[..value.floor_char_boundary(500)].chars() {
            if matches!(char, '"' | '\\' | ']') {
                head.push('\\');
            }
            head.push(char);
        }
        head.push('"');
    }
    head + "] "
}

/// Visible ASCII alone, which is what a header field may hold; `-` for nothing.
fn header_text(text: &str, limit: usize) -> String {
    let visible: String = text.chars().filter(char::is_ascii_graphic).take(limit).collect();
    if visible.is_empty() { "-".to_owned() } else { visible }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::Policy;

    #[test]
    fn a_syslog_header_is_as_rfc_5424_says() {
        let mut alert = Alert::sample();
        alert.policy = Arc::new(Policy { name: "a \"b\" ] \\ \n".into(), ..(*alert.policy).clone() });
        let head = syslog_head(Facility::Local0, &alert);
        let pid = std::process::id();
        let begin = format!(
            "<130>1 2023-11-14T23:20:01.500000Z host.example.test sophoslinuxsensor {pid} alert [alert@32473 uuid=\""
        );
        assert!(head.starts_with(&begin), "{head}");
        assert!(head.contains(r#" policy="a \"b\" \] \\ \\x0a" priority="High" "#), "{head}");
        assert!(head.ends_with("\"] "), "{head}");
    }

    #[test]
    fn a_splunk_event_holds_json_or_text() {
        let alert = Alert::sample();
        let envelope = Envelope::Splunk { index: Some("main".into()), sourcetype: None, source: None };
        let close = |text: &str| {
            let mut out = format!("before{text}\n").into_bytes();
            envelope.close(&mut out, 6, &alert);
            serde_json::from_slice::<serde_json::Value>(out.strip_prefix(b"before").unwrap()).unwrap()
        };
        let event = close("{\"a\":1}");
        assert_eq!(event["event"]["a"], 1);
        assert_eq!((&event["time"], &event["index"]), (&"1700004001.500".into(), &"main".into()));
        assert_eq!(event["host"], "host.example.test");
        assert_eq!(close("Alert \"x\"")["event"], "Alert \"x\"");
    }
}
