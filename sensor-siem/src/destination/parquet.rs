//! Items as rows of Parquet files, in a folder or in an object store.
//!
//! ```text
//! alerts/date=2026-11-29/UUID.parquet
//! ```
//!
//! A page becomes a file for each day that its items came in, there whole or not at all before it counts as handed over.
//! The name follows from the items: a page that is written again replaces its file.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use delivery::{
    http::HttpSettings,
    receivers::{
        parquet::{self, ByteArray, Column, put_whole},
        s3::{S3Settings, Store, keys},
    },
    remote::{Answer, Message, Remote, Setback, Settled},
};
use diagnostic::Report;
use jiff::{Timestamp, tz::TimeZone};
use settings::{Key, Kind, Node, Section, Variant};
use url::Url;
use uuid::Uuid;

use super::{
    Receiver,
    http::{self, AGENT},
    tls::{self, CA_FILE, CERT_FILE, KEY_FILE},
};
use crate::{
    format,
    item::{Item, Stream, Value},
};

pub(super) const VARIANT: Variant = Variant {
    name: "parquet",
    keys: KEYS,
    doc: "Parquet files by stream and day, in a folder or in an S3-compatible store: a row for each item, with its \
     tenant, its members as columns, its times as points in time (UTC), and all of it as JSON in `item`. A page \
     counts as handed over once its files are there, whole.",
};

const KEYS: &[Key] = &[
    Key::new(
        "path",
        Kind::Path,
        "",
        "The folder. It is made if it is not there, mode 0700, and must be no one else's.",
    )
    .instead_of("bucket"),
    Key::new("bucket", Kind::Text, "", "The bucket of a store, in place of a folder.").instead_of("path"),
    keys::PREFIX,
    keys::ENDPOINT,
    keys::REGION,
    keys::PATH_STYLE,
    keys::ACCESS_KEY_ID,
    keys::SECRET_ACCESS_KEY,
    keys::SECRET_ACCESS_KEY_FILE,
    keys::TIMEOUT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

/// Keys that say how a line is made.
const OF_LINES: [&str; 3] = ["format", "compat", "fqdn"];

/// Where the files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParquetOutput {
    Folder(PathBuf),
    Store(Box<S3Settings>),
}

/// What a column tells of an item.
#[derive(Clone, Copy)]
enum Fact {
    Tenant,
    Stream,
    Member(&'static str),
    /// Of an object within it.
    Inner(&'static str, &'static str),
    /// All of it.
    Whole,
}

/// The columns; what a row holds is in their order.
const COLUMNS: [(&str, parquet::Kind, Fact); 20] = [
    ("tenant", parquet::Kind::Text, Fact::Tenant),
    ("stream", parquet::Kind::Text, Fact::Stream),
    ("id", parquet::Kind::Text, Fact::Member("id")),
    ("type", parquet::Kind::Text, Fact::Member("type")),
    ("severity", parquet::Kind::Text, Fact::Member("severity")),
    ("created_at", parquet::Kind::Time, Fact::Member("created_at")),
    ("when", parquet::Kind::Time, Fact::Member("when")),
    ("name", parquet::Kind::Text, Fact::Member("name")),
    ("description", parquet::Kind::Text, Fact::Member("description")),
    ("threat", parquet::Kind::Text, Fact::Member("threat")),
    ("group", parquet::Kind::Text, Fact::Member("group")),
    ("location", parquet::Kind::Text, Fact::Member("location")),
    ("source", parquet::Kind::Text, Fact::Member("source")),
    ("ip", parquet::Kind::Text, Fact::Inner("source_info", "ip")),
    ("endpoint_id", parquet::Kind::Text, Fact::Member("endpoint_id")),
    ("endpoint_type", parquet::Kind::Text, Fact::Member("endpoint_type")),
    ("user_id", parquet::Kind::Text, Fact::Member("user_id")),
    ("customer_id", parquet::Kind::Text, Fact::Member("customer_id")),
    ("event_service_event_id", parquet::Kind::Text, Fact::Member("event_service_event_id")),
    ("item", parquet::Kind::Text, Fact::Whole),
];
const STREAM: usize = 1;
const TIMES: [usize; 2] = [5, 6];

/// A row on its way: what each column holds.
type Row<'a> = Vec<Option<Cow<'a, str>>>;

/// Takes the folder or the bucket.
pub(super) fn read(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<ParquetOutput> {
    for (name, span) in OF_LINES.iter().filter_map(|name| Some((name, section.span(name)?))) {
        report
            .error(span, format!("`{name}` has no effect on an output of type `parquet`"))
            .help("a row holds the item as Central tells it; take this out");
    }
    match (section.get::<PathBuf>("path"), section.get::<String>("bucket")) {
        (Some(_), Some(_)) => {
            report
                .error(section.span("bucket"), "`path` and `bucket` exclude each other")
                .help("two outputs write to a folder and to a store");
            None
        }
        (Some(folder), None) => {
            keys::without_bucket(section, KEYS.iter().filter(|key| key.name != "path"), report);
            Some(ParquetOutput::Folder(folder))
        }
        (None, Some(bucket)) => {
            let http = |endpoint: &Url, report: &mut Report| {
                Some(HttpSettings {
                    agent: AGENT,
                    batch_size: 1,
                    timeout: section.get("timeout")?,
                    tls: tls::read(section, (endpoint.scheme() != "https").then_some("http://"), report),
                    // When a page is tried again is not for the store to say.
                    batch_delay: Duration::ZERO,
                    retry_min: Duration::ZERO,
                    retry_max: Duration::ZERO,
                })
            };
            let settings = keys::read(section, bucket, report, http)?;
            if let Err(reason) = settings.check() {
                report.error(section.span("bucket"), reason).label("cannot be reached as this says");
            }
            Some(ParquetOutput::Store(Box::new(settings)))
        }
        (None, None) => {
            report
                .error(node.span.clone(), "an output of type `parquet` needs a place")
                .label("neither `path` nor `bucket` here")
                .help("add `path:` and a folder, such as /var/lib/sensor-siem/lake");
            None
        }
    }
}

impl Receiver for ParquetOutput {
    fn place(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Store(settings) => settings.place(),
        }
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(match self {
            Self::Folder(folder) => Files::Folder(folder.clone()),
            Self::Store(settings) => Files::Store(Box::new(Store::new(settings)?)),
        }))
    }

