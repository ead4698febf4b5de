//! A batch cut into its items, each still encoded, so that one that cannot be read is rejected alone.

use axum::body::Bytes;
use prost::{
    DecodeError,
    bytes::Buf as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

use super::Failure;

/// The number of the repeated field that every kind of batch has its items in.
const ITEMS: u32 = 1;

/// Cuts a batch, at most into so many items.
pub(super) fn split(mut batch: Bytes, most: usize) -> Result<Vec<Bytes>, Failure> {
    let malformed = |fault: DecodeError| Failure::Malformed { format: "a protobuf batch", fault: fault.to_string() };
    let mut items = Vec::new();
    while batch.has_remaining() {
        let (field, wire_type) = decode_key(&mut batch).map_err(malformed)?;
        if field != ITEMS {
            // Of a newer sensor.
            skip_field(wire_type, field, &mut batch, DecodeContext::default()).map_err(malformed)?;
            continue;
        }
        let length = if wire_type == WireType::LengthDelimited {
            usize::try_from(decode_varint(&mut batch).map_err(malformed)?).unwrap_or(usize::MAX)
        } else {
            usize::MAX
        };
        if length > batch.remaining() {
            let fault = format!("item {} is not whole", items.len());
            return Err(Failure::Malformed { format: "a protobuf batch", fault });
        }
        if items.len() == most {
            return Err(Failure::TooMany { limit: most });
        }
        items.push(batch.split_to(length));
    }
    Ok(items)
}

/// Seconds or nanoseconds since the Unix epoch as nanoseconds; nothing if neither is given or fits.
pub(super) fn time(nanoseconds: Option<u64>, seconds: Option<i64>) -> Option<i64> {
    match (nanoseconds.filter(|&time| time != 0), seconds) {
        (Some(nanoseconds), _) => i64::try_from(nanoseconds).ok(),
        (None, Some(seconds)) => seconds.checked_mul(1_000_000_000),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use sensor_proto::v1::{Alert, AlertBatch};

    use super::*;

    proptest! {
        #[test]
        fn cuts_where_the_decoder_does(uuids in prop::collection::vec(".{0,40}", 0..20)) {
            let alerts: Vec<_> = uuids.into_iter().map(|uuid| Alert { uuid, ..Alert::default() }).collect();
            let items = split(AlertBatch { alerts: alerts.clone() }.encode_to_vec().into(), 20).unwrap();
            let decoded: Vec<_> = items.into_iter().map(|item| Alert::decode(item).unwrap()).collect();
            prop_assert_eq!(decoded, alerts);
        }

        #[test]
        fn takes_no_less_than_the_decoder(bytes: Vec<u8>) {
            let items = split(bytes.clone().into(), 1000);
            if let Ok(batch) = AlertBatch::decode(&bytes[..]) {
                prop_assert_eq!(items.unwrap().len(), batch.alerts.len());
            }
        }
    }

    #[test]
    fn one_item_more_than_allowed_is_too_many() {
        let batch: Bytes = AlertBatch { alerts: vec![Alert::default(); 3] }.encode_to_vec().into();
        assert_eq!(split(batch.clone(), 3).unwrap().len(), 3);
        assert!(matches!(split(batch, 2), Err(Failure::TooMany { limit: 2 })));
    }
}
