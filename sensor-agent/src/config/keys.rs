//! The keys of a configuration: the one table.
//!
//! A new key is one entry here, and one line where its value is taken into [`super::Config`].

use std::sync::LazyLock;

use foldhash::HashMap;

use super::schema::{Key, Kind, Variant, Variants};
use super::words::{
    AuditHooks, CloudMeta, Confidence, CrlPolicy, Facility, Format, ListType, MessageType, OutputType, PolicyType,
    Priority, ResponseAction, RowFormat, SinkBackend, WebhookMethod, Word, ZeromqEncoding, ZeromqPattern,
};

const ANY: u64 = u64::MAX;

/// Keys of the file itself. Every other top-level key is the name of a detection.
pub(crate) static TOP: &[Key] = &[
    Key::new("customer_id", Kind::Uuid, "", "The tenant's id. Required when anything goes to MCS."),
    Key::new("mcs", Kind::Map(MCS), "", "The connection to the management service."),
    Key::new(
        "send_labs_telemetry",
        Kind::Bool,
        "false",
        "Whether statistics on the sensor's own health go along over MCS. Nothing is sent anywhere else.",
    ),
    Key::new(
        "endpoint_telemetry_enabled",
        Kind::Bool,
        "false",
        "Whether table rows may go to the `mcs` sink. Alerts are not affected.",
    ),
    Key::new(
        "cloud_meta",
        Kind::Word(CloudMeta::WORDS),
        "off",
        "Whose instance metadata goes into alerts. It is asked for once at start and never delays the sensor. \
         The older `aws` means `ec2`.",
    ),
    Key::new("alert_output", Kind::Map(ALERT_OUTPUT), "", "Where alerts go, and in what shape."),
    Key::new(
        "enabled_content_groups",
        Kind::List(&Kind::ContentGroup),
        "[Detection Analytics, Smart Policy, Audit]",
        "Groups of shipped detections that are on. A dotted path narrows a group: `Detection Analytics.System \
         Exploitation`.",
    ),
    Key::new("investigations", Kind::Map(INVESTIGATIONS), "", "The flight recorder and where its rows go.")
        .aliases(&["Investigations"]),
    Key::new(
        "use_supervisor",
        Kind::Bool,
        "false",
        "Whether a supervisor starts the sensor again when it ends unexpectedly. The systemd unit does so in any case.",
    ),
    Key::new(
        "use_resource_limits",
        Kind::Bool,
        "false",
        "Whether the sensor holds itself to hard limits: 5 % of one CPU, 1024 MB of memory.",
    ),
    Key::new(
        "metrics",
        Kind::Map(METRICS),
        "",
        "Where the sensor tells how it is: `/metrics` for Prometheus, `/healthz`, `/readyz`.",
    ),
    Key::new("audit", Kind::Map(AUDIT), "", "How messages to the kernel's audit are caught. Read at the start."),
    Key::new("crisensor", Kind::Map(CRISENSOR), "", "The container runtime's socket."),
    Key::new(
        "lists",
        Kind::MapOf(&Kind::Map(LIST)),
        "",
        "Named lists, for rules to refer to with `$name`. A later file adds to a list, takes from it or replaces it.",
    ),
    Key::new("spool", Kind::Map(SPOOL), "", "What waits on disk for receivers that confirm; for each output its own."),
    Key::new("paths", Kind::Map(PATHS), "", "Where the sensor's other files are. Options of the command line win."),
];

static MCS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether the sensor connects to MCS."),
    Key::new("url", Kind::Url(&["https"]), "", "Where MCS is."),
    Key::new("token", Kind::Secret, "", "The registration token. It begins with `SLS-`.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new(
        "certs_dir",
        Kind::Path,
        "",
        "The folder of `sophosca1..4.crt` and `.crl`. Without it, `/etc/sophos-certs` if they are there, else \
         `/etc/sophos`.",
    ),
    Key::new(
        "proxy",
        Kind::Url(&["http"]),
        "",
        "The proxy to MCS, which sees encrypted data alone. Without it, the variables HTTPS_PROXY and NO_PROXY.",
    ),
    Key::new(
        "crl_policy",
        Kind::Word(CrlPolicy::WORDS),
        "refuse",
        "What to do when a revocation list is out of date: deliver nothing, or deliver with a warning.",
    ),
];

