//! Texts to values: booleans, numbers, durations, sizes, URLs, and what is wrong with those that are none.

use std::path::PathBuf;
use std::time::Duration;

use diagnostic::nearest;
use url::Url;
use uuid::Uuid;

use crate::address::host_name;
use crate::duration::duration;
use crate::meant;
use crate::problem::Problem;

/// A value that is written as one piece of text.
pub trait FromText: Sized {
    /// # Errors
    /// The text is no such value.
    fn from_text(text: &str) -> Result<Self, Problem>;
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, Problem> {
        match text.to_ascii_lowercase().as_str() {
            // The words of YAML 1.1, which many parsers take as well.
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => {
                let problem = Problem::new("this is neither true nor false");
                Err(match (meant::truth(text), nearest(text, ["true", "false"])) {
                    (Some(truth), _) => problem.help(format!("write {truth}")),
                    (None, Some(word)) => problem.help(format!("did you mean `{word}`?")),
                    (None, None) => problem.help("write true or false"),
                })
            }
        }
    }
}

impl FromText for u64 {
    /// Reads what YAML 1.2 takes for a whole number that is not negative. What older readers of YAML take for another
    /// number than newer ones do, or for none, is refused.
    fn from_text(text: &str) -> Result<Self, Problem> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if let Some(problem) = leading_zero(digits, "") {
            return Err(problem);
        }
        let number = match digits.get(..2) {
            _ if digits.starts_with(['+', '-']) => None,
            Some("0x") => Self::from_str_radix(&digits[2..], 16).ok(),
            Some("0o") => Self::from_str_radix(&digits[2..], 8).ok(),
            _ => digits.parse().ok(),
        };
        // A second sign is none of these.
        let is_signed = digits.get(2..).is_some_and(|rest| rest.starts_with(['+', '-']));
        number.filter(|_| !is_signed).ok_or_else(|| {
            let problem = Problem::new("this is not a whole number");
            match meant::plain_number(text) {
                Some(plain) => problem.help(format!("write {plain}")),
                None => problem.help("write digits alone, such as 1000"),
            }
        })
    }
}

