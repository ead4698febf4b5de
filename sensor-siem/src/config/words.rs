//! Words of the configuration that belong to no other module.

use std::time::Duration;

use settings::{FromText, Own, Problem};
use tracing::level_filters::LevelFilter;

use crate::source::{LONGEST, Start};

settings::words! {
    /// What the log tells.
    pub LogLevel {
        Error = "error",
        Warning = "warning",
        Info = "info",
        Debug = "debug",
    }
}

settings::words! {
    /// The shape of the log.
    pub LogFormat {
        Text = "text",
        Json = "json",
    }
}

impl LogLevel {
    #[must_use]
    pub const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warning => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

settings::words! {
    /// Which streams are read.
    pub(super) Streams {
        All = "all",
        Events = "events",
        Alerts = "alerts",
    }
}

/// Where a new output begins, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartWord(pub Start);

/// The type of keys that take a [`StartWord`].
pub(super) static START: Own = Own {
    name: "duration, `now`, `script`",
    expected: "a duration of at most 24h, `now` or `script`",
    check: |text| StartWord::from_text(text).map(drop),
    prose: None,
};

impl FromText for StartWord {
    fn from_text(text: &str) -> Result<Self, Problem> {
        match text {
            "now" => return Ok(Self(Start::Now)),
            "script" => return Ok(Self(Start::Script)),
            _ => {}
        }
        let ago = Duration::from_text(text).map_err(|problem| {
            if text.starts_with(|first: char| first.is_ascii_digit()) {
                return problem;
            }
            Problem::new(format!("unknown word `{text}`")).help("write a duration such as 12h, or `now`, or `script`")
        })?;
        match i64::try_from(ago.as_secs()) {
            Ok(seconds) if seconds <= LONGEST => Ok(Self(Start::Ago(seconds))),
            _ => Err(Problem::new("Central goes back 24 hours and no further").help("write 24h at most")),
        }
    }
}

/// As it is written in the configuration.
impl std::fmt::Display for StartWord {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Start::Ago(seconds) => write!(out, "{seconds}s"),
            Start::Now => out.write_str("now"),
            Start::Script => out.write_str("script"),
        }
    }
}
