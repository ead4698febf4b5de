//! Where to go on: what outlives the process.
//!
//! A journal of lines of JSON, mode 0600, and a lock beside it (`….lock`) that one process holds. Each line says what one
//! output has confirmed. Of what goes to receivers the disk has it before anything else is done; of files, which wait for
//! the disk themselves and tell what they have, at the end of each round, or after some pages. At a start, and once the
//! journal has grown, it is written anew with what it amounts to, and put in its place by rename. A last line without an
//! end is what a crash left of one that nobody relied on, and a line with a zero byte, which is never written, is where
//! the disk lost the rest. It has no secrets: tokens are never kept. A file that cannot be read is put aside
//! under another name and told; one of a newer version is refused, since its positions would be lost.
//!
//! ```text
//! {"format": "sensor-siem state", "version": 1}
//! {"output": NAME, "file": {"path", "device", "inode", "length", "appending"},
//!  "moved": {"tenant": ID, "stream": "event", "cursor": "…", "at": 1796000000, "more": true, "complete": 1796000000,
//!            "known_from": 1796000000, "sent": ["00c0ffee…"], "last": {"id", "time"}, "gap": {"from", "to"}}}
//! ```
//!
//! Where it knows nothing of a stream, that of the vendor's script does ([`script`]): so an export goes on where the
//! script stopped. The script's file is only read.

pub mod script;
mod sent;
mod store;

pub use sent::{MOST, Sent};
pub use store::{StateError, Store, lock_path};

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    destination::file::Mark,
    item::Stream,
    source::{Gap, Stopped},
};

const FORMAT: &str = "sensor-siem state";
const VERSION: u64 = 1;

/// What is kept, by the name of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub outputs: BTreeMap<String, Output>,
}

/// Of one output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The file that was written last.
    pub file: Option<Mark>,
    /// When it was no longer known how far it is, Unix seconds: streams without a position begin with all that Central keeps.
    pub lost: Option<i64>,
    /// By tenant and stream.
    pub streams: BTreeMap<(String, Stream), Position>,
    /// What went wrong since a stream went on the last time; without a stream, with the output itself.
    pub faults: BTreeMap<Option<(String, Stream)>, FaultRecord>,
}

/// How far a stream was read and handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub reached: Reached,
    pub sent: Sent,
}

/// The place that was reached. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// What Central gave with the last page.
    pub cursor: String,
    /// When that was, by Central's clock if it says.
    pub at: i64,
    /// Whether Central had more behind it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// When the stream was read to its end with it, by Central's clock; none too if that clock is not gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<i64>,
    /// The last item that was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The last time that could not be read any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Unix seconds.
    pub at: i64,
    pub reason: String,
}

/// An item, as people know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// What one output has confirmed: a line of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub output: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Mark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Failed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<i64>,
}

/// A stream that could not go on, or without one an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<(String, Stream)>,
    #[serde(flatten)]
    pub told: FaultRecord,
}

/// A stream that has gone on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub tenant: String,
    pub stream: Stream,
    #[serde(flatten)]
    pub reached: Reached,
    /// All ids are known of what came in from this time on; those of before may be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_from: Option<i64>,
    /// Marks of items that were handed over with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "sent::hexadecimal")]
    pub sent: Vec<u64>,
}

impl Position {
    /// Where to go on.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        let Reached { cursor, at, complete, .. } = self.reached.clone();
        Stopped { cursor, at: Some(at), complete, known_from: self.sent.known_from() }
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
}

/// Why a file is not this program's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("line {line} is damaged: {reason}")]
    Damaged { line: usize, reason: String },
    #[error("another program wrote it")]
    Foreign,
    #[error("version {0} of this program's state, which is newer than this program")]
    Newer(u64),
}

