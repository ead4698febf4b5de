//! Findings for programs: editors, and checks of changes.

use serde::Serialize;

use super::{Report, Severity};
use crate::span::Span;

/// A finding and where it is.
#[derive(Debug, Serialize)]
pub struct Located<'a> {
    /// `error` or `warning`.
    pub severity: &'static str,
    pub message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place<'a>>,
    /// Short text for the place.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub label: &'a str,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related<'a>>,
}

/// From where to where in a file. Lines and columns count from one, columns in characters; the end is the first that does not
/// belong to it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Place<'a> {
    pub file: &'a str,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

#[derive(Debug, Serialize)]
pub struct Related<'a> {
    pub place: Place<'a>,
    pub label: &'a str,
}

impl Report {
    /// All findings, each with its place.
    #[must_use]
    pub fn located(&self) -> Vec<Located<'_>> {
        let located = self.diagnostics.iter().map(|finding| Located {
            severity: match finding.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            message: &finding.message,
            place: finding.span.as_ref().map(|span| self.place(span)),
            label: &finding.label,
            help: finding.help.as_deref(),
            related: finding.related.iter().map(|(span, label)| Related { place: self.place(span), label }).collect(),
        });
        located.collect()
    }

    fn place(&self, span: &Span) -> Place<'_> {
        let text = self.source_text(span.source);
        let at = |byte: usize| {
            let before = text.get(..text.floor_char_boundary(byte)).unwrap_or_default();
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            (before[..line].matches('\n').count() + 1, before[line..].chars().count() + 1)
        };
        let ((line, column), (end_line, end_column)) = (at(span.bytes.start), at(span.bytes.end));
        Place { file: self.source_name(span.source), line, column, end_line, end_column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let mut report = Report::default();
        let source = report.add_source("a.yaml", "größe: 1\nüber: x\n");
        let over = Span { source, bytes: 11..16 };
        report.error(over.clone(), "wrong").help("right").related(Span { source, bytes: 0..7 }, "here");
        report.warning(None, "odd");
        let found = serde_json::to_value(report.located()).unwrap();
        assert_eq!(
            found,
            serde_json::json!([
                {"severity": "error", "message": "wrong", "help": "right",
                    "place": {"file": "a.yaml", "line": 2, "column": 1, "end_line": 2, "end_column": 5},
                    "related": [{"label": "here",
                        "place": {"file": "a.yaml", "line": 1, "column": 1, "end_line": 1, "end_column": 6}}]},
                {"severity": "warning", "message": "odd"},
            ])
        );
        // At the end of a text, and beyond it.
        assert_eq!(report.place(&Span { source, bytes: 20..99 }).line, 3);
    }
}
