//! The keys of a configuration: the one table.
//!
//! A new key is one entry here or in one of the parts, and one line where its value is taken into [`super::Config`].

mod detections;
mod investigations;
mod kinds;
mod outputs;
mod response;

use detections::DETECTION;
pub(crate) use detections::{EXCEPTION, LIST, POLICY};
pub(crate) use investigations::{RECORDER_TABLE, SINKS};
pub(crate) use outputs::OUTPUTS;
use response::RESPONSE;

use delivery::trust::CrlPolicy;
use settings::{Key, Kind, LISTEN, Named, Schema, UNIX_SOCKET, Word as _};

use super::words::CloudMeta;
use crate::capture::AuditHooks;
use kinds::{CONTENT_GROUP, PATTERN};

/// What every other top-level key is the name of.
pub(crate) const DETECTIONS: Named = Named { called: "detection", kind: &DETECTION, keys: POLICY, switch: "enabled" };

/// The configuration of the sensor.
pub(crate) static SCHEMA: Schema = Schema::new(TOP).named(DETECTIONS).token_prefix(TOKEN_PREFIX).from_environment("");

/// How a registration token begins.
pub(crate) const TOKEN_PREFIX: &str = "SLS-";

/// Keys of the file itself. Every other top-level key is the name of a detection.
pub(crate) static TOP: &[Key] = &[
    Key::new("customer_id", Kind::Uuid, "", "The tenant's id. Required when anything goes to MCS."),
    Key::new("mcs", Kind::Map(MCS), "", "The connection to the management service."),
    Key::new(
        "send_labs_telemetry",
        Kind::Bool,
        "false",
        "Whether statistics on the sensor's own health go along over MCS. Nothing is sent anywhere else.",
    ),
    Key::new(
        "endpoint_telemetry_enabled",
        Kind::Bool,
        "false",
        "Whether table rows may go to the `mcs` sink. Alerts are not affected.",
    ),
    Key::new(
        "cloud_meta",
        Kind::Word(CloudMeta::WORDS),
        "off",
        "Whose instance metadata goes into alerts. It is asked for once at start and never delays the sensor. \
         The older `aws` means `ec2`.",
    ),
    Key::new("alert_output", Kind::Map(outputs::ALERT_OUTPUT), "", "Where alerts go, and in what shape."),
    Key::new(
        "enabled_content_groups",
        Kind::List(&Kind::Own(&CONTENT_GROUP)),
        "[Detection Analytics, Smart Policy, Audit]",
        "Groups of shipped detections that are on. A dotted path narrows a group: `Detection Analytics.System \
         Exploitation`.",
    ),
    Key::new(
        "enabled_policy_types",
        Kind::List(&detections::POLICY_TYPE),
        "[]",
        "Types of policies, such as `credentialChange`, of which the shipped detections are on that are off as shipped for what watching costs.",
    ),
    Key::new(
        "investigations",
        Kind::Map(investigations::INVESTIGATIONS),
        "",
        "The flight recorder and where its rows go.",
    )
    .aliases(&["Investigations"]),
    Key::new(
        "use_supervisor",
        Kind::Bool,
        "false",
        "Whether the sensor is to be started again when it ends unexpectedly. That is left to the systemd unit, which does so whatever stands here; the sensor has no supervisor of its own, and warns when no unit runs it.",
    ),
    Key::new(
        "use_resource_limits",
        Kind::Bool,
        "false",
        "Whether the sensor holds itself to hard limits: 5 % of one CPU, 1024 MB of memory.",
    ),
    Key::new(
        "metrics",
        Kind::Map(METRICS),
        "",
        "Where the sensor tells how it is: `/metrics` for Prometheus, `/healthz`, `/readyz`.",
    ),
    Key::new("audit", Kind::Map(AUDIT), "", "How messages to the kernel's audit are caught. Read at the start."),
    Key::new(
        "crisensor",
        Kind::Map(CRISENSOR),
        "",
        "The container runtime's socket, to ask for the names of containers.",
    ),
    Key::new(
        "lists",
        Kind::MapOf(&Kind::Map(LIST)),
        "",
        "Named lists, for rules to refer to with `$name`. A later file adds to a list, takes from it or replaces it.",
    )
    .adds_up(),
    Key::new(
        "redaction",
        Kind::Map(REDACTION),
        "",
        "Secrets in arguments, command lines and audit messages, which are taken out of all that is told. Rules see them.",
    ),
    Key::new(
        "response",
        Kind::Map(RESPONSE),
        "",
        "What policies may do about what they find (`responseActions`): by default nothing but telling it.",
    ),
    Key::new("spool", Kind::Map(SPOOL), "", "What waits on disk for receivers that confirm; for each output its own."),
    Key::new(
        "memory_budget",
        Kind::Size(32 << 20, 768 << 20),
        "128MiB",
        "The most memory for what is remembered and what waits: processes with their arguments, rows, alerts. What counts \
         for less makes room: rows before alerts, repeated alerts before first ones; what is given up is counted. The \
         program itself takes some 30 to 60 MB besides.",
    ),
    Key::new("paths", Kind::Map(PATHS), "", "Where the sensor's other files are. Options of the command line win."),
];

