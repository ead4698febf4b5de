//! The keys of the file: the one table.

use std::net::SocketAddr;

use ipnet::IpNet;
use settings::{FromText, Key, Kind, Own, Problem, Schema, Size};

/// The configuration of Central. What it does not know is an error.
pub(super) static SCHEMA: Schema = Schema::new(TOP).closed();

/// Keys of the file itself.
pub(super) static TOP: &[Key] = &[
    Key::new("listen", Kind::Own(&LISTEN), "0.0.0.0:8443", "Where to listen. `--listen` stands above it."),
    Key::new(
        "data_dir",
        Kind::Path,
        "/var/lib/sensor-central",
        "The folder of the database. `--data-dir` stands above it.",
    ),
    Key::new("tls", Kind::Map(TLS), "", "What sensors are shown. Read again on SIGHUP."),
    Key::new(
        "limits",
        Kind::Map(LIMITS),
        "",
        "What one request may cost. What is larger is refused with 413, which sensors answer with smaller batches.",
    ),
    Key::new(
        "retention",
        Kind::Map(RETENTION),
        "",
        "How long things are kept, from when they came in. Days that pass while Central runs count, whatever the machine's \
         clock is set to; of a time in which it did not run, a week at most.",
    ),
    Key::new("watch", Kind::Map(WATCH), "", "When Central raises an alert of its own about a sensor."),
    Key::new("metrics", Kind::Map(METRICS), "", "Who may read `/metrics`."),
    Key::new(
        "api",
        Kind::Map(API),
        "",
        "How often a client of the public API may ask. What comes above is refused with 429 and told how long to wait.",
    ),
    Key::new("web", Kind::Map(WEB), "", "The [web pages](central-web.md). Without it there are none."),
];

pub(super) static TLS: &[Key] = &[
    Key::new(
        "certificate",
        Kind::Path,
        "",
        "PEM: the server's certificate, then those between it and the CA. Needed here or as `--tls-certificate`.",
    ),
    Key::new("key", Kind::Path, "", "PEM: the certificate's private key. Needed here or as `--tls-key`."),
];

pub(super) static LIMITS: &[Key] = &[
    Key::new("body_bytes", Kind::Own(&BYTES), "4194304", "Largest body, bytes as sent."),
    Key::new("decoded_bytes", Kind::Own(&BYTES), "33554432", "Largest body, bytes after decompression."),
    Key::new("items", Kind::Own(&COUNT), "50000", "Most alerts or rows in a batch."),
    Key::new(
        "in_flight",
        Kind::Own(&COUNT),
        "32",
        "Bodies held in memory at the same time; what comes above is told to come again.",
    ),
    Key::new("body_seconds", Kind::Own(&COUNT), "30", "Seconds that a body may take to arrive."),
];

pub(super) static RETENTION: &[Key] = &[
    Key::new("events_days", Kind::Own(&DAYS), "30", "Days that table rows are kept.").null("for ever"),
    Key::new("alerts_days", Kind::Own(&DAYS), "90", "Days that alerts are kept.").null("for ever"),
    Key::new(
        "batches_days",
        Kind::Own(&DAYS),
        "14",
        "Days that a batch which is sent again is known for one. Longer than any sensor keeps a batch that it could not \
         deliver.",
    )
    .null("for ever"),
    Key::new(
        "max_bytes",
        Kind::Own(&DATABASE_BYTES),
        "",
        "Bytes of the database, 64 MiB at least, above which the oldest rows go; alerts only once there are no rows left.",
    )
    .null("no bound"),
];

pub(super) static WATCH: &[Key] = &[Key::new(
    "silent_minutes",
    Kind::Own(&MINUTES),
    "1440",
    "Minutes without a word from a sensor after which it is silent. One that has nothing to send is heard of when it starts, and \
     each hour if `send_labs_telemetry` is on.",
)
.null("never")];

pub(super) static METRICS: &[Key] = &[Key::new(
    "allow",
    Kind::List(&Kind::Own(&RANGE)),
    "[127.0.0.0/8, \"::1/128\"]",
    "Ranges of addresses that may; others get 403.",
)];

pub(super) static API: &[Key] = &[
    Key::new("requests_per_second", Kind::Own(&COUNT), "50", "Requests of one client in a second.").null("no bound"),
    Key::new("requests_per_minute", Kind::Own(&COUNT), "1000", "The same in a minute.").null("no bound"),
    Key::new("requests_per_hour", Kind::Own(&COUNT), "20000", "The same in an hour.").null("no bound"),
    Key::new("requests_per_day", Kind::Own(&COUNT), "200000", "The same in a day.").null("no bound"),
];

