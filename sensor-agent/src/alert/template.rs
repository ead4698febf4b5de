//! Alert texts of the user's own making: Go's `text/template` over the fields in [`values`].
//!
//! A template is checked when the configuration is read. Names that no alert has are found wherever they stand, also
//! in branches that are seldom taken; then the template is tried on sample alerts. What fails for want of something that
//! another alert may have (an argument, an ancestor, a longer text) is a warning. What a render may use up is bounded,
//! so that a template that loops costs its own output one alert's delay and nothing else.
//!
//! An alert whose filled template holds nothing but white space is not sent: so a template filters.

mod functions;
mod names;
mod values;

use std::fmt;

use diagnostic::{Report, Spanned, nearest};
use gotemplate::{Cause, Error, Limits};

use super::Alert;
use crate::policy::{Confidence, Policy, Priority};

/// What one render may use up: far above what a sane template needs, some tenths of a second on a busy host.
const LIMITS: Limits = Limits { steps: 1_000_000, text: 1 << 20, memory: 16 << 20, depth: 200 };

/// A template that was checked.
pub struct Template(gotemplate::Template);

/// Why a template made no text of an alert.
#[derive(Debug, thiserror::Error)]
#[error("the template failed: {0}")]
pub struct RenderError(String);

impl RenderError {
    /// What went wrong.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl Template {
    /// Reads and checks a template. None if the report got an error.
    pub fn parse(text: &Spanned<String>, report: &mut Report) -> Option<Self> {
        match gotemplate::Template::parse(&text.value, functions::FUNCTIONS) {
            Ok(parsed) => {
                let template = Self(parsed);
                (names::check(&template.0, text, report) && template.try_samples(text, report)).then_some(template)
            }
            Err(error) => {
                report_parse_error(&error, text, report);
                None
            }
        }
    }

    /// The template as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// Fills the template: none if there is nothing but white space in it then. Line ends at the end are left out, and
    /// what is left of a letter that was cut in two stands as U+FFFD.
    ///
    /// # Errors
    ///
    /// If the template asks for something that this alert does not have, or for more than a render may use up.
    pub fn render(&self, alert: &Alert) -> Result<Option<String>, RenderError> {
        self.fill(alert).map_err(|error| RenderError(message_of(&error)))
    }

    fn fill(&self, alert: &Alert) -> Result<Option<String>, Error> {
        let filled = self.0.fill(&values::of(alert), &LIMITS)?;
        let mut text = match String::from_utf8(filled) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        Ok((!text.trim().is_empty()).then_some(text))
    }

    /// Tries the template on sample alerts: an error if it can do for none, a warning if it does not do for all.
    fn try_samples(&self, text: &Spanned<String>, report: &mut Report) -> bool {
        for (sample, kind) in samples() {
            let Err(error) = self.fill(&sample) else { continue };
            let (message, span) = (message_of(&error), text.part(error.place.clone()));
            if error.cause != Cause::Value && kind.is_empty() {
                report
                    .error(span, format!("this template fails on a sample alert: {message}"))
                    .label("here")
                    .help("correct the template, or leave it out to have alerts in the output's format");
                return false;
            }
            let kind = if kind.is_empty() { "such as the sample" } else { kind };
            report
                .warning(span, format!("this template fails on an alert {kind}: {message}"))
                .label("here")
                .help("such an alert goes out in the output's format; test for the case with {{if}} or {{with}}");
            break;
        }
        true
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Template").field(&self.text()).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// The usual alert, and those that lack what it has; with what they lack.
fn samples() -> Vec<(Alert, &'static str)> {
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
        (Alert::sample(), ""),
        (with(|process| process.container = None), "from outside of containers"),
        (with(|process| process.parent = None), "without known ancestors"),
        (bare, "of a policy without description, comments, labels and categories"),
        (with(|process| *process = crate::event::Process::default()), "that is not about a process"),
    ]
}

fn report_parse_error(error: &Error, text: &Spanned<String>, report: &mut Report) {
    let written = text.value.get(error.place.clone()).unwrap_or_default();
    let help = help_for(&error.message, written);
    report
        .error(text.part(error.place.clone()), format!("this template cannot be read: {}", error.message))
        .label("here")
        .help(help);
}

/// What to write instead, by a part of the message.
const HINTS: &[(&str, &str)] = &[
    ("unexpected \"=\"", "compare with eq: {{if eq .Priority \"High\"}}"),
    ("unexpected \"!\"", "compare with ne, and turn a condition round with not"),
    ("unexpected \"<\"", "compare with lt and le: {{if lt .ProcessInfo.Uid 1000}}"),
    ("unexpected \">\"", "compare with gt and ge: {{if gt .ProcessInfo.Uid 1000}}"),
    ("unexpected \"&\"", "combine with and: {{if and .AlertLabels .Categories}}"),
    ("unexpected \"{\" in command", "two braces begin and end what is filled in: {{ .StrategyName }}"),
    ("unexpected \"/\" in command", "a comment begins right behind the braces: {{/* … */}}"),
    ("U+005B", "take an item with index: {{ (index .Lineage 0).Program.Path }}"),
    ("U+002D", "take a name with a dash or a dot out of a map with index: {{ index .AlertLabels \"tier-1\" }}"),
    ("illegal number syntax", "a template does not calculate"),
    ("invalid syntax", "write a backslash twice, or put the text into backquotes: `C:\\dir`"),
    ("unterminated", "close the quotes on the same line"),
    ("unclosed action", "close it with }}"),
    ("unexpected EOF", "each {{if}}, {{range}}, {{with}}, {{block}} and {{define}} needs an {{end}}"),
    (
        "undefined variable",
        "write fields with a dot, .StrategyName, and give a variable its value first: {{$x := .UUID}}",
    ),
    ("too deep", "use fewer parentheses and blocks; intermediate values can be named: {{$x := ...}}"),
];

fn help_for(message: &str, written: &str) -> String {
    if message.contains("not defined") {
        if let Some(function) = nearest(written, functions::FUNCTIONS.names()) {
            return format!("is the function {function} meant?");
        }
        if let Some(field) = names::field_for(written) {
            return format!("is .{field} meant?");
        }
    }
    let hint = HINTS.iter().find(|(part, _)| message.contains(part)).map(|(_, hint)| *hint);
    let general = "templates are written as for Go's text/template, such as 'Alert triggered: {{ .StrategyName }}'";
    hint.unwrap_or(general).to_owned()
}

/// What went wrong, no longer than a line.
fn message_of(error: &Error) -> String {
    let mut message = error.message.clone();
    if message.len() > 200 {
        message.truncate(message.floor_char_boundary(200));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
