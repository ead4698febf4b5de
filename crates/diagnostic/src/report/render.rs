//! Findings as text for a terminal or a log.
//!
//! Each finding shows its file, line and column, the line of the source with a caret, and what to do. What users
//! wrote is shown, never obeyed: terminal escapes in it become visible signs, secrets become asterisks.

use std::fmt;
use std::io::IsTerminal;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Report, Severity};
use crate::span::{SourceId, Span};
use crate::text::is_unprintable;

/// Findings shown at most; the summary still counts all of them.
const SHOWN_AT_MOST: usize = 200;

/// Characters of a message shown at most: it may quote what users wrote.
const TEXT_AT_MOST: usize = 1000;

/// Bytes of a source line given to the renderer on each side of the caret. It fits what it gets to the width, but not
/// fast enough for lines of megabytes.
const LINE_CONTEXT: usize = 8 << 10;

/// How a report is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Whether colours are wanted.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Appearance {
    /// Text without colour, for logs and files.
    pub const PLAIN: Self = Self { color: false, width: 140 };

    /// What suits this stream: colour on a terminal unless `no_color` (the variable `NO_COLOR`) forbids it.
    #[must_use]
    pub fn of(stream: &impl IsTerminal, no_color: bool) -> Self {
        Self { color: stream.is_terminal() && !no_color, ..Self::PLAIN }
    }
}

impl Report {
    /// All findings and the summary; empty when there are none. Sorted by place, those without a place last.
    #[must_use]
    pub fn render(&self, appearance: Appearance) -> String {
        if self.diagnostics.is_empty() {
            return String::new();
        }
        let renderer = if appearance.color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.term_width(appearance.width);
        let mut sorted: Vec<&Diagnostic> = self.diagnostics.iter().collect();
        sorted.sort_by_key(|diagnostic| {
            let place = diagnostic.span.as_ref();
            (place.is_none(), place.map(|span| (span.source, span.bytes.start)))
        });
        let mut text = String::new();
        for diagnostic in sorted.iter().take(SHOWN_AT_MOST) {
            text.push_str(&self.render_one(diagnostic, &renderer));
            text.push_str("\n\n");
        }
        if sorted.len() > SHOWN_AT_MOST {
            text.push_str(&format!("... and {} more\n\n", sorted.len() - SHOWN_AT_MOST));
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    /// The counts in words, such as `2 errors, 1 warning`; empty when there is nothing to count.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |severity| self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        let counted = |count: usize, word: &str| match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        };
        [counted(count(Severity::Error), "error"), counted(count(Severity::Warning), "warning")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Line and column of a place, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_and_column(&self, span: &Span) -> (usize, usize) {
        let text = self.source_text(span.source);
        let start = floor_boundary(text, span.bytes.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..line_start]).count() + 1;
        (line, text[line_start..start].chars().count() + 1)
    }

    fn render_one(&self, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(neutral_text(&diagnostic.message)));
        if let Some(span) = &diagnostic.span {
            group = self.element(group, span, AnnotationKind::Primary, &diagnostic.label);
        }
        for (span, label) in &diagnostic.related {
            group = self.element(group, span, AnnotationKind::Context, label);
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(neutral_text(help)));
        }
        renderer.render(&[group])
    }

    /// Adds a place, its line and the text at the caret.
    fn element<'a>(&'a self, group: Group<'a>, span: &Span, kind: AnnotationKind, label: &str) -> Group<'a> {
        let (line, column) = self.line_and_column(span);
        let name = neutral_text(self.source_name(span.source));
        let excerpt = self.excerpt(span);
        let origin = Origin::path(name.clone()).line(line).char_column(column);
        if excerpt.text.is_empty() {
            return group.element(origin);
        }
        let annotation = kind.span(excerpt.place).label(neutral_text(label));
        let snippet = Snippet::source(excerpt.text).line_start(line).fold(false).annotation(annotation);
        if excerpt.cut {
            // The renderer counts columns in what it is given.
            group.element(origin).element(snippet)
        } else {
            group.element(snippet.path(name))
        }
    }

