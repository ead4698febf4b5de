//! Spooled items as batches: what is sent at once, and its halves when a receiver does not take the whole.
//!
//! An alert's item is an encoded `Alert`, or several [`forms`] of one; items become a batch by putting the field's header
//! before each. A telemetry item is an encoded `EventBatch`; its rows are told apart by their headers. Neither has to be
//! decoded.

use std::ops::Range;

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use uuid::Uuid;

use crate::spool::{Item, Kind, forms};

/// The field of both kinds of batch that holds its messages.
const FIELD: u32 = 1;
/// The name space of the keys of alert batches.
const KEYS: Uuid = Uuid::from_u128(0x3d0c_9a6e_52b7_4e0b_9d8f_1f1e_7a44_c0a5);

/// What was taken from the spool to be sent.
pub(super) struct Load {
    pub(super) kind: Kind,
    /// Alerts, or one item of telemetry.
    pub(super) items: Vec<Item>,
    parts: Vec<Part>,
}

/// A message in an item.
struct Part {
    item: usize,
    /// Where its forms stand in the item's body, the longest first.
    forms: Vec<Range<usize>>,
    /// The one that is sent.
    form: usize,
}

impl Part {
    fn new(item: usize, forms: Vec<Range<usize>>) -> Self {
        Self { item, forms, form: 0 }
    }
}

/// Messages of a load that are sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch(pub(super) Range<usize>);

/// A body that is no batch of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoBatch;

impl Load {
    /// Alerts, one to an item.
    pub(super) fn alerts(items: Vec<Item>) -> Self {
        let parts = items.iter().enumerate().map(|(item, it)| Part::new(item, forms::places(&it.body))).collect();
        Self { kind: Kind::Urgent, items, parts }
    }

    /// The rows of an item. An item that is not what it should be comes back.
    pub(super) fn telemetry(item: Item) -> Result<Self, Box<Item>> {
        match messages(&item.body) {
            Ok(rows) => {
                let parts = rows.into_iter().map(|bytes| Part::new(0, vec![bytes])).collect();
                Ok(Self { kind: Kind::Bulk, items: vec![item], parts })
            }
            Err(NoBatch) => Err(Box::new(item)),
        }
    }

    /// All of it, in batches of at most so many messages.
    pub(super) fn batches(&self, most: usize) -> impl Iterator<Item = Batch> {
        let (len, most) = (self.parts.len(), most.max(1));
        (0..len).step_by(most).map(move |from| Batch(from..len.min(from + most)))
    }

    /// The item of a message.
    pub(super) fn item(&self, part: usize) -> &Item {
        &self.items[self.parts[part].item]
    }

    /// The message itself.
    pub(super) fn message(&self, part: usize) -> &[u8] {
        let Part { forms, form, .. } = &self.parts[part];
        &self.item(part).body[forms[*form].clone()]
    }

    /// From now on the message is sent in its next shorter form. False if it has none.
    pub(super) fn shorten(&mut self, part: usize) -> bool {
        let part = &mut self.parts[part];
        let has_next = part.form + 1 < part.forms.len();
        part.form += usize::from(has_next);
        has_next
    }

    /// The encoded batch.
    pub(super) fn encode(&self, batch: &Batch) -> Vec<u8> {
        let mut body = Vec::new();
        for part in batch.0.clone() {
            let message = self.message(part);
            encode_key(FIELD, WireType::LengthDelimited, &mut body);
            encode_varint(message.len() as u64, &mut body);
            body.extend_from_slice(message);
        }
        body
    }

    /// The idempotency key: it follows from what is in the batch, so it is the same for each try, also of another run
    /// of the sensor; a shorter form is something else. Rows have no identity of their own, so that of their item stands
    /// for them.
    pub(super) fn key(&self, batch: &Batch) -> Uuid {
        match self.kind {
            Kind::Urgent => {
                let mut said = Vec::new();
                for part in batch.0.clone() {
                    said.extend(self.item(part).uuid.into_bytes());
                    said.extend(std::iter::repeat_n(0, self.parts[part].form));
                }
                Uuid::new_v5(&KEYS, &said)
            }
            Kind::Bulk if batch.0 == (0..self.parts.len()) => self.items[0].uuid,
            Kind::Bulk => Uuid::new_v5(&self.items[0].uuid, format!("{}-{}", batch.0.start, batch.0.end).as_bytes()),
        }
    }
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Its halves; none if it is a single message.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let Range { start, end } = self.0;
        let middle = start + (end - start) / 2;
        (middle > start).then_some([Self(start..middle), Self(middle..end)])
    }
}

