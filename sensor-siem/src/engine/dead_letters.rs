//! Items that cannot be handed over, each a line of JSON with the reason.
//!
//! ```text
//! {"at": 1796000000, "output": NAME, "tenant": ID, "stream": "event", "reason": "…", "item": "…"}
//! ```
//!
//! `item` is the text of the item as it was received, or its line. The disk has it before the cursor goes on; after a
//! crash between the two it stands there twice.

use std::{io, path::PathBuf, sync::Mutex};

use serde::Serialize;

use crate::{destination::file::Lines, item::Stream};

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct DeadLetter {
    /// Unix seconds.
    pub(super) at: i64,
    pub(super) output: String,
    pub(super) tenant: String,
    pub(super) stream: Stream,
    pub(super) reason: String,
    pub(super) item: String,
}

/// The file that they go to. It is made with the first of them.
#[derive(Debug)]
pub struct DeadLetters {
    path: PathBuf,
    file: Mutex<Option<Lines>>,
}

impl DeadLetters {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::default() }
    }

    /// Appends them.
    pub(super) fn write(&self, letters: &[DeadLetter]) -> io::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut page = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut page, letter)?;
            page.push(b'\n');
        }
        let mut held = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lines = match &mut *held {
            Some(lines) => lines,
            none => none.insert(Lines::open(&self.path)?),
        };
        let written = lines.mark(&page).and_then(|mark| lines.append(&mark, &page));
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}
