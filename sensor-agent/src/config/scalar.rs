//! Texts to values: booleans, numbers, durations, sizes, URLs, and what is wrong with those that are none.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::faults;
use crate::diagnostic::nearest;

/// What is wrong with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Problem {
    /// One sentence without a full stop, beginning in lower case, that goes on after "`key`: ".
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// The part of the value that is wrong.
    pub(crate) part: Option<Range<usize>>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn part(mut self, part: Range<usize>) -> Self {
        self.part = Some(part);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// A value that is written as one piece of text.
pub(crate) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, Problem>;
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, Problem> {
        match text.to_ascii_lowercase().as_str() {
            // The words of YAML 1.1, which the vendor's parser takes as well.
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => {
                let problem = Problem::new("this is neither true nor false");
                Err(match nearest(text, ["true", "false"]) {
                    Some(word) => problem.help(format!("did you mean `{word}`?")),
                    None => problem.help("write true or false"),
                })
            }
        }
    }
}

impl FromText for u64 {
    fn from_text(text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|_| {
            let problem = Problem::new("this is not a whole number");
            match faults::plain_number(text) {
                Some(plain) => problem.help(format!("write {plain}")),
                None => problem.help("write digits alone, such as 1000"),
            }
        })
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, Problem> {
        Ok(text.to_owned())
    }
}

impl FromText for PathBuf {
    fn from_text(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::new("a path is missing"));
        }
        if text.contains('\0') {
            return Err(Problem::new("a path cannot hold a zero byte"));
        }
        Ok(Self::from(text))
    }
}

impl FromText for Url {
    fn from_text(text: &str) -> Result<Self, Problem> {
        if text.trim() != text {
            return Err(Problem::new("blanks around a URL").help("take them out"));
        }
        let url = Self::parse(text).map_err(|error| {
            let problem = Problem::new(format!("this is not a URL: {error}"));
            if text.contains("://") { problem } else { problem.help("write it whole, such as https://host.example") }
        })?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(Problem::new("this URL names no host").help("write it whole, such as https://host.example"));
        }
        Ok(url)
    }
}

impl FromText for Uuid {
    fn from_text(text: &str) -> Result<Self, Problem> {
        if text.contains("##") || text.to_ascii_lowercase().contains("xxxx") {
            return Err(Problem::new("this is a placeholder, not an id").help(
                "put in your own id: hexadecimal digits in groups of 8-4-4-4-12, such as 1a2345b6-78c9-012d-ef34-5a6b789c0de1",
            ));
        }
        if text.len() != 36 {
            return Err(Problem::new(format!("an id has 36 characters, this has {}", text.chars().count())).help(
                "write hexadecimal digits in groups of 8-4-4-4-12, such as 1a2345b6-78c9-012d-ef34-5a6b789c0de1",
            ));
        }
        Self::try_parse(text).map_err(|_| {
            let problem = Problem::new("this is not an id (UUID)")
                .help("write hexadecimal digits in groups of 8-4-4-4-12, such as 1a2345b6-78c9-012d-ef34-5a6b789c0de1");
            match text.char_indices().find(|(_, character)| !character.is_ascii_hexdigit() && *character != '-') {
                Some((at, character)) => problem.part(at..at + character.len_utf8()),
                None => problem,
            }
        })
    }
}

const DURATION_HELP: &str = "write a number and a unit, such as 500ms, 5s, 5m, 1h30m";

