//! The faults of configurations that were pasted from a printed page: a missing space after a colon, typographic
//! quotes, a translated unit, a key that is indented too far.
//!
//! A YAML parser stops at the first of them, often a line too late and with words that do not help. So when a file
//! does not parse, its lines are looked at one by one, and every such fault is named.

use std::time::Duration;

use diagnostic::{Report, SourceId, Span};

use crate::meant::{plain_duration, plain_number};
use crate::problem::Problem;
use crate::quoting;
use crate::scalar::FromText;
use crate::schema::{Kind, Schema};
use crate::secrets;
use crate::yaml::Broken;

const TAB: &str = "a tab";

/// Faults named in one file at most.
const NAMED_AT_MOST: usize = 100;

/// Reports why a file is not YAML, and all faults of these kinds in it.
pub fn explain(broken: Broken, text: &str, source: SourceId, schema: &Schema, report: &mut Report) {
    let faults = scan(text, schema);
    // What the parser says is worth showing unless a fault explains it: one in the line where the parser stopped, or
    // in the one before, because it notices late.
    let line_start = text[..broken.offset].rfind('\n').map_or(0, |newline| newline + 1);
    let before = last_content_line(&text[..line_start]);
    let line_end = text[broken.offset..].find('\n').map_or(text.len(), |newline| broken.offset + newline);
    // Of a tab it may tell a line too early.
    let by_tab = broken.message.contains(" tab");
    let explained = faults
        .iter()
        .any(|fault| fault.breaks && ((before..=line_end).contains(&fault.span.0) || (by_tab && fault.label == TAB)));
    for fault in faults.into_iter().take(NAMED_AT_MOST) {
        let span = Span { source, bytes: fault.span.0..fault.span.1 };
        let finding = report.error(span, fault.problem.message).label(fault.label);
        if let Some(help) = fault.problem.help {
            finding.help(help);
        }
    }
    if explained {
        return;
    }
    let in_brackets = broken.message.contains("flow") || broken.message.contains("indicator");
    if let Some(comment) = quoting::comment_in_brackets(text, broken.offset).filter(|_| in_brackets) {
        report
            .error(
                Span { source, bytes: comment },
                "a blank and # begin a comment, which takes the closing bracket with it",
            )
            .label("no part of the value")
            .help("put the text that holds # in single quotes: '…'");
    } else {
        let end = text[broken.offset..].chars().next().map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
        let span = Span { source, bytes: broken.offset..broken.offset + end };
        let finding = report.error(span, broken.message).label("the structure breaks here");
        if let Some(help) = broken.help {
            finding.help(help);
        }
    }
}

/// What is wrong with a value because it was typeset rather than typed, if anything.
pub(crate) fn typeset(value: &str) -> Option<Problem> {
    let (at, quote) = value
        .char_indices()
        .find(|(at, character)| is_double_quote(*character) || (*at == 0 && is_single_quote(*character)))?;
    Some(
        Problem::new(format!("{quote} is a typographic quote: it does not quote anything here"))
            .part(at..at + quote.len_utf8())
            .help("write it with straight quotes: \"…\""),
    )
}

/// The hint for text where a mapping was expected, if it looks like a key without the space after its colon.
pub(crate) fn missing_space(text: &str, schema: &Schema) -> Option<String> {
    let (key, rest) = text.split_once(':')?;
    let looks_like_key = is_key(key) && !rest.is_empty() && !rest.starts_with([' ', '/']);
    looks_like_key
        .then(|| format!("put a space after the colon: `{key}: {}`", secrets::repeatable(key, &straight(rest), schema)))
}

struct Fault {
    /// Byte offsets of its beginning and end.
    span: (usize, usize),
    label: String,
    problem: Problem,
    /// Whether YAML cannot be read with it.
    breaks: bool,
}

/// A line that holds something.
struct Line<'a> {
    /// Byte offset of the content.
    start: usize,
    /// Column of the dash before the content, from 0.
    dash: Option<usize>,
    /// Column of the content, from 0.
    column: usize,
    content: &'a str,
}

