//! Events and alerts for people, a line each.

use std::fmt::Write as _;

use diagnostic::printable;
use jiff::Timestamp;

use super::Line;

/// Colours of a terminal (ECMA-48, *select graphic rendition*).
const DIM: &str = "2";
const RED: &str = "31";
const BOLD_RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const MAGENTA: &str = "35";
const CYAN: &str = "36";

/// One line. Nothing in it is a command to a terminal, but its colours if they are wanted.
#[must_use]
pub fn line(line: &Line, color: bool) -> String {
    let mut out = Painted::new(color);
    out.put(DIM, &time(line.time), 24);
    out.put(of_kind(line), &line.kind, 11);
    if let Some(priority) = &line.priority {
        out.put(of_kind(line), priority, 6);
    }
    out.put_incident(line);
    let pid = if line.pid == 0 { "-".to_owned() } else { line.pid.to_string() };
    out.put("", &format!("{pid:>7}"), 7);
    out.put("", &line.user, 8);
    out.put_container(line);
    if let Some(policy) = &line.policy {
        out.put(of_kind(line), &format!("{policy}:"), 0);
    }
    let mut lineage = if line.lineage_goes_on { "…›".to_owned() } else { String::new() };
    for name in line.lineage.iter().rev() {
        lineage.push_str(name);
        lineage.push('›');
    }
    out.put_dim(&lineage);
    out.put("", &line.text, 0);
    out.line(None)
}

/// That some are missing.
#[must_use]
pub fn lost(count: u64, color: bool) -> String {
    let mut out = Painted::new(color);
    let what = if count == 1 { "line is" } else { "lines are" };
    out.put(YELLOW, &format!("-- {count} {what} missing here: they came faster than they were read --"), 0);
    out.line(None)
}

fn of_kind(line: &Line) -> &'static str {
    match (line.priority.as_deref(), line.kind.as_str()) {
        (Some("High"), _) => BOLD_RED,
        (Some("Medium"), _) => YELLOW,
        (Some(_), _) => CYAN,
        (None, _) if line.failed => RED,
        (None, "exec") => GREEN,
        (None, "fork" | "exit") => DIM,
        (None, _) => CYAN,
    }
}

/// RFC 3339 in UTC, to the millisecond.
fn time(nanos: u64) -> String {
    let time = Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX);
    format!("{time:.3}")
}

/// A line in the making: words with their colours.
pub(super) struct Painted {
    words: Vec<(&'static str, String)>,
    color: bool,
}

impl Painted {
    pub(super) const fn new(color: bool) -> Self {
        Self { words: Vec::new(), color }
    }

    /// Appends a word, made harmless and at least so wide, and a blank.
    pub(super) fn put(&mut self, color: &'static str, word: &str, width: usize) {
        let word = printable(word);
        let missing = width.saturating_sub(word.chars().count());
        self.words.push((color, format!("{word}{:missing$} ", "")));
    }

    pub(super) fn put_dim(&mut self, word: &str) {
        if !word.is_empty() {
            self.put(DIM, word, 0);
        }
    }

    pub(super) fn put_incident(&mut self, line: &Line) {
        self.put(BOLD_RED, if line.incident { "!" } else { " " }, 1);
    }

    pub(super) fn put_container(&mut self, line: &Line) {
        self.put(MAGENTA, line.container.as_deref().unwrap_or("-"), 12);
    }

    /// The line with its end, cut if it is longer than so many columns.
    pub(super) fn line(&self, width: Option<usize>) -> String {
        let mut text = String::new();
        let all: usize = self.words.iter().map(|(_, word)| word.chars().count()).sum();
        // The last word has a blank behind it.
        let cut = width.filter(|width| all > width + 1);
        let mut left = cut.map_or(usize::MAX, |width| width.saturating_sub(1));
        for (color, word) in &self.words {
            let shown: String = word.chars().take(left).collect();
            left -= shown.chars().count();
            if self.color && !color.is_empty() && !shown.trim().is_empty() {
                let (word, blanks) = shown.split_at(shown.trim_end().len());
                // Writing to a string does not fail.
                let _ = write!(text, "\x1b[{color}m{word}\x1b[0m{blanks}");
            } else {
                text.push_str(&shown);
            }
        }
        text.truncate(text.trim_end().len());
        text + if cut.is_some_and(|width| width > 0) { "…\n" } else { "\n" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Line {
        Line {
            time: 1_700_000_001_234_567_890,
            kind: "exec".into(),
            pid: 4711,
            user: "deploy".into(),
            lineage: vec!["bash".into(), "sshd".into()],
            lineage_goes_on: true,
            text: "/usr/bin/curl -s x".into(),
            ..Line::default()
        }
    }

    #[test]
    fn an_event_and_an_alert_are_a_line_each() {
        assert_eq!(
            line(&sample(), false),
            "2023-11-14T22:13:21.234Z exec             4711 deploy   -            …›sshd›bash› /usr/bin/curl -s x\n"
        );
        let alert = Line {
            kind: "alert".into(),
            priority: Some("High".into()),
            policy: Some("Bad Curl".into()),
            incident: true,
            container: Some("web".into()),
            ..sample()
        };
        assert_eq!(
            line(&alert, false),
            "2023-11-14T22:13:21.234Z alert       High   !    4711 deploy   web          Bad Curl: …›sshd›bash› \
             /usr/bin/curl -s x\n"
        );
        assert!(line(&alert, true).contains("\x1b[1;31mHigh\x1b[0m"));
        assert_eq!(lost(1, false), "-- 1 line is missing here: they came faster than they were read --\n");
    }

    proptest! {
        #[test]
        fn no_line_commands_a_terminal(text: String, user: String, container: Option<String>, policy: Option<String>) {
            let hostile = Line {
                text: format!("\x1b[2J{text}\n"), user, container, policy,
                lineage: vec!["\u{202e}\r".into()], kind: "\u{9b}x".into(), ..sample()
            };
            let shown = line(&hostile, false);
            let body = shown.strip_suffix('\n').unwrap();
            prop_assert_eq!(printable(body), body);
        }

        #[test]
        fn any_reply_is_shown_or_refused(bytes: Vec<u8>) {
            if let Ok(read) = serde_json::from_slice::<Line>(&bytes) {
                prop_assert_eq!(line(&read, false).lines().count(), 1);
            }
        }
    }
}
