//! A stream, page by page.

use tokio::sync::OwnedSemaphorePermit;

use super::{Begin, Session, Tenant, accounts::at, client::Fault};
use crate::item::{self, Item, Stream, readable};

/// Items on a page, the most that Central gives.
const LIMIT: &str = "1000";

/// Types of events that are left out in light mode.
pub const LIGHT: [&str; 9] = [
    "Event::Endpoint::NonCompliant",
    "Event::Endpoint::Compliant",
    "Event::Endpoint::Device::AlertedOnly",
    "Event::Endpoint::UpdateFailure",
    "Event::Endpoint::SavScanComplete",
    "Event::Endpoint::Application::Allowed",
    "Event::Endpoint::UpdateSuccess",
    "Event::Endpoint::WebControlViolation",
    "Event::Endpoint::WebFilteringBlocked",
];

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Pages<'a> {
    pub tenant: &'a Tenant,
    pub stream: Stream,
    /// Without what [`LIGHT`] names.
    pub light: bool,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    pub items: Vec<Item>,
    /// Whether the next can be read at once.
    pub has_more: bool,
    /// Where that begins.
    pub next_cursor: String,
    /// When it was given, by Central's clock, Unix seconds; none if it does not say.
    pub date: Option<i64>,
    /// The page is one of those that are held at the same time, for as long as this is.
    pub place: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// The page that begins there.
    ///
    /// # Errors
    /// Central does not answer, or refuses to; [`Fault::Bad`] if it does not know the cursor.
    pub async fn page(&self, pages: Pages<'_>, begin: &Begin) -> Result<Page, Fault> {
        let Some(host) = &pages.tenant.host else {
            return Err(Fault::Refused("Central names no host for the tenant's data".into()));
        };
        let mut url = at(host, &["siem", "v1", pages.stream.path()]);
        {
            // A `+` of a cursor is sent as `%2B`.
            let mut query = url.query_pairs_mut();
            query.append_pair("limit", LIMIT);
            match begin {
                Begin::Cursor(cursor) => query.append_pair("cursor", cursor),
                Begin::Time(seconds) => query.append_pair("from_date", &seconds.to_string()),
            };
            if pages.light && pages.stream == Stream::Events {
                query.append_pair("exclude_types", &LIGHT.join(","));
            }
        }
        // An old token tells the tenant by itself.
        let header = [("X-Tenant-ID", pages.tenant.id.as_str())];
        let headers = if pages.tenant.token.is_some() { &header[..0] } else { &header };
        self.rate.wait(&pages.tenant.id).await;
        let (page, facts) = self.get(&url, headers, read).await?;
        Ok(Page { date: facts.date, place: Some(facts.place), ..page })
    }
}

fn read(body: &[u8]) -> Result<Page, String> {
    let text = readable(body);
    let page: item::Page<'_> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if page.next_cursor.is_empty() {
        return Err("there is no cursor for the next page".into());
    }
    let items = page.items.into_iter().map(Item::new).collect();
    Ok(Page { items, has_more: page.has_more, next_cursor: page.next_cursor, date: None, place: None })
}