/// What the line before leaves open.
struct Previous<'a> {
    key: &'a str,
    column: usize,
    dash: Option<usize>,
    /// Whether its value ends in its line.
    complete: bool,
}

fn scan(text: &str, schema: &Schema) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut previous: Option<Previous<'_>> = None;
    // Lines deeper than this belong to a block of text.
    let mut block: Option<usize> = None;
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        let start = offset;
        offset += raw.len();
        let line = raw.trim_end();
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let content = &line[indent..];
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if block.is_some_and(|column| indent > column) {
            continue;
        }
        block = None;
        if let Some(tab) = line[..indent].find('\t') {
            faults.push(Fault {
                span: (start + tab, start + tab + 1),
                label: TAB.into(),
                problem: Problem::new("YAML is indented with blanks, not with tabs").help("replace each tab by blanks"),
                breaks: true,
            });
        }
        let line = split_dashes(start, indent, content, schema, &mut faults);
        if let Some(previous) = &previous {
            misplaced(&line, previous, &mut faults);
        }
        let pair = pair(&line, schema, &mut faults);
        if let Some((key, value_at)) = pair {
            let value = without_comment(&line.content[value_at..]);
            let value_at = value_at + (value.len() - value.trim_start().len());
            let value = value.trim();
            if value.starts_with(['|', '>']) {
                block = Some(line.column);
            }
            value_faults(key, value, line.start + value_at, schema, &mut faults);
            previous = Some(Previous { key, column: line.column, dash: line.dash, complete: is_complete(value) });
        } else {
            let item = without_comment(line.content);
            value_faults("", item, line.start, schema, &mut faults);
            previous = None;
        }
    }
    faults
}

/// Takes the dashes of list items off a line.
fn split_dashes<'a>(
    start: usize,
    indent: usize,
    content: &'a str,
    schema: &Schema,
    faults: &mut Vec<Fault>,
) -> Line<'a> {
    let mut line = Line { start: start + indent, dash: None, column: indent, content };
    while let Some(rest) = line.content.strip_prefix('-') {
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        if blanks == 0 {
            if rest.split_once(':').is_some_and(|(key, _)| schema.anywhere(key).is_some()) {
                faults.push(Fault {
                    span: (line.start, line.start + 1),
                    label: "a space is missing after this".into(),
                    problem: Problem::new("no space after the dash")
                        .help(format!("write `- {}`", secrets::masked(rest, schema))),
                    breaks: true,
                });
            }
            break;
        }
        line.dash = Some(line.column);
        line.start += 1 + blanks;
        line.column += 1 + blanks;
        line.content = &rest[blanks..];
    }
    line
}

/// Splits a line into its key and the offset of the rest, naming what is wrong with the colon.
fn pair<'a>(line: &Line<'a>, schema: &Schema, faults: &mut Vec<Fault>) -> Option<(&'a str, usize)> {
    let content = line.content;
    let (at, colon) = content.char_indices().find(|(_, character)| matches!(character, ':' | '：'))?;
    let key = &content[..at];
    let after = at + colon.len_utf8();
    let rest = &content[after..];
    let name = key.trim_end().trim_matches(['"', '\'']);
    let known = schema.anywhere(name);
    let mut fault = |message: &str, label: &'static str| {
        let value = secrets::repeatable(name, &mended(name, without_comment(rest).trim(), schema), schema);
        faults.push(Fault {
            span: (line.start + at, line.start + after),
            label: label.into(),
            problem: Problem::new(message).help(format!("write `{name}: {value}`")),
            breaks: true,
        });
    };
    if colon == '：' {
        if !is_key(name) {
            return None;
        }
        fault("this is a full-width colon, which YAML does not know", "not the colon of YAML");
        return Some((name, after));
    }
    match rest.chars().next() {
        None | Some(' ' | '\t') => Some((name, after)),
        Some('\u{a0}' | '\u{3000}' | '\u{202f}') if is_key(name) => {
            fault("after the colon stands a blank that YAML does not know", "followed by a blank that is none");
            Some((name, after))
        }
        Some(next) => {
            let value_like =
                next.is_numeric() || is_double_quote(next) || is_single_quote(next) || "\"'[{".contains(next);
            if is_key(name) && !rest.starts_with("//") && (known.is_some() || value_like) {
                fault("no space after the colon", "a space is missing after this");
                return Some((name, after));
            }
            None
        }
    }
}

