//! YAML as a tree in which every key and value knows its place.
//!
//! The parser crate delivers events with byte offsets and the style of each scalar; here they become [`Node`]s,
//! within limits on nesting and on the number of nodes, aliases resolved. What a scalar means (a number, a word,
//! a duration) is decided by whoever knows what the key wants, so that `off` can be a word and `5s` a duration.

use diagnostic::{Report, SourceId, Span, Spanned};
use foldhash::{HashMap, HashSet};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::quoting;
use crate::schema::Schema;

/// Collections within collections at most.
const NESTING_AT_MOST: usize = 64;

/// Nodes in one file at most, copies made by aliases included: a bomb of aliases ends here.
const NODES_AT_MOST: usize = 500_000;

/// Bytes of text that aliases may copy at most.
const COPIED_BYTES_AT_MOST: usize = 16 << 20;

/// The tags that YAML itself has, such as `!!str`.
const CORE_TAGS: &str = "tag:yaml.org,2002:";

/// A value in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Span,
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing was written, or `null`, or `~`.
    Null,
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// Text, not yet interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    /// Written without quotes, so that it may be a number or a boolean.
    pub plain: bool,
    /// See [`Spanned::verbatim`].
    pub verbatim: bool,
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Spanned<String>,
    pub value: Node,
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(scalar) if scalar.is_bool() => "true or false",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    pub fn scalar(&self) -> Option<&Scalar> {
        if let Value::Scalar(scalar) = &self.value { Some(scalar) } else { None }
    }

    pub fn items(&self) -> &[Node] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    pub fn entries(&self) -> &[Entry] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    /// The text of a scalar with its place.
    pub fn spanned(&self) -> Option<Spanned<String>> {
        let scalar = self.scalar()?;
        Some(Spanned { value: scalar.text.clone(), span: self.span.clone(), verbatim: scalar.verbatim })
    }

    /// Counts this node and all within it, the text they hold, and how deep they go.
    fn size(&self) -> Size {
        let below = |total: Size, node: &Node| {
            let size = node.size();
            Size {
                nodes: total.nodes + size.nodes,
                bytes: total.bytes + size.bytes,
                depth: total.depth.max(size.depth + 1),
            }
        };
        match &self.value {
            Value::Null => Size { nodes: 1, bytes: 0, depth: 0 },
            Value::Scalar(scalar) => Size { nodes: 1, bytes: scalar.text.len(), depth: 0 },
            Value::Sequence(items) => items.iter().fold(Size { nodes: 1, bytes: 0, depth: 1 }, below),
            Value::Mapping(entries) => {
                let start = Size {
                    nodes: 1 + entries.len(),
                    bytes: entries.iter().map(|entry| entry.key.value.len()).sum(),
                    depth: 1,
                };
                entries.iter().map(|entry| &entry.value).fold(start, below)
            }
        }
    }
}

impl Scalar {
    pub fn is_bool(&self) -> bool {
        self.plain && ["true", "false"].iter().any(|word| self.text.eq_ignore_ascii_case(word))
    }

    pub fn is_number(&self) -> bool {
        self.plain && !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Why a text is no YAML that we can take.
#[derive(Debug)]
pub struct Broken {
    /// Where, as a byte offset.
    pub offset: usize,
    pub message: String,
    pub help: Option<String>,
}

/// Reads one document. Duplicate keys and the like go to the report; what breaks the structure is returned.
///
/// # Errors
/// The text is not YAML, holds more than one document, or goes beyond a limit.
pub fn parse(text: &str, source: SourceId, schema: &Schema, report: &mut Report) -> Result<Node, Broken> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: NESTING_AT_MOST,
        block_nesting_limit: NESTING_AT_MOST,
        emit_unresolved_aliases: true,
    };
    let mut builder = Builder::new(text, source, schema, report);
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| broken_by(&error, text, schema))?;
        let bytes = span.byte_range().unwrap_or(0..0);
        builder.take(event, Span { source, bytes })?;
    }
    builder.unused_anchors();
    let nothing = Node { span: Span { source, bytes: 0..0 }, value: Value::Null };
    Ok(builder.root.unwrap_or(nothing))
}

fn broken_by(error: &ScanError, text: &str, schema: &Schema) -> Broken {
    let offset = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let offset = text.floor_char_boundary(offset);
    // A quote that is not closed is noticed at the next one, or where a line does not fit.
    let offset = quoting::open_before(&error.info(), text, offset).unwrap_or(offset);
    let help = quoting::advice(&error.info(), text, offset, schema);
    Broken { offset, message: format!("this is not valid YAML: {}", error.info()), help }
}

