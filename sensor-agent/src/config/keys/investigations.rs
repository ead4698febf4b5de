//! Keys of `investigations`: the flight recorder and the sinks of its rows.

use delivery::receivers::{s3::keys as s3, zeromq::keys as zeromq};
use settings::{Key, Kind, Variant, Variants, Word as _};

use super::super::words::SinkBackend;
use super::kinds::{RULE, TABLE, TABLE_TOPICS};
use super::receivers::{CA_FILE, CERT_FILE, KEY_FILE, MAX_BACKUPS, MAX_SIZE, RETRY_MAX, RETRY_MIN, ZEROMQ_ENCODING};
use crate::output::RowFormat;

pub(super) static INVESTIGATIONS: &[Key] = &[
    Key::new("reporting_interval", Kind::Duration(100), "5s", "How often new rows are handed to the sinks."),
    Key::new("zeromq", Kind::Map(TOPICS), "", "Names of tables at their receivers."),
    Key::new("sinks", Kind::List(&Kind::Variants(&SINKS)), "", "Where rows go. Each sink gets every row once."),
    Key::new("flight_recorder", Kind::Map(FLIGHT_RECORDER), "", "The recorder: for each table a ring of rows."),
];

static TOPICS: &[Key] = &[Key::new(
    "topics",
    Kind::Pairs(&TABLE_TOPICS),
    "",
    "For each table the topic, which is also its query name in the Data Lake.",
)];

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
                zeromq::ENDPOINT,
                zeromq::PATTERN,
                zeromq::BIND,
                zeromq::HIGH_WATER_MARK,
                ZEROMQ_ENCODING,
                zeromq::ALLOW_PLAINTEXT,
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

pub(crate) static PARQUET: &[Key] = &[
    Key::new(
        "roll_interval",
        Kind::Duration(100),
        "10m",
        "How long rows are gathered for a file, which there is one of for each table and interval; a crash of the sensor costs as many.",
    ),
    Key::new("bucket", Kind::Text, "", "The bucket that files are moved to. Without it, they stay in the folder."),
    s3::PREFIX,
    s3::ENDPOINT,
    s3::REGION,
    s3::PATH_STYLE,
    s3::ACCESS_KEY_ID,
    s3::SECRET_ACCESS_KEY,
    s3::SECRET_ACCESS_KEY_FILE,
    s3::TIMEOUT,
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
        "The tables. Without it those that are on by default: `process_events`, `sensors`, `lost_records`.",
    )
    .aliases(&["Tables"]),
];

/// Keys of a table of the recorder.
pub(crate) static RECORDER_TABLE: &[Key] = &[
    Key::new("name", Kind::Own(&TABLE), "", "Which table.").required(),
    Key::new("enabled", Kind::Bool, "true", "Whether it is recorded."),
    Key::new("rows", Kind::Count(1, 10_000_000), "1000", "Rows kept; the newest stay."),
    Key::new(
        "filter",
        Kind::List(&Kind::Own(&RULE)),
        "",
        "Rules that decide which events become rows. Without a default rule, what no rule names becomes one.",
    ),
];
