//! The syntax, as Python's `configparser` (3.11) reads it: what users have was written for that one. Crates for `.ini` files
//! take `#` within a value for a comment, which cuts secrets short, and know no places in the text.
//!
//! `key = value` or `key: value` within `[section]`; a line that stands further in goes on with the value before it;
//! a line that begins with `#` or `;` is a comment. Keys are told apart without case, and none may stand twice.

use diagnostic::{Report, SourceId, Span};

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// In small letters.
    pub(super) key: String,
    pub(super) key_span: Span,
    /// Lines are parted by `\n`.
    pub(super) value: String,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) entries: Vec<Entry>,
}

/// All sections, in order; faults are put into the report.
pub(super) fn parse(source: SourceId, text: &str, report: &mut Report) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // Whether the line before belongs to an entry, and how far in its first line stands.
    let (mut is_open, mut indent) = (false, 0);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begin = at + (line.len() - line.trim_start().len());
        at += line.len();
        let content = line.trim();
        let span = Span { source, bytes: begin..begin + content.len() };
        let open = if is_open { sections.last_mut().and_then(|section| section.entries.last_mut()) } else { None };
        if content.is_empty() {
            if let Some(entry) = open {
                entry.value.push('\n');
            }
            continue;
        }
        if content.starts_with(['#', ';']) {
            continue;
        }
        let in_by = line.len() - line.trim_start().len();
        match open {
            Some(entry) if in_by > indent => {
                entry.value.push('\n');
                entry.value.push_str(content);
                entry.span.bytes.end = span.bytes.end;
                continue;
            }
            _ => {}
        }
        (is_open, indent) = (false, in_by);
        if let Some(name) = section_name(content) {
            open_section(&mut sections, name, span, report);
            continue;
        }
        let Some(section) = sections.last_mut() else {
            report.error(span, "this line stands in no section").help("begin the file with `[login]`");
            return sections;
        };
        match content.find(['=', ':']) {
            Some(end) if end > 0 => {
                let key = content[..end].trim_end();
                let value = content[end + 1..].trim_start();
                let value_begin = span.bytes.end - value.len();
                let entry = Entry {
                    key: key.to_lowercase(),
                    key_span: Span { source, bytes: begin..begin + key.len() },
                    value: value.to_owned(),
                    span: Span { source, bytes: value_begin..span.bytes.end },
                };
                if let Some(first) = section.entries.iter().find(|known| known.key == entry.key) {
                    report
                        .error(entry.key_span.clone(), format!("`{key}` stands twice"))
                        .related(first.key_span.clone(), "here for the first time")
                        .help("remove one of the two");
                }
                section.entries.push(entry);
                is_open = true;
            }
            _ => {
                report.error(span, "this is no `key = value`").help("write `key = value`, or `#` before a comment");
            }
        }
    }
    for entry in sections.iter_mut().flat_map(|section| &mut section.entries) {
        entry.value.truncate(entry.value.trim_end().len());
    }
    sections
}

/// What stands between the first `[` and the last `]`, not nothing.
fn section_name(content: &str) -> Option<&str> {
    let inner = content.strip_prefix('[')?;
    inner.rfind(']').map(|end| &inner[..end]).filter(|name| !name.is_empty())
}

fn open_section(sections: &mut Vec<Section>, name: &str, span: Span, report: &mut Report) {
    if let Some(first) = sections.iter().find(|section| section.name == name) {
        report
            .error(span.clone(), format!("the section `{name}` stands twice"))
            .related(first.span.clone(), "here for the first time")
            .help("put its keys together");
    }
    sections.push(Section { name: name.to_owned(), span, entries: Vec::new() });
}
