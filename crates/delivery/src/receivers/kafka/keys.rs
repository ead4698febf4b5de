//! A topic of a Kafka cluster, as an output's keys describe it.

use std::{path::PathBuf, time::Duration};

use diagnostic::{Report, Span};
use settings::{FromText, HostPort, Key, Kind, Own, Problem, Section, Word as _, files};

use super::{IS_BUILT, KafkaSettings, Sasl, SaslMechanism};
use crate::tls::TlsSettings;

/// The port that brokers have if none is named.
const PORT: u16 = 9092;

pub const BROKERS: Key = Key::new(
    "brokers",
    Kind::List(&OF_BROKER),
    "",
    "Some of the cluster's brokers, as host:port (9092 without one). They name the others.",
)
.required();
pub const TOPIC: Key = Key::new("topic", Kind::Text, "", "The topic. It has to be there.").required();
pub const GZIP: Key = Key::new("gzip", Kind::Bool, "true", "Whether records are compressed.");
pub const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "10s", "How long a request may take.");
pub const TLS: Key = Key::new("tls", Kind::Bool, "true", "Whether connections are encrypted.");
pub const SASL_MECHANISM: Key = Key::new(
    "sasl_mechanism",
    Kind::Word(SaslMechanism::WORDS),
    "",
    "How brokers are shown who we are. Without it, they are not, or by a certificate.",
);
pub const SASL_USERNAME: Key = Key::new("sasl_username", Kind::Text, "", "The user, for `sasl_mechanism`.");
pub const SASL_PASSWORD: Key =
    Key::new("sasl_password", Kind::Secret, "", "The user's password.").instead_of("sasl_password_file");
pub const SASL_PASSWORD_FILE: Key =
    Key::new("sasl_password_file", Kind::Path, "", "A file that holds the password and nothing else.")
        .instead_of("sasl_password");

/// The type of keys that take a broker.
static BROKER: Own = Own {
    name: "host:port",
    expected: "a broker, such as kafka.example:9092",
    check: |text| Broker::from_text(text).map(drop),
    prose: None,
};

static OF_BROKER: Kind = Kind::Own(&BROKER);

#[derive(PartialEq)]
struct Broker(HostPort);

impl FromText for Broker {
    fn from_text(text: &str) -> Result<Self, Problem> {
        HostPort::parse(text, Some(PORT)).map(Self)
    }
}

/// Takes the topic. How TLS is set, `tls` says; none where there is to be none. `agent` is what brokers are told that
/// sends.
pub fn read(
    section: &Section<'_>,
    agent: &'static str,
    report: &mut Report,
    tls: impl FnOnce(bool, &mut Report) -> TlsSettings,
) -> Option<KafkaSettings> {
    if !IS_BUILT {
        report
            .error(section.span("brokers"), "this program was built without a client for Kafka")
            .help("build it with the feature `kafka`, or take another output");
    }
    let brokers: Vec<HostPort> =
        section.values::<Broker>("brokers").unwrap_or_default().into_iter().map(|Broker(broker)| broker).collect();
    if brokers.is_empty() {
        report
            .error(section.span("brokers"), "no broker is named")
            .help("add one at least, such as `[kafka.example:9092]`");
        return None;
    }
    let is_encrypted = section.bool("tls");
    let tls = tls(is_encrypted, report);
    let sasl = sasl(section, report);
    if let Some(Sasl { mechanism: SaslMechanism::Plain, .. }) = &sasl
        && !is_encrypted
        && !brokers.iter().all(is_loopback)
    {
        report
            .error(section.span("tls"), "this would send the password off this host unencrypted")
            .help("take out `tls: false`, or use scram-sha-256 or scram-sha-512");
    }
    Some(KafkaSettings {
        agent,
        brokers,
        topic: section.get("topic")?,
        gzip: section.bool("gzip"),
        timeout: section.get::<Duration>("timeout")?,
        tls: is_encrypted.then_some(tls),
        sasl,
    })
}

fn sasl(section: &Section<'_>, report: &mut Report) -> Option<Sasl> {
    let names = ["sasl_username", "sasl_password", "sasl_password_file"];
    let Some(mechanism) = section.get::<SaslMechanism>("sasl_mechanism") else {
        for (name, span) in names.into_iter().filter_map(|name| Some((name, section.span(name)?))) {
            report
                .error(span, format!("`{name}` has no effect without `sasl_mechanism`"))
                .help("add it, or take this out");
        }
        return None;
    };
    let given = |name: &str| section.node(name).is_some();
    let place: Option<Span> = section.span("sasl_mechanism");
    if !given("sasl_username") || !given("sasl_password") && !given("sasl_password_file") {
        report
            .error(place, "`sasl_mechanism` needs a user and a password")
            .help("add `sasl_username`, and `sasl_password_file` with the path of a file that holds the password");
    }
    let password = section.secret("sasl_password").or_else(|| {
        let path: PathBuf = section.get("sasl_password_file")?;
        files::secret(&path, section.span("sasl_password_file"), report)
    })?;
    Some(Sasl { mechanism, username: section.get("sasl_username")?, password })
}

fn is_loopback(HostPort { host, .. }: &HostPort) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