static ALERT_OUTPUT: &[Key] = &[
    Key::new("template", Kind::Template, "", "The template of outputs that have none of their own."),
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
            Kind::Template,
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
            Kind::Size(512, ANY),
            "",
            "The longest alert that the receiver takes. Longer ones are cut, and stay valid.",
        ),
    ],
    variants: &[
        Variant { name: "stdout", keys: &[], doc: "The sensor's standard output: alerts and nothing else." },
        Variant { name: "file", keys: FILE, doc: "A file, one alert a line; `name` is its path." },
        Variant { name: "syslog", keys: SYSLOG, doc: "A syslog receiver (RFC 5424)." },
        Variant { name: "webhook", keys: WEBHOOK, doc: "An HTTP receiver." },
        Variant { name: "mcs", keys: &[], doc: "The management service, as the top-level `mcs` says." },
        Variant { name: "zeromq", keys: ZEROMQ_OUTPUT, doc: "ZeroMQ peers." },
        Variant { name: "splunk_hec", keys: SPLUNK_HEC, doc: "Splunk's HTTP Event Collector." },
    ],
};

static FILE: &[Key] = &[MAX_SIZE, MAX_BACKUPS];

const MAX_SIZE: Key = Key::new(
    "max_size",
    Kind::Count(1, 1 << 20),
    "100",
    "The size, in MB, at which the file is rotated by renaming it.",
);
const MAX_BACKUPS: Key =
    Key::new("max_backups", Kind::Count(0, 1 << 20), "", "Rotated files to keep. Without it, all.");

static SYSLOG: &[Key] = &[
    Key::new("address", Kind::SyslogAddress, "/dev/log", "The receiver: a socket's path, or udp://, tcp:// or tls://."),
    Key::new("facility", Kind::Word(Facility::WORDS), "local0", "The facility of the messages."),
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
    ZEROMQ_ENDPOINT,
    ZEROMQ_PATTERN,
    Key::new("topic", Kind::Text, "alerts", "The topic that subscribers ask for."),
    ZEROMQ_BIND,
    ZEROMQ_HIGH_WATER_MARK,
    ZEROMQ_ENCODING,
    ZEROMQ_ALLOW_PLAINTEXT,
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

const CA_FILE: Key =
    Key::new("ca_file", Kind::Path, "", "CA certificates to trust, PEM. Without it, those of the system.");
const CERT_FILE: Key = Key::new("cert_file", Kind::Path, "", "The sensor's own certificate chain, PEM.");
const KEY_FILE: Key = Key::new("key_file", Kind::Path, "", "The private key of `cert_file`, PEM.");
const BATCH_DELAY: Key =
    Key::new("batch_delay", Kind::Duration(0), "1s", "How long the first alert waits for others at most.");
const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "10s", "How long a request may take.");
const RETRY_MIN: Key =
    Key::new("retry_min", Kind::Duration(10), "1s", "The first wait before a request is tried again.");
const RETRY_MAX: Key =
    Key::new("retry_max", Kind::Duration(10), "5m", "The longest wait; each wait is twice the last.");
const ZEROMQ_ENDPOINT: Key =
    Key::new("endpoint", Kind::ZeromqEndpoint, "", "Where to bind or to connect to: tcp://host:port or ipc://path.")
        .required();
const ZEROMQ_PATTERN: Key = Key::new(
    "pattern",
    Kind::Word(ZeromqPattern::WORDS),
    "pub",
    "`pub`: to all subscribers; `push`: to one of the peers in turn.",
);
const ZEROMQ_BIND: Key =
    Key::new("bind", Kind::Bool, "", "Whether to bind rather than connect. Without it: yes for `pub`, no for `push`.");
const ZEROMQ_HIGH_WATER_MARK: Key =
    Key::new("high_water_mark", Kind::Count(1, 10_000_000), "1000", "Messages that wait for a slow peer at most.");