    fn excerpt(&self, span: &Span) -> Excerpt {
        let text = self.source_text(span.source);
        let start = floor_boundary(text, span.bytes.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line_end = if text[start..line_end].ends_with('\r') { line_end - 1 } else { line_end };
        let end = floor_boundary(text, span.bytes.end).clamp(start, line_end);

        let from = floor_boundary(text, start.saturating_sub(LINE_CONTEXT)).max(line_start);
        let to = floor_boundary(text, start + LINE_CONTEXT).min(line_end);
        let hidden = self.hidden_in(span.source, from..to);
        let mut shown = String::with_capacity(to - from + 8);
        if from > line_start {
            shown.push_str("...");
        }
        let mut range = shown.len()..shown.len();
        for (offset, character) in text[from..to].char_indices() {
            let offset = from + offset;
            if offset == start {
                range.start = shown.len();
            }
            if offset == end {
                range.end = shown.len();
            }
            let secret = hidden.iter().any(|range| range.contains(&offset));
            shown.push(if secret { '*' } else { neutral(character) });
        }
        if start >= to {
            range.start = shown.len();
        }
        if end >= to {
            range.end = shown.len();
        }
        if to < line_end {
            shown.push_str("...");
        }
        range.end = range.end.max(range.start);
        Excerpt { text: shown, place: range, cut: from > line_start }
    }

    fn hidden_in(&self, source: SourceId, within: Range<usize>) -> Vec<Range<usize>> {
        self.hidden
            .iter()
            .filter(|span| span.source == source && span.bytes.start < within.end && within.start < span.bytes.end)
            .map(|span| span.bytes.clone())
            .collect()
    }
}

/// The line of a place, cut around it when it is very long.
struct Excerpt {
    text: String,
    /// Where in the text the place is.
    place: Range<usize>,
    /// Whether the beginning of the line is missing.
    cut: bool,
}

/// The report as plain text.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(Appearance::PLAIN))
    }
}

/// The nearest character boundary at or before this offset.
fn floor_boundary(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

/// Text of users in a message, made harmless and not too long.
fn neutral_text(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(TEXT_AT_MOST)
        .map(|character| if character == '\n' { '\n' } else { neutral(character) })
        .collect();
    if text.chars().nth(TEXT_AT_MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A sign in place of a character that a terminal would act on, or that would turn the direction of the text.
fn neutral(character: char) -> char {
    match character {
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        other if is_unprintable(other) => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, bytes: Range<usize>) -> Report {
        let mut report = Report::default();
        let source = report.add_source("a.yaml", text);
        report.error(Span { source, bytes }, "wrong").label("here").help("write it otherwise");
        report
    }

    #[test]
    fn shows_place_line_caret_and_help() {
        insta::assert_snapshot!(report("one: 1\ntwo: 2\n", 12..13), @r"
        error: wrong
         --> a.yaml:2:6
          |
        2 | two: 2
          |      ^ here
          |
          = help: write it otherwise

        1 error
        ");
    }

    #[test]
    fn shows_both_places_of_a_related_finding() {
        let mut report = Report::default();
        let source = report.add_source("a.yaml", "one: 1\ntwo: 2\none: 3\n");
        let first = Span { source, bytes: 0..3 };
        report.warning(Span { source, bytes: 14..17 }, "twice").related(first, "first here");
        insta::assert_snapshot!(report, @r"
        warning: twice
         --> a.yaml:3:1
          |
        3 | one: 3
          | ^^^
          |
         ::: a.yaml:1:1
          |
        1 | one: 1
          | --- first here

        1 warning
        ");
    }

    #[test]
    fn escapes_in_user_text_are_made_visible() {
        let mut report = report("a: \x1b[31mred\u{9b}0m \u{202e}x\n", 3..4);
        report.warning(None, "name \x1b]0;owned\x07");
        let text = report.to_string();
        assert!(!text.contains(['\x1b', '\x07', '\u{9b}', '\u{202e}']), "{text:?}");
        assert!(text.contains("␛[31mred"), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}HERE{}\n", "a".repeat(1_000_000), "b".repeat(1_000_000));
        let text = report(&line, 1_000_000..1_000_004).to_string();
        assert!(text.contains("a.yaml:1:1000001"), "{text}");
        assert!(text.contains("HERE"), "{text}");
        assert!(text.len() < 1_000, "{}", text.len());
    }

    #[test]
    fn a_long_message_is_cut() {
        let mut report = Report::default();
        report.error(None, "x".repeat(1_000_000));
        assert!(report.to_string().len() < 2_000);
    }

    #[test]
    fn hidden_text_is_never_shown() {
        let mut report = report("token: hunter2 # why\n", 7..14);
        let source = report.diagnostics()[0].span.as_ref().map(|span| span.source).unwrap();
        report.hide(Span { source, bytes: 7..14 });
        let text = report.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("token: ******* # why"), "{text}");
    }

    #[test]
    fn a_place_at_the_end_of_the_text_or_beyond_it_is_shown() {
        for bytes in [6..6, 7..7, 99..120] {
            assert!(report("one: 1\n", bytes).to_string().contains("a.yaml:"));
        }
        assert!(report("", 0..0).to_string().contains("a.yaml:1:1"));
    }

    #[test]
    fn the_summary_counts() {
        let mut report = Report::default();
        assert_eq!(report.summary(), "");
        report.error(None, "a");
        report.error(None, "b");
        report.warning(None, "c");
        assert_eq!(report.summary(), "2 errors, 1 warning");
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_place_renders(text in ".{0,80}(\n.{0,80}){0,3}", a in 0_usize..200, b in 0_usize..200) {
            report(&text, a.min(b)..a.max(b)).to_string();
        }
    }
}
