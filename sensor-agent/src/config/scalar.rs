//! Texts to values: booleans, numbers, durations, sizes, URLs, and what is wrong with those that are none.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::address::host_name;
use super::duration::duration;
use super::meant;
use super::problem::Problem;
use crate::diagnostic::nearest;

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
            match meant::plain_number(text) {
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
        match meant::plain_duration(text) {
            Some(plain) => Err(Problem::new("this is not a duration").help(format!("write {plain}"))),
            None => duration(text),
        }
    }
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
    use crate::config::duration::HELP;

    #[test]
    fn what_is_no_duration_says_what_to_write() {
        for (text, help) in [
            ("5", "write 5s for seconds, 5m for minutes"),
            ("5秒", "write 5s"),
            ("５s", "write 5s"),
            ("5 s", "write 5s"),
            ("5d", "units are h, m, s, ms, us, ns"),
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
