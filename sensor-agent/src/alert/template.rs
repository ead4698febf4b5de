//! Alert texts of the user's own making: Go's `text/template` over the fields in [`values`].
//!
//! A template is checked when the configuration is read. Names that no alert has are found wherever they stand, also
//! in branches that are seldom taken; then the template is tried on a sample alert. What a render may use up is
//! bounded, so that a template that loops costs its own output one alert's delay and nothing else.
//!
//! An alert whose filled template holds nothing but white space is not sent: so a template filters.

mod functions;
mod names;
mod values;

use std::{fmt, time::Duration};

use gtmpl_ng::{Context, ErrorContext, ExecError, Limits, ParseError};

use super::Alert;
use crate::diagnostic::{Report, Spanned, nearest};
use crate::policy::{Confidence, Policy, Priority};

/// Longest template, bytes.
const MAX_TEXT: usize = 64 * 1024;

/// What one render may use up. The time is far above what a sane template needs, also on a busy host.
const LIMITS: Limits = {
    let mut limits = Limits::DEFAULT;
    limits.iterations = Some(10_000);
    limits.total_iterations = Some(100_000);
    limits.output_bytes = Some(1 << 20);
    limits.function_output = Some(1 << 20);
    limits.deadline = Some(Duration::from_secs(2));
    limits
};

/// A template that was checked.
pub struct Template {
    text: String,
    engine: gtmpl_ng::Template,
}

/// Why a template made no text of an alert.
#[derive(Debug, thiserror::Error)]
#[error("the template failed: {0}")]
pub struct RenderError(String);

impl Template {
    /// Reads and checks a template. None if the report got an error.
    pub fn parse(text: &Spanned<String>, report: &mut Report) -> Option<Self> {
        if text.value.len() > MAX_TEXT {
            report
                .error(text.span.clone(), format!("this template is {} bytes long", text.value.len()))
                .help(format!("a template can have {MAX_TEXT} bytes"));
            return None;
        }
        if let Some(at) = names::too_deep(&text.value) {
            report
                .error(text.part(at..at + 1), "this template is nested too deep")
                .label("one level too many")
                .help("use fewer parentheses and {{else}}s; intermediate values can be named: {{$x := ...}}");
            return None;
        }
        let mut engine = gtmpl_ng::Template::with_limits(LIMITS);
        engine.add_funcs(functions::FUNCTIONS);
        if let Err(error) = engine.parse(text.value.as_str()) {
            report_parse_error(&error, &engine, text, report);
            return None;
        }
        let template = Self { text: text.value.clone(), engine };
        (names::check(text, report) && template.try_samples(text, report)).then_some(template)
    }

    /// The template as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills the template: none if there is nothing but white space in it then. Line ends at the end are left out.
    ///
    /// # Errors
    ///
    /// If the template asks for something that this alert does not have, or for more than a render may use up.
    pub fn render(&self, alert: &Alert) -> Result<Option<String>, RenderError> {
        self.fill(alert).map_err(|error| RenderError(describe(&error).0))
    }

    fn fill(&self, alert: &Alert) -> Result<Option<String>, ExecError> {
        let mut text = self.engine.render(&Context::from(values::of(alert)))?;
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        Ok((!text.trim().is_empty()).then_some(text))
    }

    /// Tries the template on sample alerts: an error for the usual kind, warnings for the others.
    fn try_samples(&self, text: &Spanned<String>, report: &mut Report) -> bool {
        if let Err(error) = self.fill(&Alert::sample()) {
            let (message, place) = describe(&error);
            let span = place.map_or_else(|| text.span.clone(), |place| text.part(offsets(&text.value, &place)));
            report
                .error(span, format!("this template fails on a sample alert: {message}"))
                .label("here")
                .help(help_for(&message));
            return false;
        }
        for (sample, kind) in other_samples() {
            if let Err(error) = self.fill(&sample) {
                let (message, place) = describe(&error);
                let span = place.map_or_else(|| text.span.clone(), |place| text.part(offsets(&text.value, &place)));
                report
                    .warning(span, format!("this template fails on an alert {kind}: {message}"))
                    .label("here")
                    .help("such an alert goes out as JSON; test for the case with {{if}} or {{with}}");
                break;
            }
        }
        true
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Template").field(&self.text).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Alerts that lack what the usual one has, and what they lack.
fn other_samples() -> Vec<(Alert, &'static str)> {
    let with = |change: fn(&mut crate::event::Process)| {
        let mut alert = Alert::sample();
        let mut process = (*alert.event.process).clone();
        change(&mut process);
        alert.event.process = process.into();
        alert
    };
    let mut bare = Alert::sample();
    bare.policy = Policy { priority: Priority::Low, confidence: Confidence::Low, ..Default::default() }.into();
    vec![
        (with(|process| process.container = None), "from outside of containers"),
        (with(|process| process.parent = None), "without known ancestors"),
        (bare, "of a policy without description, comments, labels and categories"),
        (with(|process| *process = crate::event::Process::default()), "that is not about a process"),
    ]
}

fn report_parse_error(error: &ParseError, engine: &gtmpl_ng::Template, text: &Spanned<String>, report: &mut Report) {
    let (message, part) = match error {
        ParseError::WithContext(place, message) => (message.clone(), offsets(&text.value, place)),
        other => (other.to_string(), 0..text.value.len()),
    };
    let written = &text.value[part.clone()];
    let near = nearest(written, engine.funcs.keys().map(String::as_str)).filter(|near| *near != written);
    let finding = report.error(text.part(part), format!("this template cannot be read: {message}")).label("here");
    if let Some(near) = near {
        finding.help(format!("is the function {near} meant?"));
    } else {
        finding.help("templates are written as for Go's text/template, such as 'Alert triggered: {{ .StrategyName }}'");
    }
}

/// What went wrong, and where if that is known.
fn describe(error: &ExecError) -> (String, Option<ErrorContext>) {
    let (mut message, place) = match error.as_structured() {
        Some(structured) => (structured.message.clone(), Some(structured.context.clone())),
        None => (error.to_string(), None),
    };
    // The engine tells all of the value that has no such field; its name is enough.
    if let Some((name, _)) = message.strip_prefix("no field `").and_then(|rest| rest.split_once("` in ")) {
        message = format!("there is no field {name} here");
    }
    if message.len() > 200 {
        message.truncate(message.floor_char_boundary(200));
        message.push('…');
    }
    (message, place)
}

fn help_for(message: &str) -> &'static str {
    if message.starts_with("there is no field") || message.starts_with("only maps") {
        "the fields are listed in the manual; inside {{range}} and {{with}} a name belongs to the item, \
         and $.Name to the alert"
    } else {
        "correct the template, or leave it out to have alerts as JSON"
    }
}

/// The part of the template that the engine means: 1-based line and byte column, bytes.
fn offsets(text: &str, place: &ErrorContext) -> std::ops::Range<usize> {
    let line: usize = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let start = text.floor_char_boundary(line + place.col.saturating_sub(1));
    let end = text.floor_char_boundary((start + place.len).min(text.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests;
