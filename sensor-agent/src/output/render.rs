//! An alert's line on one output: its template, else its format, no longer than the receiver takes.

use std::sync::Arc;

use super::{
    metrics::Ledger,
    settings::{Format, OutputSettings},
};
use crate::alert::{Alert, Template, cef, ecs, ocsf, shorten};

/// What stands at the end of a text that was cut.
const CUT_MARK: &str = "…";

pub(crate) struct Renderer {
    template: Option<Arc<Template>>,
    format: Format,
    max_bytes: Option<usize>,
}

impl Renderer {
    pub(crate) fn new(settings: &OutputSettings) -> Self {
        Self { template: settings.template.clone(), format: settings.format, max_bytes: settings.max_bytes }
    }

    /// Appends the alert's line, newline included; false if its template makes nothing of it.
    pub(crate) fn render(&self, out: &mut Vec<u8>, alert: &Alert, ledger: &Ledger) -> bool {
        if let Some(template) = &self.template {
            match template.render(alert) {
                Ok(Some(text)) => {
                    self.push_text(out, &text, ledger);
                    return true;
                }
                Ok(None) => return false,
                // An alert in another form is better than none.
                Err(error) => ledger.template_failed(&error.to_string()),
            }
        }
        let max_bytes = self.max_bytes.unwrap_or(usize::MAX);
        let shortened = match self.format {
            Format::Json => shorten::write(out, alert, max_bytes),
            Format::Cef => cef::write(out, alert, max_bytes),
            Format::Ecs => ecs::write(out, alert, max_bytes),
            Format::Ocsf => ocsf::write(out, alert, max_bytes),
        };
        if shortened {
            ledger.shortened();
        }
        true
    }

    fn push_text(&self, out: &mut Vec<u8>, text: &str, ledger: &Ledger) {
        match self.max_bytes {
            Some(max) if text.len() > max => {
                let end = text.floor_char_boundary(max.saturating_sub(CUT_MARK.len()));
                out.extend_from_slice(&text.as_bytes()[..end]);
                out.extend_from_slice(CUT_MARK.as_bytes());
                ledger.shortened();
            }
            _ => out.extend_from_slice(text.as_bytes()),
        }
        out.push(b'\n');
    }
}
