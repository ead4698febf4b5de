//! Detections as people look for them: the newest first, page by page, by what they know of them.
//!
//! A page costs the same however many there are. One index leads from the newest to the oldest of what it knows, and what it
//! does not know is looked at here, row by row, up to [`LOOKS`] rows; then the page says how far it has come.

use rusqlite::{Connection, Row, params_from_iter, types::Value};
use uuid::Uuid;

use super::{Place, Reader, StoreError, StoredAlert, arrivals};

/// Rows that are looked at for a page.
pub const LOOKS: usize = 20_000;

/// Rows of an index that are counted for a plot, per severity.
const COUNTED: u32 = 100_000;

/// Which detections. What is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Those that came in at this moment or later, milliseconds since the Unix epoch …
    pub from: Option<i64>,
    /// … and before this one.
    pub to: Option<i64>,
    pub host: Option<String>,
    pub user: Option<String>,
    pub container: Option<String>,
    pub policy: Option<String>,
    pub incident: Option<String>,
    pub severity: Option<u8>,
    /// As a category names it.
    pub tactic: Option<String>,
    /// Words of the alert's JSON, in small letters.
    pub words: Vec<String>,
    /// Closed ones alone, or open ones alone.
    pub closed: Option<bool>,
}

/// A detection of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    pub alert: StoredAlert,
    /// Empty if it is not known, as the next two.
    pub user: String,
    pub container: String,
    pub incident: String,
    pub is_closed: bool,
}

/// A page of them.
#[derive(Clone, Debug)]
pub struct Listing {
    pub found: Vec<Listed>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Place>,
    /// Whether the search stopped there because it had looked at [`LOOKS`] rows.
    pub is_cut: bool,
}

/// An index, by the column that it knows beside tenant and arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Index {
    name: &'static str,
    column: &'static str,
    /// Whether rows without a value are not in it.
    is_partial: bool,
}

const fn index(name: &'static str, column: &'static str, is_partial: bool) -> Index {
    Index { name, column, is_partial }
}

const BY_ARRIVAL: Index = index("alerts_by_arrival", "", false);
const BY_SEVERITY: Index = index("alerts_by_severity", "severity", false);

impl Sought {
    /// The index that leaves the fewest rows to look at, and what is looked for in it: what is rarest first.
    fn index(&self) -> (Index, Option<Value>) {
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let known = [
            (index("alerts_by_incident", "incident", true), text(&self.incident)),
            (index("alerts_by_container", "container", true), text(&self.container)),
            (index("alerts_by_host", "host", false), text(&self.host)),
            (index("alerts_by_user", "user", true), text(&self.user)),
            (index("alerts_by_policy", "policy", false), text(&self.policy)),
            (BY_SEVERITY, self.severity.map(|number| i64::from(number).into())),
        ];
        known.into_iter().find(|(_, value)| value.is_some()).unwrap_or((BY_ARRIVAL, None))
    }

    /// The condition that an index serves, in the order of arrival, and what stands in its places.
    fn condition(&self, tenant: Uuid, before: Place) -> (Index, String, Vec<Value>) {
        let (index, value) = self.index();
        let mut sql = "tenant = ?".to_owned();
        let mut values: Vec<Value> = vec![tenant.to_string().into()];
        if let Some(value) = value {
            sql.push_str(&format!(" AND {} = ?", index.column));
            values.push(value);
            if index.is_partial {
                sql.push_str(&format!(" AND {} <> ''", index.column));
            }
        }
        sql.push_str(" AND (raised, id) < (?, ?) AND raised >= ?");
        let to = Place { raised: self.to.unwrap_or(i64::MAX), row: 0 };
        let before = before.min(to);
        values.extend([before.raised.into(), before.row.into(), self.from.unwrap_or(0).into()]);
        (index, sql, values)
    }

