//! Who may use the public API: client ids and what is kept of their secrets.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Reader, Secret, StoreError, hash, schema, tenants};

/// Whose data a client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdType {
    /// That of one tenant.
    Tenant,
    /// That of all tenants of a partner.
    Partner,
    /// That of all tenants of an organization.
    Organization,
}

impl IdType {
    const ALL: [Self; 3] = [Self::Tenant, Self::Partner, Self::Organization];

    /// As the API tells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Partner => "partner",
            Self::Organization => "organization",
        }
    }
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Read.
    ReadOnly,
    /// Everything.
    SuperAdmin,
    /// Deliver as sensors do, and nothing else.
    IngestOnly,
}

impl Role {
    const ALL: [Self; 3] = [Self::ReadOnly, Self::SuperAdmin, Self::IngestOnly];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::SuperAdmin => "super-admin",
            Self::IngestOnly => "ingest-only",
        }
    }
}

/// A client as it is kept.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: Uuid,
    pub id_type: IdType,
    /// The tenant, partner or organization.
    pub owner: Uuid,
    pub role: Role,
    pub label: String,
    /// Of its secret.
    pub hash: [u8; 32],
    /// Nanoseconds since the Unix epoch, as the next.
    pub created: i64,
    pub expires: Option<i64>,
}

/// The columns of [`read`], of a table that is called `clients`.
pub(super) const COLUMNS: &str = "clients.id, clients.kind, clients.owner, clients.role, clients.label, clients.hash,
                                  clients.created, clients.expires";

/// Reads [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Client> {
    let id = |column| row.get(column).map(|text: String| Uuid::parse_str(&text).unwrap_or_default());
    let (kind, role): (String, String) = (row.get(1)?, row.get(3)?);
    Ok(Client {
        id: id(0)?,
        id_type: IdType::ALL.into_iter().find(|known| known.name() == kind).unwrap_or(IdType::Tenant),
        owner: id(2)?,
        role: Role::ALL.into_iter().find(|known| known.name() == role).unwrap_or(Role::ReadOnly),
        label: row.get(4)?,
        hash: row.get(5)?,
        created: row.get(6)?,
        expires: row.get(7)?,
    })
}

/// A client to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    pub id_type: IdType,
    /// The tenant, partner or organization.
    pub owner: Uuid,
    pub role: Role,
    /// For people.
    pub label: String,
    /// Nanoseconds since the Unix epoch.
    pub expires: Option<i64>,
}

/// Makes a client: its id and its secret. The service may run meanwhile, and knows it at once.
///
/// # Errors
/// The database cannot be opened or written.
pub fn create(data_dir: &Path, client: &NewClient) -> Result<(Uuid, Secret), StoreError> {
    let (id, secret) = (Uuid::new_v4(), Secret::random("")?);
    add(data_dir, client, id, secret.reveal())?;
    Ok((id, secret))
}

/// Makes a client known that is there already; one that is known stays as it is.
///
/// # Errors
/// The database cannot be opened or written.
pub fn add(data_dir: &Path, client: &NewClient, id: Uuid, secret: &str) -> Result<(), StoreError> {
    let connection = schema::open(data_dir)?;
    if client.id_type == IdType::Tenant {
        tenants::know(&connection, client.owner)?;
    }
    connection.execute(
        "INSERT INTO clients (id, kind, owner, role, label, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
        params![
            id.to_string(),
            client.id_type.name(),
            client.owner.to_string(),
            client.role.name(),
            client.label,
            hash(secret),
            crate::now(),
            client.expires
        ],
    )?;
    Ok(())
}

/// Every client there is, the oldest first.
///
/// # Errors
/// The database cannot be opened or read.
pub fn list(data_dir: &Path) -> Result<Vec<Client>, StoreError> {
    Reader::open(data_dir)?.with(|connection| {
        connection.prepare(&format!("SELECT {COLUMNS} FROM clients ORDER BY created"))?.query_map([], read)?.collect()
    })
}

/// Removes a client, and with it all that it was given; says whether there was one.
///
/// # Errors
/// The database cannot be opened or written.
pub fn revoke(data_dir: &Path, id: Uuid) -> Result<bool, StoreError> {
    let connection: Connection = schema::open(data_dir)?;
    connection.execute("DELETE FROM sessions WHERE client = ?", [id.to_string()])?;
    Ok(connection.execute("DELETE FROM clients WHERE id = ?", [id.to_string()])? > 0)
}

impl Reader {
    /// A client by its id.
    ///
    /// # Errors
    /// The database failed.
    pub fn client(&self, id: Uuid) -> Result<Option<Client>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM clients WHERE id = ?"))?
                .query_row([id.to_string()], read)
                .optional()
        })
    }
}
