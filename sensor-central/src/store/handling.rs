//! What people do about a detection, and what became of it.

use rusqlite::{OptionalExtension as _, Transaction, params};
use uuid::Uuid;

use super::{Entry, Listed, Place, Reader, Sought, Store, StoreError, User, audit, listing};

/// Detections of an incident that are read.
const INCIDENT: usize = 200;

/// Something to do about a detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody has seen it.
    Acknowledge,
    /// It is dealt with: the public API has it among the open ones no more.
    Close,
    /// It is not, after all.
    Reopen,
    /// It is this user's now; nobody's if there is no name.
    Assign(String),
    Comment,
}

impl Act {
    /// As it is kept.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            // The public API's `acknowledge` closes.
            Self::Acknowledge => "seen",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Assign(_) => "assign",
            Self::Comment => "comment",
        }
    }
}

/// A detection with what became of it. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Handled {
    pub listed: Listed,
    pub received: i64,
    pub acknowledged: Option<i64>,
    pub closed: Option<i64>,
    /// Empty for nobody's.
    pub assignee: String,
    /// The oldest first.
    pub history: Vec<Done>,
}

/// Something that was done about a detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// A user's name, or the id of a client of the public API.
    pub by: String,
    pub action: String,
    pub message: String,
}

impl Store {
    /// Does something about a detection, and keeps who did it and what they say; says whether there is such a detection,
    /// and one that it can be done about: what is closed already is not closed once more.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn act(&self, user: &User, detection: Uuid, act: Act, message: String) -> Result<bool, StoreError> {
        let (user, now) = (user.clone(), crate::now());
        let changed = self.change(move |transaction| apply(transaction, &user, detection, &act, &message, now));
        Ok(changed.await? > 0)
    }
}

fn apply(
    transaction: &Transaction<'_>,
    user: &User,
    detection: Uuid,
    act: &Act,
    message: &str,
    now: i64,
) -> rusqlite::Result<usize> {
    let row: Option<i64> = transaction
        .prepare_cached("SELECT id FROM alerts WHERE public_id = ? AND tenant = ?")?
        .query_row(params![detection.as_bytes(), user.tenant.to_string()], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(0) };
    let changed = match act {
        Act::Acknowledge => transaction.execute(
            "UPDATE alerts SET acknowledged = ? WHERE id = ? AND acknowledged IS NULL AND closed IS NULL",
            params![now, row],
        )?,
        Act::Close => {
            transaction.execute("UPDATE alerts SET closed = ? WHERE id = ? AND closed IS NULL", params![now, row])?
        }
        Act::Reopen => transaction.execute(
            "UPDATE alerts SET closed = NULL, acknowledged = NULL WHERE id = ? AND closed IS NOT NULL",
            [row],
        )?,
        Act::Assign(name) => transaction.execute(
            "UPDATE alerts SET assignee = ?1
             WHERE id = ?2 AND assignee <> ?1 AND (?1 = '' OR EXISTS (SELECT 1 FROM users WHERE name = ?1 AND tenant = ?3))",
            params![name, row, user.tenant.to_string()],
        )?,
        Act::Comment => usize::from(!message.is_empty()),
    };
    if changed == 0 {
        return Ok(0);
    }
    let said = match act {
        Act::Assign(name) if name.is_empty() => "to nobody",
        Act::Assign(name) => name,
        _ => message,
    };
    transaction
        .prepare_cached(
            "INSERT INTO actions (id, alert, action, message, client, requested, user) VALUES (?, ?, ?, ?, '', ?, ?)",
        )?
        .execute(params![Uuid::new_v4().to_string(), row, act.name(), said, now, user.name])?;
    audit::write(transaction, &Entry::by(user.tenant, &user.name, act.name(), &detection.to_string(), said))
}

impl Reader {
    /// A tenant's detection, by its public id.
    ///
    /// # Errors
    /// The database failed.
    pub fn handled(&self, tenant: Uuid, detection: Uuid) -> Result<Option<Handled>, StoreError> {
        let sql = format!(
            "SELECT {}, received, acknowledged, closed, assignee FROM alerts WHERE public_id = ? AND tenant = ?",
            listing::COLUMNS
        );
        self.with(|connection| {
            let found = connection
                .prepare_cached(&sql)?
                .query_row(params![detection.as_bytes(), tenant.to_string()], |row| {
                    Ok(Handled {
                        listed: listing::read(row)?,
                        received: row.get(13)?,
                        acknowledged: row.get(14)?,
                        closed: row.get(15)?,
                        assignee: row.get(16)?,
                        history: Vec::new(),
                    })
                })
                .optional()?;
            let Some(mut handled) = found else { return Ok(None) };
            handled.history = connection
                .prepare_cached(
                    "SELECT requested, iif(user = '', 'client ' || client, user), action, message FROM actions
                     WHERE alert = ? ORDER BY requested, rowid",
                )?
                .query_map([handled.listed.alert.place.row], |row| {
                    Ok(Done { time: row.get(0)?, by: row.get(1)?, action: row.get(2)?, message: row.get(3)? })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(handled))
        })
    }

    /// The newest detections of an incident, in the order in which they happened, and whether there are more.
    ///
    /// # Errors
    /// The database failed.
    pub fn incident(&self, tenant: Uuid, incident: &str) -> Result<(Vec<Listed>, bool), StoreError> {
        if incident.is_empty() {
            return Ok((Vec::new(), false));
        }
        let sought = Sought { incident: Some(incident.to_owned()), ..Sought::default() };
        let listing = self.listing(tenant, &sought, Place { raised: i64::MAX, row: 0 }, INCIDENT)?;
        let mut found = listing.found;
        found.sort_by_key(|listed| (listed.alert.time, listed.alert.place));
        Ok((found, listing.next.is_some()))
    }

    /// The names of a tenant's users whom detections can be assigned to.
    ///
    /// # Errors
    /// The database failed.
    pub fn user_names(&self, tenant: Uuid) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT name FROM users WHERE tenant = ? ORDER BY name")?
                .query_map([tenant.to_string()], |row| row.get(0))?
                .collect()
        })
    }
}
