//! From keys to what they mean.

use std::{cell::RefCell, path::Path, sync::Arc, time::Duration};

use delivery::{
    receivers::syslog::{Framing, SyslogAddress, SyslogReceiver},
    tls::TlsSettings,
};
use diagnostic::{Report, Span, nearest};
use secrecy::SecretString;
use settings::FromText as _;
use url::Url;

use super::{
    ini::{self, Entry, Section},
    interpolate::interpolate,
    keys::{KEYS, SECTION, named},
};
use crate::{
    config::{Config, LogFormat, LogLevel, MAIN, Output, REPLIES},
    destination::{Destination, FileOutput, look, syslog::SyslogOutput},
    format::{
        Format, Layout,
        syslog::{Facility, Header},
    },
    item::Stream,
    source::{Connection, Credentials, Rates, Start},
};

/// Reads the text of a file of this name; relative paths are in the folder `home`. None if the report has errors.
pub fn read(name: &str, text: &str, home: &Path, report: &mut Report) -> Option<Config> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = report.add_source(name, text);
    let sections = ini::parse(source, text, report);
    // Before anything is shown.
    for entry in sections.iter().flat_map(|section| &section.entries) {
        if may_be_secret(&entry.key) {
            report.hide(entry.span.clone());
        }
    }
    tell_unknown(&sections, report);
    let values = Values { sections: &sections, report: RefCell::new(report) };
    let config = values.config(home);
    let has_errors = values.report.into_inner().has_errors();
    if has_errors { None } else { config }
}

/// A key that is misspelt has its secret all the same.
fn may_be_secret(key: &str) -> bool {
    let secrets = KEYS.iter().filter(|key| key.is_secret).map(|key| key.name);
    named(key).map_or_else(
        || {
            ["secret", "token", "key", "password"].iter().any(|word| key.contains(word))
                || nearest(key, secrets).is_some()
        },
        |known| known.is_secret,
    )
}

fn tell_unknown(sections: &[Section], report: &mut Report) {
    for section in sections {
        let is_known = section.name == SECTION || section.name == "DEFAULT";
        if !is_known {
            let near = nearest(&section.name, [SECTION]).map(|near| format!("did you mean `[{near}]`?"));
            report
                .warning(
                    section.span.clone(),
                    format!("the section `{}` is not known and nothing in it is read", section.name),
                )
                .help(near.unwrap_or_else(|| format!("all keys stand in `[{SECTION}]`")));
            continue;
        }
        for entry in section.entries.iter().filter(|entry| named(&entry.key).is_none()) {
            let warning = report.warning(entry.key_span.clone(), format!("unknown key `{}`", entry.key));
            if let Some(near) = nearest(&entry.key, KEYS.iter().map(|key| key.name)) {
                warning.help(format!("did you mean `{near}`?"));
            }
        }
    }
}

/// A value with the place of its key's value; no place if the default stands in.
struct Found {
    text: String,
    span: Option<Span>,
}

impl Found {
    /// Whether somebody wrote one that is not empty.
    fn is_set(&self) -> bool {
        self.span.is_some()
    }
}

struct Values<'a, 'r> {
    sections: &'a [Section],
    report: RefCell<&'r mut Report>,
}

impl Values<'_, '_> {
    fn entry(&self, key: &str) -> Option<&Entry> {
        let within = |name: &str| {
            let mut sections = self.sections.iter().filter(|section| section.name == name);
            sections.find_map(|section| section.entries.iter().find(|entry| entry.key == key))
        };
        within(SECTION).or_else(|| within("DEFAULT"))
    }

    /// A key's value; its default if it is not there or empty.
    fn get(&self, key: &'static str) -> Found {
        let default = || Found { text: named(key).map(|key| key.default.to_owned()).unwrap_or_default(), span: None };
        let Some(entry) = self.entry(key) else { return default() };
        let lookup = |key: &str| self.entry(key).map(|entry| entry.value.as_str());
        let text = interpolate(&entry.value, lookup).unwrap_or_else(|reason| {
            let mut report = self.report.borrow_mut();
            report.error(entry.span.clone(), format!("`{key}`: {reason}")).help("write `%%` where a `%` is meant");
            String::new()
        });
        let text = text.trim();
        if text.contains('\n') && key != "token_info" {
            let mut report = self.report.borrow_mut();
            report
                .error(entry.span.clone(), format!("`{key}` has more than one line"))
                .help("a line that stands further in than its key goes on with the value: move it to the left");
            return default();
        }
        if text.is_empty() { default() } else { Found { text: text.to_owned(), span: Some(entry.span.clone()) } }
    }

    fn error(&self, found: &Found, message: impl Into<String>, help: impl Into<String>) {
        self.report.borrow_mut().error(found.span.clone(), message).help(help);
    }

