//! Clients of the public API, as a list for a terminal.

use std::io::{self, Write};

use crate::{
    detections::{plain, point_in_time, write_columns},
    store::Client,
};

/// Writes clients as lines for people: id, whose data it sees, role, expiry, label. No secrets: they are not kept.
///
/// # Errors
/// The output cannot be written.
pub fn write_list(out: &mut impl Write, clients: &[Client]) -> io::Result<()> {
    let header = ["ID", "OF", "ROLE", "EXPIRES", "LABEL"].map(str::to_owned);
    let lines = clients.iter().map(|client| {
        let of = format!("{} {}", client.id_type.name(), client.owner);
        let expires = client.expires.map_or_else(|| "never".into(), point_in_time);
        [client.id.to_string(), of, client.role.name().into(), expires, plain(&client.label)]
    });
    write_columns(out, &std::iter::once(header).chain(lines).collect::<Vec<_>>())
}
