//! Keys that targets share: files, TLS, retries, the shape of rows.

use settings::{Key, Kind, Word as _};

use crate::output::format::RowFormat;

/// Keys of a file of lines.
pub(super) const MAX_SIZE: Key = Key::new(
    "max_size",
    Kind::Count(1, 1 << 20),
    "100",
    "The size, in MB, at which the file is rotated by renaming it.",
);
pub(super) const MAX_BACKUPS: Key =
    Key::new("max_backups", Kind::Count(0, 1 << 20), "", "Rotated files to keep. Without it, all.");

pub(super) const CA_FILE: Key =
    Key::new("ca_file", Kind::Path, "", "CA certificates to trust, PEM or DER. Without it, those of the system.");
pub(super) const CERT_FILE: Key = Key::new("cert_file", Kind::Path, "", "The sensor's own certificate chain, PEM.");
pub(super) const KEY_FILE: Key = Key::new("key_file", Kind::Path, "", "The private key of `cert_file`, PEM.");
pub(super) const BATCH_DELAY: Key =
    Key::new("batch_delay", Kind::Duration(0), "1s", "How long the first alert waits for others at most.");
pub(super) const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "10s", "How long a request may take.");
pub(super) const RETRY_MIN: Key =
    Key::new("retry_min", Kind::Duration(10), "1s", "The first wait before a request is tried again.");
pub(super) const RETRY_MAX: Key =
    Key::new("retry_max", Kind::Duration(10), "5m", "The longest wait; each wait is twice the last.");
pub(super) const ROW_FORMAT: Key = Key::new(
    "format",
    Kind::Word(RowFormat::WORDS),
    "json",
    "The shape of a row: the table's columns, or an event of OCSF.",
);
