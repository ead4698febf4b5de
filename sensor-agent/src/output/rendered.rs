//! What an alert is in a spool, as the output's template or format writes it.

use delivery::{
    ledger::Ledger,
    spool::{Kind, NewItem, forms},
    spooled::{Encode, Encoded},
};

use super::{queued::QueuedAlert, render::Renderer};
use crate::alert::shorten::shorter;

/// Alerts as the output's template or format writes them.
pub(crate) struct Rendered(pub(crate) Renderer);

impl Encode<QueuedAlert> for Rendered {
    fn encode(&mut self, item: &mut QueuedAlert, ledger: &Ledger) -> Encoded {
        let mut longest = Vec::new();
        if !self.0.render(&mut longest, &item.alert, ledger) {
            return Encoded::Nothing;
        }
        let mut forms: Vec<_> = shorter(longest.len()).map(|bytes| self.0.shorter(&item.alert, bytes)).collect();
        forms.insert(0, longest);
        for form in &mut forms {
            // The newline that ends a line of a file.
            form.pop_if(|last| *last == b'\n');
        }
        let body = forms::put(&forms);
        Encoded::Items(vec![NewItem { kind: Kind::Urgent, uuid: item.alert.uuid, records: 1, body }])
    }
}
