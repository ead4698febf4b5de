//! The keys of the YAML file: the one table.

mod http;
mod kafka;
pub(super) mod parquet;

use delivery::receivers::{syslog::ADDRESS, zeromq::keys as zeromq};
use settings::{FromText, Key, Kind, LISTEN, Own, Problem, Schema, Variant, Variants, Word as _};

use super::words::{FramingWord, LogFormat, LogLevel, OutputType, START, Streams};
use crate::format::{
    Format,
    syslog::{FACILITY, Header},
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
        Key::new("type", Kind::Word(OutputType::WORDS), "", "What sort of output it is.").required(),
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
    variants: &[
        Variant {
            name: "file",
            keys: &[Key::new("path", Kind::Path, "", "The file. It is made if it is not there, mode 0600.").required()],
            doc: "Lines are appended. A file that was moved is left alone and a new one made.",
        },
        Variant { name: "stdout", keys: &[], doc: "Lines go to standard output, and nothing else goes there." },
        Variant {
            name: "syslog",
            keys: SYSLOG,
            doc: "Each line is a message to a syslog receiver. A page counts as handed over once the receiver's host has \
                  acknowledged all of it (TCP, TLS), the local socket has taken it, or, over UDP, it is out of our hands: \
                  more is not known there.",
        },
        Variant {
            name: "splunk_hec",
            keys: http::SPLUNK_HEC,
            doc: "Splunk's HTTP Event Collector. Each line is an event, as an object if `format` is `json`, with the time of \
                  the item and the host that it is about. A page counts as handed over once the collector says that all of \
                  it is indexed; what it does not say of within a minute is sent again. An event that it refuses goes to \
                  `dead_letters`.",
        },
        Variant {
            name: "webhook",
            keys: http::WEBHOOK,
            doc: "An HTTP receiver. A page counts as handed over once it has replied with a status of 2xx to all of it. An \
                  item that it refuses (400, 413, 422) goes to `dead_letters`; any other reply is tried again. `Idempotency-Key` \
                  is the same each time the same items are sent.",
        },
        Variant {
            name: "zeromq",
            keys: ZEROMQ,
            doc: "ZeroMQ peers. A message has two frames, the `topic` and the line. ZeroMQ confirms nothing: a page counts as \
                  handed over once the system has it for each subscriber that keeps up (`pub`), or for one of the peers \
                  (`push`). Without anybody there, items wait.",
        },
        Variant {
            name: "parquet",
            keys: parquet::PARQUET,
            doc: "Parquet files by stream and day, in a folder or in an S3-compatible store: a row for each item, with its \
                  tenant, its members as columns, its times as points in time (UTC), and all of it as JSON in `item`. A page \
                  counts as handed over once its files are there, whole.",
        },
        Variant {
            name: "kafka",
            keys: kafka::KAFKA,
            doc: "A topic of a Kafka cluster. A record is a line, with the tenant or the id as its key and, in the header `id`, what \
                  is the same each time the same item is sent. A page counts as handed over once all replicas that are in step \
                  have it (`acks=all`); where a connection breaks before that is known, records can come twice.",
        },
    ],
};

static ZEROMQ: &[Key] = &[
    zeromq::ENDPOINT,
    zeromq::PATTERN,
    Key::new("topic", Kind::Text, "items", "The first frame of each message, which subscribers choose by."),
    zeromq::BIND,
    zeromq::HIGH_WATER_MARK,
    zeromq::ALLOW_PLAINTEXT,
];

static SYSLOG: &[Key] = &[
    Key::new(
        "address",
        Kind::Own(&ADDRESS),
        "",
        "The receiver: a socket's path such as `/dev/log`, or `udp://`, `tcp://` or `tls://` with host and port.",
    )
    .required(),
    Key::new("facility", Kind::Own(&FACILITY), "daemon", "The facility of the messages, by name."),
    Key::new(
        "protocol",
        Kind::Word(Header::WORDS),
        "",
        "How a message begins: `rfc5424`, `rfc3164`, as system loggers take it on `/dev/log` (`local`), or with the \
         priority alone (`bare`), as the vendor's script writes it. Without it: `local` for a socket's path, else \
         `rfc5424`.",
    ),
    Key::new(
        "framing",
        Kind::Word(FramingWord::WORDS),
        "",
        "What parts messages in a stream: their length before each (`octets`), a line feed or zero byte behind each, or \
         nothing (`none`), as the vendor's script does it. Over UDP `nul` puts a zero byte at the end of each, and the \
         others have no effect. Without it: `octets` (RFC 6587, 5425); for a socket's path `nul`.",
    ),
    Key::new(
        "server_name",
        Kind::Text,
        "",
        "The name in the receiver's certificate, for `tls://`. Without it, the address's host.",
    ),
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

const CA_FILE: Key = Key::new(
    "ca_file",
    Kind::Path,
    "",
    "Certificates (PEM or DER) that the receiver's may be signed by. Without it, those of the system.",
);
const CERT_FILE: Key = Key::new("cert_file", Kind::Path, "", "The own certificate and its chain, PEM.");
const KEY_FILE: Key = Key::new("key_file", Kind::Path, "", "The private key of `cert_file`, PEM.");

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
