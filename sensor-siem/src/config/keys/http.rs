//! Keys of receivers that are spoken to over HTTP.

use delivery::receivers::webhook::WebhookMethod;
use settings::{Key, Kind, Word as _};

use super::{CA_FILE, CERT_FILE, KEY_FILE};

pub(super) static SPLUNK_HEC: &[Key] = &[
    Key::new("url", URL, "", "The collector, such as https://splunk.example:8088.").required(),
    Key::new("token", Kind::Secret, "", "The collector's token.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new("index", Kind::Text, "", "The index. Without it, the token's own."),
    Key::new("sourcetype", Kind::Text, "", "The source type. Without it, the token's own."),
    Key::new("source", Kind::Text, "", "The source. Without it, the token's own."),
    Key::new("ack", Kind::Bool, "true", "Whether an item counts as handed over only when it is indexed."),
    Key::new("gzip", Kind::Bool, "true", "Whether requests are compressed."),
    // A page: one acknowledgement to wait for.
    Key::new("batch_size", BATCH, "1000", "Items in one request at most."),
    TIMEOUT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

pub(super) static WEBHOOK: &[Key] = &[
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

const URL: Kind = Kind::Url(&["https", "http"]);
const BATCH: Kind = Kind::Count(1, 10_000);
const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "10s", "How long a request may take.");
