//! What the service is told: a YAML file, and flags that stand above it.
//!
//! The module `keys` holds every key once; checking, defaults and the reference are read off it by [`settings`]. All
//! that is wrong goes to one report, each with its place.

mod keys;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use diagnostic::Report;
use ipnet::IpNet;
use settings::{
    FromText, Layer, Section, check,
    files::{self, Missing, Writers},
    reference,
};

use self::keys::{API, Bytes, LIMITS, Listen, METRICS, Number, RETENTION, Range, SCHEMA, TOP, WATCH, WEB};

use crate::store::Lasting;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of the database.
    pub data_dir: PathBuf,
    pub tls: Tls,
    pub limits: Limits,
    pub retention: Retention,
    pub watch: Watch,
    pub metrics: Metrics,
    pub rates: Rates,
    /// None: there are no pages.
    pub web: Option<Web>,
}

/// What sensors are shown. Read again on SIGHUP.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM: the server's certificate, then those between it and the CA.
    pub certificate: PathBuf,
    /// PEM: the certificate's private key.
    pub key: PathBuf,
}

/// What one request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, bytes as sent.
    pub body_bytes: usize,
    /// Largest body, bytes after decompression.
    pub decoded_bytes: usize,
    /// Most items in a batch.
    pub items: usize,
    /// Bodies held in memory at the same time; what comes above is told to come back.
    pub in_flight: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
}

impl Limits {
    fn read(section: &Section<'_>) -> Self {
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            body_bytes: size(section.value::<Bytes>("body_bytes").0),
            decoded_bytes: size(section.value::<Bytes>("decoded_bytes").0),
            items: size(section.value::<Number>("items").0),
            in_flight: size(section.value::<Number>("in_flight").0),
            body_time: Duration::from_secs(section.value::<Number>("body_seconds").0),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::read(&Section::new(None, LIMITS))
    }
}

/// How long things are kept. None means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days that table rows are kept after they came in.
    pub events_days: Option<u32>,
    /// Days that alerts are kept after they came in.
    pub alerts_days: Option<u32>,
    /// Days that a batch sent again is known for one. Longer than any sensor keeps a batch that it could not deliver.
    pub batches_days: Option<u32>,
    /// Bytes of the database above which the oldest rows go; alerts only once there are no rows left.
    pub max_bytes: Option<u64>,
}

impl Retention {
    /// Keeps everything for ever.
    pub const OFF: Self = Self { events_days: None, alerts_days: None, batches_days: None, max_bytes: None };

    fn read(section: &Section<'_>) -> Self {
        let days = |name| section.get::<Number>(name).and_then(|Number(days)| u32::try_from(days).ok());
        Self {
            events_days: days("events_days"),
            alerts_days: days("alerts_days"),
            batches_days: days("batches_days"),
            max_bytes: section.get::<Bytes>("max_bytes").map(|Bytes(bytes)| bytes),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::read(&Section::new(None, RETENTION))
    }
}

/// When Central raises an alert of its own about a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// How long nothing may come from it. None: for ever.
    pub silent: Option<Duration>,
}

impl Watch {
    fn read(section: &Section<'_>) -> Self {
        let minutes = section.get::<Number>("silent_minutes").map(|Number(minutes)| minutes);
        Self { silent: minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))) }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::read(&Section::new(None, WATCH))
    }
}

/// Who may read `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Addresses that may; others get 403.
    pub allow: Vec<IpNet>,
}

impl Metrics {
    fn read(section: &Section<'_>) -> Self {
        let given = section.values::<Range>("allow");
        let allow = given.unwrap_or_else(|| {
            ["127.0.0.0/8", "::1/128"].iter().filter_map(|range| Range::from_text(range).ok()).collect()
        });
        Self { allow: allow.into_iter().map(|Range(range)| range).collect() }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::read(&Section::new(None, METRICS))
    }
}

/// Requests that a client of the public API may make in each of these times. None means any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    pub per_second: Option<u64>,
    pub per_minute: Option<u64>,
    pub per_hour: Option<u64>,
    pub per_day: Option<u64>,
}

impl Rates {
    fn read(section: &Section<'_>) -> Self {
        let most = |name| section.get::<Number>(name).map(|Number(most)| most);
        Self {
            per_second: most("requests_per_second"),
            per_minute: most("requests_per_minute"),
            per_hour: most("requests_per_hour"),
            per_day: most("requests_per_day"),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self::read(&Section::new(None, API))
    }
}

/// The web pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where to listen for browsers.
    pub listen: SocketAddr,
    /// When sessions end.
    pub lasting: Lasting,
}

