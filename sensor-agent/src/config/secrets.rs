//! Keeps secrets out of reports.
//!
//! A report shows the lines it is about, and a secret may stand in any of them. Values of secret keys are hidden when
//! the tree is checked; this looks at the text alone, because a file may not be readable as a tree at all.

use std::ops::Range;

use super::keys;
use super::schema::Kind;
use crate::diagnostic::{Report, SourceId, Span};

/// Words in the names of keys that hold secrets, beside the keys of the sensor.
const TELLING: &[&str] = &["authorization", "password", "passwd", "secret", "api_key", "apikey", "api-key"];

/// Parts of a receiver's path that are at least as long are taken for tokens, bytes.
const SHORTEST_TOKEN: usize = 20;

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
        let found = in_url(body, is_receiver(body));
        spans.extend(found.into_iter().map(|at| offset + at.start..offset + at.end));
        offset += line.len();
    }
    for bytes in spans {
        report.hide(Span { source, bytes });
    }
}

/// Where the value begins of the first key in a line that holds a secret.
fn after_secret_key(line: &str) -> Option<usize> {
    line.char_indices().filter(|(_, character)| matches!(character, ':' | '：')).find_map(|(at, colon)| {
        let name = last_word(&line[..at]);
        let lower = name.to_ascii_lowercase();
        let secret = keys::anywhere(name).is_some_and(|key| matches!(key.kind, Kind::Secret))
            || TELLING.iter().any(|word| lower.contains(word));
        secret.then_some(at + colon.len_utf8())
    })
}

/// The word that ends here, quoted or not.
fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches(['"', '\'', ' ']);
    let start = text
        .rfind(|end: char| !(end.is_alphanumeric() || "_-".contains(end)))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// Whether the first URL of a line is the value of a key that takes one.
fn is_receiver(line: &str) -> bool {
    let Some(url) = line.find("://") else { return false };
    let before = line[..url].trim_end_matches(char::is_alphanumeric).trim_end_matches(['"', '\'', '“', '”', ' ']);
    let name = before.strip_suffix(':').map(last_word).unwrap_or_default();
    keys::anywhere(name).is_some_and(|key| matches!(key.kind, Kind::Url(_)))
}

/// Where the first URL of a text holds what may be secret: the password, and if it is a receiver's, what its query says
/// and those parts of its path that are as long as tokens are.
pub(crate) fn in_url(text: &str, is_receiver: bool) -> Vec<Range<usize>> {
    let Some(start) = text.find("://").map(|at| at + 3) else { return Vec::new() };
    let is_end = |char: char| char.is_whitespace() || "\"'“”{}[]".contains(char);
    let url = &text[..text[start..].find(is_end).map_or(text.len(), |end| start + end)];
    let host_end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    let password = url[start..host_end].rfind('@').and_then(|at| {
        let colon = url[start..start + at].find(':')?;
        Some(start + colon + 1..start + at)
    });
    let mut found = Vec::from_iter(password);
    if is_receiver {
        let path_end = url[host_end..].find(['?', '#']).map_or(url.len(), |end| host_end + end);
        found.extend(pieces(url, host_end..path_end, &['/']).filter(|piece| piece.len() >= SHORTEST_TOKEN));
        found.extend(pieces(url, path_end..url.len(), &['?', '&', '#']).map(|piece| {
            let name = url[piece.clone()].find('=').map_or(0, |equals| equals + 1);
            piece.start + name..piece.end
        }));
        found.retain(|piece| !piece.is_empty());
    }
    found
}

/// What stands between these characters in a part of a text.
fn pieces<'a>(text: &'a str, within: Range<usize>, between: &'a [char]) -> impl Iterator<Item = Range<usize>> + 'a {
    text[within.clone()].split(between).scan(within.start, |at, piece| {
        let start = *at;
        *at += piece.len() + 1;
        Some(start..start + piece.len())
    })
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
            "- {type: webhook, url: \"https://hook.example/in?key=hunter2&other=hunter2#hunter2\"}\n",
            "  url: https://hook.example/T00/hunter2-hunter2-hunter2/x\n",
        ] {
            let shown = shown(text);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn other_text_stays_readable() {
        let text = "rules: ['match args contains \"http://c2.example/a-long-long-long-path?key=word\"']\n\
             endpoint: ipc:///run/a-folder-with-a-long-name/socket\nmcs:\n  url: https://mcs.example.test/in\n  token_file: /etc/token\n  proxy: http://proxy.example:3128\n";
        assert!(!shown(text).contains('*'), "{}", shown(text));
    }
}
