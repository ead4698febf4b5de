//! A webhook.

use std::io;

use delivery::{
    receivers::webhook::{Webhook, WebhookMethod, WebhookSettings, headers},
    remote::Remote,
};
use diagnostic::Report;
use settings::{Key, Kind, Node, Section, Variant, Word as _};
use url::Url;

use super::{
    Receiver,
    http::{self, BATCH, TIMEOUT, URL},
    tls::{CA_FILE, CERT_FILE, KEY_FILE},
};

pub(super) const VARIANT: Variant = Variant {
    name: "webhook",
    keys: KEYS,
    doc: "An HTTP receiver. A page counts as handed over once it has replied with a status of 2xx to all of it. An \
     item that it refuses (400, 413, 422) goes to `dead_letters`; any other reply is tried again. `Idempotency-Key` \
     is the same each time the same items are sent.",
};

const KEYS: &[Key] = &[
    Key::new("url", URL, "", "The receiver.").required(),
    Key::new("method", Kind::Word(WebhookMethod::WORDS), "POST", "How it is called."),
    Key::new("headers", Kind::MapOf(&Kind::Secret), "", "Headers to send along. Their values are never shown."),
    Key::new(
        "batch_size",
        BATCH,
        "100",
        "Items in one request at most. They are sent as a JSON list; with 1, each as it is.",
    ),
    TIMEOUT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

/// Takes a webhook.
pub(super) fn read(section: &Section<'_>, _: &Node, report: &mut Report) -> Option<WebhookSettings> {
    let url: Url = section.get("url")?;
    Some(WebhookSettings {
        method: section.get("method")?,
        headers: headers::read(section, &url, report),
        http: http::settings(section, &url, report)?,
        url,
    })
}

impl Receiver for WebhookSettings {
    fn place(&self) -> String {
        Self::place(self)
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(Webhook::new(self)?))
    }

    fn reach(&self) -> Result<(), String> {
        http::reached(Webhook::new(self).map(|mut client| client.reach()))
    }
}
