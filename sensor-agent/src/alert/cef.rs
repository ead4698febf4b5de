//! Alerts in the Common Event Format, version 0, in one line.
//!
//! ```text
//! CEF:0|vendor|product|version|policy type|policy|severity|key=value key=value …
//! ```
//!
//! In the header a backslash and a bar are escaped, in values a backslash and an equals sign. Control characters and
//! bytes that are not UTF-8 stand as `\xHH` before that, so no value ends a line or begins another.
//! Values are no longer than the format's dictionary allows.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    Alert,
    cuts::Cuts,
    shorten::{Form, write_as},
    text::printable,
};
use crate::{
    event::{EventType, Process},
    policy::Priority,
};

const FORM: Form = Form { whole, least };

/// The most that the format takes of a name in the header.
const LONGEST_NAME: usize = 512;

/// Appends the alert and a newline, at most so many bytes; whether something was cut.
pub fn write(out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    write_as(FORM, out, alert, max_bytes)
}

fn whole(out: &mut dyn Write, alert: &Alert, cuts: &Cuts) -> io::Result<()> {
    let mut line = Line::new(alert, LONGEST_NAME);
    line.facts(alert, cuts);
    out.write_all(line.text.as_bytes())
}

fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    let mut line = Line::new(alert, name_bytes.min(LONGEST_NAME));
    line.identity(alert);
    out.write_all(line.text.as_bytes())
}

struct Line {
    text: String,
    /// Where the header ends.
    head: usize,
}

impl Line {
    fn new(alert: &Alert, name_bytes: usize) -> Self {
        let policy = &*alert.policy;
        let severity = match policy.priority {
            Priority::Info => 0,
            Priority::Low => 3,
            Priority::Medium => 5,
            Priority::High => 8,
        };
        let text = format!("CEF:0|sophoslinuxsensor|sensor|{}|", env!("CARGO_PKG_VERSION"));
        let mut line = Self { text, head: 0 };
        line.head(if policy.policy_type.is_empty() { "alert" } else { &policy.policy_type }, 100);
        line.head(&policy.name, name_bytes);
        let _ = write!(line.text, "{severity}|");
        line.head = line.text.len();
        line
    }

    fn head(&mut self, text: &str, limit: usize) {
        for char in cut(&printable(text), limit).chars() {
            if matches!(char, '\\' | '|') {
                self.text.push('\\');
            }
            self.text.push(char);
        }
        self.text.push('|');
    }

    /// Adds a pair, unless there is no value.
    fn put(&mut self, key: &str, value: &str, limit: usize) {
        if value.is_empty() {
            return;
        }
        if self.text.len() > self.head {
            self.text.push(' ');
        }
        self.text.push_str(key);
        self.text.push('=');
        for char in cut(&printable(value), limit).chars() {
            if matches!(char, '\\' | '=') {
                self.text.push('\\');
            }
            self.text.push(char);
        }
    }

    fn put_number(&mut self, key: &str, value: u64) {
        self.put(key, &value.to_string(), usize::MAX);
    }

    /// A field that the format leaves to us, with its name.
    fn put_custom(&mut self, number: u32, label: &str, value: &str) {
        if !value.is_empty() {
            self.put(&format!("cs{number}Label"), label, 1023);
            self.put(&format!("cs{number}"), value, 4000);
        }
    }

    fn identity(&mut self, alert: &Alert) {
        self.put_number("rt", alert.time() / 1_000_000);
        self.put("externalId", &alert.uuid.to_string(), 40);
        if alert.event.process.key.tgid != 0 {
            self.put_number("dpid", alert.event.process.key.tgid.into());
        }
    }

    fn facts(&mut self, alert: &Alert, cuts: &Cuts) {
        let (policy, process) = (&*alert.policy, &*alert.event.process);
        self.identity(alert);
        self.put("msg", cuts.words(&alert.sentences()), 1023);
        self.put("cat", cuts.words(policy.categories.iter().take(cuts.lists).next().map_or("", |first| first)), 1023);
        self.put("act", alert.event.kind.word(), 63);
        self.put("outcome", if alert.event.kind == EventType::ExecFailed { "failure" } else { "success" }, 63);
        self.put("reason", cuts.words(&policy.description), 1023);
        self.put("dvchost", cuts.words(&alert.host.hostname), 100);
        self.put("deviceExternalId", cuts.words(&alert.host.sensor_id), 255);
        self.put("dhost", cuts.words(&alert.host.hostname), 1023);
        if process.key.tgid != 0 {
            self.process(process, cuts);
        }
        self.put_custom(2, "matchedRule", cuts.words(&alert.matched_rule));
        self.put_custom(3, "incidentId", &alert.incident_id.to_string());
        self.put_custom(4, "lineage", &lineage(process, cuts));
        if let Some(container) = &process.container {
            self.put_custom(5, "containerId", cuts.words(&container.id));
            self.put_custom(6, "imageName", cuts.words(&container.image_name));
        }
        self.put("flexString1Label", "confidence", 128);
        self.put("flexString1", policy.confidence.word(), 1023);
        self.put("flexString2Label", "scope", 128);
        self.put("flexString2", alert.scope.word(), 1023);
    }

    fn process(&mut self, process: &Process, cuts: &Cuts) {
        let path = cuts.text(&process.image.path);
        self.put("dproc", &path, 1023);
        self.put("fname", path.rsplit('/').next().unwrap_or_default(), 1023);
        self.put("filePath", &path, 1023);
        self.put("duid", &process.ids.uid.to_string(), 1023);
        self.put("duser", cuts.words(process.user.as_deref().unwrap_or_default()), 1023);
        if let Some(parent) = process.ancestors().take(cuts.lineage).next() {
            self.put_number("spid", parent.key.tgid.into());
            self.put("sproc", &cuts.text(&parent.image.path), 1023);
            self.put("suid", &parent.ids.uid.to_string(), 1023);
            self.put("suser", cuts.words(parent.user.as_deref().unwrap_or_default()), 1023);
        }
        self.put_custom(1, "commandLine", &Cuts::command_line(&process.image.args, cuts.args).0);
    }
}

/// The programs of the ancestors, nearest first.
fn lineage(process: &Process, cuts: &Cuts) -> String {
    let programs: Vec<_> =
        process.ancestors().take(cuts.lineage).map(|ancestor| cuts.text(&ancestor.image.path)).collect();
    programs.join(" < ")
}

fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
