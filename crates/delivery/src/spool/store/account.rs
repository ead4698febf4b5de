//! What was given up and is still to be told, on disk beside the items that it was of.

use rusqlite::{Connection, Transaction};

use super::StoreError;
use crate::spool::item::{Cause, GivenUp, Kind};

/// What a store says was given up and is still to be told. Older ones have no such account.
pub(in crate::spool) fn given_up_in(db: &Connection) -> Result<GivenUp, StoreError> {
    let mut given_up = GivenUp::default();
    if !db.table_exists(None::<&str>, "given_up")? {
        return Ok(given_up);
    }
    let mut statement = db.prepare("select kind, cause, count from given_up")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column).ok().and_then(|value| value.as_str().ok());
        let kind = text(0).and_then(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name));
        let cause = text(1).and_then(Cause::by_name);
        let count = row.get_ref(2)?.as_i64().ok().and_then(|count| u64::try_from(count).ok());
        if let (Some(kind), Some(cause), Some(count)) = (kind, cause, count) {
            given_up.add(kind, cause, count);
        }
    }
    Ok(given_up)
}

/// Writes down what is still to be told: all that was, and news. Yields that.
pub(super) fn note(
    change: &Transaction<'_>,
    unreported: &GivenUp,
    news: &GivenUp,
    noted: &GivenUp,
) -> Result<GivenUp, StoreError> {
    let mut all = *unreported;
    all.add_all(news);
    if all == *noted {
        return Ok(all);
    }
    change.execute_batch(
        "create table if not exists given_up(kind text, cause text, count integer, primary key(kind, cause))",
    )?;
    for kind in Kind::ALL {
        for cause in Cause::ALL {
            let count = i64::try_from(all.count(kind, cause)).unwrap_or(i64::MAX);
            let values = (kind.name(), cause.name(), count);
            change.prepare_cached("insert or replace into given_up values(?, ?, ?)")?.execute(values)?;
        }
    }
    Ok(all)
}
