//! Keeps secrets out of reports.
//!
//! A report shows the lines it is about, and a secret may stand in any of them. Values of secret keys are hidden when
//! the tree is checked; this looks at the text alone, because a file may not be readable as a tree at all.

use super::keys;
use super::schema::Kind;
use crate::diagnostic::{Report, SourceId, Span};

/// Words in the names of keys that hold secrets, beside the keys of the sensor.
const TELLING: &[&str] = &["authorization", "password", "passwd", "secret", "api_key", "apikey", "api-key"];

/// How a registration token begins.
pub(crate) const TOKEN_PREFIX: &str = "SLS-";

/// Hides everything in a text that looks like a secret.
pub(crate) fn hide(source: SourceId, report: &mut Report) {
    let mut spans = Vec::new();
    let text = report.source_text(source);
    let mut offset = 0;
    let mut next_line = false;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        if next_line {
            spans.push(offset..offset + body.len());
        }
        next_line = false;
        if let Some(value) = after_secret_key(body) {
            spans.push(offset + value..offset + body.len());
            // The value of a key may begin in the next line.
            next_line = body[value..].trim_matches([' ', ':', '|', '>', '-', '\t']).is_empty();
        }
        let mut from = 0;
        while let Some(at) = body[from..].find(TOKEN_PREFIX).map(|at| from + at) {
            let length = body[at..].find(|end: char| end.is_whitespace() || "\"'”“,}]".contains(end));
            from = length.map_or(body.len(), |length| at + length);
            spans.push(offset + at..offset + from);
        }
        if let Some((from, to)) = password_in_url(body) {
            spans.push(offset + from..offset + to);
        }
        offset += line.len();
    }
    for bytes in spans {
        report.hide(Span { source, bytes });
    }
}

/// Where the value begins of the first key in a line that holds a secret.
fn after_secret_key(line: &str) -> Option<usize> {
    line.char_indices().filter(|(_, character)| matches!(character, ':' | '：')).find_map(|(at, colon)| {
        let before = line[..at].trim_end_matches(['"', '\'', ' ']);
        let start = before
            .rfind(|end: char| !(end.is_alphanumeric() || "_-".contains(end)))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        let lower = name.to_ascii_lowercase();
        let secret = keys::anywhere(name).is_some_and(|key| matches!(key.kind, Kind::Secret))
            || TELLING.iter().any(|word| lower.contains(word));
        secret.then_some(at + colon.len_utf8())
    })
}

/// Where the password stands in a URL: `scheme://user:password@host`.
pub(crate) fn password_in_url(text: &str) -> Option<(usize, usize)> {
    let start = text.find("://")? + 3;
    let authority_end = text[start..].find(['/', '?', '#', ' ', '"', '\'']).map_or(text.len(), |end| start + end);
    let at = start + text[start..authority_end].rfind('@')?;
    let colon = start + text[start..at].find(':')?;
    Some((colon + 1, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with every character that is hidden as an asterisk.
    fn shown(text: &str) -> String {
        let mut report = Report::default();
        let source = report.add_source("a", text);
        hide(source, &mut report);
        for (at, _) in text.match_indices('\n') {
            report.error(Span { source, bytes: at..at }, "x");
        }
        report.to_string()
    }

    #[test]
    fn secrets_are_found_without_a_tree() {
        for text in [
            "mcs:\n  token: hunter2\n",
            "mcs:\n  token:“hunter2\"\n",
            "mcs: {url: x, token: hunter2}\n",
            "mcs:\n  token:\n    hunter2\n",
            "mcs:\n  token: >-\n    hunter2\n",
            "  tokn: SLS-hunter2\n",
            "headers:\n  Authorization: Bearer hunter2\n  \"X-Api-Key\": hunter2\n",
            "proxy: http://me:hunter2@proxy.example:3128\n",
        ] {
            let shown = shown(text);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn other_text_stays_readable() {
        let text =
            "mcs:\n  url: https://mcs.example.test\n  token_file: /etc/token\n  proxy: http://proxy.example:3128\n";
        assert!(!shown(text).contains('*'), "{}", shown(text));
    }
}
