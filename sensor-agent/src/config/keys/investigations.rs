//! Keys of `investigations`: the flight recorder and the sinks of its rows.

use settings::{Key, Kind, Variants};

use super::kinds::{RULE, TABLE, TABLE_TOPICS};
use crate::output::target;

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
        Key::new("backend", Kind::Word(&target::BACKENDS), "", "What kind of sink it is.").required(),
        Key::new("name", Kind::Text, "", "Its name in the log and in metrics; of `file` and `parquet`, the path."),
        Key::new("type", Kind::Word(&target::BACKENDS), "", "The backend again; optional."),
    ],
    variants: target::SINKS,
};

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
