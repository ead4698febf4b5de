//! What came in, as a list for a terminal or as JSON lines.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::store::Detection;

/// Writes alerts as lines for people: time, priority, host, policy, uuid.
///
/// # Errors
/// The output cannot be written.
pub fn write_list(out: &mut impl Write, detections: &[Detection]) -> io::Result<()> {
    let header = ["TIME", "PRIORITY", "HOST", "POLICY", "UUID"].map(str::to_owned);
    let lines = detections.iter().map(|detection| {
        let Detection { time, priority, host, policy, uuid, .. } = detection;
        [point_in_time(*time), plain(priority), plain(host), plain(policy), plain(uuid)]
    });
    write_columns(out, &std::iter::once(header).chain(lines).collect::<Vec<_>>())
}

/// Writes lines of cells so that each stands below the one above.
pub(crate) fn write_columns<const N: usize>(out: &mut impl Write, lines: &[[String; N]]) -> io::Result<()> {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{cell:width$}  ");
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Writes each alert's own JSON, one per line.
///
/// # Errors
/// The output cannot be written.
pub fn write_json(out: &mut impl Write, detections: &[Detection]) -> io::Result<()> {
    detections.iter().try_for_each(|Detection { json, .. }| writeln!(out, "{}", one_line(json)))
}

/// JSON that nothing in it splits, and that commands no terminal.
pub(crate) fn one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for char in json.chars() {
        // In JSON these stand in texts alone; bare, a terminal or a line reader would act on them.
        if matches!(char, '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}') {
            let _ = write!(line, "\\u{:04x}", u32::from(char));
        } else {
            line.push(char);
        }
    }
    line
}

pub(crate) fn point_in_time(nanoseconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds.into())
        .ok()
        .and_then(|time| time.replace_nanosecond(0).ok()?.format(&Rfc3339).ok())
        .unwrap_or_else(|| nanoseconds.to_string())
}

/// Names come from hosts that may be an attacker's: nothing in them may move the cursor or end the line.
pub(crate) fn plain(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, char| {
        if char.is_control()
            || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(char.escape_unicode());
        } else {
            out.push(char);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(host: &str) -> Detection {
        Detection {
            uuid: "u".into(),
            sensor: "s".into(),
            time: 1_700_000_000_123_456_789,
            received: 0,
            priority: "High".into(),
            policy: "Interactive Shell".into(),
            host: host.into(),
            json: format!("{{\"host\":\"{host}\"}}"),
        }
    }

    #[test]
    fn columns_line_up_and_names_cannot_act_on_the_terminal() {
        let mut out = Vec::new();
        write_list(&mut out, &[detection("web"), detection("\u{1b}[2Jdb\n")]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with("2023-11-14T22:13:20Z  High"), "{text}");
        assert_eq!(lines[1].find("Interactive"), lines[2].find("Interactive"));
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn json_stays_one_line_of_the_same_value() {
        let mut out = Vec::new();
        write_json(&mut out, &[detection("a\u{9b}b\u{2028}c")]).unwrap();
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["host"], "a\u{9b}b\u{2028}c");
        assert!(!String::from_utf8(out).unwrap().contains('\u{9b}'));
    }
}
