//! Alerts in the Common Event Format, version 0, in one line.
//!
//! ```text
//! CEF:0|vendor|product|version|policy type|policy|severity|key=value key=value …
//! ```
//!
//! In the header a backslash and a bar are escaped, in values a backslash and an equals sign. Line ends in values stand as
//! `\n` and `\r`; other control characters and bytes that are not UTF-8 stand as `\xHH` before that, so no value ends a
//! line or begins another.
//!
//! Values are no longer than the format's dictionary allows. One that was cut ends in `…`, and a line in which anything
//! was cut or never seen whole has `cn1Label=truncated cn1=1`. `cn2` labelled `argsReadLate`, `cn3` labelled `isUserMounts`
//! and `cs5` labelled `containerUnknown` are written only if it is so.
//!
//! The destination (`d…`) is this host, and what runs on it. `duser` and `duid` are the account that an event is about;
//! where it names none, that of the process; of an event about a group there is none. The source (`s…`) is who acts: the parent of a process, the sender of a
//! message, and the address and host that a user comes from. Of a connection, `src` and `spt` are whoever opens it, `dst` and
//! `dpt` where it goes to: if the process opens it, this host is `shost`.

use std::{
    fmt::Write as _,
    io::{self, Write},
    net::IpAddr,
};

use schema::classes::file::FileType;
use schema::classes::network::Direction;

use super::{
    Alert,
    cuts::Cuts,
    facts::Facts,
    marks,
    shorten::{Form, write_as},
    text::printable,
};
use crate::{
    event::{Event, Process},
    policy::Priority,
};

const FORM: Form = Form { whole, least };

/// The most that the format takes of a name in the header.
const LONGEST_NAME: usize = 512;
/// The most that it takes of most texts, and of those whose names are ours.
const LONGEST: usize = 1023;
const LONGEST_CUSTOM: usize = 4000;
/// Stands where a value was cut.
const MARK: char = '…';

/// Appends the alert and a newline, at most so many bytes; whether something was cut.
pub fn write(out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    write_as(FORM, out, alert, max_bytes)
}

fn whole(out: &mut dyn Write, alert: &Alert, cuts: &Cuts) -> io::Result<()> {
    let mut line = Line::new(alert, LONGEST_NAME);
    line.is_cut |= !cuts.is_none();
    line.facts(alert, cuts);
    out.write_all(line.finish().as_bytes())
}

fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    let mut line = Line::new(alert, name_bytes.min(LONGEST_NAME));
    line.is_cut = true;
    line.identity(alert);
    out.write_all(line.finish().as_bytes())
}

/// The keys of an address, and the name of the second.
const SOURCE: (&str, &str, &str) = ("src", "c6a2", "Source IPv6 Address");
const DESTINATION: (&str, &str, &str) = ("dst", "c6a3", "Destination IPv6 Address");