/// How much a node holds, all within it included.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

/// A collection that has not ended yet.
struct Open {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// Where each key stands in `entries`.
        index: HashMap<String, usize>,
        key: Option<Spanned<String>>,
        /// Mappings given with `<<`, which fill in keys that are not given here.
        merged: Vec<Node>,
    },
}

struct Builder<'a> {
    text: &'a str,
    source: SourceId,
    schema: &'a Schema,
    report: &'a mut Report,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, (Node, Size)>,
    used_anchors: HashSet<usize>,
    documents: usize,
    nodes: usize,
    copied_bytes: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, source: SourceId, schema: &'a Schema, report: &'a mut Report) -> Self {
        Self {
            text,
            source,
            schema,
            report,
            open: Vec::new(),
            root: None,
            anchors: HashMap::default(),
            used_anchors: HashSet::default(),
            documents: 0,
            nodes: 0,
            copied_bytes: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Broken> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Broken {
                        offset: span.bytes.start,
                        message: "a second document begins here".into(),
                        help: Some("a configuration is one document: take out the line `---`".into()),
                    });
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted_by_tag = tag.as_deref().is_some_and(|tag| tag.suffix() == "str");
                self.tag(tag.as_deref(), &span);
                let node = self.scalar(&text, style, quoted_by_tag, span);
                self.add(node, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { span, anchor, content: Content::Sequence(Vec::new()) });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                let content =
                    Content::Mapping { entries: Vec::new(), index: HashMap::default(), key: None, merged: Vec::new() };
                self.open.push(Open { span, anchor, content });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let anchor = open.anchor;
                let node = close(open);
                self.add(node, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, &span),
            Event::UnresolvedAlias(name) => {
                self.report
                    .error(span.clone(), format!("nothing is named &{name}"))
                    .label("refers to something that is not there")
                    .help(format!(
                        "text that begins with * needs single quotes: {}",
                        quoting::rest_of_line(self.text, span.bytes.start, self.schema)
                    ));
                self.add(Node { span, value: Value::Null }, 0)
            }
            _ => Ok(()),
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, quoted_by_tag: bool, span: Span) -> Node {
        let plain = style == ScalarStyle::Plain && !quoted_by_tag;
        let written = self.text.get(span.bytes.clone()).unwrap_or_default();
        if plain && (written.is_empty() || ["~", "null", "Null", "NULL"].contains(&written)) {
            return Node { span, value: Value::Null };
        }
        let (span, verbatim) = match written.get(1..written.len().saturating_sub(1)) {
            Some(inner) if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) && inner == text => {
                (Span { bytes: span.bytes.start + 1..span.bytes.end - 1, ..span }, true)
            }
            _ => (span, written == text),
        };
        let end = if verbatim { span.bytes.end } else { span.bytes.start + written.trim_end().len() };
        let span = Span { bytes: span.bytes.start..end, ..span };
        Node { span, value: Value::Scalar(Scalar { text: text.to_string(), plain, verbatim }) }
    }

    /// A tag takes a part of the text: one that means nothing here was not meant as one.
    fn tag(&mut self, tag: Option<&Tag>, value: &Span) {
        if tag.is_none_or(|tag| tag.handle() == CORE_TAGS) {
            return;
        }
        let Some(start) = self.sign_before('!', value.bytes.start) else { return };
        let span = Span { source: self.source, bytes: start..start + 1 };
        self.report
            .error(span, "a word that begins with ! is a tag of YAML, and no part of the text behind it")
            .label("taken for a tag")
            .help(format!(
                "text that begins with ! needs single quotes: {}",
                quoting::rest_of_line(self.text, start, self.schema)
            ));
    }

    /// Names that nothing refers to were hardly meant as names.
    fn unused_anchors(&mut self) {
        let mut unused: Vec<&Node> = Vec::new();
        for (anchor, (node, _)) in &self.anchors {
            if !self.used_anchors.contains(anchor) {
                unused.push(node);
            }
        }
        let mut starts: Vec<usize> =
            unused.iter().filter_map(|node| self.sign_before('&', node.span.bytes.start)).collect();
        starts.sort_unstable();
        for start in starts {
            let span = Span { source: self.source, bytes: start..start + 1 };
            self.report
                .warning(
                    span,
                    "a word that begins with & is a name for what stands behind it, and no * refers to this one",
                )
                .label("taken for a name")
                .help(format!(
                    "text that begins with & needs single quotes: {}",
                    quoting::rest_of_line(self.text, start, self.schema)
                ));
        }
    }

    /// Where a sign stands before a value, in its line or the one above.
    fn sign_before(&self, sign: char, value: usize) -> Option<usize> {
        let before = self.text.get(..value)?;
        before.rfind(sign).filter(|start| before[*start..].matches('\n').count() <= 1)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), Broken> {
        self.used_anchors.insert(anchor);
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Broken {
                offset: span.bytes.start,
                message: "this refers to something that it is part of".into(),
                help: None,
            });
        };
        self.nodes += size.nodes;
        self.copied_bytes += size.bytes;
        let too_much = self.nodes > NODES_AT_MOST
            || self.copied_bytes > COPIED_BYTES_AT_MOST
            || self.open.len() + size.depth > NESTING_AT_MOST;
        if too_much {
            return Err(Broken {
                offset: span.bytes.start,
                message: "the aliases of this file expand to more than a configuration can hold".into(),
                help: Some("write the values out instead of referring to them with *".into()),
            });
        }
        let node = node.clone();
        self.add(node, 0)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Broken> {
        self.nodes += 1;
        if self.nodes > NODES_AT_MOST {
            return Err(Broken {
                offset: node.span.bytes.start,
                message: format!("more than {NODES_AT_MOST} values in one file"),
                help: None,
            });
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), node.size()));
            self.nodes += node.size().nodes;
            if self.nodes > NODES_AT_MOST {
                return Err(Broken {
                    offset: node.span.bytes.start,
                    message: format!("more than {NODES_AT_MOST} values in one file, anchors counted"),
                    help: None,
                });
            }
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { key: key @ None, .. } => {
                *key = Some(key_of(node, self.source, self.schema, self.report))
            }
            Content::Mapping { entries, index, key, merged } => {
                let Some(key) = key.take() else { return Ok(()) };
                if key.value == "<<" && key.verbatim {
                    merged.push(node);
                } else if let Some(&first) = index.get(&key.value) {
                    self.report
                        .error(key.span, format!("the key `{}` is given twice", key.value))
                        .label("given again")
                        .related(entries[first].key.span.clone(), "given first")
                        .help("keep one of the two");
                } else {
                    index.insert(key.value.clone(), entries.len());
                    entries.push(Entry { key, value: node });
                }
            }
        }
        Ok(())
    }
}

