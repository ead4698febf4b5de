//! What an alert or a batch of rows is in a spool.

use crate::{
    alert::shorten::shorter,
    output::{metrics::Ledger, queued::QueuedAlert, render::Renderer},
};
use delivery::spool::{Kind, NewItem, forms};

/// Makes items of what waits for an output.
pub(crate) trait Encode<T>: Send {
    /// Makes items of it, or of its next part: what is left of it then weighs less.
    fn encode(&mut self, item: &mut T, ledger: &Ledger) -> Encoded;
}

/// What came of it.
pub(crate) enum Encoded {
    Items(Vec<NewItem>),
    /// There is more in it.
    Part(Vec<NewItem>),
    /// The output wants nothing of it.
    Nothing,
    /// It cannot be said in the receiver's terms: why.
    Unfit(String),
}

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
