//! An HTTP receiver.

use std::sync::Arc;

use delivery::{
    receivers::webhook::{Webhook, WebhookMethod, WebhookSettings, headers},
    tls::TlsSettings,
};
use diagnostic::Report;
use secrecy::SecretString;
use settings::{Key, Kind, Variant, Word as _};
use url::Url;

use super::{
    Elsewhere, Endpoint, Fault, Given, Opened, Target,
    keys::{BATCH_DELAY, CA_FILE, CERT_FILE, KEY_FILE, RETRY_MAX, RETRY_MIN, TIMEOUT},
    spooled,
};
use crate::output::{queued::QueuedAlert, settings::OutputSettings};

pub(super) const OUTPUT: Variant = Variant { name: "webhook", keys: KEYS, doc: "An HTTP receiver." };

const KEYS: &[Key] = &[
    Key::new("url", Kind::Url(&["https", "http"]), "", "The receiver.").required(),
    Key::new("method", Kind::Word(WebhookMethod::WORDS), "POST", "How it is called."),
    Key::new("headers", Kind::MapOf(&Kind::Secret), "", "Headers to send along. Their values are never shown."),
    Key::new(
        "batch_size",
        Kind::Count(1, 10_000),
        "1",
        "Alerts in one request at most; several are sent as a JSON list.",
    ),
    BATCH_DELAY,
    TIMEOUT,
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

pub(super) fn output(given: &Given<'_>, _: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let section = &given.section;
    let url: Url = section.get("url")?;
    Some(Arc::new(WebhookSettings {
        method: section.get("method")?,
        headers: headers::read(section, &url, report),
        http: given.requests(&url, report)?,
        url,
    }))
}

impl Target for WebhookSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        Self::place(self)
    }

    fn tls(&self) -> Option<&TlsSettings> {
        Some(&self.http.tls)
    }

    fn fault(&self) -> Option<Fault> {
        Fault::of_tls(&self.http.tls).or_else(|| Fault::of_client(Webhook::new(self)))
    }

    fn is_spooled(&self) -> bool {
        true
    }

    fn endpoint(&self) -> Option<Endpoint<'_>> {
        Some(Endpoint::Url(&self.url))
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.headers.iter().map(|(_, value)| value).collect()
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(spooled(output, Webhook::new(self)?))
    }
}