    /// The query for those before a place, whatever no index knows.
    fn query(&self, tenant: Uuid, before: Place) -> (String, Vec<Value>) {
        let (index, condition, values) = self.condition(tenant, before);
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts INDEXED BY {} WHERE {condition} ORDER BY raised DESC, id DESC",
            index.name
        );
        (sql, values)
    }

    /// Whether a detection is one of them.
    #[must_use]
    pub fn holds(&self, listed: &Listed) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let alert = &listed.alert;
        self.from.is_none_or(|from| alert.place.raised >= from)
            && self.to.is_none_or(|to| alert.place.raised < to)
            && self.severity.is_none_or(|severity| alert.severity == severity)
            && self.closed.is_none_or(|closed| listed.is_closed == closed)
            && is(&self.host, &alert.host)
            && is(&self.user, &listed.user)
            && is(&self.container, &listed.container)
            && is(&self.policy, &alert.policy)
            && is(&self.incident, &listed.incident)
            && self.tactic.as_ref().is_none_or(|tactic| alert.json.contains(&format!("\"MITRE.{tactic}.")))
            && self.has_words(&alert.json)
    }

    fn has_words(&self, json: &str) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let json = json.to_lowercase();
        self.words.iter().all(|word| json.contains(word))
    }

    /// Whether one index and the time tell all that is asked for.
    fn is_of_one_index(&self) -> bool {
        let Self { from: _, to: _, host, user, container, policy, incident, severity, tactic, words, closed } = self;
        let texts = [host, user, container, policy, incident].into_iter().flatten().count();
        texts + usize::from(severity.is_some()) <= 1 && tactic.is_none() && words.is_empty() && closed.is_none()
    }
}

/// Those of [`arrivals::read`], and what [`read`] reads besides.
pub(super) const COLUMNS: &str =
    "raised, id, public_id, sensor, time, severity, policy, host, json, user, container, incident, closed IS NOT NULL";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        alert: arrivals::read(row)?,
        user: row.get(9)?,
        container: row.get(10)?,
        incident: row.get(11)?,
        is_closed: row.get(12)?,
    })
}

impl Reader {
    /// A page of those before a place, the newest first: at most so many, which is 1 or more.
    ///
    /// # Errors
    /// The database failed.
    pub fn listing(&self, tenant: Uuid, sought: &Sought, before: Place, most: usize) -> Result<Listing, StoreError> {
        self.with(|connection| list(connection, tenant, sought, before, most))
    }

    /// Those that came in after a place, the oldest first, and how far that is: at most so many are looked at.
    ///
    /// # Errors
    /// The database failed.
    pub fn listing_after(
        &self,
        tenant: Uuid,
        sought: &Sought,
        after: Place,
        most: u32,
    ) -> Result<(Vec<Listed>, Place), StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts INDEXED BY alerts_by_arrival
             WHERE tenant = ? AND (raised, id) > (?, ?) ORDER BY raised, id LIMIT ?"
        );
        let values: [Value; 4] =
            [tenant.to_string().into(), after.raised.into(), after.row.into(), i64::from(most).into()];
        let mut found = self.with(|connection| {
            connection.prepare_cached(&sql)?.query_map(params_from_iter(values), read)?.collect::<Result<Vec<_>, _>>()
        })?;
        let end = found.last().map_or(after, |listed| listed.alert.place);
        found.retain(|listed| sought.holds(listed));
        Ok((found, end))
    }

    /// The place of a tenant's newest alert: all that come later are behind it.
    ///
    /// # Errors
    /// The database failed.
    pub fn newest_place(&self, tenant: Uuid) -> Result<Place, StoreError> {
        let sql = "SELECT raised, id FROM alerts INDEXED BY alerts_by_arrival WHERE tenant = ?
                   ORDER BY raised DESC, id DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok(Place { raised: row.get(0)?, row: row.get(1)? });
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query_map([tenant.to_string()], read)?;
            found.next().unwrap_or(Ok(Place { raised: 0, row: 0 }))
        })
    }

    /// How many there are in each of so many equal parts of the time from `sought.from` to `sought.to`, the oldest first, by
    /// severity if no other index is asked. Nothing if that would have to be looked at row by row.
    ///
    /// # Errors
    /// The database failed.
    pub fn counts(&self, tenant: Uuid, sought: &Sought, parts: u32) -> Result<Option<Vec<Counted>>, StoreError> {
        let (Some(from), Some(to), true) = (sought.from, sought.to, sought.is_of_one_index()) else { return Ok(None) };
        let step = ((to - from) / i64::from(parts)).max(1);
        let by_severity = [BY_ARRIVAL, BY_SEVERITY].contains(&sought.index().0);
        let severities: Vec<Option<u8>> = match sought.severity {
            Some(severity) => vec![Some(severity)],
            None if by_severity => crate::severity::DEGREES.iter().map(|degree| Some(degree.number)).collect(),
            None => vec![None],
        };
        self.with(|connection| {
            let count = |severity| {
                let sought = Sought { severity, ..sought.clone() };
                count(connection, tenant, &sought, step, parts).map(|counts| Counted { severity, counts })
            };
            severities.into_iter().map(count).collect::<rusqlite::Result<Vec<_>>>().map(Some)
        })
    }
}

