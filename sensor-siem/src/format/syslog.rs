//! Lines as syslog messages.

use std::fmt::Write as _;

use crate::item::Stream;

/// The most that fits into one UDP datagram over IPv4, bytes.
pub const MAX_DATAGRAM: usize = 65_507;

/// *Informational* (RFC 5424, section 6.2.1).
const INFO: u8 = 6;

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
    pub const DAEMON: Self = Self(3);

    /// The names that there are.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FACILITIES.iter().map(|(name, _)| *name)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FACILITIES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number))
    }

    const fn priority(self) -> u8 {
        self.0 * 8 + INFO
    }
}

/// How messages follow one another on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Nothing between them: the script's default. No reader can part them for sure.
    None,
    /// A NUL behind each: the script's `append_nul`.
    Nul,
    /// The length before each (RFC 6587, section 3.4.1).
    OctetCounting,
    /// A line feed behind each (RFC 6587, section 3.4.2).
    LineFeed,
}

/// The message that the script writes: the priority and the line, no header.
#[must_use]
pub fn bare(facility: Facility, line: &str) -> String {
    format!("<{}>{line}", facility.priority())
}

/// A message of RFC 5424. Its time is that of the item if that is one (RFC 3339 with six digits of a second at most), its
/// message id the stream.
#[must_use]
pub fn rfc5424(facility: Facility, time: Option<&str>, host: &str, stream: Stream, line: &str) -> String {
    let time = time.filter(|time| is_time(time)).unwrap_or("-");
    let host: String = host.chars().filter(char::is_ascii_graphic).take(255).collect();
    let host = if host.is_empty() { "-" } else { &host };
    let (priority, process) = (facility.priority(), std::process::id());
    format!("<{priority}>1 {time} {host} sensor-siem {process} {} - {line}", stream.word())
}

/// The message as one datagram; none if it is too large for one.
#[must_use]
pub fn datagram(message: &str) -> Option<&[u8]> {
    (message.len() <= MAX_DATAGRAM).then_some(message.as_bytes())
}

/// Appends the message to what is sent on a connection.
pub fn frame(out: &mut Vec<u8>, message: &str, framing: Framing) {
    if framing == Framing::OctetCounting {
        let mut length = String::new();
        // Writing to a string does not fail.
        let _ = write!(length, "{} ", message.len());
        out.extend_from_slice(length.as_bytes());
    }
    out.extend_from_slice(message.as_bytes());
    match framing {
        Framing::None | Framing::OctetCounting => {}
        Framing::Nul => out.push(0),
        Framing::LineFeed => out.push(b'\n'),
    }
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

    #[test]
    fn a_message_of_rfc_5424() {
        let message = rfc5424(Facility::DAEMON, Some("2026-11-29T08:00:00.000Z"), "host a", Stream::Alerts, "a line");
        let rest = message.strip_prefix("<30>1 2026-11-29T08:00:00.000Z hosta sensor-siem ").unwrap();
        assert_eq!(rest.split_once(' ').unwrap().1, "alert - a line");
        let message = rfc5424(Facility::named("local7").unwrap(), Some("today"), "", Stream::Events, "x");
        assert!(message.starts_with("<190>1 - - sensor-siem "), "{message}");
        let mut out = Vec::new();
        for framing in [Framing::OctetCounting, Framing::LineFeed, Framing::OctetCounting] {
            frame(&mut out, "<30>1 ä", framing);
        }
        assert_eq!(out, "8 <30>1 ä<30>1 ä\n8 <30>1 ä".as_bytes());
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
    fn a_datagram_has_a_bound() {
        assert!(datagram(&"x".repeat(MAX_DATAGRAM)).is_some());
        assert!(datagram(&"x".repeat(MAX_DATAGRAM + 1)).is_none());
    }
}