pub(super) static WEB: &[Key] = &[
    Key::new(
        "listen",
        Kind::Own(&LISTEN),
        "",
        "Where to listen for browsers, with the certificate of `tls`; needed here or as `--web-listen`, which stands above it.",
    ),
    Key::new("idle_minutes", Kind::Own(&MINUTES), "30", "Minutes after which a session that is not used ends."),
    Key::new("session_hours", Kind::Own(&COUNT), "12", "Hours after which a session ends, used or not."),
];

/// An address to listen on.
static LISTEN: Own = Own {
    name: "address and port",
    expected: "an address and port, such as 0.0.0.0:8443",
    check: |text| Listen::from_text(text).map(drop),
    prose: None,
};

static RANGE: Own = Own {
    name: "range of addresses",
    expected: "a range of addresses, such as 10.0.0.0/8",
    check: |text| Range::from_text(text).map(drop),
    prose: None,
};

static COUNT: Own = Own {
    name: "number, 1 or more",
    expected: "a whole number",
    check: |text| at_least(Number::from_text(text)?.0, 1),
    prose: None,
};

/// Use is noted to the minute.
static MINUTES: Own = Own {
    name: "number, 5 or more",
    expected: "a whole number of minutes",
    check: |text| at_least(Number::from_text(text)?.0, 5),
    prose: None,
};

static DAYS: Own = Own {
    name: "number",
    expected: "a whole number of days",
    check: |text| {
        u32::try_from(Number::from_text(text)?.0).map(drop).map_err(|_| Problem::new("so many days are not counted"))
    },
    prose: None,
};

static BYTES: Own = Own {
    name: "size, 1 or more",
    expected: "a size in bytes, such as 4194304 or 4MiB",
    check: |text| at_least(Bytes::from_text(text)?.0, 1),
    prose: None,
};

/// Below it there is no room for alerts.
static DATABASE_BYTES: Own = Own {
    name: "size, 64 MiB or more",
    expected: "a size in bytes, such as 67108864 or 64MiB",
    check: |text| at_least(Bytes::from_text(text)?.0, 64 << 20),
    prose: None,
};

fn at_least(number: u64, least: u64) -> Result<(), Problem> {
    if number < least { Err(Problem::new(format!("{number} is too small; the least is {least}"))) } else { Ok(()) }
}

/// An address to listen on.
pub(super) struct Listen(pub(super) SocketAddr);

impl FromText for Listen {
    fn from_text(text: &str) -> Result<Self, Problem> {
        text.parse().map(Self).map_err(|_| {
            Problem::new("this is not an address to listen on")
                .help("write an address and a port, such as 0.0.0.0:8443 or \"[::]:8443\"")
        })
    }
}

/// A range of addresses.
#[derive(PartialEq)]
pub(super) struct Range(pub(super) IpNet);

impl FromText for Range {
    fn from_text(text: &str) -> Result<Self, Problem> {
        text.parse().map(Self).map_err(|_| {
            let problem = Problem::new("this is not a range of addresses");
            match text.parse::<std::net::IpAddr>() {
                Ok(address) => problem.help(format!("write \"{}\" for this address alone", IpNet::from(address))),
                Err(_) => problem.help("write an address and the length of its prefix, such as 10.0.0.0/8"),
            }
        })
    }
}

/// A whole number.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) u64);

impl FromText for Number {
    fn from_text(text: &str) -> Result<Self, Problem> {
        u64::from_text(&plain(text)).map(Self)
    }
}

/// A number of bytes, with a unit or without.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub(super) u64);

impl FromText for Bytes {
    fn from_text(text: &str) -> Result<Self, Problem> {
        Size::from_text(&plain(text)).map(|Size(bytes)| Self(bytes))
    }
}

/// Earlier versions took `_` between digits and `0b` before them, and quotes around numbers: these are taken still.
fn plain(text: &str) -> String {
    let plain = text.trim().replace('_', "").replace("0X", "0x").replace("0O", "0o");
    let bits = plain.strip_prefix("0b").or_else(|| plain.strip_prefix("0B"));
    match bits.map(|bits| u64::from_str_radix(bits, 2)) {
        Some(Ok(number)) => number.to_string(),
        _ => plain,
    }
}
