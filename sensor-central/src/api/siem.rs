//! `GET /siem/v1/alerts` and `GET /siem/v1/events`: all that came in, in order of arrival, from a cursor on.

pub(super) mod cursor;
pub(super) mod item;

use std::sync::Arc;

use axum::{extract::State, http::header};
use serde::Serialize;

use super::{Api, ApiError, access::OfTenant, query::Query};
use crate::{ids::Endpoints, store::Place};
use cursor::{Cursor, Stream};

/// Items in an answer, if the request does not say, and most of them.
const LIMIT: u64 = 200;
const MOST: u64 = 1000;

/// What an item takes of an answer, bytes: a guess, which most do not exceed.
const ITEM: usize = 1024;

/// How far back it goes without a cursor, and how old a cursor may be, milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// How far ahead of this clock a client's may be, milliseconds.
const AHEAD: i64 = 5 * 60 * 1000;

/// JSON that is written already.
type Written = ([(header::HeaderName, &'static str); 1], Vec<u8>);

pub(super) async fn alerts(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    query: Query,
) -> Result<Written, ApiError> {
    let asked = Asked::read(&query, Stream::Alerts)?;
    // It is written there, too: a page takes long enough for other connections to wait for it.
    api.read(move |reader| {
        let mut found = reader.alerts_after(tenant.id, asked.after, asked.limit + 1)?;
        let has_more = asked.cut(&mut found);
        let last = found.last().map(|alert| alert.place);
        let mut endpoints = Endpoints::default();
        let items = found.iter().map(|kept| {
            let endpoint = endpoints.of(&kept.sensor);
            item::Alert { tenant: tenant.id, endpoint, kept }
        });
        Ok(asked.answer(items.collect(), has_more, last))
    })
    .await?
}

pub(super) async fn events(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    query: Query,
) -> Result<Written, ApiError> {
    let asked = Asked::read(&query, Stream::Events)?;
    let without = query.list("exclude_types");
    api.read(move |reader| {
        let (mut found, end) = reader.events_after(tenant.id, asked.after, &without, asked.limit + 1)?;
        let has_more = asked.cut(&mut found);
        let last = if has_more { found.last().map(|event| event.place) } else { Some(end) };
        let mut endpoints = Endpoints::default();
        let items = found.iter().map(|kept| {
            let endpoint = endpoints.of(&kept.sensor);
            item::Event { tenant: tenant.id, endpoint, kept }
        });
        Ok(asked.answer(items.collect(), has_more, last))
    })
    .await?
}

/// An answer.
#[derive(Serialize)]
struct Page<I> {
    has_more: bool,
    items: Vec<I>,
    next_cursor: String,
}

/// What a request asks for.
struct Asked {
    stream: Stream,
    after: Place,
    limit: usize,
    /// Milliseconds since the Unix epoch.
    now: i64,
}

impl Asked {
    /// `page` and `pageSize`, which some clients send, are of other end points.
    fn read(query: &Query, stream: Stream) -> Result<Self, ApiError> {
        let now = crate::now() / 1_000_000;
        let limit = query.number("limit", MOST)?.unwrap_or(LIMIT);
        let day_ago = now - DAY;
        let from = match query.one("cursor").map(|text| Cursor::read(text, stream)) {
            Some(None) => {
                return Err(ApiError::bad_request("cursor is not one that was given here: leave it out to begin anew"));
            }
            Some(Some(cursor)) if cursor.given >= day_ago => cursor.after,
            // One that is older is as none.
            Some(Some(_)) => before(day_ago),
            None => before(from_date(query, now)?.unwrap_or(day_ago).max(day_ago)),
        };
        Ok(Self { stream, after: from, limit: usize::try_from(limit).unwrap_or(usize::MAX), now })
    }

    /// Cuts off what was read to see whether there is more; says whether there is.
    fn cut<T>(&self, found: &mut Vec<T>) -> bool {
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        has_more
    }

    fn answer<I: Serialize>(&self, items: Vec<I>, has_more: bool, last: Option<Place>) -> Result<Written, ApiError> {
        let next = Cursor { stream: self.stream, given: self.now, after: last.unwrap_or(self.after) };
        let mut body = Vec::with_capacity((items.len() + 1) * ITEM);
        let page = Page { has_more, items, next_cursor: next.write() };
        serde_json::to_writer(&mut body, &page).map_err(|_| ApiError::internal())?;
        Ok(([(header::CONTENT_TYPE, "application/json")], body))
    }
}

/// The place before all that came in at a moment.
const fn before(raised: i64) -> Place {
    Place { raised, row: i64::MIN }
}

/// From when on, milliseconds since the Unix epoch: asked for in seconds, or as other end points take times.
fn from_date(query: &Query, now: i64) -> Result<Option<i64>, ApiError> {
    let seconds = query.one("from_date").and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    #[expect(clippy::cast_possible_truncation, reason = "a cast to an integer goes no further than its ends")]
    let milliseconds = match seconds {
        Some(seconds) => Some((seconds * 1000.0) as i64),
        None => query.time("from_date", now * 1_000_000)?,
    };
    match milliseconds {
        Some(time) if time > now + AHEAD => Err(ApiError::bad_request("from_date is in the future")),
        time => Ok(time),
    }
}
