//! TLS to receivers and to Central, as the keys describe it.

use std::path::PathBuf;

use delivery::tls::{self, TlsSettings, keys};
use diagnostic::{Report, Span};
use settings::{Key, Kind, Section, files};

pub(super) const CA_FILE: Key = Key::new(
    "ca_file",
    Kind::Path,
    "",
    "Certificates (PEM or DER) that the receiver's may be signed by. Without it, those of the system.",
);
pub(super) const CERT_FILE: Key = Key::new("cert_file", Kind::Path, "", "The own certificate and its chain, PEM.");
pub(super) const KEY_FILE: Key = Key::new("key_file", Kind::Path, "", "The private key of `cert_file`, PEM.");

/// Takes an output's keys, and looks at the files. Of an address to which there is no TLS, `plain` says what it is.
pub(super) fn read(section: &Section<'_>, plain: Option<&str>, report: &mut Report) -> TlsSettings {
    let tls = keys::read(section, true, plain, report);
    if !report.has_errors() {
        look(&tls, |key| section.span(key), report);
    }
    tls
}

/// Takes the authorities that Central is trusted by.
pub(crate) fn authorities(central: &Section<'_>, report: &mut Report) -> Option<PathBuf> {
    let ca_file: PathBuf = central.get("ca_file")?;
    let errors = report.error_count();
    files::present(&ca_file, false, central.span("ca_file"), report);
    if report.error_count() == errors {
        let tls = TlsSettings { ca_file: Some(ca_file.clone()), ..TlsSettings::default() };
        look(&tls, |key| central.span(key), report);
    }
    Some(ca_file)
}

/// What cannot work is an error, authorities in a file of which others are trusted a warning.
pub(crate) fn look(tls: &TlsSettings, span: impl Fn(&str) -> Option<Span>, report: &mut Report) {
    if let Err(error) = tls::check(tls) {
        report.error(error.key().and_then(&span), error.to_string());
        return;
    }
    for reason in tls::left_aside(tls) {
        report
            .warning(span("ca_file"), reason)
            .help("only the others in the file are trusted: take it out, or put a good one in its place");
    }
}
