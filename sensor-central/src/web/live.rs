//! Detections as they come in, as server-sent events: rows of the list, made as the page makes them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    Failure, Web, detections,
    fields::Fields,
    filter::{self, Filter, write_place},
    session::Session,
};
use crate::store::Place;

/// Arrivals that are looked at for one event.
const MOST: u32 = 200;

/// How long arrivals are gathered: what comes in one after the other is told together.
const GATHER: Duration = Duration::from_millis(200);

/// How often something is said if nothing comes in: so that neither side waits for one that is gone, and a session that has
/// ended is found out.
const ALIVE: Duration = Duration::from_secs(15);

/// What one browser waits for.
struct Waiting {
    web: Arc<Web>,
    session: Session,
    filter: Filter,
    after: Place,
    arrivals: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    /// Whether there may be more than was told.
    is_behind: bool,
    has_ended: bool,
    /// One of the places for those who wait.
    _place: OwnedSemaphorePermit,
}

pub(super) async fn stream(
    State(web): State<Arc<Web>>,
    session: Session,
    headers: HeaderMap,
    asked: Fields,
) -> Result<Response, Failure> {
    let filter = Filter::read(&asked, crate::now() / 1_000_000);
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = last.or(asked.one("after")).map(filter::place).transpose();
    let (Ok(filter), Ok(Some(after))) = (filter, after) else {
        return Ok((StatusCode::BAD_REQUEST, "after must be a place, and the rest a filter\n").into_response());
    };
    let Ok(place) = Arc::clone(&web.waiting).try_acquire_owned() else {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, "too many pages are waiting for news\n").into_response());
    };
    let (arrivals, stopping) = (web.store.arrivals(), web.stopping.clone());
    let waiting =
        Waiting { web, session, filter, after, arrivals, stopping, is_behind: true, has_ended: false, _place: place };
    let events = stream::unfold(waiting, |mut waiting| async {
        let event = waiting.next().await?;
        Some((Ok::<_, Infallible>(event), waiting))
    });
    Ok(Sse::new(events).into_response())
}

impl Waiting {
    /// The next event; nothing once it is over.
    async fn next(&mut self) -> Option<Event> {
        if self.has_ended || *self.stopping.borrow() {
            return None;
        }
        if !self.is_behind {
            tokio::select! {
                changed = self.arrivals.changed() => changed.ok()?,
                _ = self.stopping.changed() => return None,
                () = tokio::time::sleep(ALIVE) => return Some(if self.is_let_in().await { Event::default().comment("") } else { self.end() }),
            }
            tokio::time::sleep(GATHER).await;
            self.arrivals.mark_unchanged();
        }
        if !self.is_let_in().await {
            return Some(self.end());
        }
        match self.rows().await {
            Ok(rows) => Some(rows),
            Err(_) => Some(self.end()),
        }
    }

    /// The rows of the next arrivals, the newest first. Empty if they are others.
    async fn rows(&mut self) -> Result<Event, Failure> {
        let (tenant, sought, after) = (self.session.user.tenant, self.filter.sought.clone(), self.after);
        let (found, end) = self.web.read(move |reader| reader.listing_after(tenant, &sought, after, MOST)).await?;
        self.is_behind = end != after;
        self.after = end;
        if found.is_empty() {
            return Ok(Event::default().comment(""));
        }
        let rows: String = found.iter().rev().map(|listed| detections::row(listed).into_string()).collect();
        Ok(Event::default().event("rows").id(write_place(end)).data(rows))
    }

    /// Whether the session goes on. That somebody has a page open does not keep it from ending.
    async fn is_let_in(&self) -> bool {
        let (hash, lasting) = (self.session.hash, self.web.lasting);
        let found = self.web.read(move |reader| reader.web_session(hash, lasting, crate::now())).await;
        found.is_ok_and(|found| found.is_some())
    }

    /// Tells the browser not to ask again.
    fn end(&mut self) -> Event {
        self.has_ended = true;
        Event::default().event("end").data("over")
    }
}