/// Units in the order in which they may follow each other, nanoseconds.
const DURATION_UNITS: &[(&str, u64)] = &[
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl FromText for Duration {
    /// Reads what Go's `time.ParseDuration` reads, signs and units of microseconds in Greek aside.
    fn from_text(text: &str) -> Result<Self, Problem> {
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if let Some(plain) = faults::plain_duration(text) {
            return Err(Problem::new("this is not a duration").help(format!("write {plain}")));
        }
        if text.is_empty() {
            return Err(Problem::new("a duration is missing").help(DURATION_HELP));
        }
        let mut total: u64 = 0;
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
            let number = &rest[..digits];
            let unit_length = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = &rest[digits..digits + unit_length];
            let Some((whole, fraction)) = decimal(number) else {
                return Err(Problem::new("this is not a duration").part(at..text.len()).help(DURATION_HELP));
            };
            let Some((_, scale)) = DURATION_UNITS.iter().find(|(known, _)| *known == unit) else {
                let problem = if unit.is_empty() {
                    Problem::new("a duration needs a unit").help(match text.parse::<u64>() {
                        Ok(number) => format!("write {number}s for seconds, {number}m for minutes"),
                        Err(_) => DURATION_HELP.to_owned(),
                    })
                } else {
                    let start = at + digits;
                    Problem::new(format!("`{unit}` is not a unit of time"))
                        .part(start..start + unit_length)
                        .help("units are h, m, s, ms, us, ns")
                };
                return Err(problem);
            };
            let nanoseconds = whole
                .checked_mul(*scale)
                .and_then(|nanoseconds| nanoseconds.checked_add((fraction * *scale as f64) as u64))
                .and_then(|nanoseconds| total.checked_add(nanoseconds));
            total = nanoseconds.ok_or_else(|| Problem::new("this duration is too long"))?;
            at += digits + unit_length;
        }
        Ok(Self::from_nanos(total))
    }
}

/// A decimal number as its whole part and its fraction.
fn decimal(number: &str) -> Option<(u64, f64)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().ok()? };
    Some((whole, fraction))
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

impl FromText for Size {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let help = "write bytes (10000) or a number and a unit: kB, MB, GB, KiB, MiB, GiB";
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().map_err(|_| Problem::new("this is not a size").help(help))?;
        let unit = text[digits..].trim();
        let scale = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "kib" | "ki" => 1 << 10,
            "mib" | "mi" => 1 << 20,
            "gib" | "gi" => 1 << 30,
            _ => {
                let start = text.len() - unit.len();
                return Err(Problem::new("this is not a unit of size").part(start..text.len()).help(help));
            }
        };
        number.checked_mul(scale).map(Self).ok_or_else(|| Problem::new("this size is too large"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            (".5s", 500),
            ("0", 0),
        ] {
            assert_eq!(Duration::from_text(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_what_to_write() {
        for (text, help) in [
            ("5", "write 5s for seconds, 5m for minutes"),
            ("5秒", "write 5s"),
            ("５s", "write 5s"),
            ("5 s", "write 5s"),
            ("5d", "units are h, m, s, ms, us, ns"),
            ("", DURATION_HELP),
            ("s", DURATION_HELP),
            ("-5s", DURATION_HELP),
            ("5..5s", DURATION_HELP),
        ] {
            assert_eq!(Duration::from_text(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
        assert!(Duration::from_text("99999999999999999999h").is_err());
        assert!(Duration::from_text("9999999999h").is_err());
    }

    #[test]
    fn ids_are_read_and_placeholders_told() {
        assert!(Uuid::from_text("1a2345b6-78c9-012d-ef34-5a6b789c0de1").is_ok());
        assert!(Uuid::from_text("########-####-####-####-############").unwrap_err().message.contains("placeholder"));
        assert!(Uuid::from_text("1a2345b678c9012def345a6b789c0de1").unwrap_err().message.contains("this has 32"));
        assert_eq!(Uuid::from_text("1a2345g6-78c9-012d-ef34-5a6b789c0de1").unwrap_err().part, Some(6..7));
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(Size::from_text("10000"), Ok(Size(10_000)));
        assert_eq!(Size::from_text("64KiB"), Ok(Size(65_536)));
        assert_eq!(Size::from_text("2 MB"), Ok(Size(2_000_000)));
        assert_eq!(Size::from_text("2 parsecs").unwrap_err().part, Some(2..9));
        assert!(Size::from_text("99999999999999GB").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,40}") {
            let _ = bool::from_text(&text);
            let _ = u64::from_text(&text);
            let _ = Duration::from_text(&text);
            let _ = Size::from_text(&text);
            let _ = Url::from_text(&text);
            let _ = Uuid::from_text(&text);
            let _ = PathBuf::from_text(&text);
        }

        #[test]
        fn durations_in_whole_milliseconds_come_back(milliseconds in 0_u64..u64::from(u32::MAX)) {
            let text = format!("{milliseconds}ms");
            proptest::prop_assert_eq!(Duration::from_text(&text), Ok(Duration::from_millis(milliseconds)));
        }
    }
}