/// How many there are in each part of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Of this severity, or of any.
    pub severity: Option<u8>,
    /// The oldest part first. None: it was not counted so far back.
    pub counts: Vec<Option<u64>>,
}

fn list(
    connection: &Connection,
    tenant: Uuid,
    sought: &Sought,
    before: Place,
    most: usize,
) -> rusqlite::Result<Listing> {
    let (sql, values) = sought.query(tenant, before);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut found, mut looks) = (Vec::new(), 0);
    let mut last = before;
    while let Some(row) = rows.next()? {
        if looks == LOOKS {
            return Ok(Listing { found, next: Some(last), is_cut: true });
        }
        looks += 1;
        let listed = read(row)?;
        let place = listed.alert.place;
        if sought.holds(&listed) {
            if found.len() == most {
                return Ok(Listing { found, next: Some(last), is_cut: false });
            }
            found.push(listed);
        }
        last = place;
    }
    Ok(Listing { found, next: None, is_cut: false })
}

fn counting(sought: &Sought, tenant: Uuid) -> (String, Vec<Value>) {
    let (index, condition, values) = sought.condition(tenant, Place { raised: i64::MAX, row: 0 });
    let sql = format!(
        "SELECT raised FROM alerts INDEXED BY {} WHERE {condition} ORDER BY raised DESC, id DESC LIMIT {COUNTED}",
        index.name
    );
    (sql, values)
}

fn count(
    connection: &Connection,
    tenant: Uuid,
    sought: &Sought,
    step: i64,
    parts: u32,
) -> rusqlite::Result<Vec<Option<u64>>> {
    let (sql, mut values) = counting(sought, tenant);
    let from = sought.from.unwrap_or(0);
    let sql = format!("SELECT (raised - ?) / ?, count(*) FROM ({sql}) GROUP BY 1 ORDER BY 1");
    values.splice(0..0, [from.into(), step.into()]);
    let mut counts = vec![Some(0); parts as usize];
    let mut all = 0;
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut first = None;
    while let Some(row) = rows.next()? {
        let (part, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        // What the division leaves over is in the last one.
        let part = usize::try_from(part).unwrap_or(0).min(counts.len().saturating_sub(1));
        first.get_or_insert(part);
        all += count.unsigned_abs();
        if let Some(Some(sum)) = counts.get_mut(part) {
            *sum += count.unsigned_abs();
        }
    }
    if all >= u64::from(COUNTED)
        && let Some(first) = first
    {
        // The oldest part that has some may have more.
        counts.iter_mut().take(first + 1).for_each(|count| *count = None);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests;