/// `017` is 15 to some readers of YAML and 17 to others.
fn leading_zero(digits: &str, unit: &str) -> Option<Problem> {
    if digits.len() < 2 || !digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimal = match digits.trim_start_matches('0') {
        "" => "0",
        decimal => decimal,
    };
    let help = match u64::from_str_radix(digits, 8) {
        Ok(octal) if octal > 7 => format!("write {decimal}{unit}, or {octal}{unit} if it is an octal number"),
        _ => format!("write {decimal}{unit}"),
    };
    Some(Problem::new("a number that begins with 0 is octal to some readers of YAML and decimal to others").help(help))
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
        if let Some(url::Host::Domain(name)) = url.host() {
            host_name(name)?;
        }
        if url.port() == Some(0) {
            return Err(Problem::new("nobody can listen on port 0").help("write the receiver's port"));
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

impl FromText for Duration {
    /// Reads what Go's `time.ParseDuration` reads, signs and units of microseconds in Greek aside.
    fn from_text(text: &str) -> Result<Self, Problem> {
        match meant::plain_duration(text).or_else(|| meant::clock(text)) {
            Some(plain) => Err(Problem::new("this is not a duration").help(format!("write {plain}"))),
            None => duration(text),
        }
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromText for Size {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let help = "write bytes (10000) or a number and a unit: kB, MB, GB, KiB, MiB, GiB";
        if let Ok(bytes) = u64::from_text(text) {
            return Ok(Self(bytes));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = text[digits..].trim();
        if let Some(problem) = leading_zero(&text[..digits], unit) {
            return Err(problem);
        }
        let meant = meant::plain_number(text).map_or_else(|| help.to_owned(), |plain| format!("write {plain}"));
        let number: u64 = text[..digits].parse().map_err(|_| Problem::new("this is not a size").help(meant.clone()))?;
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
                return Err(Problem::new("this is not a unit of size").part(start..text.len()).help(meant));
            }
        };
        number.checked_mul(scale).map(Self).ok_or_else(|| Problem::new("this size is too large"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duration::HELP;

    #[test]
    fn what_is_no_duration_says_what_to_write() {
        for (text, help) in [
            ("5", "write 5s for seconds, 5m for minutes"),
            ("5秒", "write 5s"),
            ("５s", "write 5s"),
            ("5 s", "write 5s"),
            ("5d", "write 120h"),
            ("", HELP),
            ("s", HELP),
            ("-5s", HELP),
            ("5..5s", HELP),
        ] {
            assert_eq!(Duration::from_text(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
        assert!(Duration::from_text("99999999999999999999h").is_err());
        assert!(Duration::from_text("9999999999h").is_err());
    }

    /// What YAML 1.1 and 1.2 read otherwise, and what is a number to neither.
    #[test]
    fn numbers_are_what_all_readers_take_them_for() {
        for (text, number) in [("0", 0), ("15", 15), ("+5", 5), ("0o17", 15), ("0x1F", 31), ("0xff", 255)] {
            assert_eq!(u64::from_text(text), Ok(number), "{text}");
            assert_eq!(Size::from_text(text), Ok(Size(number)), "{text}");
        }
        for (text, help) in [
            ("017", "write 17, or 15 if it is an octal number"),
            ("007", "write 7"),
            ("00", "write 0"),
            ("089", "write 89"),
            ("1_000", "write 1000"),
            ("1,000", "write 1000"),
            ("0_17", "write 17"),
            ("0b11", "write 3"),
            ("1e3", "write 1000"),
            ("1E3", "write 1000"),
            ("1000.0", "write 1000"),
            ("1.", "write 1"),
            ("1:30", "write 90"),
            ("1:00:00", "write 3600"),
            (".5", "write digits alone, such as 1000"),
            ("1.5", "write digits alone, such as 1000"),
            ("-5", "write digits alone, such as 1000"),
            ("0x", "write digits alone, such as 1000"),
            ("0x+5", "write digits alone, such as 1000"),
            ("0o8", "write digits alone, such as 1000"),
            ("++5", "write digits alone, such as 1000"),
            ("1e99", "write digits alone, such as 1000"),
            (".inf", "write digits alone, such as 1000"),
            ("yes", "write digits alone, such as 1000"),
            ("", "write digits alone, such as 1000"),
        ] {
            assert_eq!(u64::from_text(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
        for (text, help) in [
            ("017", "write 17, or 15 if it is an octal number"),
            ("010KiB", "write 10KiB, or 8KiB if it is an octal number"),
            ("1_000", "write 1000"),
            ("1e6", "write 1000000"),
            (".5", "write bytes (10000) or a number and a unit: kB, MB, GB, KiB, MiB, GiB"),
        ] {
            let problem = Size::from_text(text).unwrap_err();
            assert!(problem.help.as_deref() == Some(help), "{text}: {problem:?}");
        }
        for (text, help) in [
            ("1_000ms", "write 1000ms"),
            ("+5s", "write 5s"),
            ("1:30", "write 1m30s for minutes and seconds, 1h30m for hours and minutes"),
            ("1:30:00", "write 1h30m0s"),
            ("017", "write 17s for seconds, 17m for minutes"),
            ("1e3s", "units are h, m, s, ms, us, ns"),
        ] {
            let problem = Duration::from_text(text).unwrap_err();
            assert_eq!(problem.help.as_deref(), Some(help), "{text}");
        }
        for (text, help) in [
            ("y", "write true"),
            ("N", "write false"),
            ("1", "write true"),
            ("0", "write false"),
            ("enabled", "write true"),
            ("disable", "write false"),
            ("tru", "did you mean `true`?"),
            ("maybe", "write true or false"),
            ("2", "write true or false"),
        ] {
            assert_eq!(bool::from_text(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
        for (text, truth) in [("yes", true), ("On", true), ("no", false), ("OFF", false), ("TRUE", true)] {
            assert_eq!(bool::from_text(text), Ok(truth), "{text}");
        }
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
