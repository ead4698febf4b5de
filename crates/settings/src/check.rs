//! A file held against the table of keys: unknown keys, wrong types, values that mean nothing.
//!
//! Each file is checked whole and on its own, also what a later file overrides, so that one run names everything
//! there is to mend.

use std::path::PathBuf;
use std::time::Duration;

use diagnostic::{Report, Span, nearest};
use foldhash::HashSet;
use url::Url;
use uuid::Uuid;

use crate::faults;
use crate::problem::Problem;
use crate::quoting;
use crate::scalar::{FromText, Size};
use crate::schema::{Key, Kind, Named, Own, Pairs, Schema, Variant, Variants, find};
use crate::secrets;
use crate::yaml::{Entry, Node, Scalar, Value};

/// Findings that get a suggestion at most. Looking for one takes time by the number of names that there are.
const HELPED_AT_MOST: usize = 100;

/// Names of the user's own that a suggestion is looked for among, at most.
const NAMES_AT_MOST: usize = 10_000;

/// Checks one file (or the environment). `known` holds the names under which other files have [`Named`] mappings.
pub fn check(root: &Node, schema: &Schema, known: &HashSet<String>, report: &mut Report) {
    let mut checker = Checker { schema, report };
    checker.top(root.entries(), known);
}

/// The [`Named`] mappings of a file that do more than switch one on or off.
pub fn named<'a>(root: &'a Node, schema: &'static Schema) -> impl Iterator<Item = &'a Entry> {
    let is_one = |node: &Node| schema.named.is_some_and(|named| named.is_one(node));
    root.entries().iter().filter(move |entry| find(schema.top, &entry.key.value).is_none() && is_one(&entry.value))
}

impl Named {
    /// Whether a mapping can only be one of these. The switch alone says little.
    #[must_use]
    pub fn is_one(&self, node: &Node) -> bool {
        node.entries().iter().any(|entry| entry.key.value != self.switch && find(self.keys, &entry.key.value).is_some())
    }

    /// Whether a mapping is one of these if it is anything: at least it is switched on or off.
    pub(crate) fn may_be(&self, node: &Node) -> bool {
        node.entries().iter().any(|entry| find(self.keys, &entry.key.value).is_some())
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    report: &'a mut Report,
}

impl Checker<'_> {
    fn top(&mut self, entries: &[Entry], known: &HashSet<String>) {
        let Schema { top, named, .. } = *self.schema;
        self.twice(entries, top);
        for entry in entries {
            let name = &entry.key.value;
            if let Some(key) = find(top, name) {
                self.value(&entry.value, &key.kind, key.name);
            } else if let Some(named) = named.filter(|named| named.is_one(&entry.value) || known.contains(name)) {
                self.value(&entry.value, named.kind, name);
            } else {
                let words = top.iter().map(|key| key.name).chain(known.iter().map(String::as_str).take(NAMES_AT_MOST));
                let near = self.nearest(name, words).map(|near| format!("did you mean `{near}`?"));
                let what = match named {
                    Some(named) if !entry.value.entries().is_empty() => format!("key or {}", named.called),
                    _ => "key".to_owned(),
                };
                self.hide_unknown(entry);
                self.report
                    .add(
                        self.schema.unknown,
                        entry.key.span.clone(),
                        format!("unknown {what} `{}`", secrets::masked(name, self.schema)),
                    )
                    .label("not known, and so without effect")
                    .help(near.unwrap_or_else(|| "take it out if it is a mistake".into()));
            }
        }
    }

    fn value(&mut self, node: &Node, kind: &'static Kind, path: &str) {
        if let Kind::Secret = kind {
            self.hide(node);
        }
        match (kind, &node.value) {
            (_, Value::Null) => {}
            (Kind::Map(keys), Value::Mapping(entries)) => self.mapping(node, entries, keys, path),
            (Kind::MapOf(of), Value::Mapping(entries)) => {
                for entry in entries {
                    self.value(&entry.value, of, &format!("{path}.{}", entry.key.value));
                }
            }
            (Kind::List(of) | Kind::OneOrMore(of), Value::Sequence(items)) => self.items(items, of, path),
            (Kind::OneOrMore(of), Value::Scalar(_)) => self.value(node, of, path),
            (Kind::Pairs(pairs), Value::Sequence(items)) => {
                for item in items {
                    self.pairs(item, kind, pairs, path);
                }
            }
            (Kind::Pairs(pairs), Value::Mapping(_)) => self.pairs(node, kind, pairs, path),
            (Kind::Variants(variants), Value::Mapping(entries)) => self.variant(node, entries, variants, path),
            (kind, Value::Scalar(scalar)) if kind.is_scalar() => {
                if let (Kind::Url(_), Some(url)) = (kind, node.spanned()) {
                    for part in secrets::in_url(&url.value, true) {
                        self.report.hide(url.part(part));
                    }
                }
                match check_scalar(scalar, kind) {
                    Err(problem) => self.problem(node, path, kind, problem),
                    Ok(()) if scalar.plain && kind.is_free() => self.cut(node, scalar, kind, path),
                    Ok(()) => {}
                }
            }
            _ => self.wrong_type(node, kind, path),
        }
    }

