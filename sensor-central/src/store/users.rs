//! People who look at the web pages: each has a name, a password, and a role in one tenant.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Reader, StoreError, audit, password, schema, tenants};

/// What a person may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum UserRole {
    /// Look.
    Reader,
    /// Acknowledge, close, assign and comment.
    Analyst,
    /// Make and revoke tokens of sensors, and read who did what.
    Admin,
}

impl UserRole {
    const ALL: [Self; 3] = [Self::Reader, Self::Analyst, Self::Admin];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

/// A person as kept, without the password.
#[derive(Clone, Debug)]
pub struct User {
    pub id: Uuid,
    /// Whose data they see.
    pub tenant: Uuid,
    pub name: String,
    pub role: UserRole,
    /// Nanoseconds since the Unix epoch.
    pub created: i64,
}

/// A person to be made known.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub tenant: Uuid,
    /// Such as [`user_name`] makes.
    pub name: String,
    pub role: UserRole,
}

/// The columns of [`read`], of a table that is called `users`.
pub(super) const COLUMNS: &str = "users.id, users.tenant, users.name, users.role, users.created";

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    let id = |column| row.get(column).map(|text: String| Uuid::parse_str(&text).unwrap_or_default());
    let role: String = row.get(3)?;
    Ok(User {
        id: id(0)?,
        tenant: id(1)?,
        name: row.get(2)?,
        // A role of a newer program lets do the least.
        role: UserRole::ALL.into_iter().find(|known| known.name() == role).unwrap_or(UserRole::Reader),
        created: row.get(4)?,
    })
}

/// The name as it is kept: capitals are small letters.
///
/// # Errors
/// It has none or too many characters, or one that is not taken.
pub fn user_name(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let is_taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_@+".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(is_taken) {
        Ok(name)
    } else {
        Err("1 to 64 letters, digits and any of . - _ @ +".into())
    }
}

/// Makes a person known. The service may run meanwhile; they can log in at once.
///
/// # Errors
/// There is one of this name, or the database cannot be opened or written.
pub fn create(data_dir: &Path, user: &NewUser, password: &str) -> Result<(), StoreError> {
    match insert(data_dir, user, password)? {
        true => Ok(()),
        false => Err(StoreError::UserExists(user.name.clone())),
    }
}

/// Makes a person known who may be known already, and then stays as they are.
///
/// # Errors
/// The database cannot be opened or written.
pub fn add(data_dir: &Path, user: &NewUser, password: &str) -> Result<(), StoreError> {
    insert(data_dir, user, password).map(drop)
}

fn insert(data_dir: &Path, user: &NewUser, password: &str) -> Result<bool, StoreError> {
    let mut connection = schema::open(data_dir)?;
    let kept = password::keep(password)?;
    let (tenant, role) = (user.tenant.to_string(), user.role.name());
    let transaction = connection.transaction()?;
    tenants::know(&transaction, user.tenant)?;
    let made = transaction.execute(
        "INSERT INTO users (id, tenant, name, role, password, created) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![Uuid::new_v4().to_string(), tenant, user.name, role, kept, crate::now()],
    )?;
    if made > 0 {
        audit::write(&transaction, &audit::Entry::of_command(user.tenant, "user added", &user.name, role))?;
    }
    transaction.commit()?;
    Ok(made > 0)
}

/// Everybody, by name.
///
/// # Errors
/// The database cannot be opened or read.
pub fn list(data_dir: &Path) -> Result<Vec<User>, StoreError> {
    Reader::open(data_dir)?.with(|connection| {
        connection.prepare(&format!("SELECT {COLUMNS} FROM users ORDER BY name"))?.query_map([], read)?.collect()
    })
}

/// Removes a person and ends their sessions.
///
/// # Errors
/// There is none of this name, or the database cannot be opened or written.
pub fn remove(data_dir: &Path, name: &str) -> Result<(), StoreError> {
    change(data_dir, name, "user removed", |connection, id| {
        connection.execute("DELETE FROM users WHERE id = ?", [id]).map(drop)
    })
}

/// Gives a person another password and ends their sessions.
///
/// # Errors
/// As for [`remove`].
pub fn set_password(data_dir: &Path, name: &str, password: &str) -> Result<(), StoreError> {
    let kept = password::keep(password)?;
    change(data_dir, name, "password set", move |connection, id| {
        connection.execute("UPDATE users SET password = ? WHERE id = ?", [&kept, id]).map(drop)
    })
}

fn change(
    data_dir: &Path,
    name: &str,
    action: &'static str,
    change: impl FnOnce(&Connection, &str) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let mut connection = schema::open(data_dir)?;
    let transaction = connection.transaction()?;
    let user = transaction
        .query_row(&format!("SELECT {COLUMNS} FROM users WHERE name = ?"), [name], read)
        .optional()?
        .ok_or_else(|| StoreError::NoSuchUser(name.to_owned()))?;
    let id = user.id.to_string();
    transaction.execute("DELETE FROM web_sessions WHERE user = ?", [&id])?;
    change(&transaction, &id)?;
    audit::write(&transaction, &audit::Entry::of_command(user.tenant, action, name, ""))?;
    Ok(transaction.commit()?)
}

impl Reader {
    /// Whose name and password this is. Takes its time, on purpose, and 19 MiB.
    ///
    /// # Errors
    /// The database failed.
    pub fn user_with(&self, name: &str, password: &str) -> Result<Known, StoreError> {
        let found = self.with(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS}, password FROM users WHERE name = ?"))?
                .query_row([name], |row| Ok((read(row)?, row.get::<_, String>(5)?)))
                .optional()
        })?;
        let is_right = password::is_right(password, found.as_ref().map(|(_, kept)| kept.as_str()));
        Ok(match found {
            Some((user, _)) if is_right => Known::Right(user),
            Some((user, _)) => Known::Wrong(user),
            None => Known::Nobody,
        })
    }
}

/// What a name and a password come to.
#[derive(Clone, Debug)]
pub enum Known {
    Right(User),
    /// The password is another one.
    Wrong(User),
    /// There is no such name.
    Nobody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_however_they_are_written() {
        assert_eq!(user_name("Anna.B@example.org").as_deref(), Ok("anna.b@example.org"));
        for wrong in ["", "a b", "<b>", "ännchen", &"a".repeat(65)] {
            assert!(user_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn roles_go_up() {
        assert!(UserRole::Reader < UserRole::Analyst && UserRole::Analyst < UserRole::Admin);
    }
}
