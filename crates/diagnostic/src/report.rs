//! Findings, and the texts that they are about.

mod json;
mod render;

pub use json::{Located, Place, Related};
pub use render::Appearance;

use crate::span::{SourceId, Span};

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
        self.add(Severity::Error, span, message)
    }

    /// Adds a warning.
    pub fn warning(&mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, span, message)
    }

    /// Adds a finding.
    pub fn add(
        &mut self,
        severity: Severity,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic {
            severity,
            message: message.into(),
            span: span.into(),
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
    pub fn reword(&mut self, change: impl Fn(&str) -> String) {
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