/// Names a key that stands in no column where one could.
fn misplaced(line: &Line<'_>, previous: &Previous<'_>, faults: &mut Vec<Fault>) {
    let Some((key, _)) = line.content.split_once(": ").or_else(|| line.content.strip_suffix(':').map(|key| (key, "")))
    else {
        return;
    };
    if !is_key(key.trim_matches(['"', '\''])) {
        return;
    }
    let start = line.dash.unwrap_or(line.column);
    let too_far = previous.complete && start > previous.column;
    let too_near = line.dash.is_none() && previous.dash.is_some_and(|dash| start > dash && start < previous.column);
    if !too_far && !too_near {
        return;
    }
    let wrong = if too_far { "far" } else { "little" };
    let known_parent = previous.key;
    faults.push(Fault {
        span: (line.start, line.start + key.len()),
        label: format!("not in column {}", previous.column + 1),
        problem: Problem::new(format!("`{key}` is indented too {wrong}"))
            .help(format!("begin it in column {}, right below `{known_parent}`", previous.column + 1)),
        breaks: true,
    });
}

/// Names what is wrong with a value: a typographic quote, or else what the key does not take.
fn value_faults(name: &str, value: &str, start: usize, schema: &Schema, faults: &mut Vec<Fault>) {
    let key = schema.anywhere(name);
    if let Some(mut problem) = typeset(value) {
        let part = problem.part.take().unwrap_or(0..value.len());
        if let Some(key) = key.filter(|key| !matches!(key.kind, Kind::Secret)) {
            problem.help =
                Some(format!("write `{}: {}`", key.name, secrets::repeatable(key.name, &straight(value), schema)));
        }
        let span = (start + part.start, start + part.end);
        return faults.push(Fault { span, label: "typographic quote".into(), problem, breaks: false });
    }
    let Some(key) = key else { return };
    let bare = unquoted(value);
    if bare.is_empty() || value.starts_with(['*', '&', '!', '|', '>', '[', '{']) {
        return;
    }
    let problem = match key.kind {
        Kind::Uuid => uuid::Uuid::from_text(bare).err(),
        Kind::Duration(_) => Duration::from_text(bare).err(),
        Kind::Count(..) => u64::from_text(bare).err(),
        _ => None,
    };
    if let Some(mut problem) = problem {
        // Quotes are one byte long, and there are two or none.
        let offset = start + (value.len() - bare.len()) / 2;
        let part = problem.part.take().unwrap_or(0..bare.len());
        problem.message = format!("`{}`: {}", key.name, problem.message);
        let label = format!("expected {}", key.kind.expected());
        faults.push(Fault { span: (offset + part.start, offset + part.end), label, problem, breaks: false });
    }
}

/// Whether a value ends in its line, so that nothing below can belong to it.
fn is_complete(value: &str) -> bool {
    let Some(first) = value.chars().next() else { return false };
    match first {
        '|' | '>' | '[' | '{' | '&' | '!' => false,
        '"' | '\'' => value.len() > 1 && value.ends_with(first),
        _ => true,
    }
}

/// A value as it should have been typed.
fn mended(key: &str, value: &str, schema: &Schema) -> String {
    let plain = match schema.anywhere(key).map(|key| key.kind) {
        Some(Kind::Duration(_)) => plain_duration(value),
        Some(Kind::Count(..)) => plain_number(value),
        _ => None,
    };
    plain.unwrap_or_else(|| straight(value))
}