impl State {
    /// Reads the content of a file. Says as well how many of its bytes are whole lines.
    ///
    /// # Errors
    /// It is not this program's state.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Unfit> {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let mut lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
        let damaged =
            |line: usize, reason: &dyn ToString| Unfit::Damaged { line: line + 1, reason: reason.to_string() };
        let Some((_, head)) = lines.next() else { return Err(damaged(0, &"it has no end")) };
        let value: serde_json::Value = serde_json::from_slice(head).map_err(|error| damaged(0, &error))?;
        let Ok(head) = serde_json::from_value::<Head>(value) else { return Err(Unfit::Foreign) };
        match head.version {
            _ if head.format != FORMAT => return Err(Unfit::Foreign),
            VERSION => {}
            newer if newer > VERSION => return Err(Unfit::Newer(newer)),
            older => return Err(damaged(0, &format!("there was never a version {older}"))),
        }
        let mut state = Self::default();
        let mut read = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for (number, line) in lines {
            if line.contains(&0) {
                return Ok((state, read));
            }
            state.apply(serde_json::from_slice(line).map_err(|error| damaged(number, &error))?);
            read += line.len();
        }
        Ok((state, whole))
    }

    /// Goes on by one line.
    pub fn apply(&mut self, change: Change) {
        let marks = change.moved.as_ref().map(|moved| self.marks(moved));
        let output = self.outputs.entry(change.output).or_default();
        if change.file.is_some() {
            output.file = change.file;
        }
        if change.lost.is_some() {
            output.lost = change.lost;
        }
        if let Some(Failed { stream, told }) = change.fault {
            output.faults.insert(stream, told);
        }
        let Some(Moved { tenant, stream, reached, known_from, .. }) = change.moved else { return };
        let at = reached.at;
        output.faults.remove(&None);
        output.faults.remove(&Some((tenant.clone(), stream)));
        let known = match output.streams.entry((tenant, stream)) {
            std::collections::btree_map::Entry::Occupied(known) => {
                let known = known.into_mut();
                known.reached = reached;
                known
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(Position { reached, sent: Sent::default() })
            }
        };
        known.sent.add(at, marks.unwrap_or_default(), known_from);
    }

    /// What was handed over, in order: another output's, if that was handed the same last.
    fn marks(&self, moved: &Moved) -> Arc<[u64]> {
        let mut marks = moved.sent.clone();
        marks.sort_unstable();
        marks.dedup();
        let place = (moved.tenant.clone(), moved.stream);
        let positions = self.outputs.values().filter_map(|output| output.streams.get(&place));
        let held = positions.filter_map(|position| position.sent.last()).find(|held| ***held == *marks);
        held.map_or_else(|| marks.into(), Arc::clone)
    }

    /// The lines that amount to this.
    fn changes(&self) -> impl Iterator<Item = Change> {
        self.outputs.iter().flat_map(|(name, output)| {
            let of = |change: Change| Change { output: name.clone(), ..change };
            let whole = of(Change { file: output.file.clone(), lost: output.lost, ..Change::default() });
            let faults = output.faults.iter().map(move |(stream, told)| {
                let fault = Some(Failed { stream: stream.clone(), told: told.clone() });
                of(Change { fault, ..Change::default() })
            });
            let streams = output.streams.iter().flat_map(move |((tenant, stream), position)| {
                let last = (position.reached.at, Vec::new());
                position.sent.by_time().chain([last]).map(move |(at, sent)| {
                    let reached = Reached { at, ..position.reached.clone() };
                    let known_from = position.sent.known_from();
                    let moved = Moved { tenant: tenant.clone(), stream: *stream, reached, known_from, sent };
                    of(Change { moved: Some(moved), ..Change::default() })
                })
            });
            [whole].into_iter().chain(streams).chain(faults)
        })
    }

    /// The content of a file, line by line: all of it can be tens of megabytes.
    pub fn lines(&self) -> impl Iterator<Item = Vec<u8>> {
        let head = line(&Head { format: FORMAT.into(), version: VERSION });
        [head].into_iter().chain(self.changes().map(|change| change.to_line()))
    }
}

impl Change {
    /// As a line of the journal.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        line(self)
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("texts and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests;