impl Web {
    /// At this address, otherwise as it is without being said.
    #[must_use]
    pub fn at(listen: SocketAddr) -> Self {
        Self::read(listen, &Section::new(None, WEB))
    }

    fn read(listen: SocketAddr, section: &Section<'_>) -> Self {
        let minutes = |name| section.value::<Number>(name).0.saturating_mul(60);
        let lasting = Lasting {
            idle: Duration::from_secs(minutes("idle_minutes")),
            longest: Duration::from_secs(minutes("session_hours").saturating_mul(60)),
        };
        Self { listen, lasting }
    }
}

/// Values from the command line, which stand above the file.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Where to listen, as ADDRESS:PORT.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Where to listen for browsers, as ADDRESS:PORT; without it and `web` in the file, there are no web pages.
    #[arg(long)]
    pub web_listen: Option<SocketAddr>,
    /// The folder of the database.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// The server's certificate chain, PEM.
    #[arg(long)]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, PEM.
    #[arg(long)]
    pub tls_key: Option<PathBuf>,
}

impl Config {
    /// The file, if one is named, with the flags above it; none if it must not be used, and the report says why.
    #[must_use]
    pub fn load(file: Option<&Path>, flags: &Flags, report: &mut Report) -> Option<Self> {
        let layer = match file {
            Some(path) => {
                let file = files::configuration(path, Missing::Named(None), Writers::Any, report)?;
                let layer = Layer::read(file.source, &SCHEMA, report);
                check(&layer.root, &SCHEMA, &Default::default(), report);
                Some(layer)
            }
            None => None,
        };
        let top = Section::new(layer.as_ref().map(|layer| &layer.root), TOP);
        let tls = top.section("tls");
        let path = |flag: &Option<PathBuf>, key: &str| flag.clone().or_else(|| tls.get(key));
        let certificate = path(&flags.tls_certificate, "certificate");
        let key = path(&flags.tls_key, "key");
        let lacking = [("certificate", "--tls-certificate", &certificate), ("key", "--tls-key", &key)];
        // What is missing in a file that could not be read is not missing, and a wrong value is no missing one.
        if layer.as_ref().is_none_or(|layer| layer.whole) {
            for (name, flag, _) in lacking.iter().filter(|(name, _, path)| path.is_none() && tls.node(name).is_none()) {
                let message = format!("`tls.{name}` is missing");
                match file {
                    Some(_) => report.error(top.span("tls"), message).help(format!("add it, or give {flag}")),
                    None => report.error(None, message).help(format!("name a file with --config, or give {flag}")),
                };
            }
        }
        let web = top.section("web");
        let web_listen = flags.web_listen.or_else(|| web.get::<Listen>("listen").map(|Listen(address)| address));
        // Without an address all of it would be without effect.
        if web_listen.is_none() && top.node("web").is_some() && web.node("listen").is_none() {
            report
                .error(top.span("web"), "`web.listen` is missing, so there are no web pages".to_owned())
                .help("add it, such as 127.0.0.1:8444, or remove `web`");
        }
        let mut config = Self {
            listen: top.value::<Listen>("listen").0,
            limits: Limits::read(&top.section("limits")),
            retention: Retention::read(&top.section("retention")),
            watch: Watch::read(&top.section("watch")),
            metrics: Metrics::read(&top.section("metrics")),
            rates: Rates::read(&top.section("api")),
            web: web_listen.map(|listen| Web::read(listen, &web)),
            ..Self::new(top.value("data_dir"), Tls { certificate: certificate?, key: key? })
        };
        config.listen = flags.listen.unwrap_or(config.listen);
        config.data_dir = flags.data_dir.clone().unwrap_or(config.data_dir);
        (!report.has_errors()).then_some(config)
    }

    /// The defaults.
    #[must_use]
    pub fn new(data_dir: PathBuf, tls: Tls) -> Self {
        Self {
            listen: Section::new(None, TOP).value::<Listen>("listen").0,
            data_dir,
            tls,
            limits: Limits::default(),
            retention: Retention::default(),
            watch: Watch::default(),
            metrics: Metrics::default(),
            rates: Rates::default(),
            web: None,
        }
    }
}

/// All keys with type, default and meaning, as a Markdown table.
#[must_use]
pub fn reference() -> String {
    reference::keys(TOP, &SCHEMA)
}

#[cfg(test)]
mod tests;
