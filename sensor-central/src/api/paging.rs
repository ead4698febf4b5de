//! Long lists, a page at a time.

use serde_json::{Value, json};

use super::{ApiError, query::Query};

/// A page by its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    page: u64,
    size: u64,
    max: u64,
}

/// Items in a page, if the request does not say.
const SIZE: u64 = 50;

impl Numbered {
    /// Which page is asked for.
    pub(super) fn read(query: &Query, max: u64) -> Result<Self, ApiError> {
        let size = query.number("pageSize", max)?.unwrap_or(SIZE.min(max));
        // Totals are told in any case.
        query.is_on("pageTotal")?;
        Ok(Self { page: query.number("page", u64::MAX / max)?.unwrap_or(1), size, max })
    }

    /// The number of its first item, from 0.
    pub(super) const fn first(self) -> u64 {
        (self.page - 1) * self.size
    }

    /// Most items that it has.
    pub(super) const fn size(self) -> u64 {
        self.size
    }

    /// What is told of it. No client may meet a member here that is not published: some make classes of it.
    pub(super) fn tell(self, items: u64) -> Value {
        json!({
            "current": self.page,
            "size": self.size,
            "maxSize": self.max,
            "total": items.div_ceil(self.size),
            "items": items,
        })
    }
}

/// A page by the key that the one before ended with. Keys are decimal digits: one client reads them as a number, another
/// puts them into a query as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed {
    /// Stands above the number.
    pub(super) key: Option<i64>,
    pub(super) page: u64,
    pub(super) size: u64,
    pub(super) wants_total: bool,
    max: u64,
}

impl Keyed {
    /// Which page is asked for.
    pub(super) fn read(query: &Query, max: u64) -> Result<Self, ApiError> {
        let fault = || ApiError::bad_request("pageFromKey must be a nextKey that was given here");
        let key = query.one("pageFromKey").map(|key| key.parse::<i64>().map_err(|_| fault())).transpose()?;
        Ok(Self {
            key,
            page: query.number("page", u64::from(u32::MAX))?.unwrap_or(1),
            size: query.number("pageSize", max)?.unwrap_or(SIZE.min(max)),
            wants_total: query.is_on("pageTotal")?,
            max,
        })
    }

    /// The whole answer. On the last page there is no `nextKey`, and nowhere a `current`, on which a client would go round
    /// and round.
    pub(super) fn tell(self, items: Vec<Value>, next: Option<i64>, total: Option<u64>) -> Value {
        let mut pages = json!({ "size": self.size, "maxSize": self.max });
        if let Some(key) = self.key {
            pages["fromKey"] = key.to_string().into();
        }
        if let Some(key) = next {
            pages["nextKey"] = key.to_string().into();
        }
        if let Some(total) = total {
            pages["total"] = total.div_ceil(self.size).into();
            pages["items"] = total.into();
        }
        json!({ "items": items, "pages": pages })
    }
}

/// The members that `fields` names, and the id in any case; all if it names none.
pub(super) fn only(query: &Query, item: Value) -> Value {
    let fields = query.list("fields");
    match item {
        Value::Object(members) if !fields.is_empty() => {
            members.into_iter().filter(|(name, _)| name == "id" || fields.contains(name)).collect()
        }
        item => item,
    }
}
