//! Lines as syslog messages.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};
use settings::{FromText, Own, Problem};

use crate::item::Stream;

/// *Informational* (RFC 5424, section 6.2.1).
const INFO: u8 = 6;
/// The name of the program in a header.
const APP: &str = "sensor-siem";

/// This host's name, visible ASCII alone, which is what a header may hold. It is asked of the kernel: a unit has not all of
/// `/proc`.
static HOST: LazyLock<String> = LazyLock::new(|| {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy();
    let name: String = name.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".into() } else { name }
});

/// The facilities by name (RFC 5424, table 1, under the names that Python's `logging.handlers` knows).
const FACILITIES: [(&str, u8); 24] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("ntp", 12),
    ("security", 13),
    ("console", 14),
    ("solaris-cron", 15),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// A syslog facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// The names that there are.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FACILITIES.iter().map(|(name, _)| *name)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FACILITIES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number))
    }

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        FACILITIES[self.0 as usize].0
    }

    const fn priority(self) -> u8 {
        self.0 * 8 + INFO
    }
}

impl FromText for Facility {
    fn from_text(text: &str) -> Result<Self, Problem> {
        Self::named(text).ok_or_else(|| {
            let help = match diagnostic::nearest(text, Self::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", Self::names().collect::<Vec<_>>().join(", ")),
            };
            Problem::new(format!("unknown facility `{text}`")).help(help)
        })
    }
}

/// The type of keys that take one.
pub static FACILITY: Own = Own {
    name: "facility",
    expected: "a facility such as daemon or local0",
    check: |text| Facility::from_text(text).map(drop),
    prose: None,
};

settings::words! {
    /// What stands before the line.
    pub Header {
        Rfc5424 = "rfc5424",
        Rfc3164 = "rfc3164",
        /// RFC 3164 without the host: what system loggers read on `/dev/log`.
        Local = "local",
        /// The priority alone: what the vendor's script writes.
        Bare = "bare",
    }
}

impl Header {
    /// Appends it. The time is that of the item, as Central says it.
    pub fn put(self, out: &mut Vec<u8>, facility: Facility, stream: Stream, time: Option<&str>) {
        let (priority, host, process) = (facility.priority(), HOST.as_str(), std::process::id());
        let head = match self {
            Self::Rfc5424 => {
                let time = time.filter(|time| is_time(time)).unwrap_or("-");
                format!("<{priority}>1 {time} {host} {APP} {process} {} - ", stream.word())
            }
            Self::Rfc3164 => format!("<{priority}>{} {host} {APP}[{process}]: ", local_time(time)),
            Self::Local => format!("<{priority}>{} {APP}[{process}]: ", local_time(time)),
            Self::Bare => format!("<{priority}>"),
        };
        out.extend_from_slice(head.as_bytes());
    }
}

/// The time as RFC 3164 writes it, this host's own: `Nov  4 23:20:01`. One that cannot be read is now.
fn local_time(time: Option<&str>) -> String {
    let time = time.and_then(|time| time.parse().ok()).unwrap_or_else(Timestamp::now);
    time.to_zoned(TimeZone::system()).strftime("%b %e %H:%M:%S").to_string()
}

/// Whether RFC 5424 takes it as a time: `2026-11-29T08:00:00.000Z`, or with an offset.
fn is_time(text: &str) -> bool {
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                _ => byte == shape,
            })
    };
    let Some((seconds, rest)) = text.split_at_checked(19) else { return false };
    let fraction = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count() + 1);
    let zone = &rest[fraction..];
    shape(seconds, "0000-00-00T00:00:00")
        && matches!(fraction, 0 | 2..=7)
        && (zone == "Z" || shape(zone, "+00:00") || shape(zone, "-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: Header, facility: &str, stream: Stream, time: Option<&str>) -> String {
        let mut out = Vec::new();
        header.put(&mut out, Facility::named(facility).unwrap(), stream, time);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn headers_are_as_their_protocol_says() {
        let time = Some("2026-11-29T08:00:00.000Z");
        let (host, process) = (HOST.as_str(), std::process::id());
        assert_eq!(
            of(Header::Rfc5424, "daemon", Stream::Alerts, time),
            format!("<30>1 2026-11-29T08:00:00.000Z {host} sensor-siem {process} alert - ")
        );
        let message = of(Header::Rfc5424, "local7", Stream::Events, Some("today"));
        assert!(message.starts_with("<190>1 - "), "{message}");
        let message = of(Header::Rfc3164, "daemon", Stream::Events, time);
        let rest = message.strip_prefix("<30>").unwrap();
        assert!(rest.starts_with("Nov 2") || rest.starts_with("Nov 30"), "{message}");
        assert_eq!(rest[15..], format!(" {host} sensor-siem[{process}]: "));
        let message = of(Header::Local, "daemon", Stream::Events, time);
        assert_eq!(message[19..], format!(" sensor-siem[{process}]: "));
        assert_eq!(of(Header::Bare, "kern", Stream::Events, time), "<6>");
    }

    #[test]
    fn the_host_is_this_one() {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(HOST.as_str(), name.trim());
    }

    #[test]
    fn times_are_those_of_rfc_5424() {
        for time in ["2026-11-29T08:00:00Z", "2026-11-29T08:00:00.1Z", "2026-11-29T08:00:00.123456-03:30"] {
            assert!(is_time(time), "{time}");
        }
        for time in [
            "",
            "2026-11-29",
            "2026-11-29 08:00:00Z",
            "2026-11-29T08:00:00",
            "2026-11-29T08:00:00.Z",
            "2026-11-29T08:00:00.1234567Z",
            "2026-11-29T08:00:00ä",
            "2026-11-29T08:00:0ä",
        ] {
            assert!(!is_time(time), "{time}");
        }
    }

    #[test]
    fn facilities_are_known_by_name() {
        for name in Facility::names() {
            assert_eq!(Facility::from_text(name).unwrap().word(), name);
        }
        assert!(Facility::from_text("deamon").unwrap_err().help.unwrap().contains("`daemon`"));
    }
}
