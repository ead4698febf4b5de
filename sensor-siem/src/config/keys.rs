//! The keys of the YAML file: the one table.

use settings::{FromText, Key, Kind, LISTEN, Own, Problem, Schema, Variants, Word as _};

use super::words::{LogFormat, LogLevel, START, Streams};
use crate::{
    destination::{SORTS, VARIANTS},
    format::Format,
};

/// What it does not know is an error.
pub static SCHEMA: Schema = Schema::new(TOP).closed().from_environment("SIEM_");

/// Keys of the file itself.
pub static TOP: &[Key] = &[
    Key::new("central", Kind::Map(CENTRAL), "", "Whom to ask, and with which credentials.").required(),
    Key::new(
        "tenants",
        Kind::List(&Kind::Uuid),
        "",
        "Ids of the tenants to read, with credentials of a partner or an organization; without it, all of theirs.",
    ),
    Key::new("streams", Kind::Word(Streams::WORDS), "all", "What to read."),
    Key::new(
        "light",
        Kind::Bool,
        "false",
        "Leaves out events of little interest: updates, compliance, web control, allowed applications, finished scans.",
    ),
    Key::new("poll", Kind::Duration(1000), "60s", "As a service: the time between the begins of two readings."),
    Key::new(
        "overlap",
        Kind::Duration(0),
        "5m",
        "How far back a stream that was read to its end is read again, since Central lists some items late. What was \
         handed over is told by its id and left out. At most 12h; `0` reads nothing twice.",
    ),
    Key::new(
        "state",
        Kind::Path,
        "/var/lib/sensor-siem/state.jsonl",
        "Where positions are kept. A lock, `….lock`, stands beside it.",
    ),
    Key::new(
        "script_state",
        Kind::Path,
        "",
        "The state of the vendor's script, which outputs with `start: script` go on from. It is only read.",
    ),
    Key::new(
        "dead_letters",
        Kind::Path,
        "",
        "Where items go that cannot be handed over, with the reason; without it, `dead-letters.jsonl` beside the state.",
    ),
    Key::new("metrics", Kind::Map(METRICS), "", "As a service: metrics for Prometheus."),
    Key::new("log_level", Kind::Word(LogLevel::WORDS), "info", "What the log tells."),
    Key::new(
        "log_format",
        Kind::Word(LogFormat::WORDS),
        "text",
        "The shape of the log: lines for people, or an object of JSON for each message. It is read at the start alone.",
    ),
    Key::new("outputs", Kind::List(&Kind::Variants(&OUTPUTS)), "", "Where items go. Each has a position of its own.")
        .required(),
];

static CENTRAL: &[Key] = &[
    Key::new("client_id", Kind::Text, "", "Id of API credentials of a tenant, a partner or an organization."),
    Key::new("client_secret", Kind::Secret, "", "Their secret.").instead_of("client_secret_file"),
    Key::new("client_secret_file", Kind::Path, "", "A file that holds the secret and nothing else.")
        .instead_of("client_secret"),
    Key::new("auth_url", HTTPS, "https://id.sophos.com/api/v2/oauth2/token", "Where tokens are given out."),
    Key::new("api_host", HTTPS, "https://api.central.sophos.com", "The host that tells whose credentials they are."),
    Key::new(
        "gateway",
        HTTPS,
        "",
        "API access of before, in place of `client_id`: its URL, which ends in `/gateway`. It takes the next two as well.",
    ),
    Key::new("api_key", Kind::Secret, "", "Its `x-api-key`.").instead_of("api_key_file"),
    Key::new("api_key_file", Kind::Path, "", "A file that holds it and nothing else.").instead_of("api_key"),
    Key::new("authorization", Kind::Secret, "", "Its `Authorization`: `Basic …`.").instead_of("authorization_file"),
    Key::new("authorization_file", Kind::Path, "", "A file that holds it and nothing else.")
        .instead_of("authorization"),
    Key::new(
        "ca_file",
        Kind::Path,
        "",
        "Certificates (PEM) that Central's may be signed by; without it, those of the system, or of `SSL_CERT_FILE`.",
    ),
    Key::new("proxy", Kind::Url(&["http"]), "", "An HTTP proxy on the way; without it, that of `HTTPS_PROXY`."),
    Key::new("timeout", Kind::Duration(1000), "60s", "The longest that a request may take."),
    Key::new("requests_per_second", Kind::Count(1, 1_000_000), "10", "Requests for one tenant in a second, at most.")
        .null("no bound"),
    Key::new("requests_per_minute", Kind::Count(1, 1_000_000), "100", "The same in a minute.").null("no bound"),
];

static METRICS: &[Key] = &[Key::new(
    "listen",
    Kind::Own(&LISTEN),
    "",
    "Where `/metrics` is served: an address and port, or a socket. Whoever reaches it may read them.",
)
.required()];

/// Credentials are sent nowhere else.
const HTTPS: Kind = Kind::Url(&["https"]);

/// Where items go.
pub static OUTPUTS: Variants = Variants {
    tag: "type",
    called: "an output",
    common: &[
        Key::new("type", Kind::Word(&SORTS), "", "What sort of output it is.").required(),
        Key::new(
            "name",
            Kind::Own(&NAME),
            "",
            "What it is called in the log, in metrics and in the state; without it, its type. One that is called anew \
             begins anew.",
        ),
        Key::new("format", Kind::Word(Format::WORDS), "json", "How an item becomes a line."),
        Key::new(
            "compat",
            Kind::Bool,
            "false",
            "Whether lines are byte by byte those of the vendor's script, faults included.",
        ),
        Key::new("fqdn", Kind::Bool, "true", "Whether `dhost` is made a valid host name."),
        Key::new(
            "start",
            Kind::Own(&START),
            "12h",
            "Where a stream begins that it never had: so long ago (24h at most), `now`, or where the vendor's `script` \
             stopped.",
        ),
        Key::new("max_bytes", Kind::Size(256, 1 << 30), "", "The longest line. A longer one goes to `dead_letters`.")
            .null("no bound"),
    ],
    variants: VARIANTS,
};

/// A name of an output.
static NAME: Own = Own { name: "name", expected: "a name", check: |text| Name::from_text(text).map(drop), prose: None };

/// What an output is called.
pub(super) struct Name(pub(super) String);

impl FromText for Name {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let is_fine = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
        match text.len() {
            1..=64 if text.chars().all(is_fine) => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("this cannot be a name")
                .help("write at most 64 letters, digits, points, dashes and underscores")),
        }
    }
}
