//! Who did what.

use std::sync::Arc;

use axum::extract::State;
use maud::html;

use super::{
    Failure, Web,
    fields::Fields,
    layout::{self, Page, Place},
    session::Session,
};
use crate::store::UserRole;

/// Entries in a page.
const PAGE: u32 = 100;

pub(super) async fn page(State(web): State<Arc<Web>>, session: Session, asked: Fields) -> Result<Page, Failure> {
    session.must_be(UserRole::Admin)?;
    let below = asked.one("below").and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let tenant = session.user.tenant;
    let mut found = web.read(move |reader| reader.audit(tenant, below, PAGE + 1)).await?;
    let has_more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let body = html! {
        h1 { "Audit log" }
        p.hint { "What people did here, the newest first. Times are UTC." }
        div.scroll tabindex="0" role="region" aria-label="Audit log" {
            table {
                thead { tr { th scope="col" { "Time" } th scope="col" { "Who" } th scope="col" { "Did what" } th scope="col" { "To what" } th scope="col" { "Detail" } } }
                tbody {
                    @for (_, entry) in &found {
                        tr {
                            td.time { (layout::time(entry.time)) }
                            td { @if entry.actor.is_empty() { "command line" } @else { (entry.actor) } }
                            td { (entry.action) }
                            td.path { (entry.about) }
                            td { (entry.detail) }
                        }
                    }
                }
            }
        }
        @if let Some((last, _)) = found.last().filter(|_| has_more) {
            p { a href={ "/audit?below=" (last) } { "Older entries" } }
        }
    };
    Ok(layout::page(&session, Place::Audit, "Audit log", body))
}
