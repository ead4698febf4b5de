//! Keys of `alert_output`.

use delivery::{
    receivers::syslog::{self, Facility, Framing, SyslogProtocol},
    receivers::webhook::WebhookMethod,
    receivers::zeromq::keys as zeromq,
};
use settings::{Key, Kind, Variant, Variants, Word as _};

use super::super::words::OutputType;
use super::kinds::TEMPLATE;
use super::receivers::{
    BATCH_DELAY, CA_FILE, CERT_FILE, KEY_FILE, MAX_BACKUPS, MAX_SIZE, RETRY_MAX, RETRY_MIN, TIMEOUT, ZEROMQ_ENCODING,
};
use crate::alert::shorten::MIN_BYTES;
use crate::output::Format;
use crate::policy::MessageType;

pub(super) static ALERT_OUTPUT: &[Key] = &[
    Key::new("template", Kind::Own(&TEMPLATE), "", "The template of outputs that have none of their own."),
    Key::new("outputs", Kind::List(&Kind::Variants(&OUTPUTS)), "", "The outputs. Each gets every alert."),
];

/// The outputs of alerts.
pub(crate) static OUTPUTS: Variants = Variants {
    tag: "type",
    called: "an output",
    common: &[
        Key::new("type", Kind::Word(OutputType::WORDS), "", "What kind of output it is.").required(),
        Key::new("enabled", Kind::Bool, "true", "Whether alerts go there."),
        Key::new("name", Kind::Text, "", "Its name in the log and in metrics; of a `file`, the path."),
        Key::new(
            "template",
            Kind::Own(&TEMPLATE),
            "",
            "The shape of an alert, instead of JSON. An alert whose text comes out empty is not sent.",
        ),
        Key::new(
            "message_types",
            Kind::OneOrMore(&Kind::Word(MessageType::WORDS)),
            "[alert, smart_policy]",
            "The kinds of messages it carries.",
        ),
        Key::new("format", Kind::Word(Format::WORDS), "json", "The shape of an alert without a template."),
        Key::new(
            "max_bytes",
            Kind::Size(MIN_BYTES as u64, u64::MAX),
            "",
            "The longest alert that the receiver takes. Longer ones are cut, and stay valid. Without it: 8000 bytes of a \
             `syslog` message, 256 KiB elsewhere.",
        ),
    ],
    variants: &[
        Variant { name: "stdout", keys: &[], doc: "The sensor's standard output: alerts and nothing else." },
        Variant { name: "file", keys: &[MAX_SIZE, MAX_BACKUPS], doc: "A file, one alert a line; `name` is its path." },
        Variant { name: "syslog", keys: SYSLOG, doc: "A syslog receiver." },
        Variant { name: "webhook", keys: WEBHOOK, doc: "An HTTP receiver." },
        Variant { name: "mcs", keys: &[], doc: "The management service, as the top-level `mcs` says." },
        Variant { name: "zeromq", keys: ZEROMQ_OUTPUT, doc: "ZeroMQ peers." },
        Variant { name: "splunk_hec", keys: SPLUNK_HEC, doc: "Splunk's HTTP Event Collector." },
    ],
};

static SYSLOG: &[Key] = &[
    Key::new(
        "address",
        Kind::Own(&syslog::ADDRESS),
        "/dev/log",
        "The receiver: a socket's path, or udp://, tcp:// or tls://.",
    ),
    Key::new("facility", Kind::Word(Facility::WORDS), "local0", "The facility of the messages."),
    Key::new(
        "protocol",
        Kind::Word(SyslogProtocol::WORDS),
        "",
        "How a message begins: as system loggers take it on `/dev/log` (`local`: RFC 3164 without the host), or as \
         receivers do. Without it: `local` for a socket's path, else `rfc5424`.",
    ),
    Key::new(
        "framing",
        Kind::Word(Framing::WORDS),
        "",
        "How messages in a stream are told apart: their length before each, or a line feed or zero byte behind. Without \
         it: `octets` (RFC 6587, 5425); for a socket's path `nul`, as the C library does.",
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

static WEBHOOK: &[Key] = &[
    Key::new("url", Kind::Url(&["https", "http"]), "", "The receiver.").required(),
    Key::new("method", Kind::Word(WebhookMethod::WORDS), "POST", "How it is called."),
    Key::new("headers", Kind::MapOf(&Kind::Secret), "", "Headers to send along. Their values are never shown."),
    Key::new(
        "batch_size",
        Kind::Count(1, 10_000),
        "1",
        "Alerts in one request at most; several are sent as a JSON list.",
    ),
    BATCH_DELAY,
    TIMEOUT,
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

static ZEROMQ_OUTPUT: &[Key] = &[
    zeromq::ENDPOINT,
    zeromq::PATTERN,
    Key::new("topic", Kind::Text, "alerts", "The topic that subscribers ask for."),
    zeromq::BIND,
    zeromq::HIGH_WATER_MARK,
    ZEROMQ_ENCODING,
    zeromq::ALLOW_PLAINTEXT,
];

static SPLUNK_HEC: &[Key] = &[
    Key::new("url", Kind::Url(&["https", "http"]), "", "The collector, such as https://splunk.example:8088.")
        .required(),
    Key::new("token", Kind::Secret, "", "The collector's token.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new("index", Kind::Text, "", "The index. Without it, the token's own."),
    Key::new("sourcetype", Kind::Text, "", "The source type. Without it, the token's own."),
    Key::new("source", Kind::Text, "", "The source. Without it, the token's own."),
    Key::new("ack", Kind::Bool, "true", "Whether an alert counts as delivered only when it is indexed."),
    Key::new("gzip", Kind::Bool, "true", "Whether requests are compressed."),
    Key::new("batch_size", Kind::Count(1, 10_000), "100", "Alerts in one request at most."),
    BATCH_DELAY,
    TIMEOUT,
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];