/// Where the messages of an encoded batch stand.
fn messages(body: &[u8]) -> Result<Vec<Range<usize>>, NoBatch> {
    let mut rest = body;
    let mut messages = Vec::new();
    while rest.has_remaining() {
        let key = decode_key(&mut rest).map_err(|_| NoBatch)?;
        if key != (FIELD, WireType::LengthDelimited) {
            return Err(NoBatch);
        }
        let length = decode_varint(&mut rest).ok().and_then(|length| usize::try_from(length).ok()).ok_or(NoBatch)?;
        let start = body.len() - rest.len();
        rest = rest.get(length..).ok_or(NoBatch)?;
        messages.push(start..start + length);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use sensor_proto::v1::{Alert, AlertBatch, EventBatch, LostRecords, Row, row::Table};

    use super::*;
    use crate::spool::ItemId;

    fn item(kind: Kind, number: u128, body: Vec<u8>) -> Item {
        let id = ItemId::for_test(kind, i64::try_from(number).unwrap());
        Item { id, uuid: Uuid::from_u128(number), records: 1, time: 0, body }
    }

    fn alert(number: u128) -> Alert {
        Alert { uuid: Uuid::from_u128(number).to_string(), strategy_name: "x".repeat(300), ..Alert::default() }
    }

    #[test]
    fn alerts_become_a_batch_and_its_halves() {
        let alerts: Vec<Alert> = (1..=5).map(alert).collect();
        let items = (1..).zip(&alerts).map(|(number, alert)| item(Kind::Urgent, number, alert.encode_to_vec()));
        let load = Load::alerts(items.collect());
        let whole: Vec<Batch> = load.batches(100).collect();
        assert_eq!(whole, [Batch(0..5)]);
        assert_eq!(AlertBatch::decode(&*load.encode(&whole[0])).unwrap().alerts, alerts);
        let [first, second] = whole[0].halves().unwrap();
        assert_eq!(AlertBatch::decode(&*load.encode(&second)).unwrap().alerts, alerts[2..]);
        assert_ne!(load.key(&first), load.key(&second));
        assert_eq!(load.key(&first), load.key(&Batch(0..2)));
        assert_eq!(first.halves().unwrap()[0].halves(), None);
        assert_eq!(load.batches(2).collect::<Vec<_>>(), [Batch(0..2), Batch(2..4), Batch(4..5)]);
    }

    #[test]
    fn a_message_goes_in_the_form_that_is_taken() {
        let mut shorter = alert(1);
        shorter.strategy_name.truncate(10);
        let body = forms::put(&[alert(1).encode_to_vec(), shorter.encode_to_vec()]);
        let mut load = Load::alerts(vec![item(Kind::Urgent, 1, body), item(Kind::Urgent, 2, alert(2).encode_to_vec())]);
        let batch = Batch(0..2);
        let key = load.key(&batch);
        assert_eq!(AlertBatch::decode(&*load.encode(&batch)).unwrap().alerts, [alert(1), alert(2)]);
        assert!(load.shorten(0) && !load.shorten(0) && !load.shorten(1));
        assert_eq!(AlertBatch::decode(&*load.encode(&batch)).unwrap().alerts, [shorter, alert(2)]);
        assert_ne!(load.key(&batch), key, "another body has another key");
    }

    #[test]
    fn rows_are_told_apart_without_decoding() {
        let row = |count| Row {
            table: Some(Table::LostRecords(LostRecords { count: Some(count), ..LostRecords::default() })),
        };
        let batch = EventBatch { rows: (0..300).map(row).collect() };
        let load = Load::telemetry(item(Kind::Bulk, 9, batch.encode_to_vec())).ok().unwrap();
        let parts: Vec<Batch> = load.batches(200).collect();
        assert_eq!(parts.iter().map(Batch::len).collect::<Vec<_>>(), [200, 100]);
        assert_eq!(EventBatch::decode(&*load.encode(&parts[1])).unwrap().rows, batch.rows[200..]);
        assert_eq!(Row::decode(load.message(7)).unwrap(), batch.rows[7]);
        assert_eq!(load.key(&Batch(0..300)), Uuid::from_u128(9));
        assert_ne!(load.key(&parts[0]), load.key(&parts[1]));
    }

    proptest! {
        #[test]
        fn arbitrary_telemetry_is_taken_whole_or_not_at_all(body: Vec<u8>) {
            if let Ok(load) = Load::telemetry(item(Kind::Bulk, 1, body.clone())) {
                let encoded: Vec<u8> = load.batches(3).flat_map(|batch| load.encode(&batch)).collect();
                let (again, rows) = (messages(&encoded).unwrap(), messages(&body).unwrap());
                prop_assert_eq!(again.len(), rows.len());
                prop_assert!(again.into_iter().zip(rows).all(|(new, old)| encoded[new] == body[old]));
            }
        }
    }
}
