//! Whose sensors these are. A tenant is there as soon as a token is made for it; a name, a partner and an organization
//! can be given to it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{IdType, Reader, StoreError, schema};

/// A tenant as it is kept.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub id: Uuid,
    /// For people; the id if it has none.
    pub name: String,
    pub partner: Option<Uuid>,
    pub organization: Option<Uuid>,
}

impl Tenant {
    /// Whether it is, or belongs to, whom an id of this type names.
    #[must_use]
    pub fn is_of(&self, id_type: IdType, owner: Uuid) -> bool {
        match id_type {
            IdType::Tenant => self.id == owner,
            IdType::Partner => self.partner == Some(owner),
            IdType::Organization => self.organization == Some(owner),
        }
    }
}

/// Sees to it that there is a tenant.
pub(super) fn know(connection: &Connection, id: Uuid) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO tenants (id, created) VALUES (?, ?) ON CONFLICT DO NOTHING",
            params![id.to_string(), crate::now()],
        )
        .map(drop)
}

/// Says what a tenant is called and to whom it belongs; what is not given stays as it is.
///
/// # Errors
/// The database cannot be opened or written.
pub fn set(
    data_dir: &Path,
    id: Uuid,
    name: Option<&str>,
    partner: Option<Uuid>,
    organization: Option<Uuid>,
) -> Result<(), StoreError> {
    let connection = schema::open(data_dir)?;
    know(&connection, id)?;
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    connection.execute(
        "UPDATE tenants SET name = ifnull(?2, name), partner = ifnull(?3, partner),
                            organization = ifnull(?4, organization) WHERE id = ?1",
        params![id.to_string(), name, text(partner), text(organization)],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    let id = |text: Option<String>| text.and_then(|text| Uuid::parse_str(&text).ok());
    let (own, name): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(Tenant {
        id: Uuid::parse_str(&own).unwrap_or_default(),
        name: if name.is_empty() { own } else { name },
        partner: id(row.get(2)?),
        organization: id(row.get(3)?),
    })
}

impl Reader {
    /// A tenant by its id.
    ///
    /// # Errors
    /// The database failed.
    pub fn tenant(&self, id: Uuid) -> Result<Option<Tenant>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT id, name, partner, organization FROM tenants WHERE id = ?")?
                .query_row([id.to_string()], read)
                .optional()
        })
    }

    /// The tenants of a partner or an organization, by name: so many from the one of this number, and how many there are.
    ///
    /// # Errors
    /// The database failed.
    pub fn tenants(
        &self,
        id_type: IdType,
        owner: Uuid,
        first: u64,
        most: u64,
    ) -> Result<(Vec<Tenant>, u64), StoreError> {
        let column = match id_type {
            IdType::Tenant => "id",
            IdType::Partner => "partner",
            IdType::Organization => "organization",
        };
        let owner = owner.to_string();
        self.with(|connection| {
            let count = connection
                .prepare_cached(&format!("SELECT count(*) FROM tenants WHERE {column} = ?"))?
                .query_row([&owner], |row| row.get::<_, i64>(0))?;
            let sql = format!(
                "SELECT id, name, partner, organization FROM tenants WHERE {column} = ?
                 ORDER BY name, id LIMIT ? OFFSET ?"
            );
            let found = connection
                .prepare_cached(&sql)?
                .query_map(params![owner, most.cast_signed(), first.cast_signed()], read)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((found, count.unsigned_abs()))
        })
    }
}