const ZEROMQ_ENCODING: Key = Key::new(
    "encoding",
    Kind::Word(ZeromqEncoding::WORDS),
    "json",
    "What a message holds beside its topic: text, or the messages of `proto/`.",
);
const ZEROMQ_ALLOW_PLAINTEXT: Key =
    Key::new("allow_plaintext", Kind::Bool, "false", "Whether unencrypted TCP may leave this host.");

static INVESTIGATIONS: &[Key] = &[
    Key::new("reporting_interval", Kind::Duration(100), "5s", "How often new rows are handed to the sinks."),
    Key::new("zeromq", Kind::Map(TOPICS), "", "Names of tables at their receivers."),
    Key::new("sinks", Kind::List(&Kind::Variants(&SINKS)), "", "Where rows go. Each sink gets every row once."),
    Key::new("flight_recorder", Kind::Map(FLIGHT_RECORDER), "", "The recorder: for each table a ring of rows."),
];

static TOPICS: &[Key] =
    &[Key::new("topics", Kind::Topics, "", "For each table the topic, which is also its query name in the Data Lake.")];

/// The sinks of table rows.
pub(crate) static SINKS: Variants = Variants {
    tag: "backend",
    called: "a sink",
    common: &[
        Key::new("backend", Kind::Word(SinkBackend::WORDS), "", "What kind of sink it is.").required(),
        Key::new("name", Kind::Text, "", "Its name in the log and in metrics; of `file` and `parquet`, the path."),
        Key::new("type", Kind::Word(SinkBackend::WORDS), "", "The backend again; optional."),
    ],
    variants: &[
        Variant {
            name: "mcs",
            keys: &[],
            doc: "The management service and its Data Lake: `process_events` and `audit_user_msg` alone.",
        },
        Variant {
            name: "zeromq",
            keys: &[
                ZEROMQ_ENDPOINT,
                ZEROMQ_PATTERN,
                ZEROMQ_BIND,
                ZEROMQ_HIGH_WATER_MARK,
                ZEROMQ_ENCODING,
                ZEROMQ_ALLOW_PLAINTEXT,
                ROW_FORMAT,
            ],
            doc: "ZeroMQ peers; the topic is the table's, or its name.",
        },
        Variant {
            name: "file",
            keys: &[MAX_SIZE, MAX_BACKUPS, ROW_FORMAT],
            doc: "A file of JSON lines, each row with its `table`; `name` is its path.",
        },
        Variant { name: "stdout", keys: &[ROW_FORMAT], doc: "The sensor's standard output, JSON lines." },
        Variant {
            name: "parquet",
            keys: PARQUET,
            doc: "Parquet files by table, date and hour; `name` is their folder. With `bucket` they go on to an \
                  S3-compatible store, and the folder is where they wait for it.",
        },
    ],
};

const ROW_FORMAT: Key = Key::new(
    "format",
    Kind::Word(RowFormat::WORDS),
    "json",
    "The shape of a row: the table's columns, or an event of OCSF.",
);

static PARQUET: &[Key] = &[
    Key::new(
        "roll_interval",
        Kind::Duration(100),
        "1m",
        "How long rows are gathered for a file; a crash of the sensor costs as many.",
    ),
    Key::new("bucket", Kind::Text, "", "The bucket that files are moved to. Without it, they stay in the folder."),
    Key::new("prefix", Kind::Text, "", "What the files' keys begin with, such as `sensors/rows`."),
    Key::new(
        "endpoint",
        Kind::Url(&["https", "http"]),
        "",
        "The store; http on the loopback alone. Without it, https://s3.REGION.amazonaws.com.",
    ),
    Key::new("region", Kind::Text, "us-east-1", "The bucket's region, which requests are signed for."),
    Key::new(
        "path_style",
        Kind::Bool,
        "",
        "Whether the bucket is named in the path rather than in the host name. Without it: yes where there is an \
         `endpoint`.",
    ),
    Key::new(
        "access_key_id",
        Kind::Text,
        "",
        "The access key. Without it, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` in the \
         environment.",
    ),
    Key::new("secret_access_key", Kind::Secret, "", "Its secret.").instead_of("secret_access_key_file"),
    Key::new("secret_access_key_file", Kind::Path, "", "A file that holds the secret and nothing else.")
        .instead_of("secret_access_key"),
    Key::new("timeout", Kind::Duration(100), "1m", "How long the upload of a file may take."),
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

static FLIGHT_RECORDER: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether tables are recorded."),
    Key::new(
        "tables",
        Kind::List(&Kind::Map(RECORDER_TABLE)),
        "",
        "The tables. Without it those that are on by default: `process_events`, `sensors`, `container_events`.",
    )
    .aliases(&["Tables"]),
];

