//! TLS to a receiver, as an output's keys describe it.

use delivery::tls::{self, TlsSettings, keys};
use diagnostic::Report;
use settings::Section;

/// Takes the keys, and looks at the files. Of an address to which there is no TLS, `plain` says what it is.
pub(super) fn read(section: &Section<'_>, plain: Option<&str>, report: &mut Report) -> TlsSettings {
    let tls = keys::read(section, true, plain, report);
    if !report.has_errors()
        && let Err(error) = tls::check(&tls)
    {
        report.error(error.key().and_then(|key| section.span(key)), error.to_string());
    }
    tls
}
