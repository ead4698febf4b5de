//! Messages as batches, and the messages in one.
//!
//! An alert's item is an encoded `Alert`; alerts become a batch by putting the field's header before each. An item of rows is
//! an encoded `EventBatch`; its rows are told apart by their headers. Neither has to be decoded.

use std::ops::Range;

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

use crate::remote::Message;

/// The field of both kinds of batch that holds its messages.
const FIELD: u32 = 1;

/// A body that is no batch of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoBatch;

/// The encoded batch.
pub(super) fn encode(batch: &[Message<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for Message { body: message, .. } in batch {
        encode_key(FIELD, WireType::LengthDelimited, &mut body);
        encode_varint(message.len() as u64, &mut body);
        body.extend_from_slice(message);
    }
    body
}

/// Where the messages of an encoded batch stand.
pub(super) fn messages(body: &[u8]) -> Result<Vec<Range<usize>>, NoBatch> {
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
    use uuid::Uuid;

    use super::*;

    #[test]
    fn alerts_become_a_batch() {
        let alerts: Vec<Alert> =
            ["a", "b"].map(|name| Alert { strategy_name: name.repeat(300), ..Alert::default() }).into();
        let bodies: Vec<Vec<u8>> = alerts.iter().map(Alert::encode_to_vec).collect();
        let messages: Vec<Message<'_>> = bodies.iter().map(|body| Message::new(Uuid::nil(), body)).collect();
        assert_eq!(AlertBatch::decode(&*encode(&messages)).unwrap().alerts, alerts);
    }

    #[test]
    fn rows_are_told_apart_without_decoding() {
        let row = |count| Row {
            table: Some(Table::LostRecords(LostRecords { count: Some(count), ..LostRecords::default() })),
        };
        let body = EventBatch { rows: (0..300).map(row).collect() }.encode_to_vec();
        let rows: Vec<Row> = messages(&body).unwrap().into_iter().map(|at| Row::decode(&body[at]).unwrap()).collect();
        assert_eq!(rows, (0..300).map(row).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn arbitrary_rows_are_taken_whole_or_not_at_all(body: Vec<u8>) {
            if let Ok(rows) = messages(&body) {
                let all: Vec<_> = rows.iter().map(|row| Message::new(Uuid::nil(), &body[row.clone()])).collect();
                let encoded = encode(&all);
                let again = messages(&encoded).unwrap();
                prop_assert_eq!(again.len(), rows.len());
                prop_assert!(again.into_iter().zip(rows).all(|(new, old)| encoded[new] == body[old]));
            }
        }
    }
}
