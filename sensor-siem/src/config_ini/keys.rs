//! The keys of `[login]`.

/// A key: what it is called, what it is without being said, what it does.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub default: &'static str,
    /// One line for the manual.
    pub doc: &'static str,
    /// Whether its value must never be shown.
    pub is_secret: bool,
    /// Whether the vendor's script does not have it.
    pub is_ours: bool,
}

const fn key(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { name, default, doc, is_secret: false, is_ours: false }
}

const fn secret(name: &'static str, doc: &'static str) -> Key {
    Key { is_secret: true, ..key(name, "", doc) }
}

const fn ours(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { is_ours: true, ..key(name, default, doc) }
}

/// The section that they stand in.
pub const SECTION: &str = "login";

pub const KEYS: [Key; 23] = [
    key("client_id", "", "Id of API credentials of a tenant, a partner or an organization."),
    secret("client_secret", "Their secret."),
    key(
        "tenant_id",
        "",
        "The one tenant to read, with credentials of a partner or an organization; without it, all of theirs.",
    ),
    key("auth_url", "https://id.sophos.com/api/v2/oauth2/token", "Where tokens are given out."),
    key("api_host", "api.central.sophos.com", "Host, and port if need be, that tells whose credentials they are."),
    secret(
        "token_info",
        "API access of before: `url: …, x-api-key: …, Authorization: Basic …`. Only without `client_id`.",
    ),
    key("endpoint", "event", "What to read: `event`, `alert` or `all`."),
    key("format", "json", "`json`, `cef` or `keyvalue`."),
    key("filename", "result.txt", "A file under `log`, or `stdout`. Or `syslog`: to the `address`."),
    key("address", "/dev/log", "Syslog: a socket, or host and port."),
    key("facility", "daemon", "Syslog: the facility."),
    key("socktype", "udp", "Syslog: `udp` or `tcp`."),
    key("append_nul", "false", "Syslog: whether a NUL stands behind each message."),
    key(
        "state_file_path",
        "state/siem_sophos.json",
        "The script's state. Ours is kept beside it, as `….sensor-siem.jsonl`.",
    ),
    key("events_from_date_offset_minutes", "0", "Where events are read from a time on, so many minutes earlier."),
    key("alerts_from_date_offset_minutes", "0", "The same of alerts."),
    key("convert_dhost_field_to_valid_fqdn", "true", "Whether `dhost` is made a valid host name."),
    key("logging_level", "INFO", "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."),
    ours("compat", "false", "Whether lines are byte by byte those of the script, faults included."),
    ours(
        "ca_file",
        "",
        "Certificates (PEM) that Central's may be signed by; without it, those of the system, or of `SSL_CERT_FILE`.",
    ),
    ours("proxy", "", "An HTTP proxy on the way to Central; without it, that of `HTTPS_PROXY`."),
    ours(
        "overlap_minutes",
        "5",
        "How far back a stream that was read to its end is read again for items that Central lists late; `0` for not.",
    ),
    ours("timeout_seconds", "60", "The longest that a request to Central may take."),
];

/// The key of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
