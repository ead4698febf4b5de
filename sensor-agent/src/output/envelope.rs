//! What a receiver wants around the text of an alert: the header of a syslog message, the event of a Splunk collector.

use std::io::Write as _;

use delivery::receivers::syslog::{Facility, SyslogProtocol};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use crate::{
    alert::{Alert, rfc3339},
    policy::{MessageType, Priority},
};

/// The name of the program in a syslog header.
const APP: &str = "sophoslinuxsensor";
/// What Linux allows (`HOST_NAME_MAX`).
const LONGEST_HOST: usize = 64;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Envelope {
    None,
    Syslog(Facility, SyslogProtocol),
    Splunk { index: Option<String>, sourcetype: Option<String>, source: Option<String> },
}

impl Envelope {
    /// What stands before the text, and counts as a part of it (`max_bytes`).
    pub(crate) fn head(&self, alert: &Alert) -> String {
        match self {
            Self::Syslog(facility, protocol) => syslog_head(*facility, *protocol, alert),
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

/// What stands before the text. Structured data would need a name with a number of the sender's own (RFC 5424, 6.3.2);
/// what identifies the alert is in its text.
fn syslog_head(facility: Facility, protocol: SyslogProtocol, alert: &Alert) -> String {
    let severity = match alert.policy.priority {
        Priority::Info => 6,
        Priority::Low => 5,
        Priority::Medium => 4,
        Priority::High => 2,
    };
    let priority = u32::from(facility.code()) * 8 + severity;
    let host = header_text(&alert.host.hostname, LONGEST_HOST);
    let pid = std::process::id();
    match protocol {
        SyslogProtocol::Local => format!("<{priority}>{} {APP}[{pid}]: ", syslog_time(alert.time())),
        SyslogProtocol::Rfc3164 => format!("<{priority}>{} {host} {APP}[{pid}]: ", syslog_time(alert.time())),
        SyslogProtocol::Rfc5424 => {
            let kind = match alert.policy.message_type {
                MessageType::Alert => "alert",
                MessageType::SmartPolicy => "smart_policy",
                MessageType::Audit => "audit",
            };
            // A syslog time has no more than six digits behind the point.
            let mut time = rfc3339(alert.time());
            time.truncate(time.len() - 4);
            format!("<{priority}>1 {time}Z {host} {APP} {pid} {kind} - ")
        }
    }
}

/// The host's own time, as RFC 3164 writes it: `Nov  4 23:20:01`.
fn syslog_time(unix_nanos: u64) -> String {
    let time = Timestamp::from_nanosecond(unix_nanos.into()).unwrap_or(Timestamp::MAX);
    time.to_zoned(TimeZone::system()).strftime("%b %e %H:%M:%S").to_string()
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
    use crate::alert::shorten::{LEAST_TEXT, MIN_BYTES};
    use crate::event::Host;
    use crate::policy::Policy;

    #[test]
    fn a_syslog_header_is_as_its_protocol_says() {
        let alert = Alert::sample();
        let head = |protocol| syslog_head(Facility::Local0, protocol, &alert);
        let pid = std::process::id();
        assert_eq!(
            head(SyslogProtocol::Rfc5424),
            format!("<130>1 2023-11-14T23:20:01.500000Z host.example.test sophoslinuxsensor {pid} alert - ")
        );
        let time = syslog_time(alert.time());
        assert!(time.starts_with("Nov 1") && time.ends_with(":01") && time.len() == 15, "{time}");
        assert_eq!(head(SyslogProtocol::Local), format!("<130>{time} sophoslinuxsensor[{pid}]: "));
        assert_eq!(head(SyslogProtocol::Rfc3164), format!("<130>{time} host.example.test sophoslinuxsensor[{pid}]: "));
    }

    #[test]
    fn the_shortest_alert_fits_with_the_longest_header() {
        let mut alert = Alert::sample();
        alert.host = Arc::new(Host { hostname: "h".repeat(300), ..Host::default() });
        alert.policy = Arc::new(Policy { message_type: MessageType::SmartPolicy, ..(*alert.policy).clone() });
        let head = syslog_head(Facility::Local7, SyslogProtocol::Rfc5424, &alert);
        let longest_pid = "4194304".len() - std::process::id().to_string().len();
        assert!(head.len() + longest_pid + LEAST_TEXT <= MIN_BYTES, "{head}");
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
