//! Alerts and rows as the messages to Central.
//!
//! By way of their JSON, whose names the messages share: what an alert looks like is told in one place, and a text is
//! escaped on this way as on any other.

use delivery::spool::{Kind, NewItem, forms};
use prost::Message as _;
use schema::Table;
use sensor_proto::v1;
use uuid::Uuid;

use crate::alert::shorten::{MOST_BYTES, shorter};
use crate::alert::{Alert, json};
use crate::event::json::RowWriter;
use crate::event::{Event, Host};

/// Something that no message to Central can hold.
#[derive(Debug, thiserror::Error)]
#[error("{what} does not fit the messages to Central: {reason}")]
pub(super) struct EncodeError {
    /// An alert, or rows of a table.
    pub(super) what: &'static str,
    pub(super) reason: serde_json::Error,
}

/// An alert, to be spooled: at most [`MOST_BYTES`] of JSON, and shorter for a receiver that does not take that. Whether
/// the longest form lacks something.
///
/// # Errors
///
/// If the alert's JSON is not what the message takes.
pub(super) fn alert_item(alert: &Alert) -> Result<(NewItem, bool), EncodeError> {
    let mut json = Vec::new();
    let is_cut = json::write(&mut json, alert, MOST_BYTES);
    let message = |json: &[u8]| {
        let message = serde_json::from_slice::<v1::Alert>(json);
        message.map(|message| message.encode_to_vec()).map_err(|reason| EncodeError { what: "an alert", reason })
    };
    let mut forms = vec![message(&json)?];
    for bytes in shorter(json.len()) {
        json.clear();
        json::write(&mut json, alert, bytes);
        forms.push(message(&json)?);
    }
    Ok((NewItem { kind: Kind::Urgent, uuid: alert.uuid, records: 1, body: forms::put(&forms) }, is_cut))
}

/// Rows of a table, to be spooled: so many are an item, and will be a batch.
///
/// # Errors
///
/// If Central has no such table, or a row is not what its message takes.
pub(super) fn row_items(
    table: &'static Table,
    events: &[Event],
    host: &Host,
    rows_in_item: usize,
) -> Result<Vec<NewItem>, EncodeError> {
    let writer = RowWriter::new(table);
    let mut json = Vec::new();
    events
        .chunks(rows_in_item.max(1))
        .map(|events| {
            let mut rows = Vec::with_capacity(events.len());
            for event in events {
                json.clear();
                writer.write(&mut json, event, host);
                let row: v1::Row =
                    serde_json::from_slice(&json).map_err(|reason| EncodeError { what: table.name, reason })?;
                rows.push(row);
            }
            let records = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let body = v1::EventBatch { rows }.encode_to_vec();
            Ok(NewItem { kind: Kind::Bulk, uuid: Uuid::now_v7(), records, body })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::Table;
    use serde_json::json;

    use super::*;
    use crate::event::build;
    use crate::policy::Policy;

    fn event(pid: u32) -> (Event, Host) {
        build::build(&json!({
            "eventType": "PROCESS_EVENT_TYPE_EXEC", "time": 1_700_000_000_123_456_789_u64, "sophosPid": format!("{pid}:5"),
            "programName": "/usr/bin/a\\xff", "args": ["a", "b c"],
        }))
        .unwrap()
    }

    #[test]
    fn an_alert_becomes_its_message() {
        let (event, host) = event(7);
        let policy = Policy { name: "Shell".to_owned(), ..Policy::default() };
        let alert = Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host));
        let (item, is_cut) = alert_item(&alert).unwrap();
        assert!(!is_cut);
        let told = forms::read(&item.body).into_iter().map(|form| v1::Alert::decode(form).unwrap());
        let mut told = told.collect::<Vec<_>>();
        assert!(told.iter().all(|message| message.uuid == alert.uuid.to_string()));
        let message = told.remove(0);
        assert_eq!((item.kind, item.uuid, item.records), (Kind::Urgent, alert.uuid, 1));
        assert_eq!((message.uuid, message.strategy_name), (alert.uuid.to_string(), "Shell".to_owned()));
        assert_eq!(message.process_info.unwrap().name, "/usr/bin/a\\xff");
    }

    #[test]
    fn rows_become_items_of_so_many() {
        let rows: Vec<(Event, Host)> = (1..=7).map(event).collect();
        let events: Vec<Event> = rows.iter().map(|(event, _)| event.clone()).collect();
        let table = Table::by_name("process_events").unwrap();
        let items = row_items(table, &events, &rows[0].1, 3).unwrap();
        assert_eq!(items.iter().map(|item| item.records).collect::<Vec<_>>(), [3, 3, 1]);
        let batch = v1::EventBatch::decode(&*items[2].body).unwrap();
        assert!(matches!(&batch.rows[0].table, Some(v1::row::Table::ProcessEvents(row)) if row.pid == Some(7)));
        // A table that Central does not have.
        let error = row_items(Table::by_name("sensor_metadata").unwrap(), &events, &rows[0].1, 3).unwrap_err();
        assert!(error.to_string().contains("sensor_metadata"), "{error}");
    }
}
