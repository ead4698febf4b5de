//! Headers of requests, as a webhook's `headers` give them: what is set is sent, and what cannot be is an error.

use diagnostic::{Report, Span};
use foldhash::HashMap;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use settings::{Section, secrets::url_credentials};
use url::Url;

/// Headers that say how a request is framed and for whom it is. They follow from the request itself (RFC 9110, 9112),
/// and one that says otherwise breaks it.
const FRAMING: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Tells tries of the same message from other messages.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Takes them. The webhook is at this `url`.
#[must_use]
pub fn read(section: &Section<'_>, url: &Url, report: &mut Report) -> Vec<(String, SecretString)> {
    let mut names: HashMap<HeaderName, Span> = HashMap::default();
    let mut headers = Vec::new();
    for (entry, value) in section.pairs("headers") {
        let (name, span) = (&entry.key.value, entry.key.span.clone());
        let Ok(known) = HeaderName::try_from(name.as_str()) else {
            report
                .error(span, format!("{name:?} is no name of a header"))
                .help("letters, digits and dashes, no blanks");
            continue;
        };
        if HeaderValue::try_from(value).is_err() {
            report
                .error(entry.value.span.clone(), format!("the header {name:?} has characters that none can have"))
                .help("write it on one line, without control characters");
            continue;
        }
        if let Some((what, help)) = refusal(&known, url) {
            report.error(span.clone(), format!("the header `{name}` cannot be set: {what}")).help(help);
        }
        if let Some(first) = names.insert(known, span.clone()) {
            report
                .error(span, format!("the header `{name}` is given twice"))
                .label("names of headers are the same in any letter case")
                .related(first, "and here")
                .help("keep one of the two");
        }
        headers.push((name.clone(), SecretString::from(value)));
    }
    headers
}

/// Why a header cannot be set, and what to do.
fn refusal(name: &HeaderName, url: &Url) -> Option<(&'static str, &'static str)> {
    match name.as_str() {
        "host" => Some(("it follows from `url`", "name the host in `url`")),
        name if FRAMING.contains(&name) => Some(("it follows from the request", "take it out")),
        IDEMPOTENCY_KEY => Some(("it holds the id of what is sent, the same at each try", "take it out")),
        "authorization" if !url_credentials(url).is_empty() => {
            Some(("`url` has a user or a password, which are sent in it", "take one of the two out"))
        }
        _ => None,
    }
}
