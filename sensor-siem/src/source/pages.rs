//! A stream, page by page.

use reqwest::Url;
use tokio::sync::OwnedSemaphorePermit;

use super::{Begin, Session, Tenant, accounts::at, client::Fault};
use crate::item::{self, Item, Stream, mended, readable};

self_cell::self_cell!(
    /// The text of a page, and its items, which borrow from it.
    struct Read {
        owner: String,
        #[covariant]
        dependent: Items,
    }
    impl {Debug}
);

type Items<'a> = Vec<Item<'a>>;

/// Items on a page, the most that Central gives. A page that is larger than a reply may be is asked for in smaller ones:
/// Sophos Central gives no fewer than 200, `sensor-central` any number.
const LIMITS: [&str; 4] = ["1000", "200", "20", "1"];

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
    read: Read,
    /// Whether the next can be read at once.
    pub has_more: bool,
    /// Where that begins.
    pub next_cursor: String,
    /// When it was given, by Central's clock, Unix seconds; none if it does not say.
    pub date: Option<i64>,
    /// The page is one of those that are held at the same time, for as long as this is.
    pub place: Option<OwnedSemaphorePermit>,
}

impl Page {
    #[must_use]
    pub fn items(&self) -> &[Item<'_>] {
        self.read.borrow_dependent()
    }

    /// Leaves out the items for which this does not hold.
    pub fn retain(&mut self, is_kept: impl Fn(&Item<'_>) -> bool) {
        self.read.with_dependent_mut(|_, items| items.retain(is_kept));
    }
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
        // An old token tells the tenant by itself.
        let header = [("X-Tenant-ID", pages.tenant.id.as_str())];
        let headers = if pages.tenant.token.is_some() { &header[..0] } else { &header };
        let mut too_large = None;
        for limit in LIMITS {
            self.rate.wait(&pages.tenant.id).await;
            match (self.get(&url(host, pages, begin, limit), headers, read).await, too_large) {
                (Ok((page, facts)), _) => return Ok(Page { date: facts.date, place: Some(facts.place), ..page }),
                (Err(Fault::TooLarge(reason)), _) => {
                    tracing::info!("{reason} as a page of {limit} items");
                    too_large = Some(reason);
                }
                (Err(Fault::Bad(said)), Some(reason)) => {
                    return Err(Fault::Unavailable(format!("{reason}; a page of {limit} items was refused: {said}")));
                }
                (Err(fault), _) => return Err(fault),
            }
        }
        Err(Fault::Unavailable(format!("{} for a single item", too_large.unwrap_or_default())))
    }
}

fn url(host: &Url, pages: Pages<'_>, begin: &Begin, limit: &str) -> Url {
    let mut url = at(host, &["siem", "v1", pages.stream.path()]);
    {
        // A `+` of a cursor is sent as `%2B`.
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", limit);
        match begin {
            Begin::Cursor(cursor) => query.append_pair("cursor", cursor),
            Begin::Time(seconds) => query.append_pair("from_date", &seconds.to_string()),
        };
        if pages.light && pages.stream == Stream::Events {
            query.append_pair("exclude_types", &LIGHT.join(","));
        }
    }
    url
}

/// Takes the body, if it is a page.
fn read(body: &mut Vec<u8>) -> Result<Page, String> {
    let text = readable(std::mem::take(body));
    page(text).or_else(|(text, reason)| {
        page(mended(&text)).map_err(|_| {
            *body = text.into_bytes();
            reason
        })
    })
}

/// The page of this text; the text again and why, if it is none.
fn page(text: String) -> Result<Page, (String, String)> {
    let mut of_page = None;
    let read = Read::try_new_or_recover(text, |text| {
        let page = item::Page::read(text).map_err(|error| error.to_string())?;
        if page.next_cursor.is_empty() {
            return Err("there is no cursor for the next page".to_owned());
        }
        of_page = Some((page.has_more, page.next_cursor));
        Ok(page.items)
    })?;
    let (has_more, next_cursor) = of_page.unwrap_or_default();
    Ok(Page { read, has_more, next_cursor, date: None, place: None })
}
