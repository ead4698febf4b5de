//! TLS to receivers that are not Central, as the keys describe it: whom to trust, and who we are.

use diagnostic::Report;
use settings::{Section, files};

use super::TlsSettings;

/// The keys.
const KEYS: [&str; 3] = ["ca_file", "cert_file", "key_file"];

/// Takes the keys. Files are looked at if the output is `enabled`. Of an address to which there is no TLS, `plain` says
/// what it is, and the keys are errors.
#[must_use]
pub fn read(section: &Section<'_>, enabled: bool, plain: Option<&str>, report: &mut Report) -> TlsSettings {
    let tls = TlsSettings {
        ca_file: section.get("ca_file"),
        cert_file: section.get("cert_file"),
        key_file: section.get("key_file"),
    };
    if let Some(plain) = plain {
        for (key, span) in KEYS.iter().filter_map(|key| Some((key, section.span(key)?))) {
            report
                .error(span, format!("`{key}` has no effect: there is no TLS to {plain}"))
                .help("give an address with TLS, or take this out");
        }
        return TlsSettings::default();
    }
    if tls.cert_file.is_some() != tls.key_file.is_some() {
        report
            .error(
                section.span("cert_file").or_else(|| section.span("key_file")),
                "`cert_file` and `key_file` belong together",
            )
            .label("the other one is missing")
            .help("give both or none");
    }
    if enabled {
        // What they hold is for whoever connects with them to say.
        for (key, path) in KEYS.into_iter().zip([&tls.ca_file, &tls.cert_file, &tls.key_file]) {
            if let Some(path) = path {
                files::present(path, key == "key_file", section.span(key), report);
            }
        }
    }
    tls
}