    /// Tells of a text that ends where a comment begins.
    fn cut(&mut self, node: &Node, scalar: &Scalar, kind: &Kind, path: &str) {
        let source = self.report.source_text(node.span.source);
        let Some(comment) = quoting::cut(source, &scalar.text, node.span.bytes.end) else { return };
        let whole = if scalar.verbatim && !kind.is_secret() {
            quoting::rest_of_line(source, node.span.bytes.start, self.schema)
        } else {
            "'…'".to_owned()
        };
        let span = Span { source: node.span.source, bytes: comment };
        if kind.is_secret() {
            self.report.hide(span.clone());
        }
        let message = format!("`{path}` ends here: a blank and # begin a comment");
        let finding = if quoting::is_whole(&scalar.text) {
            self.report.warning(span, message)
        } else {
            self.report.error(span, message)
        };
        finding.label("no part of the text").help(format!(
            "put it in single quotes: {whole}; a comment stands in a line of its own, or two blanks away"
        ));
    }

    fn items(&mut self, items: &[Node], of: &'static Kind, path: &str) {
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if item.is_null() {
                self.report
                    .error(item.span.clone(), format!("`{path}` is empty"))
                    .label(format!("expected {}", of.expected()))
                    .help("take the dash out, or write a value behind it");
            } else {
                self.value(item, of, &path);
            }
        }
    }

    fn mapping(&mut self, node: &Node, entries: &[Entry], keys: &'static [Key], path: &str) {
        self.twice(entries, keys);
        for entry in entries {
            match find(keys, &entry.key.value) {
                Some(key) => self.value(&entry.value, &key.kind, &format!("{path}.{}", key.name)),
                None => self.unknown(entry, keys.iter(), path),
            }
        }
        self.required(node, entries, keys.iter(), path);
    }

    fn variant(&mut self, node: &Node, entries: &[Entry], variants: &'static Variants, path: &str) {
        let names = || variants.variants.iter().map(|variant| variant.name);
        let tag = entries.iter().find(|entry| entry.key.value == variants.tag && !entry.value.is_null());
        let Some(tag) = tag else {
            self.report
                .error(node.span.clone(), format!("`{path}`: {} needs a `{}`", variants.called, variants.tag))
                .label(format!("no `{}` here", variants.tag))
                .help(format!("add `{}:` and one of {}", variants.tag, names().collect::<Vec<_>>().join(", ")));
            return;
        };
        let written = tag.value.scalar().map_or("", |scalar| scalar.text.as_str());
        let Some(variant) = variants.find(written) else {
            // Which keys it may have is not known then.
            let kind = &variants.common.iter().find(|key| key.name == variants.tag);
            if let Some(key) = kind {
                self.value(&tag.value, &key.kind, &format!("{path}.{}", variants.tag));
            }
            return;
        };
        self.twice(entries, variants.common);
        self.twice(entries, variant.keys);
        for entry in entries {
            match find(variants.common, &entry.key.value).or_else(|| find(variant.keys, &entry.key.value)) {
                Some(key) => self.value(&entry.value, &key.kind, &format!("{path}.{}", key.name)),
                None => match variants.variants.iter().find(|other| find(other.keys, &entry.key.value).is_some()) {
                    Some(other) => self.elsewhere(entry, variants, variant, other, path),
                    None => self.unknown(entry, variants.common.iter().chain(variant.keys), path),
                },
            }
        }
        self.required(node, entries, variants.common.iter().chain(variant.keys), path);
    }

    fn pairs(&mut self, node: &Node, kind: &Kind, pairs: &'static Pairs, path: &str) {
        let Value::Mapping(entries) = &node.value else {
            return self.wrong_type(node, kind, path);
        };
        for entry in entries {
            let name = &entry.key.value;
            if let Err(problem) = (pairs.key.check)(name) {
                let finding = self
                    .report
                    .error(entry.key.span.clone(), format!("`{path}`: {}", problem.message))
                    .label(format!("expected {}", pairs.key.expected));
                if let Some(help) = problem.help {
                    finding.help(help);
                }
            }
            if entry.value.is_null() {
                self.report
                    .error(entry.key.span.clone(), format!("`{path}`: nothing is given for `{name}`"))
                    .help(format!("write it behind the colon, `{name}: …`, {}", pairs.value.expected()));
            } else {
                self.value(&entry.value, pairs.value, &format!("{path}.{name}"));
            }
        }
    }

    /// A key that another kind of mapping has: whoever wrote it expects something of it.
    fn elsewhere(&mut self, entry: &Entry, variants: &Variants, this: &Variant, other: &Variant, path: &str) {
        let (name, Variants { tag, called, .. }) = (&entry.key.value, variants);
        let near = self.nearest(name, variants.common.iter().chain(this.keys).map(|key| key.name));
        let near = near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean `{near}`?"));
        self.hide_unknown(entry);
        self.report
            .error(
                entry.key.span.clone(),
                format!("`{path}`: `{name}` has no effect on {called} of {tag} `{}`", this.name),
            )
            .label(format!("belongs to {called} of {tag} `{}`", other.name))
            .help(near);
    }

    fn unknown(&mut self, entry: &Entry, keys: impl Iterator<Item = &'static Key>, path: &str) {
        let name = &entry.key.value;
        let names: Vec<&str> = keys.map(|key| key.name).collect();
        let help = match self.nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", names.join(", ")),
        };
        self.hide_unknown(entry);
        self.report
            .add(
                self.schema.unknown,
                entry.key.span.clone(),
                format!("unknown key `{}` in `{path}`", secrets::masked(name, self.schema)),
            )
            .label("not known, and so without effect")
            .help(help);
    }

    fn required(&mut self, node: &Node, entries: &[Entry], keys: impl Iterator<Item = &'static Key>, path: &str) {
        for key in keys.filter(|key| key.required) {
            if !entries.iter().any(|entry| key.is(&entry.key.value) && !entry.value.is_null()) {
                self.report
                    .error(node.span.clone(), format!("`{path}` needs a `{}`", key.name))
                    .label(format!("no `{}` here", key.name))
                    .help(format!("add `{}:` and {}", key.name, key.kind.expected()));
            }
        }
    }

    /// The same key under two spellings, and keys that exclude each other.
    fn twice(&mut self, entries: &[Entry], keys: &'static [Key]) {
        let given = |key: &Key| entries.iter().filter(|entry| key.is(&entry.key.value)).collect::<Vec<_>>();
        for key in keys {
            let same = given(key);
            if let [first, second, ..] = same.as_slice() {
                let message = format!("`{}` and `{}` are the same key", first.key.value, second.key.value);
                self.both(first, second, message);
            }
            let other = key.instead_of.and_then(|other| find(keys, other)).filter(|other| other.name > key.name);
            if let (Some(mine), Some(others)) = (same.first(), other.map(given))
                && let Some(others) = others.first()
                && !mine.value.is_null()
                && !others.value.is_null()
            {
                let message = format!("`{}` and `{}` exclude each other", mine.key.value, others.key.value);
                self.both(mine, others, message);
            }
        }
    }

    fn both(&mut self, first: &Entry, second: &Entry, message: String) {
        self.report
            .error(second.key.span.clone(), message)
            .label("given here")
            .related(first.key.span.clone(), "and here")
            .help("keep one of the two");
    }

    fn problem(&mut self, node: &Node, path: &str, kind: &Kind, problem: Problem) {
        let span = part_of(node, &problem);
        let finding = self
            .report
            .error(span, format!("`{path}`: {}", problem.message))
            .label(format!("expected {}", kind.expected()));
        if let Some(help) = problem.help {
            finding.help(help);
        }
    }

    fn wrong_type(&mut self, node: &Node, kind: &Kind, path: &str) {
        let source = self.report.source_text(node.span.source);
        let written = source.get(node.span.bytes.start..).unwrap_or_default();
        let whole = quoting::whole_value(source, node.span.bytes.start, self.schema);
        let help = match (kind, &node.value) {
            (Kind::Own(Own { prose: Some(called), .. }), Value::Mapping(_))
                if !written.starts_with('{') && !whole.starts_with("'? ") =>
            {
                let dash = if path.ends_with(']') { "- " } else { "" };
                Some(format!("{called} with `: ` in it needs single quotes around it: {dash}{whole}"))
            }
            (kind, Value::Mapping(_) | Value::Sequence(_))
                if kind.is_scalar() && (written.starts_with(['{', '[']) || whole.starts_with("'? ")) =>
            {
                Some(format!("text that begins with a bracket, a brace or `? ` needs single quotes: {whole}"))
            }
            (kind, Value::Sequence(_)) if kind.is_scalar() => Some(format!(
                "write it behind the key, or with one dash; text that begins with a dash needs single quotes: {whole}"
            )),
            (Kind::List(of), Value::Scalar(scalar)) if of.is_scalar() => {
                Some(format!("write it as a list: [{}]", secrets::masked(&scalar.text, self.schema)))
            }
            (Kind::List(_), Value::Mapping(_)) => Some("begin each item with a dash and a space".to_owned()),
            (_, Value::Scalar(scalar)) => faults::missing_space(&scalar.text, self.schema),
            _ => None,
        };
        let finding = self
            .report
            .error(node.span.clone(), format!("`{path}` cannot be {}", node.kind()))
            .label(format!("expected {}", kind.expected()));
        if let Some(help) = help {
            finding.help(help);
        }
    }

    /// The known word nearest to what was written; no longer looked for when so much is wrong that nobody reads on.
    fn nearest<'a>(&self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.report.diagnostics().len() > HELPED_AT_MOST { None } else { nearest(written, known) }
    }

    /// What stands under a key that is not known may be a secret, its key mistyped. A key that has its place elsewhere
    /// is no such.
    fn hide_unknown(&mut self, entry: &Entry) {
        if self.schema.anywhere(&entry.key.value).is_none() || secrets::is_secret(&entry.key.value, self.schema) {
            self.hide(&entry.value);
        }
    }

    /// Makes all of a value unreadable in what is shown, switches aside.
    fn hide(&mut self, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Scalar(scalar) if scalar.is_bool() => {}
            Value::Scalar(_) => self.report.hide(node.span.clone()),
            Value::Sequence(items) => items.iter().for_each(|item| self.hide(item)),
            Value::Mapping(entries) => entries.iter().for_each(|entry| self.hide(&entry.value)),
        }
    }
}

