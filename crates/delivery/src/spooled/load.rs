//! What was taken from the spool and is not settled yet: items, and the messages that they hold.

use std::{collections::VecDeque, ops::Range};

use crate::{
    remote::{Message, Settled},
    spool::{Item, Kind, forms},
};

#[derive(Default)]
pub(super) struct Load {
    items: Vec<Item>,
    /// What is left of them, in order.
    parts: VecDeque<Part>,
}

/// A message in an item.
pub(super) struct Part {
    /// The place of the item.
    item: usize,
    /// Its place in it.
    number: usize,
    /// Where its forms stand in the item's body, the longest first.
    forms: Vec<Range<usize>>,
    /// The one that is sent.
    form: usize,
}

impl Load {
    /// Items that are a message each.
    pub(super) fn items(items: Vec<Item>) -> Self {
        let part = |(item, it): (usize, &Item)| Part { item, number: 0, forms: forms::places(&it.body), form: 0 };
        Self { parts: items.iter().enumerate().map(part).collect(), items }
    }

    /// An item that holds messages at these places.
    pub(super) fn parts(item: Item, places: Vec<Range<usize>>) -> Self {
        let part = |(number, place)| Part { item: 0, number, forms: vec![place], form: 0 };
        Self { parts: places.into_iter().enumerate().map(part).collect(), items: vec![item] }
    }

    /// Whether all is settled.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The next messages: so many, and so many bytes, at most, but at least one.
    pub(super) fn next(&self, kind: Kind, (most, bytes): (usize, usize)) -> Vec<Message<'_>> {
        let mut length = 0;
        let message = |part| Message {
            kind,
            uuid: self.item(part).uuid,
            part: part.number,
            form: part.form,
            is_shortest: part.form + 1 == part.forms.len(),
            key: b"",
            body: self.body(part),
        };
        let fits = |(number, message): &(usize, Message<'_>)| {
            length += message.body.len();
            *number == 0 || length <= bytes
        };
        let all = self.parts.iter().take(most.max(1)).map(message).enumerate();
        all.take_while(fits).map(|(_, message)| message).collect()
    }

    /// Takes out what became of the first messages. What is too large stays while it has a shorter form, and `shortens` is
    /// told why; without one it is rejected.
    pub(super) fn settle(&mut self, settled: Vec<Settled>, shortens: impl Fn(&str)) -> Vec<(Part, Settled)> {
        let rest = self.parts.split_off(settled.len().min(self.parts.len()));
        let mut done = Vec::new();
        for (mut part, settled) in std::mem::replace(&mut self.parts, rest).into_iter().zip(settled).rev() {
            match settled {
                Settled::TooLarge(reason) if part.form + 1 < part.forms.len() => {
                    shortens(&reason);
                    part.form += 1;
                    self.parts.push_front(part);
                }
                Settled::TooLarge(reason) => done.push((part, Settled::Rejected(reason))),
                settled => done.push((part, settled)),
            }
        }
        done.reverse();
        done
    }

    /// The item that a message is of.
    pub(super) fn item(&self, part: &Part) -> &Item {
        &self.items[part.item]
    }

    /// The message as it was sent last.
    pub(super) fn body(&self, part: &Part) -> &[u8] {
        &self.item(part).body[part.forms[part.form].clone()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::spool::ItemId;

    fn item(number: usize, body: Vec<u8>) -> Item {
        let id = ItemId::for_test(Kind::Urgent, i64::try_from(number).unwrap());
        Item { id, uuid: Uuid::from_u128(number as u128), records: 1, time: 0, body }
    }

    fn seen(load: &Load, bounds: (usize, usize)) -> Vec<(u128, usize, usize, bool, usize)> {
        let messages = load.next(Kind::Urgent, bounds);
        messages.iter().map(|it| (it.uuid.as_u128(), it.part, it.form, it.is_shortest, it.body.len())).collect()
    }

    #[test]
    fn messages_come_in_the_form_that_is_taken() {
        let long = forms::put(&[vec![b'x'; 30], vec![b'x'; 20], vec![b'x'; 10]]);
        let mut load = Load::items(vec![item(1, long), item(2, vec![b'y'; 15])]);
        assert_eq!(seen(&load, (9, 99)), [(1, 0, 0, false, 30), (2, 0, 0, true, 15)]);
        assert_eq!(seen(&load, (9, 44)).len(), 1);
        assert_eq!(seen(&load, (0, 0)).len(), 1);
        let too_large = || Settled::TooLarge("long".into());
        let done = load.settle(vec![too_large(), Settled::Confirmed], |why| assert_eq!(why, "long"));
        assert!(matches!(&done[..], [(part, Settled::Confirmed)] if load.item(part).uuid.as_u128() == 2));
        assert_eq!(seen(&load, (9, 99)), [(1, 0, 1, false, 20)]);
        assert!(load.settle(vec![too_large()], |_| {}).is_empty());
        assert_eq!(seen(&load, (9, 99)), [(1, 0, 2, true, 10)]);
        let done = load.settle(vec![too_large(), Settled::Confirmed], |_| panic!("there is no shorter one"));
        assert!(matches!(&done[..], [(part, Settled::Rejected(_))] if load.body(part).len() == 10));
        assert!(load.is_empty());
    }

    proptest! {
        /// Whatever is sent at once and settled at once, each message of an item comes in its order until it is settled.
        #[test]
        fn every_message_is_settled_once(steps in proptest::collection::vec((1_usize..6, 0_usize..6), 0..60)) {
            let places = (0..40).map(|number| number..number + 1).collect();
            let mut load = Load::parts(item(7, (0..40).collect()), places);
            let mut next = 0;
            for (most, settled) in steps {
                let given: Vec<u8> = load.next(Kind::Bulk, (most, 99)).iter().map(|message| message.body[0]).collect();
                prop_assert!(given.iter().copied().eq(next..(next + given.len() as u8)));
                let done = load.settle(vec![Settled::Confirmed; settled.min(given.len())], |_| {});
                next += done.len() as u8;
                prop_assert_eq!(load.is_empty(), next == 40);
            }
        }
    }
}
