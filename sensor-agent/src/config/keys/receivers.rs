//! Keys that outputs and sinks share: files, TLS, retries, ZeroMQ.

use settings::{Key, Kind, Word as _};

use crate::output::{self, ZeromqEncoding, ZeromqPattern};

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
pub(super) const ZEROMQ_ENDPOINT: Key = Key::new(
    "endpoint",
    Kind::Own(&output::ZEROMQ_ENDPOINT),
    "",
    "Where to bind or to connect to: tcp://host:port or ipc://path.",
)
.required();
pub(super) const ZEROMQ_PATTERN: Key = Key::new(
    "pattern",
    Kind::Word(ZeromqPattern::WORDS),
    "pub",
    "`pub`: to all subscribers; `push`: to one of the peers in turn.",
);
pub(super) const ZEROMQ_BIND: Key =
    Key::new("bind", Kind::Bool, "", "Whether to bind rather than connect. Without it: yes for `pub`, no for `push`.");
pub(super) const ZEROMQ_HIGH_WATER_MARK: Key =
    Key::new("high_water_mark", Kind::Count(1, 10_000_000), "1000", "Messages that wait for a slow peer at most.");
pub(super) const ZEROMQ_ENCODING: Key = Key::new(
    "encoding",
    Kind::Word(ZeromqEncoding::WORDS),
    "json",
    "What a message holds beside its topic: text, or the messages of `proto/`.",
);
pub(super) const ZEROMQ_ALLOW_PLAINTEXT: Key =
    Key::new("allow_plaintext", Kind::Bool, "false", "Whether unencrypted TCP may leave this host.");
