//! An alert's line on one output: its template, else its format, no longer than the receiver takes.

use std::sync::Arc;

use delivery::ledger::Ledger;

use super::{format::Format, target::Target};
use crate::alert::{Alert, Template, cef, ecs, json, ocsf};

/// What stands at the end of a text that was cut.
const CUT_MARK: &str = "…";

/// What was made of an alert.
#[derive(Default)]
struct Made {
    /// Its template may make nothing of it.
    text: bool,
    shortened: bool,
    /// Why its template failed; the format served instead.
    template_failed: Option<String>,
}

pub(crate) struct Renderer {
    /// In place of the format.
    pub(crate) template: Option<Arc<Template>>,
    pub(crate) format: Format,
    /// Bytes without the newline.
    pub(crate) max_bytes: usize,
    /// What puts around it what the receiver wants there.
    pub(crate) target: Arc<dyn Target>,
}

impl Renderer {
    /// Appends the alert's line, newline included; false if its template makes nothing of it.
    pub(crate) fn render(&self, out: &mut Vec<u8>, alert: &Alert, ledger: &Ledger) -> bool {
        let made = self.write(out, alert, self.max_bytes);
        if let Some(error) = &made.template_failed {
            ledger.template_failed(error);
        }
        if made.shortened {
            ledger.shortened();
        }
        made.text
    }

    /// Whether the template makes anything of an alert that goes out in another form.
    pub(crate) fn wants(&self, alert: &Alert) -> bool {
        !self.template.as_ref().is_some_and(|template| matches!(template.render(alert), Ok(None)))
    }

    /// The same for a receiver that does not take that much. Nothing if its template makes nothing of it.
    pub(crate) fn shorter(&self, alert: &Alert, max_bytes: usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, alert, max_bytes);
        out
    }

    fn write(&self, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> Made {
        let start = out.len();
        let head = self.target.head(alert);
        out.extend_from_slice(head.as_bytes());
        let made = self.write_text(out, alert, max_bytes.saturating_sub(head.len()));
        if made.text {
            self.target.close(out, start, alert);
        } else {
            out.truncate(start);
        }
        made
    }

    fn write_text(&self, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> Made {
        let Some(template) = &self.template else {
            return Made { text: true, shortened: self.format(out, alert, max_bytes), template_failed: None };
        };
        match template.render(alert) {
            Ok(Some(text)) => Made { text: true, shortened: push_text(out, &text, max_bytes), template_failed: None },
            Ok(None) => Made::default(),
            // An alert in another form is better than none.
            Err(error) => {
                let shortened = self.format(out, &alert.clone().without_template(error.reason()), max_bytes);
                Made { text: true, shortened, template_failed: Some(error.to_string()) }
            }
        }
    }

    /// Appends the alert in the output's format; whether it was shortened.
    fn format(&self, out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
        match self.format {
            Format::Json => json::write(out, alert, max_bytes),
            Format::Cef => cef::write(out, alert, max_bytes),
            Format::Ecs => ecs::write(out, alert, max_bytes),
            Format::Ocsf => ocsf::write(out, alert, max_bytes),
        }
    }
}

/// Appends a text; whether it was cut.
fn push_text(out: &mut Vec<u8>, text: &str, max_bytes: usize) -> bool {
    let is_cut = text.len() > max_bytes;
    if is_cut {
        let end = text.floor_char_boundary(max_bytes.saturating_sub(CUT_MARK.len()));
        out.extend_from_slice(&text.as_bytes()[..end]);
        out.extend_from_slice(CUT_MARK.as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
    is_cut
}
