//! Detections as people look for them: the newest first, page by page, by what they know of them.
//!
//! A page costs the same however many there are. Entries lead from the newest to the oldest of what they know, and what they
//! do not know is looked at here, row by row, up to [`LOOKS`] rows; then the page says how far it has come. Alerts that came in
//! a moment ago have no entries yet: those are looked at first.

use rusqlite::{Connection, Row, params_from_iter, types::Value};
use uuid::Uuid;

use super::{
    Place, Reader, StoreError, StoredAlert, arrivals,
    entries::{self, Field},
};

/// Rows that are looked at for a page.
pub const LOOKS: usize = 20_000;

/// Entries that are counted for a plot, per severity.
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

impl Sought {
    /// What leaves the fewest rows to look at among what entries tell: what is rarest first.
    fn entry(&self) -> Option<(Field, String)> {
        let known = [
            (Field::Incident, self.incident.clone()),
            (Field::Container, self.container.clone()),
            (Field::Host, self.host.clone()),
            (Field::User, self.user.clone()),
            (Field::Policy, self.policy.clone()),
            (Field::Severity, self.severity.map(|number| number.to_string())),
        ];
        known.into_iter().find_map(|(field, value)| Some((field, value.filter(|value| !value.is_empty())?)))
    }

    /// The query for those between two places, the newest first, row by row.
    fn arrived(&self, tenant: Uuid, before: Place, after: Place) -> (String, Vec<Value>) {
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts INDEXED BY alerts_by_arrival
             WHERE tenant = ? AND (raised, id) < (?, ?) AND raised >= ? AND (raised, id) > (?, ?)
             ORDER BY raised DESC, id DESC"
        );
        let numbers = [before.raised, before.row, self.from.unwrap_or(0), after.raised, after.row];
        (sql, values(tenant, numbers))
    }

    /// The queries for those before a place, whatever no entry tells: one after the other, the newest first. Alerts up to
    /// `entries_end` have entries.
    fn queries(&self, tenant: Uuid, before: Place, entries_end: Place) -> Vec<(String, Vec<Value>)> {
        let before = self.before(before);
        let Some((field, value)) = self.entry() else { return vec![self.arrived(tenant, before, BEGIN)] };
        // By a key that another tenant has as well, nothing of that one may be found.
        let sql = format!(
            "SELECT {COLUMNS} FROM entries CROSS JOIN alerts ON alerts.id = entries.alert AND alerts.tenant = ?
             WHERE key = ? AND (moment, alert) < (?, ?) AND moment >= ? ORDER BY moment DESC, alert DESC"
        );
        let numbers = [entries::key(tenant, field, &value), before.raised, before.row, self.from.unwrap_or(0)];
        vec![self.arrived(tenant, before, entries_end), (sql, values(tenant, numbers))]
    }

    /// That place, or where the time that is asked for ends.
    fn before(&self, place: Place) -> Place {
        place.min(Place { raised: self.to.unwrap_or(i64::MAX), row: 0 })
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

    /// Whether an entry and the time tell all that is asked for.
    fn is_of_one_entry(&self) -> bool {
        let Self { from: _, to: _, host, user, container, policy, incident, severity, tactic, words, closed } = self;
        let texts = [host, user, container, policy, incident].into_iter().flatten().count();
        let has_entry = self.entry().is_some() || texts == 0;
        texts + usize::from(severity.is_some()) <= 1
            && has_entry
            && tactic.is_none()
            && words.is_empty()
            && closed.is_none()
    }
}

/// Before all.
const BEGIN: Place = Place { raised: 0, row: 0 };

