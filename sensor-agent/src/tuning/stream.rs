//! A recorded stream: an event a line, as `record` and `events -json` write it.

use std::io::{self, BufRead};

use serde_json::Value;

use crate::event::build::build;
use crate::event::{Event, Host};

/// What a line says.
#[derive(Debug)]
pub enum Line {
    Event(Box<(Event, Host)>),
    /// So many events are missing here.
    Lost(u64),
    /// It is no event: why.
    Wrong(String),
}

/// Longest line, bytes; a longer one is no event.
const LONGEST: u64 = 16 << 20;

/// Reads lines one after the other, whatever their bytes are.
///
/// # Errors
/// Those of the reader.
pub fn read(reader: &mut impl BufRead, mut line: impl FnMut(Line)) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if io::Read::take(&mut *reader, LONGEST).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        if !bytes.trim_ascii().is_empty() {
            line(of(&bytes));
        }
    }
}

fn of(bytes: &[u8]) -> Line {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return Line::Wrong(format!("no JSON: {error}")),
    };
    if let Some(lost) = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("lost")?.as_u64()) {
        return Line::Lost(lost);
    }
    match build(&value) {
        Ok(event) => Line::Event(Box::new(event)),
        Err(errors) => Line::Wrong(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &[u8]) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        read(&mut &*text, |line| {
            kinds.push(match line {
                Line::Event(_) => "event",
                Line::Lost(_) => "lost",
                Line::Wrong(_) => "wrong",
            });
        })
        .unwrap();
        kinds
    }

    #[test]
    fn each_line_is_told_for_what_it_is() {
        let text = "{\"programName\": \"/bin/x\"}\n\n{\"lost\":12}\n{\"no\":1}\n{\"programNa";
        assert_eq!(kinds(text.as_bytes()), ["event", "lost", "wrong", "wrong"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert_eq!(kinds(&bytes).len(), lines);
        }
    }
}