fn key_of(node: Node, source: SourceId, schema: &Schema, report: &mut Report) -> Spanned<String> {
    if let Some(key) = node.spanned() {
        return key;
    }
    let whole = quoting::whole_value(report.source_text(source), node.span.bytes.start, schema);
    report
        .error(node.span.clone(), format!("a key must be text, not {}", node.kind()))
        .label("stands where a key does")
        .help(format!("text with braces, brackets or `? ` at its beginning needs single quotes: {whole}"));
    Spanned { value: String::new(), span: Span { source, bytes: node.span.bytes }, verbatim: false }
}

fn close(open: Open) -> Node {
    let Open { span, content, .. } = open;
    match content {
        Content::Sequence(items) => {
            let span = items.first().map_or(span.clone(), |first| span_from(&span, &first.span));
            Node { span, value: Value::Sequence(items) }
        }
        Content::Mapping { mut entries, mut index, merged, .. } => {
            let span = entries.first().map_or(span.clone(), |first| span_from(&span, &first.key.span));
            for node in merged {
                let from: Vec<Node> = if let Value::Sequence(items) = node.value { items } else { vec![node] };
                for entry in from.into_iter().flat_map(|node| match node.value {
                    Value::Mapping(entries) => entries,
                    _ => Vec::new(),
                }) {
                    if !index.contains_key(&entry.key.value) {
                        index.insert(entry.key.value.clone(), entries.len());
                        entries.push(entry);
                    }
                }
            }
            Node { span, value: Value::Mapping(entries) }
        }
    }
}

/// A collection is pointed at by its own sign (`[`, `{`, `-`), or where it has none by its first part.
fn span_from(own: &Span, first: &Span) -> Span {
    if own.bytes.is_empty() { first.clone() } else { own.clone() }
}

#[cfg(test)]
mod tests;