fn values<const COUNT: usize>(tenant: Uuid, numbers: [i64; COUNT]) -> Vec<Value> {
    let mut values: Vec<Value> = vec![tenant.to_string().into()];
    values.extend(numbers.map(Value::from));
    values
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
        // Both of the same moment: where entries end, and what has none.
        self.with(|connection| {
            let connection = connection.unchecked_transaction()?;
            list(&connection, tenant, sought, before, most)
        })
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
    /// severity if nothing else is asked. Nothing if that would have to be looked at row by row, or too many came in that
    /// have no entries yet.
    ///
    /// # Errors
    /// The database failed.
    pub fn counts(&self, tenant: Uuid, sought: &Sought, parts: u32) -> Result<Option<Vec<Counted>>, StoreError> {
        let (Some(from), Some(to), true) = (sought.from, sought.to, sought.is_of_one_entry()) else { return Ok(None) };
        let severities: Vec<Option<u8>> = match (sought.severity, sought.entry()) {
            (Some(severity), _) => vec![Some(severity)],
            (None, None) => crate::severity::DEGREES.iter().map(|degree| Some(degree.number)).collect(),
            (None, Some(_)) => vec![None],
        };
        let parts = Parts { from, step: ((to - from) / i64::from(parts)).max(1), count: parts as usize };
        self.with(|connection| {
            let connection = connection.unchecked_transaction()?;
            let entries_end = entries::end(&connection)?;
            let Some(newest) = without_entries(&connection, tenant, sought, entries_end)? else { return Ok(None) };
            let count = |severity: Option<u8>| {
                let sought = Sought { severity, ..sought.clone() };
                let newest = newest.iter().filter(|(_, found)| severity.is_none_or(|severity| severity == *found));
                let counts = count(&connection, tenant, &sought, &parts, newest.map(|(raised, _)| *raised))?;
                Ok(Counted { severity, counts })
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
    let (mut found, mut looks) = (Vec::new(), 0);
    let mut last = before;
    for (sql, values) in sought.queries(tenant, before, entries::end(connection)?) {
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
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
    }
    Ok(Listing { found, next: None, is_cut: false })
}

/// Equal parts of a time, milliseconds.
struct Parts {
    from: i64,
    step: i64,
    count: usize,
}

impl Parts {
    /// Which part a moment is in. What the division leaves over is in the last one.
    fn of(&self, moment: i64) -> usize {
        self.of_number((moment - self.from) / self.step)
    }

    fn of_number(&self, number: i64) -> usize {
        usize::try_from(number).unwrap_or(0).min(self.count.saturating_sub(1))
    }
}

/// Moment and severity of those that have no entries; nothing if they are more than can be looked at.
fn without_entries(
    connection: &Connection,
    tenant: Uuid,
    sought: &Sought,
    entries_end: Place,
) -> rusqlite::Result<Option<Vec<(i64, u8)>>> {
    let (sql, values) = sought.arrived(tenant, sought.before(Place { raised: i64::MAX, row: 0 }), entries_end);
    let sql = format!("{sql} LIMIT {}", LOOKS + 1);
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(params_from_iter(values), read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_all = found.len() <= LOOKS;
    let held = found.into_iter().filter(|listed| sought.holds(listed));
    Ok(is_all.then(|| held.map(|listed| (listed.alert.place.raised, listed.alert.severity)).collect()))
}

/// The query for the moments of a key's entries.
fn counting(key: i64, sought: &Sought) -> (String, [i64; 3]) {
    let sql = format!(
        "SELECT moment FROM entries WHERE key = ? AND moment >= ? AND moment < ?
         ORDER BY moment DESC, alert DESC LIMIT {COUNTED}"
    );
    (sql, [key, sought.from.unwrap_or(0), sought.to.unwrap_or(i64::MAX)])
}

fn count(
    connection: &Connection,
    tenant: Uuid,
    sought: &Sought,
    parts: &Parts,
    newest: impl Iterator<Item = i64>,
) -> rusqlite::Result<Vec<Option<u64>>> {
    let mut counts = vec![0_u64; parts.count];
    for moment in newest {
        if let Some(sum) = counts.get_mut(parts.of(moment)) {
            *sum += 1;
        }
    }
    let (mut all, mut first) = (0, None);
    if let Some((field, value)) = sought.entry() {
        let (sql, values) = counting(entries::key(tenant, field, &value), sought);
        let sql = format!("SELECT (moment - ?) / ?, count(*) FROM ({sql}) GROUP BY 1 ORDER BY 1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter([&[parts.from, parts.step][..], &values].concat()))?;
        while let Some(row) = rows.next()? {
            let (part, count) = (parts.of_number(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs());
            first.get_or_insert(part);
            all += count;
            if let Some(sum) = counts.get_mut(part) {
                *sum += count;
            }
        }
    }
    // The oldest part that has some may have more.
    let uncounted = if all >= u64::from(COUNTED) { first.map_or(0, |first| first + 1) } else { 0 };
    Ok((0..).zip(counts).map(|(part, count)| (part >= uncounted).then_some(count)).collect())
}

#[cfg(test)]
mod tests;
