//! What the service is told: a YAML file, and flags that stand above it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;

/// The whole configuration. A key that is not known is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The folder of the database.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    pub tls: Tls,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub metrics: Metrics,
}

/// What sensors are shown. Read again on SIGHUP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM: the server's certificate, then those between it and the CA.
    pub certificate: PathBuf,
    /// PEM: the certificate's private key.
    pub key: PathBuf,
}

/// What one request may cost.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body, bytes as sent.
    pub body_bytes: usize,
    /// Largest body, bytes after decompression.
    pub decoded_bytes: usize,
    /// Most items in a batch.
    pub items: usize,
    /// Bodies held in memory at the same time; what comes above is told to come back.
    pub in_flight: usize,
    /// Seconds that a body may take to arrive.
    pub body_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 4 << 20, decoded_bytes: 32 << 20, items: 50_000, in_flight: 32, body_seconds: 30 }
    }
}

impl Limits {
    /// How long a body may take to arrive.
    #[must_use]
    pub const fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}

/// The least that `retention.max_bytes` can be.
const LEAST_BYTES: u64 = 64 << 20;

/// How long things are kept. Absent means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days that table rows are kept after they came in.
    pub events_days: Option<u32>,
    /// Days that alerts are kept after they came in.
    pub alerts_days: Option<u32>,
    /// Days that a batch sent again is known for one. Longer than any sensor keeps a batch that it could not deliver.
    pub batches_days: Option<u32>,
    /// Bytes of the database, 64 MiB at least, above which the oldest rows go; alerts only once there are no rows left.
    pub max_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { events_days: Some(30), alerts_days: Some(90), batches_days: Some(14), max_bytes: None }
    }
}

impl Retention {
    /// Keeps everything for ever.
    pub const OFF: Self = Self { events_days: None, alerts_days: None, batches_days: None, max_bytes: None };
}

/// Who may read `/metrics`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Addresses that may; others get 403.
    pub allow: Vec<IpNet>,
}

impl Default for Metrics {
    fn default() -> Self {
        let loopback = |address: std::net::IpAddr, bits| IpNet::new_assert(address, bits);
        Self {
            allow: vec![
                loopback(std::net::Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                loopback(std::net::Ipv6Addr::LOCALHOST.into(), 128),
            ],
        }
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 8443))
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("/var/lib/sensor-central")
}

/// Values from the command line, which stand above the file.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Where to listen, as ADDRESS:PORT.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// The folder of the database.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// The server's certificate chain, PEM.
    #[arg(long)]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, PEM.
    #[arg(long)]
    pub tls_key: Option<PathBuf>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration {} is wrong: {fault}", path.display())]
    Parse { path: PathBuf, fault: String },
    #[error("no configuration: name a file with --config, or give both --tls-certificate and --tls-key")]
    Missing,
    #[error("{key} must not be 0: nothing would be taken in")]
    Zero { key: &'static str },
    #[error("retention.max_bytes is {found}; below {LEAST_BYTES} there is no room for alerts")]
    TooSmall { found: u64 },
}

impl Config {
    /// The file, if one is named, with the flags above it.
    ///
    /// # Errors
    /// The file cannot be read or says something that it must not, or file and flags together say too little.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let mut config = match (file, &flags.tls_certificate, &flags.tls_key) {
            (Some(path), ..) => Self::read(path)?,
            (None, Some(certificate), Some(key)) => {
                Self::new(default_data_dir(), Tls { certificate: certificate.clone(), key: key.clone() })
            }
            _ => return Err(ConfigError::Missing),
        };
        let flags = flags.clone();
        config.listen = flags.listen.unwrap_or(config.listen);
        config.data_dir = flags.data_dir.unwrap_or(config.data_dir);
        config.tls.certificate = flags.tls_certificate.unwrap_or(config.tls.certificate);
        config.tls.key = flags.tls_key.unwrap_or(config.tls.key);
        config.check()
    }

    /// The defaults.
    #[must_use]
    pub fn new(data_dir: PathBuf, tls: Tls) -> Self {
        Self {
            listen: default_listen(),
            data_dir,
            tls,
            limits: Limits::default(),
            retention: Retention::default(),
            metrics: Metrics::default(),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        serde_saphyr::from_str(&text)
            .map_err(|fault| ConfigError::Parse { path: path.to_path_buf(), fault: fault.to_string() })
    }

    fn check(self) -> Result<Self, ConfigError> {
        let Limits { body_bytes, decoded_bytes, items, in_flight, body_seconds } = self.limits;
        let sizes = [
            ("limits.body_bytes", body_bytes),
            ("limits.decoded_bytes", decoded_bytes),
            ("limits.items", items),
            ("limits.in_flight", in_flight),
            ("limits.body_seconds", usize::try_from(body_seconds).unwrap_or(usize::MAX)),
        ];
        if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero { key });
        }
        match self.retention.max_bytes {
            Some(found) if found < LEAST_BYTES => Err(ConfigError::TooSmall { found }),
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(yaml: &str) -> Result<Config, String> {
        serde_saphyr::from_str(yaml).map_err(|fault| fault.to_string())
    }

    /// The file of the package, with what it shows in comments switched on.
    #[test]
    fn the_shipped_file_shows_every_key_as_it_is_without_being_said() {
        let shipped = include_str!("../../packaging/central.yaml");
        assert!(parse(shipped).is_ok(), "{:?}", parse(shipped));
        let (_, body) = shipped.split_once("\nlisten:").unwrap();
        // Words for people begin with a space after the sign, keys at once or further in.
        let is_words = |line: &str| line.strip_prefix("# ").is_some_and(|rest| !rest.starts_with(' '));
        let lines = body.lines().filter(|line| !is_words(line)).map(|line| line.strip_prefix('#').unwrap_or(line));
        let whole = parse(&format!("listen:{}", lines.collect::<Vec<_>>().join("\n"))).unwrap();
        let short = parse("tls: {certificate: a.crt, key: a.key}").unwrap();
        let all = |config: &Config| format!("{:?}{:?}{:?}", config.limits, config.retention, config.metrics);
        assert_eq!(all(&whole), all(&short));
        for key in ["events_days", "alerts_days", "batches_days", "max_bytes", "allow"].iter().chain(&[
            "body_bytes",
            "decoded_bytes",
            "items",
            "in_flight",
            "body_seconds",
        ]) {
            assert!(shipped.contains(&format!("  {key}:")), "{key}");
        }
    }

    #[test]
    fn a_short_file_gets_the_defaults() {
        let config = parse("tls: {certificate: a.crt, key: a.key}\nretention: {max_bytes: 1000}").unwrap();
        assert_eq!(config.retention, Retention { max_bytes: Some(1000), ..Retention::default() });
        assert_eq!(config.listen.port(), 8443);
        assert!(config.metrics.allow.iter().any(|range| range.contains(&"127.0.0.7".parse::<IpAddr>().unwrap())));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let fault = parse("tls: {certificate: a, key: b}\nlimits: {body_byte: 3}").unwrap_err();
        assert!(fault.contains("body_byte"), "{fault}");
    }

    #[test]
    fn flags_stand_above_the_file() {
        let flags = Flags {
            listen: Some(([127, 0, 0, 1], 1).into()),
            tls_certificate: Some("c".into()),
            tls_key: Some("k".into()),
            ..Flags::default()
        };
        let config = Config::load(None, &flags).unwrap();
        assert_eq!((config.listen.port(), config.tls.key), (1, PathBuf::from("k")));
        assert!(matches!(Config::load(None, &Flags::default()), Err(ConfigError::Missing)));
    }

    use std::net::IpAddr;
}