/// Text with straight quotes.
fn straight(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            quote if is_double_quote(quote) => '"',
            quote if is_single_quote(quote) => '\'',
            other => other,
        })
        .collect()
}

fn is_double_quote(character: char) -> bool {
    matches!(character, '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '」' | '『' | '』' | '＂')
}

fn is_single_quote(character: char) -> bool {
    matches!(character, '‘' | '’' | '‚' | '‛' | '＇')
}

/// Whether this could be the name of a key: one word.
fn is_key(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

/// A value without the comment behind it.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in value.char_indices() {
        match quote {
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '\'') && matches!(before, ' ' | ':') => quote = Some(character),
            None if character == '#' && before == ' ' && at > 0 => return value[..at].trim_end(),
            None => {}
        }
        before = character;
    }
    value.trim_end()
}

/// Where the last line begins that is neither empty nor a comment.
fn last_content_line(text: &str) -> usize {
    let mut end = text.len();
    loop {
        let body = &text[..end];
        let start = body.trim_end_matches('\n').rfind('\n').map_or(0, |newline| newline + 1);
        let line = body[start..].trim();
        if start == 0 || !(line.is_empty() || line.starts_with('#')) {
            return start;
        }
        end = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::SCHEMA;

    /// Line, column and message of each fault.
    fn faults(text: &str) -> Vec<(usize, usize, String)> {
        scan(text, &SCHEMA)
            .into_iter()
            .map(|fault| {
                let before = &text[..fault.span.0];
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1, fault.problem.message)
            })
            .collect()
    }

    fn places(text: &str) -> Vec<(usize, usize)> {
        faults(text).into_iter().map(|(line, column, _)| (line, column)).collect()
    }

    #[test]
    fn each_kind_is_found_in_its_place() {
        assert_eq!(places("server:\n  enabled:true\n"), [(2, 10)]);
        assert_eq!(places("server:\n  url: “https://x”\n"), [(2, 8)]);
        assert_eq!(places("client:\n  interval: 5秒\n"), [(2, 13)]);
        assert_eq!(places("server:\n\tenabled: true\n"), [(2, 1)]);
        assert_eq!(places("server：\n  url: x\n"), [(1, 7)]);
        assert_eq!(places("outputs:\n  - type: none\n      enabled: true\n"), [(3, 7)]);
        assert_eq!(places("outputs:\n  - type: none\n   enabled: true\n"), [(3, 4)]);
        assert_eq!(places("outputs:\n  -type: none\n"), [(2, 3)]);
        assert_eq!(places("id: '####-##'\n"), [(1, 6)]);
        assert_eq!(places("rows: １０００\n"), [(1, 7)]);
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for text in [
            "a: http://x\nb:\n  - https://example.test:80/x\n",
            "template: |\n  type:x\n   enabled:true\n  “quoted”\nserver:\n  url: x\n",
            "rules:\n  - match eventType == \"X\" # don’t\n  - default ignore\n",
            "a:\n  - type: none\n    enabled: true\n  - type: x\nb: {c: d}\n",
            "time: 12:30\nmessage: don’t\n",
            "# url:x\n",
            "outputs:\n- type: stdout\n  enabled: true\n- type: none\n",
        ] {
            assert_eq!(faults(text), [], "{text}");
        }
    }

    #[test]
    fn a_missing_space_is_found() {
        assert_eq!(
            missing_space("enabled:true", &SCHEMA).as_deref(),
            Some("put a space after the colon: `enabled: true`")
        );
        assert_eq!(missing_space("https://x", &SCHEMA), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_scanned(text in "([ \t]{0,4}(- )?[a-z：:“”'\"#|\n 5秒]{0,12}\n?){0,12}") {
            for fault in scan(&text, &SCHEMA) {
                proptest::prop_assert!(text.get(fault.span.0..fault.span.1).is_some());
            }
        }
    }
}