    fn words<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> T {
        let found = self.get(key);
        let lower = found.text.to_lowercase();
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == lower) {
            return *value;
        }
        let known = || words.iter().map(|(word, _)| *word);
        let help = match nearest(&lower, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.error(&found, format!("`{key}`: unknown word `{}`", found.text), help);
        words[0].1
    }

    fn flag(&self, key: &'static str) -> bool {
        let words = [("true", true), ("yes", true), ("on", true), ("1", true)];
        let others = [("false", false), ("no", false), ("off", false), ("0", false)];
        self.words(key, &[words, others].concat())
    }

    fn number(&self, key: &'static str, range: std::ops::RangeInclusive<u32>) -> u32 {
        let found = self.get(key);
        match found.text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let help = format!("write a whole number from {} to {}", range.start(), range.end());
                self.error(&found, format!("`{key}`: this is none that can be used"), help);
                *range.start()
            }
        }
    }

    fn https(&self, key: &'static str, found: &Found, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.host().is_some());
        if url.is_none() {
            self.error(
                found,
                format!("`{key}` is no https URL"),
                "credentials are sent over https alone: https://HOST…",
            );
        }
        url
    }

    fn config(&self, home: &Path) -> Option<Config> {
        let mut idle = Vec::new();
        let credentials = self.credentials(&mut idle);
        let streams = self.words(
            "endpoint",
            &[("event", &[Stream::Events][..]), ("alert", &[Stream::Alerts]), ("all", &Stream::ALL)],
        );
        let layout = Layout {
            format: self.format(),
            compat: self.flag("compat"),
            fqdn: self.flag("convert_dhost_field_to_valid_fqdn"),
        };
        let destination = self.destination(home, layout.compat, &mut idle);
        let script_state = home.join(self.get("state_file_path").text);
        let minutes = |key| self.number(key, 0..=24 * 60);
        let earlier_minutes = [minutes("events_from_date_offset_minutes"), minutes("alerts_from_date_offset_minutes")];
        let log_level = self.words(
            "logging_level",
            &[
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("warning", LogLevel::Warning),
                ("error", LogLevel::Error),
                ("critical", LogLevel::Error),
            ],
        );
        Some(Config {
            connection: self.connection(home),
            credentials: credentials?,
            streams: streams.to_vec(),
            light: false,
            earlier_minutes,
            overlap: Duration::from_secs(60 * u64::from(self.number("overlap_minutes", 0..=12 * 60))),
            poll: Duration::from_secs(60),
            outputs: vec![Output {
                name: MAIN.into(),
                destination: destination?,
                layout,
                start: Start::Script,
                max_bytes: None,
            }],
            state: script_state.with_extension("sensor-siem.jsonl"),
            dead_letters: script_state.with_extension("dead-letters.jsonl"),
            script_state: Some(script_state),
            metrics: None,
            log_level,
            log_format: LogFormat::Text,
            idle,
        })
    }

    fn connection(&self, home: &Path) -> Connection {
        let ca_file = self.get("ca_file");
        let proxy = self.get("proxy");
        let url = Url::parse(&proxy.text).ok().filter(|url| url.scheme() == "http" && url.host().is_some());
        if proxy.is_set() && url.is_none() {
            let help = "write it like http://proxy.example:3128; what is sent through it is encrypted all the same";
            self.error(&proxy, "`proxy` is no URL of an HTTP proxy", help);
        }
        let tls = TlsSettings { ca_file: ca_file.is_set().then(|| home.join(&ca_file.text)), ..TlsSettings::default() };
        look(&tls, |_| ca_file.span.clone(), &mut self.report.borrow_mut());
        Connection {
            ca_file: tls.ca_file,
            proxy: url,
            timeout: Duration::from_secs(self.number("timeout_seconds", 1..=3600).into()),
            rates: Rates::USUAL,
            replies: REPLIES,
        }
    }

    fn format(&self) -> Format {
        let found = self.get("format");
        if found.text.eq_ignore_ascii_case("non-streamed-json") {
            let help = "write `json`: an object a line can be appended to, an array cannot";
            self.error(&found, "`format`: one array for a whole file is not built", help);
            return Format::Json;
        }
        self.words("format", &Vec::from_iter(Format::ALL.iter().map(|format| (format.word(), *format))))
    }

    fn destination(&self, home: &Path, compat: bool, idle: &mut Vec<String>) -> Option<Destination> {
        let found = self.get("filename");
        let destination = match found.text.as_str() {
            "syslog" => {
                return self.syslog(compat, idle).map(|syslog| Destination::Receiver(Arc::new(syslog)));
            }
            "stdout" => Destination::Stdout,
            name => Destination::File(FileOutput::new(home.join("log").join(name))),
        };
        let syslog = ["address", "facility", "socktype", "append_nul"];
        let set: Vec<&str> = syslog.into_iter().filter(|key| self.get(key).is_set()).collect();
        if !set.is_empty() {
            idle.push(format!("{} (with `filename = {}`)", set.join(", "), found.text));
        }
        Some(destination)
    }

    /// The receiver. Compatible messages have the priority alone before them, and nothing between them in a stream.
    fn syslog(&self, compat: bool, idle: &mut Vec<String>) -> Option<SyslogOutput> {
        let (found, is_stream) = (self.get("address"), self.words("socktype", &[("udp", false), ("tcp", true)]));
        let facility = self.words(
            "facility",
            &Facility::names().filter_map(|name| Some((name, Facility::named(name)?))).collect::<Vec<_>>(),
        );
        let append_nul = self.flag("append_nul");
        let address = if found.text.starts_with('/') {
            if self.get("socktype").is_set() {
                idle.push("socktype (with the path of a socket)".into());
            }
            SyslogAddress::from_text(&found.text)
        } else {
            let scheme = if is_stream { "tcp" } else { "udp" };
            SyslogAddress::from_text(&format!("{scheme}://{}", found.text))
        };
        let Ok(address) = address else {
            let help = "write host and port, such as 192.0.2.53:514, or the path of a socket, such as /dev/log";
            self.error(&found, "`address` is none of a syslog receiver", help);
            return None;
        };
        let framing = match address {
            _ if append_nul => Some(Framing::Nul),
            SyslogAddress::Tcp(_) if compat => None,
            _ => SyslogOutput::framing(&address),
        };
        let receiver = SyslogReceiver { address, framing, tls: TlsSettings::default(), server_name: None };
        Some(SyslogOutput::new(receiver, facility, compat.then_some(Header::Bare)))
    }

    fn credentials(&self, idle: &mut Vec<String>) -> Option<Credentials> {
        let (id, secret) = (self.get("client_id"), self.get("client_secret"));
        let info = self.get("token_info");
        match (id.is_set(), secret.is_set()) {
            (true, true) => {}
            (true, false) => {
                self.error(
                    &id,
                    "there is a `client_id` and no `client_secret`",
                    "both are shown when the credentials are made",
                );
                return None;
            }
            (false, true) => {
                self.error(
                    &secret,
                    "there is a `client_secret` and no `client_id`",
                    "both are shown when the credentials are made",
                );
                return None;
            }
            (false, false) if info.is_set() => {
                let others = ["tenant_id", "auth_url", "api_host"].into_iter().filter(|key| self.get(key).is_set());
                let others: Vec<&str> = others.collect();
                if !others.is_empty() {
                    idle.push(format!("{} (with `token_info` alone)", others.join(", ")));
                }
                return self.legacy(&info);
            }
            (false, false) => {
                let help = "set `client_id` and `client_secret`: Global Settings, API Credentials Management";
                self.error(&id, "there are no credentials", help);
                return None;
            }
        }
        if info.is_set() {
            idle.push("token_info (with `client_id`)".into());
        }
        let tenant = self.get("tenant_id");
        if tenant.is_set() && uuid::Uuid::parse_str(&tenant.text).is_err() {
            self.error(
                &tenant,
                "`tenant_id` is no id of a tenant",
                "an id looks like 11111111-2222-4333-8444-555555555555",
            );
        }
        let (auth, host) = (self.get("auth_url"), self.get("api_host"));
        let host_url = if host.text.contains("://") { host.text.clone() } else { format!("https://{}", host.text) };
        Some(Credentials::Client {
            id: id.text,
            secret: SecretString::from(secret.text),
            tenants: tenant.is_set().then(|| tenant.text.to_lowercase()).into_iter().collect(),
            auth_url: self.https("auth_url", &auth, &auth.text)?,
            api_host: self.https("api_host", &host, &host_url)?,
        })
    }

    /// `url: …, x-api-key: …, Authorization: …`, in any order.
    fn legacy(&self, info: &Found) -> Option<Credentials> {
        let part = |name: &str| {
            let parts = info.text.split([',', '\n']).filter_map(|part| part.split_once(':'));
            let mut found = parts.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let (Some(url), Some(key), Some(authorization)) = (part("url"), part("x-api-key"), part("Authorization"))
        else {
            let help = "copy the whole block: `url: …, x-api-key: …, Authorization: Basic …`";
            self.error(info, "`token_info` is not whole", help);
            return None;
        };
        Some(Credentials::Legacy {
            url: self.https("token_info", info, &url)?,
            api_key: SecretString::from(key),
            authorization: SecretString::from(authorization),
        })
    }
}
