//! The flight recorder's tables and the sinks that their rows go to.

use std::sync::Arc;
use std::time::Duration;

use diagnostic::{Report, Span, Spanned};
use foldhash::HashMap;
use schema::{TABLES, Table};
use settings::{Node, Section, find};

use super::keys;
use crate::output::{
    RowFormat,
    target::{self, Elsewhere, Given, Target},
};

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
    /// Where the table is named.
    pub span: Span,
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
    pub target: Arc<dyn Target>,
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

/// Takes the section of the merged configuration.
pub(crate) fn read(section: &Section<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> Investigations {
    let topics = topics(&section.section("zeromq"), report);
    elsewhere.topics = topics.iter().map(|topic| (topic.table.name, topic.topic.value.clone())).collect();
    let sinks: Vec<Sink> = section.items("sinks").iter().filter_map(|node| sink(node, elsewhere, report)).collect();
    not_taken(&topics, &sinks, report);
    Investigations {
        reporting_interval: section.value("reporting_interval"),
        topics,
        sinks,
        flight_recorder: flight_recorder(&section.section("flight_recorder"), report),
    }
}

fn sink(node: &Node, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Sink> {
    let variants = &keys::SINKS;
    let section = Section::new(Some(node), variants.common);
    let sort = variants.find(&section.get::<String>("backend")?)?;
    let section = section.with_own_keys(sort.keys);
    if section.get::<String>("type").is_some_and(|again| !again.eq_ignore_ascii_case(sort.name)) {
        report
            .error(section.span("type"), format!("`type` says something else than `backend: {}`", sort.name))
            .help("leave `type` out: `backend` is enough");
    }
    let given = Given { section, node, enabled: true };
    let target = target::sink(sort, &given, elsewhere, report)?;
    let section = given.section;
    // Some have a form of their own.
    let has_format = find(sort.keys, "format").is_some();
    let format = if has_format { section.get("format")? } else { RowFormat::default() };
    Some(Sink { span: node.span.clone(), places: section.places(), name: section.get("name"), format, target })
}

fn topics(section: &Section<'_>, report: &mut Report) -> Vec<Topic> {
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
        topics.push(Topic { table, span, topic });
    }
    topics
}

/// Refuses topics of tables that none of the sinks takes which know topics.
fn not_taken(topics: &[Topic], sinks: &[Sink], report: &mut Report) {
    let sinks: Vec<&Sink> = sinks.iter().filter(|sink| sink.target.has_topics()).collect();
    let is_lost = |topic: &&Topic| !sinks.is_empty() && !sinks.iter().any(|sink| sink.target.takes(topic.table));
    for topic in topics.iter().filter(is_lost) {
        report
            .error(topic.span.clone(), format!("the table `{}` cannot go to MCS", topic.table.name))
            .label("MCS and its Data Lake do not take this table")
            .help(format!("they take {} alone; send others to a sink of another backend", mcs_tables()));
    }
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
