//! What is wrong with a configuration, told to the person who wrote it.
//!
//! Everything that reads what users write (YAML, rules, templates, lists) puts its findings into one [`Report`], each
//! with the place in the file, so that all of them are shown in one run.

mod render;

use std::ops::Range;

pub use render::Appearance;

/// A file that was read, or something like one (an environment variable).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A place in a source: byte offsets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub source: SourceId,
    pub bytes: Range<usize>,
}

/// A value with the place it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
    /// Whether the value stands in the source byte by byte from `span.bytes.start`, so that an offset in the
    /// value is an offset in the source. Not so for quoted text with escapes or folded lines.
    pub verbatim: bool,
}

impl<T> Spanned<T> {
    /// The place of a part of the value: exact if the value stands verbatim in the source, else the whole.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Span {
        if self.verbatim {
            let at = |offset: usize| (self.span.bytes.start + offset).min(self.span.bytes.end);
            Span { source: self.span.source, bytes: at(part.start)..at(part.end) }
        } else {
            self.span.clone()
        }
    }

    /// Another value from the same place.
    #[must_use]
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: map(self.value), span: self.span, verbatim: self.verbatim }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Where; none when it is about no place in particular.
    pub span: Option<Span>,
    /// Short text at the caret.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it, each with a short text, such as where a name was given first.
    pub related: Vec<(Span, String)>,
}

/// All findings, and the sources they are about.
#[derive(Clone, Debug, Default)]
pub struct Report {
    sources: Vec<Source>,
    diagnostics: Vec<Diagnostic>,
    /// Places of secrets, which are never shown.
    hidden: Vec<Span>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
}

impl Report {
    /// Makes a source known, so that findings can point into it.
    pub fn add_source(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.sources.push(Source { name: name.into(), text: text.into() });
        SourceId(u32::try_from(self.sources.len() - 1).expect("fewer than 2^32 files"))
    }

    #[must_use]
    pub fn source_name(&self, id: SourceId) -> &str {
        &self.sources[id.0 as usize].name
    }

    #[must_use]
    pub fn source_text(&self, id: SourceId) -> &str {
        &self.sources[id.0 as usize].text
    }

    /// Makes a place that holds a secret unreadable in everything that is shown.
    pub fn hide(&mut self, span: Span) {
        self.hidden.push(span);
    }

    /// Adds an error.
    pub fn error(&mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Error, span.into(), message.into())
    }

    /// Adds a warning.
    pub fn warning(&mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Warning, span.into(), message.into())
    }

    fn push(&mut self, severity: Severity, span: Option<Span>, message: String) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic {
            severity,
            message,
            span,
            label: String::new(),
            help: None,
            related: Vec::new(),
        });
        self.diagnostics.last_mut().expect("just pushed")
    }

    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.error_count() > 0
    }

    #[must_use]
    pub fn error_count(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }

    /// Changes what is said of each finding.
    pub(crate) fn reword(&mut self, change: impl Fn(&str) -> String) {
        for diagnostic in &mut self.diagnostics {
            let related = diagnostic.related.iter_mut().map(|(_, label)| label);
            for text in
                [&mut diagnostic.message, &mut diagnostic.label].into_iter().chain(&mut diagnostic.help).chain(related)
            {
                *text = change(text);
            }
        }
    }

    /// Makes every warning an error (`-strict`).
    pub fn deny_warnings(&mut self) {
        for diagnostic in &mut self.diagnostics {
            diagnostic.severity = Severity::Error;
        }
    }
}

impl Diagnostic {
    /// Sets the text at the caret.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Sets the advice.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that belongs to it.
    pub fn related(&mut self, span: Span, label: impl Into<String>) -> &mut Self {
        self.related.push((span, label.into()));
        self
    }
}

/// The known word nearest to what was written, if it is near enough to be a slip.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    known
        .into_iter()
        // Comparing costs time and memory by the product of both lengths.
        .filter(|word| written.len() <= 2 * word.len() + 8)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min()
        .map(|(_, word)| word)
}