static MCS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether the sensor connects to MCS."),
    Key::new("url", Kind::Url(&["https"]), "", "Where MCS is."),
    Key::new("token", Kind::Secret, "", "The registration token. It begins with `SLS-`.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new(
        "certs_dir",
        Kind::Path,
        "",
        "The folder of `sophosca1..4.crt` and `.crl`. Without it, `/etc/sophos-certs` if they are there, else \
         `/etc/sophos`.",
    ),
    Key::new(
        "proxy",
        Kind::Url(&["http"]),
        "",
        "The proxy to MCS, which sees encrypted data alone. Without it, the variables HTTPS_PROXY and NO_PROXY.",
    ),
    Key::new(
        "crl_policy",
        Kind::Word(CrlPolicy::WORDS),
        "refuse",
        "What to do when a revocation list is out of date: deliver nothing, or deliver with a warning.",
    ),
];

static METRICS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "true", "Whether the sensor listens for that."),
    Key::new(
        "listen",
        Kind::Own(&LISTEN),
        "",
        "Where: an address and port, such as 127.0.0.1:9464, or `unix:///path`. Without it, `metrics.sock` in the run \
         directory, for root alone.",
    ),
    Key::new("allow_remote", Kind::Bool, "false", "Whether that may be an address that other hosts reach."),
];

static AUDIT: &[Key] = &[
    Key::new(
        "hooks",
        Kind::Word(AuditHooks::WORDS),
        "best",
        "Which hooks tell them: the best that the kernel offers, the tracepoint alone, or none.",
    ),
    Key::new(
        "multicast_fallback",
        Kind::Bool,
        "false",
        "Whether to listen to the kernel's audit multicast group when no hook can be had. It tells messages only while the \
         kernel's audit is on, which the sensor does not switch.",
    ),
];

static CRISENSOR: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false", "Whether to ask the runtime at `addr` alone."),
    Key::new(
        "addr",
        Kind::Own(&UNIX_SOCKET),
        "",
        "The runtime's socket, `unix://` in front: of Docker, podman, or one that speaks CRI. Without it, theirs are looked for at the usual \
         places: see containers.md.",
    ),
    Key::new(
        "poll_interval",
        Kind::Duration(10),
        "250ms",
        "How soon a container that no runtime knows is asked for again at first: one may be about to learn of it.",
    ),
];

static REDACTION: &[Key] = &[
    Key::new("enabled", Kind::Bool, "true", "Whether secrets are taken out."),
    Key::new(
        "defaults",
        Kind::Bool,
        "true",
        "Whether the shipped patterns count: passwords and tokens in options, variables, URLs, headers and JSON, private keys.",
    ),
    Key::new(
        "patterns",
        Kind::List(&Kind::Own(&PATTERN)),
        "",
        "Further ones: regular expressions over the command line, arguments with a blank in between. What their groups match \
         is taken out; without groups, all of it.",
    ),
    Key::new(
        "exceptions",
        Kind::List(&Kind::Own(&PATTERN)),
        "",
        "Regular expressions likewise. A secret that is part of what one of them matches stays.",
    ),
];

static SPOOL: &[Key] = &[
    Key::new(
        "max_bytes",
        Kind::Size(1 << 20, u64::MAX),
        "256MiB",
        "The most that waits for one output. Beyond it the oldest is given up, counted, and told by an alert.",
    ),
    Key::new("max_age", Kind::Duration(60_000), "168h", "What has waited for longer is given up in the same way."),
];

static PATHS: &[Key] = &[
    Key::new(
        "content",
        Kind::Path,
        "/var/lib/sophos/content/runtimedetections-content.yaml",
        "Shipped detections and lists.",
    ),
    Key::new("rules", Kind::Path, "/etc/sophos/runtimedetections-rules.yaml", "Your overrides, detections and lists."),
    Key::new(
        "state_dir",
        Kind::Path,
        "/var/lib/sophos",
        "What must outlive a restart: undelivered alerts, the sensor's id. With another run directory, a folder in there \
         that is named for it: `of-run-sophos-2`.",
    ),
    Key::new("run_dir", Kind::Path, "/run/sophos", "What need not: the control socket, the merged configuration."),
];
