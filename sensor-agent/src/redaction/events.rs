//! Events, as they are told.

use std::sync::Arc;

use super::{MARK, Redaction};
use crate::event::{Arguments, Detail, Event, Image, Process, RedactedBy};

impl Redaction {
    /// An event as it is told: the same, but that a mark stands for each secret.
    #[must_use]
    pub fn event(&self, event: &Event) -> Event {
        let mut told = event.clone();
        self.take_out(&mut told);
        told
    }

    /// The same in place: an event without a secret is left alone.
    pub fn take_out(&self, event: &mut Event) {
        if self.any.is_none() {
            return;
        }
        let detail = match &event.detail {
            Detail::Audit(message) => message
                .without(&|text| self.text(text), &|pairs| self.arguments(pairs))
                .map(|told| Detail::Audit(Arc::new(told))),
            Detail::Own(own) => own
                .target()
                .map(|target| (target, self.process(target)))
                .filter(|(target, told)| !Arc::ptr_eq(target, told))
                .and_then(|(_, told)| own.with_target(&event.process, told)),
            _ => None,
        };
        if let Some(detail) = detail {
            event.detail = detail;
        }
        event.process = self.process(&event.process);
    }

    /// A process as it is told, with its ancestors: the same one, if there is nothing to take out.
    #[must_use]
    pub fn process(&self, process: &Arc<Process>) -> Arc<Process> {
        if self.any.is_none() {
            return Arc::clone(process);
        }
        let lineage = || std::iter::successors(Some(process), |process| process.parent.as_ref());
        let Some(oldest) =
            lineage().enumerate().filter(|(_, it)| self.instead(&it.image).is_some()).map(|(at, _)| at).last()
        else {
            return Arc::clone(process);
        };
        // All from there on have another parent.
        let changed: Vec<&Arc<Process>> = lineage().take(oldest + 1).collect();
        let mut parent = changed.last().and_then(|process| process.parent.clone());
        for process in changed.into_iter().rev() {
            let mut told = Process { parent, ..Process::clone(process) };
            if let Some(image) = self.instead(&process.image) {
                told.image = image;
            }
            parent = Some(Arc::new(told));
        }
        parent.unwrap_or_else(|| Arc::clone(process))
    }

    /// What is told instead of an image; none if it is told as it is.
    fn instead(&self, image: &Image) -> Option<Arc<Image>> {
        let looked = image.redacted.0.get_or_init(|| RedactedBy { redaction: self.number, instead: self.look(image) });
        // With other patterns than those at hand it was looked for before a reload.
        if looked.redaction == self.number { looked.instead.clone() } else { self.look(image) }
    }

    fn look(&self, image: &Image) -> Option<Arc<Image>> {
        let args = self.arguments(&image.args)?;
        let mut told = Image { args, ..image.clone() };
        told.charge = image.charge.alike(told.size());
        Some(Arc::new(told))
    }

    /// Arguments without secrets; none if there are none in them.
    fn arguments(&self, args: &Arguments) -> Option<Arguments> {
        let secrets = self.secrets(args.joined());
        (!secrets.is_empty()).then(|| args.without(&secrets, MARK.as_bytes()))
    }
}