/// The wrong part of a value, or all of it.
fn part_of(node: &Node, problem: &Problem) -> Span {
    match (&problem.part, node.spanned()) {
        (Some(part), Some(spanned)) => spanned.part(part.clone()),
        _ => node.span.clone(),
    }
}

/// Checks a value that is one piece of text.
pub(crate) fn check_scalar(scalar: &Scalar, kind: &Kind) -> Result<(), Problem> {
    let text = scalar.text.as_str();
    let quoted = |word: &str| {
        Problem::new(format!("{word} in quotes is text")).help(format!("write it without the quotes: {text}"))
    };
    if kind.prose().is_none()
        && let Some(problem) = faults::typeset(text)
    {
        return Err(problem);
    }
    match kind {
        Kind::Bool => match bool::from_text(text) {
            Ok(_) if !scalar.plain => Err(quoted("true or false")),
            result => result.map(drop),
        },
        Kind::Count(least, most) => match u64::from_text(text) {
            Ok(_) if !scalar.plain => Err(quoted("a number")),
            Ok(number) if number < *least => Err(Problem::new(format!("{number} is too small; the least is {least}"))),
            Ok(number) if number > *most => Err(Problem::new(format!("{number} is too large; the most is {most}"))),
            result => result.map(drop),
        },
        Kind::Size(least, most) => match Size::from_text(text)? {
            Size(bytes) if bytes < *least => {
                Err(Problem::new(format!("{bytes} bytes are too few; the least is {least}")))
            }
            Size(bytes) if bytes > *most => {
                Err(Problem::new(format!("{bytes} bytes are too many; the most is {most}")))
            }
            _ => Ok(()),
        },
        Kind::Duration(least) => match Duration::from_text(text)? {
            duration if duration < Duration::from_millis(*least) => {
                Err(Problem::new(format!("this is too short; the least is {least}ms")))
            }
            _ => Ok(()),
        },
        Kind::Url(schemes) => url(text, schemes),
        Kind::Uuid => Uuid::from_text(text).map(drop),
        Kind::Path => PathBuf::from_text(text).map(drop),
        Kind::Word(words) => words.check(text),
        Kind::Own(own) => (own.check)(text),
        Kind::Secret if text.trim().is_empty() => Err(Problem::new("this is empty")),
        _ => Ok(()),
    }
}

fn url(text: &str, schemes: &[&str]) -> Result<(), Problem> {
    let url = Url::from_text(text)?;
    if schemes.contains(&url.scheme()) {
        return match text.find('#') {
            Some(at) => Err(Problem::new("what stands behind # in a URL is never sent")
                .part(at..text.len())
                .help("take it out, or write %23 if it is part of the path")),
            None => Ok(()),
        };
    }
    let wanted = schemes.first().copied().unwrap_or_default();
    // Not the URL as it stands: it may hold secrets.
    Err(Problem::new(format!("{}:// is not taken here", url.scheme()))
        .part(0..url.scheme().len())
        .help(format!("begin it with {wanted}://")))
}
