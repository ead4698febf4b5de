//! What a client, or anyone who can reach the service, sends.

use super::{
    oauth,
    paging::{Keyed, Numbered},
    query::Query,
    siem::cursor::{Cursor, Stream},
    times,
};

/// Bytes, read as everything that they could be.
///
/// # Panics
///
/// If what was read does not come back as it was written.
pub fn api(bytes: &[u8]) {
    let _ = oauth::read(bytes);
    let text = String::from_utf8_lossy(bytes);
    for query in [Some(Query::parse(&text)), Query::of_object(bytes).ok()].into_iter().flatten() {
        let _ = (query.one("cursor"), query.list("ids"), query.time("from", 0));
        if let Ok(page) = Numbered::read(&query, 100) {
            assert!((1..=100).contains(&page.size()));
            let _ = (page.first(), page.tell(1000));
        }
        if let Ok(page) = Keyed::read(&query, 100) {
            let _ = page.tell(Vec::new(), Some(1), Some(1000));
        }
    }
    if let Some(time) = times::read(&text, 0) {
        assert_eq!(times::read(&times::write_milliseconds(time), 0), Some(time));
    }
    for stream in [Stream::Alerts, Stream::Events] {
        if let Some(cursor) = Cursor::read(&text, stream) {
            assert_eq!(cursor.write(), text);
        }
    }
}
