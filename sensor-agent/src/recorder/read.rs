//! Reading the rows that the tables hold, piece by piece, while they go on.

use super::{Recorder, Recording};
use crate::event::Event;

/// Where somebody who reads has come to in a table: the number of its next row since the table's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    table: &'static str,
    next: u64,
}

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub table: &'static str,
    pub rows: usize,
    /// The time of the oldest: nanoseconds since the Unix epoch.
    pub oldest: Option<u64>,
}

/// How a piece went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Rows that were gone before they could be read.
    pub passed: u64,
    /// Whether nothing is left to be read now.
    pub is_last: bool,
}

impl Recorder {
    /// The beginning of every table.
    #[must_use]
    pub fn beginning(&self) -> Vec<Position> {
        self.recordings.iter().map(|it| Position { table: it.table.name, next: it.first() }).collect()
    }

    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let held = |it: &Recording| Held {
            table: it.table.name,
            rows: it.rows.len(),
            oldest: it.rows.front().map(|event| event.time),
        };
        self.recordings.iter().map(held).collect()
    }

    /// Reads at most so many rows from these positions on, all tables by time, and moves the positions.
    pub fn read(&self, positions: &mut [Position], most: usize, mut row: impl FnMut(&Event)) -> Piece {
        let mut piece = Piece::default();
        let mut reading: Vec<(&Recording, &mut Position)> = positions
            .iter_mut()
            .filter_map(|at| Some((self.recordings.iter().find(|it| it.table.name == at.table)?, at)))
            .collect();
        for (recording, at) in &mut reading {
            piece.passed += recording.first().saturating_sub(at.next);
            at.next = at.next.max(recording.first());
        }
        for _ in 0..most {
            let next = reading.iter_mut().filter_map(|(recording, at)| Some((recording.row(at.next)?, at)));
            let Some((event, at)) = next.min_by_key(|(event, _)| event.time) else {
                piece.is_last = true;
                break;
            };
            at.next += 1;
            row(event);
        }
        piece
    }
}

impl Recording {
    /// The number of the oldest row that is there.
    fn first(&self) -> u64 {
        self.recorded - self.rows.len() as u64
    }

    fn row(&self, number: u64) -> Option<&Event> {
        self.rows.get(usize::try_from(number.checked_sub(self.first())?).ok()?)
    }
}