/// Keys of a table of the recorder.
pub(crate) static RECORDER_TABLE: &[Key] = &[
    Key::new("name", Kind::Table, "", "Which table.").required(),
    Key::new("enabled", Kind::Bool, "true", "Whether it is recorded."),
    Key::new("rows", Kind::Count(1, 10_000_000), "1000", "Rows kept; the newest stay."),
    Key::new(
        "filter",
        Kind::List(&Kind::Rule),
        "",
        "Rules that decide which events become rows. Without a default rule, what no rule names becomes one.",
    ),
];

static METRICS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "true", "Whether the sensor listens for that."),
    Key::new(
        "listen",
        Kind::Listen,
        "",
        "Where: an address and port, such as 127.0.0.1:9464, or `unix:///path`. Without it, `metrics.sock` in the run \
         directory, for root alone.",
    ),
    Key::new("allow_remote", Kind::Bool, "false", "Whether that may be an address that other hosts reach."),
];

static AUDIT: &[Key] = &[
    Key::new(
        "hooks",
        Kind::Word(AuditHooks::WORDS),
        "best",
        "Which hooks tell them: the best that the kernel offers, the tracepoint alone, or none.",
    ),
    Key::new(
        "multicast_fallback",
        Kind::Bool,
        "false",
        "Whether to listen to the kernel's audit multicast group when no hook can be had. It tells messages only while the \
         kernel's audit is on, which the sensor does not switch.",
    ),
];

static CRISENSOR: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether to ask the runtime at `addr` alone."),
    Key::new(
        "addr",
        Kind::UnixSocket,
        "",
        "The runtime's socket, `unix://` in front. Without it, those of containerd, CRI-O, cri-dockerd and Docker are \
         looked for.",
    ),
    Key::new("poll_interval", Kind::Duration(10), "250ms", "How often containers are asked for."),
];

static SPOOL: &[Key] = &[
    Key::new(
        "max_bytes",
        Kind::Size(1 << 20, ANY),
        "256MiB",
        "The most that waits for one output. Beyond it the oldest is given up, counted, and told by an alert.",
    ),
    Key::new("max_age", Kind::Duration(60_000), "168h", "What has waited for longer is given up in the same way."),
];

static PATHS: &[Key] = &[
    Key::new(
        "content",
        Kind::Path,
        "/var/lib/sophos/content/runtimedetections-content.yaml",
        "Shipped detections and lists.",
    ),
    Key::new("rules", Kind::Path, "/etc/sophos/runtimedetections-rules.yaml", "Your overrides, detections and lists."),
    Key::new(
        "state_dir",
        Kind::Path,
        "/var/lib/sophos",
        "What must outlive a restart: undelivered alerts, the sensor's id.",
    ),
    Key::new("run_dir", Kind::Path, "/run/sophos", "What need not: the control socket, the merged configuration."),
];

/// Keys of a list.
pub(crate) static LIST: &[Key] = &[
    Key::new("type", Kind::Word(ListType::WORDS), "", "What it holds. Needed where the list is first defined."),
    Key::new("values", Kind::List(&Kind::Text), "", "All values, instead of those of earlier files."),
    Key::new("add", Kind::List(&Kind::Text), "", "Values on top of those of earlier files."),
    Key::new("remove", Kind::List(&Kind::Text), "", "Values to take out of those of earlier files."),
];

/// A detection.
pub(crate) static DETECTION: Kind = Kind::Map(POLICY);

