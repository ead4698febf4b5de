//! Keeps secrets out of reports, and out of the merged configuration.
//!
//! A report shows the lines it is about, and a secret may stand in any of them. Values of secret keys are hidden when
//! the tree is checked; this looks at the text alone, because a file may not be readable as a tree at all, and because
//! people mistype the names of keys.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use diagnostic::{Report, SourceId, Span, nearest};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::schema::{Kind, Schema};

/// Words in the names of keys that hold secrets, beside the keys of the schema.
const TELLING: &[&str] =
    &["authorization", "password", "passwd", "secret", "token", "credential", "bearer", "api_key", "apikey", "api-key"];

/// What people mean by a name that is almost one of these, beside the keys that hold secrets.
const MISTYPED: &[&str] = &["password", "authorization"];

/// Parts of a receiver's path that are at least as long are taken for tokens, bytes.
const SHORTEST_TOKEN: usize = 20;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Hides everything in a text that looks like a secret.
pub(crate) fn hide(source: SourceId, schema: &Schema, report: &mut Report) {
    for bytes in found_in(report.source_text(source), schema) {
        report.hide(Span { source, bytes });
    }
}

/// A text with everything masked that looks like a secret.
#[must_use]
pub fn masked(text: &str, schema: &Schema) -> String {
    cut_out(text, found_in(text, schema))
}

/// The same for the URL of a receiver, which may have its token in it.
pub(crate) fn masked_url(text: &str, schema: &Schema) -> String {
    cut_out(text, [found_in(text, schema), in_url(text, true)].concat())
}

/// A text with every token masked, and all else as it is.
#[must_use]
pub fn without_tokens(text: &str, schema: &Schema) -> String {
    cut_out(text, tokens_in(text, schema).collect())
}

/// A value as advice about its key may repeat it.
pub(crate) fn repeatable(key: &str, value: &str, schema: &Schema) -> String {
    match schema.anywhere(key).map(|key| key.kind) {
        _ if is_secret(key, schema) => "\"…\"".to_owned(),
        Some(Kind::Url(_)) => masked_url(value, schema),
        _ => masked(value, schema),
    }
}

/// Whether the name of a key says that its value is secret, whichever mapping it is in.
pub(crate) fn is_secret(name: &str, schema: &Schema) -> bool {
    if let Some(key) = schema.anywhere(name) {
        return key.kind.is_secret();
    }
    let lower = name.to_ascii_lowercase();
    // Comparing is slow, and any text is looked at: slips are rarely in the first letter.
    let similar = MISTYPED.iter().chain(schema.secrets()).copied().filter(|word| lower.starts_with(&word[..1]));
    TELLING.iter().any(|word| lower.contains(word)) || nearest(&lower, similar).is_some()
}

/// Where a text looks like a secret, line by line.
fn found_in(text: &str, schema: &Schema) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut offset = 0;
    let mut next_line = false;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        if next_line {
            found.push(offset..offset + body.len());
        }
        next_line = false;
        let mut here = Vec::new();
        if let Some(value) = after_secret_key(body, schema) {
            here.push(value..body.len());
            // The value of a key may begin in the next line.
            next_line = body[value..].trim_matches([' ', ':', '|', '>', '-', '\t']).is_empty();
        }
        here.extend(tokens_in(body, schema));
        here.extend(in_url(body, is_receiver(body, schema)));
        found.extend(here.into_iter().map(|at| offset + at.start..offset + at.end));
        offset += line.len();
    }
    found
}

/// Where a text has tokens that are known by their beginning.
fn tokens_in<'a>(text: &'a str, schema: &Schema) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let prefix = schema.token_prefix;
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text[from..].find(prefix?)?;
        let length = text[at..].find(|end: char| end.is_whitespace() || "\"'`”“,}]".contains(end));
        from = length.map_or(text.len(), |length| at + length);
        Some(at..from)
    })
    // Messages name the prefix.
    .filter(move |token| token.len() > prefix.map_or(0, str::len))
}

/// A text with a mask in the place of each of these parts.
fn cut_out(text: &str, mut parts: Vec<Range<usize>>) -> String {
    parts.sort_by_key(|part| part.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if part.start >= end {
            shown.push_str(&text[end..part.start]);
            shown.push_str(MASK);
        }
        end = end.max(part.end);
    }
    shown + &text[end..]
}

/// Where the value begins of the first key in a line that holds a secret.
fn after_secret_key(line: &str, schema: &Schema) -> Option<usize> {
    line.char_indices()
        .filter(|(_, character)| matches!(character, ':' | '：'))
        .find(|(at, _)| is_secret(last_word(&line[..*at]), schema))
        .map(|(at, colon)| at + colon.len_utf8())
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
fn is_receiver(line: &str, schema: &Schema) -> bool {
    let Some(url) = line.find("://") else { return false };
    let before = line[..url].trim_end_matches(char::is_alphanumeric).trim_end_matches(['"', '\'', '“', '”', ' ']);
    let name = before.strip_suffix(':').map(last_word).unwrap_or_default();
    schema.anywhere(name).is_some_and(|key| matches!(key.kind, Kind::Url(_)))
}

/// Where the first URL of a text holds what may be secret: the password, or the user without one, and if it is a
/// receiver's, what its query says and those parts of its path that are as long as tokens are.
pub(crate) fn in_url(text: &str, is_receiver: bool) -> Vec<Range<usize>> {
    let start = match text.find("://") {
        Some(at) => at + 3,
        // What is to be one: with a slash too few, or without its scheme.
        None if is_receiver => text.find(":/").map_or(0, |at| at + 2),
        None => return Vec::new(),
    };
    let is_end = |char: char| char.is_whitespace() || "\"'“”{}[]".contains(char);
    let url = &text[..text[start..].find(is_end).map_or(text.len(), |end| start + end)];
    let host_end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    let mut found = Vec::from_iter(credentials(url, start..host_end));
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

/// Where a URL has its password; its user where that stands alone.
fn credentials(url: &str, authority: Range<usize>) -> Option<Range<usize>> {
    let Range { start, end } = authority;
    let host = &url[start..end];
    if let Some(at) = host.rfind('@') {
        let password = host[..at].find(':').map_or(0, |colon| colon + 1);
        return Some(start + password..start + at);
    }
    // A password with a slash that was not encoded: what stands behind the colon is no port.
    let colon = start + host.find(':')? + 1;
    let at = url[end..].rfind('@').map(|at| end + at)?;
    url[colon..end].contains(|char: char| !char.is_ascii_digit()).then_some(colon..at)
}

/// The password of a URL, or the user that stands alone: as it is written, as it is meant, and as it is sent.
#[must_use]
pub fn url_credentials(url: &Url) -> Vec<String> {
    let (user, password) = (url.username(), url.password());
    let Some(written) = password.or(Some(user)).filter(|written| !written.is_empty()) else { return Vec::new() };
    let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let sent = STANDARD_NO_PAD.encode(format!("{}:{}", meant(user), meant(password.unwrap_or_default())));
    vec![written.to_owned(), meant(written), sent]
}

/// Everything in the URL of a receiver that may be secret, in each of its forms.
#[must_use]
pub fn url_secrets(url: &Url) -> Vec<String> {
    let text = url.as_str();
    let mut found: Vec<String> = in_url(text, true).into_iter().map(|part| text[part].to_owned()).collect();
    found.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    found.extend(url_credentials(url));
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
    use crate::example::SCHEMA;

    /// The text with every character that is hidden as an asterisk.
    fn shown(text: &str) -> String {
        let mut report = Report::default();
        let source = report.add_source("a", text);
        hide(source, &SCHEMA, &mut report);
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
