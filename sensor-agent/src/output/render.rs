//! An alert's line on one output: its template, else its format, no longer than the receiver takes.

use std::sync::Arc;

use super::{envelope::Envelope, format::Format, metrics::Ledger};
use crate::alert::{Alert, Template, cef, ecs, json, ocsf};

/// What stands at the end of a text that was cut.
const CUT_MARK: &str = "…";

pub(crate) struct Renderer {
    /// In place of the format.
    pub(crate) template: Option<Arc<Template>>,
    pub(crate) format: Format,
    /// Bytes without the newline.
    pub(crate) max_bytes: Option<usize>,
    pub(crate) envelope: Envelope,
}

impl Renderer {
    /// Appends the alert's line, newline included; false if its template makes nothing of it.
    pub(crate) fn render(&self, out: &mut Vec<u8>, alert: &Alert, ledger: &Ledger) -> bool {
        let start = out.len();
        let head = self.envelope.head(alert);
        out.extend_from_slice(head.as_bytes());
        let max_bytes = self.max_bytes.map_or(usize::MAX, |max| max.saturating_sub(head.len()));
        let made = self.render_text(out, alert, max_bytes, ledger);
        if made {
            self.envelope.close(out, start, alert);
        } else {
            out.truncate(start);
        }
        made
    }

    fn render_text(&self, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize, ledger: &Ledger) -> bool {
        if let Some(template) = &self.template {
            match template.render(alert) {
                Ok(Some(text)) => {
                    push_text(out, &text, max_bytes, ledger);
                    return true;
                }
                Ok(None) => return false,
                // An alert in another form is better than none.
                Err(error) => {
                    ledger.template_failed(&error.to_string());
                    self.format(out, &alert.clone().without_template(error.reason()), max_bytes, ledger);
                    return true;
                }
            }
        }
        self.format(out, alert, max_bytes, ledger);
        true
    }

    fn format(&self, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize, ledger: &Ledger) {
        let shortened = match self.format {
            Format::Json => json::write(out, alert, max_bytes),
            Format::Cef => cef::write(out, alert, max_bytes),
            Format::Ecs => ecs::write(out, alert, max_bytes),
            Format::Ocsf => ocsf::write(out, alert, max_bytes),
        };
        if shortened {
            ledger.shortened();
        }
    }
}

fn push_text(out: &mut Vec<u8>, text: &str, max_bytes: usize, ledger: &Ledger) {
    if text.len() > max_bytes {
        let end = text.floor_char_boundary(max_bytes.saturating_sub(CUT_MARK.len()));
        out.extend_from_slice(&text.as_bytes()[..end]);
        out.extend_from_slice(CUT_MARK.as_bytes());
        ledger.shortened();
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
}