/// Keys of a detection.
pub(crate) static POLICY: &[Key] = &[
    Key::new(
        "policy",
        Kind::Word(PolicyType::WORDS),
        "",
        "What it watches. Needed where the detection is first defined.",
    ),
    Key::new("enabled", Kind::Bool, "true", "Whether it is on."),
    Key::new("priority", Kind::Word(Priority::WORDS), "Medium", "How much its alerts matter."),
    Key::new("confidence", Kind::Word(Confidence::WORDS), "Medium", "How sure its alerts are."),
    Key::new("alertMessage", Kind::Text, "", "The alert's description."),
    Key::new("comments", Kind::Text, "", "What the reader of an alert should know.").aliases(&["comment"]),
    Key::new("description", Kind::Text, "", "What the detection is for."),
    Key::new("categories", Kind::OneOrMore(&Kind::Text), "", "Categories, such as MITRE techniques."),
    Key::new("alertLabels", Kind::MapOf(&Kind::Text), "", "Labels that its alerts carry."),
    Key::new(
        "responseActions",
        Kind::OneOrMore(&Kind::Word(ResponseAction::WORDS)),
        "[alert]",
        "What is done about it. The older `responseAction` is taken as well.",
    )
    .aliases(&["responseAction"]),
    Key::new("dryRun", Kind::Bool, "false", "Do everything but act, and say so in the alert."),
    Key::new(
        "throttle",
        Kind::Map(THROTTLE),
        "",
        "How many alerts are sent at most; the next one counts those held back.",
    ),
    Key::new("contentGroup", Kind::ContentGroup, "", "The group of shipped detections that it belongs to."),
    Key::new("rules", Kind::List(&Kind::Rule), "", "The rules, in order: the first that holds decides."),
];

static THROTTLE: &[Key] = &[
    Key::new("count", Kind::Count(1, 1_000_000), "1", "Alerts at most …"),
    Key::new("per", Kind::Duration(1), "1m", "… in this time …"),
    Key::new("by", Kind::OneOrMore(&Kind::Field), "", "… for each combination of these fields' values."),
];

/// The key of this name in whichever mapping: for text whose structure is lost.
pub(crate) fn anywhere(name: &str) -> Option<&'static Key> {
    static INDEX: LazyLock<HashMap<&'static str, &'static Key>> = LazyLock::new(|| {
        let mut index = HashMap::default();
        for table in every_table() {
            for key in table {
                for name in key.aliases.iter().chain([&key.name]) {
                    index.entry(*name).or_insert(key);
                }
            }
        }
        index
    });
    INDEX.get(name).copied()
}

/// Every mapping's keys.
pub(crate) fn every_table() -> Vec<Vec<&'static Key>> {
    let mut tables = Vec::new();
    for keys in [TOP, POLICY] {
        collect(keys.iter().collect(), &mut tables);
    }
    tables
}

fn collect(keys: Vec<&'static Key>, tables: &mut Vec<Vec<&'static Key>>) {
    for key in &keys {
        collect_kind(&key.kind, tables);
    }
    tables.push(keys);
}

fn collect_kind(kind: &'static Kind, tables: &mut Vec<Vec<&'static Key>>) {
    match kind {
        Kind::List(of) | Kind::OneOrMore(of) | Kind::MapOf(of) => collect_kind(of, tables),
        Kind::Map(keys) => collect(keys.iter().collect(), tables),
        Kind::Variants(variants) => {
            for variant in variants.variants {
                collect(variants.common.iter().chain(variant.keys).collect(), tables);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_word_has_its_variant() {
        let names = |variants: &Variants| variants.variants.iter().map(|variant| variant.name).collect::<Vec<_>>();
        assert_eq!(names(&OUTPUTS), OutputType::WORDS.current);
        assert_eq!(names(&SINKS), SinkBackend::WORDS.current);
    }

    #[test]
    fn names_are_unique_and_documented() {
        for keys in every_table() {
            let names: Vec<_> = keys.iter().flat_map(|key| key.aliases.iter().chain([&key.name])).collect();
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
            for key in keys {
                assert!(!key.doc.is_empty() && !key.doc.contains("  "), "{}", key.name);
            }
        }
    }
}