struct Line {
    text: String,
    /// Where the header ends.
    head: usize,
    /// Whether something is missing.
    is_cut: bool,
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
        let mut line = Self { text, head: 0, is_cut: false };
        line.head(if policy.policy_type.is_empty() { "alert" } else { &policy.policy_type }, 100);
        line.head(&policy.name, name_bytes);
        let _ = write!(line.text, "{severity}|");
        line.head = line.text.len();
        line
    }

    /// The line, marked if something is missing in it.
    fn finish(mut self) -> String {
        if self.is_cut {
            self.put("cn1Label", "truncated", LONGEST);
            self.put_number("cn1", 1);
        }
        self.text
    }

    fn head(&mut self, text: &str, limit: usize) {
        let text = self.cut(&printable(text), limit);
        for char in text.chars() {
            if matches!(char, '\\' | '|') {
                self.text.push('\\');
            }
            self.text.push(char);
        }
        self.text.push('|');
    }

    /// As much of a text as the format takes.
    fn cut(&mut self, text: &str, limit: usize) -> String {
        if text.len() <= limit {
            return text.to_owned();
        }
        self.is_cut = true;
        format!("{}{MARK}", &text[..text.floor_char_boundary(limit.saturating_sub(MARK.len_utf8()))])
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
        let lines: Vec<_> =
            value.split('\n').map(|line| line.split('\r').map(printable).collect::<Vec<_>>().join("\r")).collect();
        let value = self.cut(&lines.join("\n"), limit);
        for char in value.chars() {
            match char {
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\\' | '=' => self.text.extend(['\\', char]),
                char => self.text.push(char),
            }
        }
    }

    fn put_text(&mut self, key: &str, value: Option<&str>) {
        self.put(key, value.unwrap_or_default(), LONGEST);
    }

    fn put_number(&mut self, key: &str, value: u64) {
        self.put(key, &value.to_string(), usize::MAX);
    }

    /// A field that the format leaves to us, with its name.
    fn put_custom(&mut self, number: u32, label: &str, value: &str) {
        if !value.is_empty() {
            self.put(&format!("cs{number}Label"), label, LONGEST);
            self.put(&format!("cs{number}"), value, LONGEST_CUSTOM);
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
        let facts = Facts::of(&alert.event, &alert.host, cuts);
        self.identity(alert);
        self.put("msg", cuts.words(&alert.sentences()), LONGEST);
        self.put(
            "cat",
            cuts.words(policy.categories.iter().take(cuts.lists).next().map_or("", |first| first)),
            LONGEST,
        );
        self.put("act", facts.name, 63);
        self.put("outcome", facts.outcome.word(), 63);
        self.put("reason", cuts.words(&policy.description), LONGEST);
        self.put("dvchost", cuts.words(&alert.host.hostname), 100);
        self.put("deviceExternalId", cuts.words(&alert.host.sensor_id), 255);
        // Of a connection that goes out, this host is the source.
        let is_source = facts.direction == Some(Direction::Outbound);
        self.put(if is_source { "shost" } else { "dhost" }, cuts.words(&alert.host.hostname), LONGEST);
        if process.key.tgid != 0 {
            self.process(process, &facts, cuts);
            if alert.event.is_message() {
                self.sender(process, cuts);
            } else {
                self.parent(process, cuts);
            }
            if facts.activity.is_of_group() {
                // A group is no user, and whoever changes it is the source.
            } else if facts.account.is_some() || facts.account_id.is_some() {
                self.put_text("duid", facts.account_id.as_deref());
                self.put_text("duser", facts.account.as_deref());
            } else {
                self.put("duid", &process.ids.uid.to_string(), LONGEST);
                self.put_text("duser", process.user.as_deref().map(|name| cuts.words(name)));
            }
            self.put_custom(1, "commandLine", &Cuts::command_line(&process.image.args, cuts.args).0);
        }
        self.origin(&facts);
        self.network(&facts);
        self.put_custom(2, "matchedRule", cuts.words(&alert.matched_rule));
        self.put_custom(3, "incidentId", &alert.incident_id.to_string());
        let (lineage, is_cut) = lineage(process, cuts);
        self.is_cut |= is_cut;
        self.put_custom(4, "lineage", &lineage);
        let container = process.container.as_deref();
        match container {
            Some(container) => self.put_custom(5, "containerId", cuts.words(&container.id)),
            None if marks::has(marks::of_event(&alert.event), marks::CONTAINER_UNKNOWN) => {
                self.put_custom(5, "containerUnknown", "true")
            }
            None => {}
        }
        let object = facts.object.as_deref().filter(|_| !alert.event.is_message());
        let target = facts.file.as_ref().and_then(|file| file.target.as_deref());
        let group = facts.group.as_deref().or(facts.group_id.as_deref());
        match (group, facts.terminal.as_deref(), object) {
            (Some(group), ..) => self.put_custom(6, "group", group),
            (None, Some(terminal), _) => self.put_custom(6, "terminal", terminal),
            (None, None, Some(object)) => self.put_custom(6, "object", object),
            (None, None, None) if target.is_some() => self.put_custom(6, "targetPath", target.unwrap_or_default()),
            (None, None, None) => self.put_custom(
                6,
                "imageName",
                container.map_or("", |container| cuts.words(&container.facts().image_name)),
            ),
        }
        self.marks(&alert.event);
        self.put("flexString1Label", "confidence", 128);
        self.put("flexString1", policy.confidence.word(), LONGEST);
        self.put("flexString2Label", "scope", 128);
        self.put("flexString2", alert.scope.word(), LONGEST);
    }

    /// What is not whole makes the line one in which something is cut; two that are whole and in doubt have numbers.
    fn marks(&mut self, event: &Event) {
        for mark in marks::of_event(event) {
            self.is_cut |= mark.is_cut;
            let (number, label) = match mark.name {
                marks::ARGS_LATE => (2, "argsReadLate"),
                marks::USER_MOUNTS => (3, "isUserMounts"),
                _ => continue,
            };
            self.put(&format!("cn{number}Label"), label, LONGEST);
            self.put_number(&format!("cn{number}"), 1);
        }
    }

    /// The process, and the file: that which the event is about, else the program's.
    fn process(&mut self, process: &Process, facts: &Facts<'_>, cuts: &Cuts) {
        let path = cuts.text(&process.image.path);
        self.put("dproc", &path, LONGEST);
        if let Some(file) = &facts.file {
            self.put("fname", file.name(), LONGEST);
            self.put("filePath", &file.path, LONGEST);
            self.put_text("fileType", file.file_type.map(FileType::word));
            return;
        }
        self.put("fname", path.rsplit('/').next().unwrap_or_default(), LONGEST);
        self.put("filePath", &path, LONGEST);
    }

    fn parent(&mut self, process: &Process, cuts: &Cuts) {
        if let Some(parent) = process.ancestors().take(cuts.lineage).next() {
            self.put_number("spid", parent.key.tgid.into());
            self.put("sproc", &cuts.text(&parent.image.path), LONGEST);
            self.put("suid", &parent.ids.uid.to_string(), LONGEST);
            self.put_text("suser", parent.user.as_deref().map(|name| cuts.words(name)));
        }
    }

    /// Who sent a message, which tells of somebody else.
    fn sender(&mut self, process: &Process, cuts: &Cuts) {
        self.put_number("spid", process.key.tgid.into());
        self.put("sproc", &cuts.text(&process.image.path), LONGEST);
        self.put("suid", &process.ids.uid.to_string(), LONGEST);
        self.put_text("suser", process.user.as_deref().map(|name| cuts.words(name)));
    }

    /// Where the user of a message comes from.
    fn origin(&mut self, facts: &Facts<'_>) {
        self.address(SOURCE, facts.address);
        self.put_text("shost", facts.remote_host.as_deref());
    }

    /// Between whom something goes over the network, and how.
    fn network(&mut self, facts: &Facts<'_>) {
        let Some(transport) = facts.transport.as_deref() else { return };
        self.address(SOURCE, facts.source.address);
        self.address(DESTINATION, facts.destination.address);
        for (key, port) in [("spt", facts.source.port), ("dpt", facts.destination.port)] {
            if let Some(port) = port.and_then(|port| u64::try_from(port).ok()) {
                self.put_number(key, port);
            }
        }
        self.put("proto", &transport.to_uppercase(), 31);
        match facts.direction {
            Some(Direction::Inbound) => self.put_number("deviceDirection", 0),
            Some(Direction::Outbound) => self.put_number("deviceDirection", 1),
            None => {}
        }
    }

    /// An address, for which the format has a key of its own by its version.
    fn address(&mut self, (v4, v6, label): (&str, &str, &str), address: Option<IpAddr>) {
        match address {
            Some(IpAddr::V4(address)) => self.put_text(v4, Some(&address.to_string())),
            Some(IpAddr::V6(address)) => {
                self.put(&format!("{v6}Label"), label, LONGEST);
                self.put_text(v6, Some(&address.to_string()));
            }
            None => {}
        }
    }
}

/// The programs of the ancestors, nearest first, as many as there is room for; `…` stands for the others. Whether there are
/// others.
fn lineage(process: &Process, cuts: &Cuts) -> (String, bool) {
    let (mut line, more) = (String::new(), format!(" < {MARK}"));
    for (index, ancestor) in process.ancestors().enumerate() {
        let program = match printable(&cuts.text(&ancestor.image.path)) {
            // Such as a kernel's thread, or one of another pid namespace.
            unknown if unknown.is_empty() => "?".to_owned(),
            program => program,
        };
        let before = if index == 0 { "" } else { " < " };
        // What is not the last one leaves room for the mark.
        let room = if ancestor.parent.is_some() { more.len() } else { 0 };
        if index >= cuts.lineage || line.len() + before.len() + program.len() + room > LONGEST_CUSTOM {
            return (format!("{line}{before}{MARK}"), true);
        }
        line.push_str(before);
        line.push_str(&program);
    }
    (line, false)
}
