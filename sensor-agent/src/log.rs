//! The sensor's own log: standard error, which systemd takes to the journal.
//!
//! Each message has its values as fields of their own, a level that the journal understands, and a bound: what goes
//! wrong a thousand times a second is told twenty times a minute, with the number of those left out.
//!
//! `SENSOR_LOG` sets the level (`debug`, or as `tracing-subscriber` takes it), `SENSOR_LOG_FORMAT=json` the shape.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use foldhash::HashMap;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, Layer};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Messages of one kind in one [`WINDOW`].
const BURST: u64 = 20;
const WINDOW: Duration = Duration::from_secs(60);

/// Sets the log up for this process.
pub fn to_stderr() {
    let filter = EnvFilter::try_from_env("SENSOR_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let layer = Layer::default().with_writer(std::io::stderr).with_target(false).with_ansi(color);
    let layer = if std::env::var_os("SENSOR_LOG_FORMAT").is_some_and(|format| format == "json") {
        layer.json().flatten_event(true).boxed()
    } else if std::env::var_os("JOURNAL_STREAM").is_some() {
        // The journal has its own time stamps.
        layer.without_time().map_event_format(WithPriority).boxed()
    } else {
        layer.boxed()
    };
    let log = tracing_subscriber::registry().with(layer.with_filter(RateLimit::default()).with_filter(filter));
    if let Err(error) = log.try_init() {
        eprintln!("the log cannot be set up: {error}");
    }
}

/// Puts the priority in front, as the journal takes it (sd-daemon(3)).
struct WithPriority<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(to, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, to, event)
    }
}

/// The level as syslog(3) counts.
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// Lets so many messages of each kind through in a while.
#[derive(Debug, Default)]
struct RateLimit {
    kinds: Mutex<HashMap<Identifier, Kind>>,
}

/// The messages of one place in the program.
#[derive(Debug)]
struct Kind {
    since: Instant,
    count: u64,
}

impl RateLimit {
    /// Whether the message may pass, and how many were left out before it.
    fn admit(&self, kind: Identifier, now: Instant) -> (bool, u64) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(kind).or_insert(Kind { since: now, count: 0 });
        let mut left_out = 0;
        if now.duration_since(kind.since) >= WINDOW {
            left_out = kind.count.saturating_sub(BURST);
            *kind = Kind { since: now, count: 0 };
        }
        kind.count += 1;
        (kind.count <= BURST, left_out)
    }
}

impl<S> Filter<S> for RateLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let (may_pass, left_out) = self.admit(event.metadata().callsite(), Instant::now());
        if left_out > 0 {
            // Not by the log itself, which is at work here.
            eprintln!("{left_out} messages like the next were left out of the log");
        }
        may_pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_counted() {
        let limit = RateLimit::default();
        let kind = tracing::callsite!(name: "test", kind: tracing::metadata::Kind::EVENT, fields: message);
        let id = tracing::callsite::Callsite::metadata(kind).callsite();
        let begin = Instant::now();
        let passed = (0..1000).filter(|_| limit.admit(id.clone(), begin).0).count();
        assert_eq!(passed as u64, BURST);
        assert_eq!(limit.admit(id.clone(), begin + WINDOW), (true, 1000 - BURST));
        assert_eq!(limit.admit(id, begin + WINDOW), (true, 0));
    }
}