    fn reach(&self) -> Result<(), String> {
        match self {
            Self::Folder(folder) => parquet::check(folder).map_err(|error| error.to_string()),
            Self::Store(settings) => http::reached(Store::new(settings).map(|mut store| store.reach())),
        }
    }

    fn put(&self, out: &mut Vec<u8>, tenant: &str, stream: Stream, item: &Item<'_>, _: &str) {
        put(out, tenant, stream, item);
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Store(_) => None,
        }
    }
}

/// Appends an item as a row: a list of what the columns hold, as JSON.
fn put(out: &mut Vec<u8>, tenant: &str, stream: Stream, item: &Item<'_>) {
    let row: Row<'_> = COLUMNS.iter().map(|(_, _, fact)| fact.of(tenant, stream, item)).collect();
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &row);
}

impl Fact {
    fn of<'a>(self, tenant: &'a str, stream: Stream, item: &'a Item<'a>) -> Option<Cow<'a, str>> {
        let value = match self {
            Self::Tenant => return Some(tenant.into()),
            Self::Stream => return Some(stream.word().into()),
            Self::Whole => return Some(format::whole(item).into()),
            Self::Member(name) => item.members.get(name)?,
            Self::Inner(name, inner) => match item.members.get(name)? {
                Value::Object(members) => members.get(inner)?,
                _ => return None,
            },
        };
        match value {
            Value::Null => None,
            Value::Text(text) => Some((&**text).into()),
            other => Some(format::value(other).into()),
        }
    }
}

/// Writes files.
enum Files {
    Folder(PathBuf),
    Store(Box<Store>),
}

