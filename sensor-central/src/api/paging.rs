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
