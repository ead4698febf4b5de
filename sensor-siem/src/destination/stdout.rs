//! Standard output: data alone, the log goes to standard error.

use std::io::{self, Write};

use settings::Variant;

pub(super) const VARIANT: Variant =
    Variant { name: "stdout", keys: &[], doc: "Lines go to standard output, and nothing else goes there." };

/// Writes the lines. What has gone into a pipe is handed over; whether its reader keeps it cannot be known here.
///
/// # Errors
/// The reader has gone away, or the disk behind it is full.
pub fn write(lines: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(lines)?;
    out.flush()
}