impl Files {
    fn write(&mut self, messages: &[Message<'_>]) -> Result<(), Setback> {
        let fault = |reason: String| Setback { reason, wait: None, lasting: false };
        let mut parts: BTreeMap<String, (Vec<Uuid>, Vec<Row<'_>>)> = BTreeMap::new();
        for message in messages {
            let row: Row<'_> = serde_json::from_slice(message.body).map_err(|error| fault(error.to_string()))?;
            let (uuids, rows) = parts.entry(place(&row)).or_default();
            uuids.push(message.uuid);
            rows.push(row);
        }
        for (place, (uuids, rows)) in parts {
            let name = format!("{}.parquet", name(&uuids));
            match self {
                Self::Folder(folder) => {
                    let folder = folder.join(place);
                    put_whole(&folder, &name, |file| write_rows(file, &rows))
                        .map_err(|error| fault(format!("cannot write to {}: {error}", folder.display())))?;
                }
                Self::Store(store) => {
                    let mut body = Vec::new();
                    write_rows(&mut body, &rows).map_err(|error| fault(error.to_string()))?;
                    store.put(&format!("{place}/{name}"), body)?;
                }
            }
        }
        Ok(())
    }
}

impl Remote for Files {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        match self.write(messages) {
            Ok(()) => Answer { settled: vec![Settled::Confirmed; messages.len()], setback: None },
            // Files that were written are written again, under the same names.
            Err(setback) => Answer { settled: Vec::new(), setback: Some(setback) },
        }
    }

    /// A page is a file.
    fn bounds(&self) -> (usize, usize) {
        (usize::MAX, usize::MAX)
    }
}

/// The folder of a row's file: the stream, and the day in UTC, as engines that know partitions read it.
fn place(row: &Row<'_>) -> String {
    let stream = if row[STREAM].as_deref() == Some(Stream::Alerts.word()) { Stream::Alerts } else { Stream::Events };
    let time = TIMES.into_iter().find_map(|at| row[at].as_deref()?.parse::<Timestamp>().ok());
    let date = time.map_or_else(
        // As Hive has it, so engines read none.
        || "__HIVE_DEFAULT_PARTITION__".to_owned(),
        |time| time.to_zoned(TimeZone::UTC).date().to_string(),
    );
    format!("{}/date={date}", stream.path())
}

/// The same for the same items.
fn name(uuids: &[Uuid]) -> Uuid {
    let all: Vec<u8> = uuids.iter().flat_map(|uuid| *uuid.as_bytes()).collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &all)
}

fn write_rows<W: io::Write + Send>(out: W, rows: &[Row<'_>]) -> io::Result<()> {
    let columns = COLUMNS.map(|(name, kind, fact)| Column {
        name,
        kind,
        required: matches!(fact, Fact::Tenant | Fact::Stream | Fact::Whole),
    });
    let writer = concat!("sensor-siem ", env!("CARGO_PKG_VERSION"));
    parquet::write(out, "items", writer, &columns, |file| {
        for (at, column) in columns.iter().enumerate() {
            let texts = rows.iter().map(|row| row[at].as_deref());
            match column.kind {
                // What is no time is in the item.
                parquet::Kind::Time => {
                    file.numbers(texts.map(|text| Some(text?.parse::<Timestamp>().ok()?.as_microsecond())))?
                }
                _ => file.texts(texts.map(|text| Some(ByteArray::from(text?))))?,
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn row(json: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, "t", Stream::Alerts, &Item::new(serde_json::from_str(json).unwrap()));
        out
    }

    #[test]
    fn the_places_of_columns_are_theirs() {
        assert_eq!(COLUMNS[STREAM].0, "stream");
        assert_eq!(TIMES.map(|at| COLUMNS[at].0), ["created_at", "when"]);
    }

    #[test]
    fn a_page_is_a_file_for_each_day_and_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::Folder(folder.path().join("lake"));
        let bodies = [
            row(
                r#"{"id": "a", "created_at": "2026-11-29T23:59:59.999Z", "severity": 5, "source_info": {"ip": "::1"}}"#,
            ),
            row(r#"{"id": "b", "created_at": "2026-11-30T00:00:00Z", "when": null}"#),
            row(r#"{"id": "c", "created_at": "today"}"#),
        ];
        let messages: Vec<_> = (1..).zip(&bodies).map(|(at, body)| Message::new(Uuid::from_u128(at), body)).collect();
        for _ in 0..2 {
            let answer = files.send(&messages);
            assert_eq!((answer.settled, answer.setback), (vec![Settled::Confirmed; 3], None));
            let mut found: Vec<_> = Vec::new();
            for day in fs::read_dir(folder.path().join("lake/alerts")).unwrap() {
                let day = day.unwrap();
                let name = day.file_name().into_string().unwrap();
                let rows = fs::read_dir(day.path()).unwrap().map(|file| parquet::rows_in(&file.unwrap().path()));
                found.push((name, rows.map(Option::unwrap).collect::<Vec<_>>()));
            }
            found.sort();
            let days = ["date=2026-11-29", "date=2026-11-30", "date=__HIVE_DEFAULT_PARTITION__"];
            assert_eq!(found, days.map(|day| (day.to_owned(), vec![1])));
        }
    }

    #[test]
    fn what_cannot_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lake"), "x").unwrap();
        let output = ParquetOutput::Folder(folder.path().join("lake"));
        assert!(output.reach().is_err());
        let body = row(r#"{"id": "a"}"#);
        let answer = output.remote().unwrap().send(&[Message::new(Uuid::nil(), &body)]);
        assert!(answer.settled.is_empty());
        assert!(answer.setback.is_some_and(|setback| setback.reason.contains("cannot write to")));
    }
}
