//! The flight recorder's tables and the sinks that their rows go to.

use std::path::PathBuf;
use std::time::Duration;

use delivery::receivers::{file::FileSettings, s3::S3Settings};
use diagnostic::{Report, Span, Spanned};
use foldhash::HashMap;
use schema::{TABLES, Table};
use settings::{Node, Section};

use super::keys;
use super::outputs;
use super::s3;
use super::words::SinkBackend;
use super::zeromq::{self, ZeromqSettings};
use crate::output::{RowFormat, ZeromqEncoding};

/// The flight recorder and where its rows go.
#[derive(Clone, Debug)]
pub struct Investigations {
    /// How often new rows are handed to the sinks.
    pub reporting_interval: Duration,
    /// Topics of tables, which are also their query names in the Data Lake.
    pub topics: Vec<Topic>,
    pub sinks: Vec<Sink>,
    pub flight_recorder: FlightRecorder,
}

/// What a table is called at its receivers.
#[derive(Clone, Debug)]
pub struct Topic {
    pub table: &'static Table,
    pub topic: Spanned<String>,
}

/// Where rows go.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Where it is configured.
    pub span: Span,
    /// The keys that are given, and where.
    pub places: Vec<(&'static str, Span)>,
    /// Its name in the log and in metrics; of a file, the path.
    pub name: Option<String>,
    /// Of rows that are texts.
    pub format: RowFormat,
    pub settings: SinkSettings,
}

/// What only one backend has.
#[derive(Clone, Debug)]
pub enum SinkSettings {
    Mcs,
    Zeromq(ZeromqSettings),
    File(FileSettings),
    Stdout,
    Parquet(Box<ParquetSettings>),
}

/// A folder of Parquet files.
#[derive(Clone, Debug)]
pub struct ParquetSettings {
    pub folder: PathBuf,
    /// How long rows are gathered for a file.
    pub roll_interval: Duration,
    /// The store that the files are moved to.
    pub s3: Option<S3Settings>,
}

impl SinkSettings {
    #[must_use]
    pub const fn backend(&self) -> SinkBackend {
        match self {
            Self::Mcs => SinkBackend::Mcs,
            Self::Zeromq(_) => SinkBackend::Zeromq,
            Self::File(_) => SinkBackend::File,
            Self::Stdout => SinkBackend::Stdout,
            Self::Parquet(_) => SinkBackend::Parquet,
        }
    }
}

/// The recorder.
#[derive(Clone, Debug)]
pub struct FlightRecorder {
    pub enabled: bool,
    /// The tables that were named, or those that are on by default; each once, also those that are off.
    pub tables: Vec<RecorderTable>,
}

/// A table of the recorder.
#[derive(Clone, Debug)]
pub struct RecorderTable {
    pub table: &'static Table,
    /// Where it is named; none when it is on by default.
    pub span: Option<Span>,
    pub enabled: bool,
    /// Rows kept, the newest.
    pub rows: u64,
    /// Rules, not compiled yet. Without a default rule, what no rule names becomes a row.
    pub filter: Vec<Spanned<String>>,
}

/// Takes the section of the merged configuration. `files` holds what alerts are written to.
pub(crate) fn read(section: &Section<'_>, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> Investigations {
    let sinks: Vec<Sink> = section.items("sinks").iter().filter_map(|node| sink(node, files, report)).collect();
    let topics = topics(&section.section("zeromq"), &sinks, report);
    Investigations {
        reporting_interval: section.value("reporting_interval"),
        topics,
        sinks,
        flight_recorder: flight_recorder(&section.section("flight_recorder"), report),
    }
}

