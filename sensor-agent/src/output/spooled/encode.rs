//! What an alert or a batch of rows is in a spool.

use crate::{
    delivery::spool::{Kind, NewItem},
    output::{metrics::Ledger, queued::QueuedAlert, render::Renderer},
};

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
        let mut body = Vec::new();
        if !self.0.render(&mut body, &item.alert, ledger) {
            return Encoded::Nothing;
        }
        // The newline that ends a line of a file.
        if body.last() == Some(&b'\n') {
            body.pop();
        }
        Encoded::Items(vec![NewItem { kind: Kind::Alert, uuid: item.alert.uuid, records: 1, body }])
    }
}