fn sink(node: &Node, files: &mut HashMap<PathBuf, Span>, report: &mut Report) -> Option<Sink> {
    let variants = &keys::SINKS;
    let section = Section::new(Some(node), variants.common);
    let backend: SinkBackend = section.get("backend")?;
    let section = section.with_own_keys(variants.find(backend.word())?.keys);
    if section.get::<SinkBackend>("type").is_some_and(|again| again != backend) {
        report
            .error(section.span("type"), format!("`type` says something else than `backend: {}`", backend.word()))
            .help("leave `type` out: `backend` is enough");
    }
    let settings = match backend {
        SinkBackend::Mcs => SinkSettings::Mcs,
        SinkBackend::Stdout => SinkSettings::Stdout,
        SinkBackend::Zeromq => SinkSettings::Zeromq(zeromq::read(&section, None, report)?),
        SinkBackend::File => {
            let file = outputs::file(&section, node, "a sink of backend `file`", report)?;
            outputs::once(&file.path, &section, files, report);
            SinkSettings::File(file)
        }
        SinkBackend::Parquet => {
            let folder = outputs::path(&section, node, "a sink of backend `parquet`", report)?;
            outputs::once(&folder, &section, files, report);
            let s3 = s3::read(&section, report)?;
            SinkSettings::Parquet(Box::new(ParquetSettings {
                folder,
                roll_interval: section.get("roll_interval")?,
                s3,
            }))
        }
    };
    if matches!(&settings, SinkSettings::Zeromq(zeromq) if zeromq.encoding == ZeromqEncoding::Protobuf) {
        outputs::excluded_by_protobuf(&section, &["format"], "a row", report);
    }
    let format = match backend {
        SinkBackend::Stdout | SinkBackend::Zeromq | SinkBackend::File => section.get("format")?,
        SinkBackend::Mcs | SinkBackend::Parquet => RowFormat::Json,
    };
    Some(Sink { span: node.span.clone(), places: section.places(), name: section.get("name"), format, settings })
}

fn topics(section: &Section<'_>, sinks: &[Sink], report: &mut Report) -> Vec<Topic> {
    let has = |backend| sinks.iter().any(|sink| sink.settings.backend() == backend);
    // Topics are for ZeroMQ peers too, which take every table.
    let mcs_alone = has(SinkBackend::Mcs) && !has(SinkBackend::Zeromq);
    let maps: Vec<&Node> = match section.node("topics") {
        Some(node) if node.items().is_empty() => vec![node],
        Some(node) => node.items().iter().collect(),
        None => Vec::new(),
    };
    let mut topics: Vec<Topic> = Vec::new();
    let mut named: HashMap<&'static str, Span> = HashMap::default();
    for entry in maps.into_iter().flat_map(Node::entries) {
        let (Some(table), Some(topic)) = (Table::by_name(&entry.key.value), entry.value.spanned()) else { continue };
        let span = entry.key.span.clone();
        if let Some(first) = named.insert(table.name, span.clone()) {
            report
                .error(span, format!("the table `{}` has two topics", table.name))
                .label("again")
                .related(first, "first")
                .help("keep one of the two");
            continue;
        }
        if mcs_alone && !table.mcs {
            report
                .error(span, format!("the table `{}` cannot go to MCS", table.name))
                .label("MCS and its Data Lake do not take this table")
                .help(format!("they take {} alone; send others to a sink of another backend", mcs_tables()));
        }
        topics.push(Topic { table, topic });
    }
    topics
}

/// The tables that MCS takes, in words.
fn mcs_tables() -> String {
    TABLES.iter().filter(|table| table.mcs).map(|table| format!("`{}`", table.name)).collect::<Vec<_>>().join(" and ")
}

fn flight_recorder(section: &Section<'_>, report: &mut Report) -> FlightRecorder {
    let enabled = section.bool("enabled");
    let Some(node) = section.node("tables") else {
        let tables = TABLES.iter().filter(|table| table.default_on);
        let defaults = Section::new(None, keys::RECORDER_TABLE);
        return FlightRecorder { enabled, tables: tables.map(|known| table(known, None, &defaults)).collect() };
    };
    let mut tables: Vec<RecorderTable> = Vec::new();
    for item in node.items() {
        let entry = Section::new(Some(item), keys::RECORDER_TABLE);
        let Some(known) = entry.get::<String>("name").and_then(|name| Table::by_name(&name)) else { continue };
        let span = entry.span("name");
        if let Some(first) = tables.iter().find(|other| std::ptr::eq(other.table, known)) {
            let finding = report.error(span, format!("the table `{}` is named twice", known.name));
            finding.label("again").help("keep one of the two");
            if let Some(first) = first.span.clone() {
                finding.related(first, "first");
            }
            continue;
        }
        let table = table(known, span.clone(), &entry);
        if enabled && table.enabled && !known.is_filled() {
            report
                .warning(span, format!("the table `{}` is not built yet: it stays empty", known.name))
                .label("checked, but not filled");
        }
        tables.push(table);
    }
    FlightRecorder { enabled, tables }
}

fn table(table: &'static Table, span: Option<Span>, section: &Section<'_>) -> RecorderTable {
    RecorderTable {
        table,
        span,
        enabled: section.bool("enabled"),
        rows: section.value("rows"),
        filter: section.texts("filter"),
    }
}
