//! Outputs and sinks that deliver to Central.

mod items;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use delivery::{
    backoff::Pace,
    ledger::Ledger,
    mcs::{Bounds, Central, Hello, McsSettings, Timeouts},
    spooled::{Encode, Encoded},
    trust::{CrlPolicy, TrustFolder},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;

use self::items::{alert_item, row_items};
use crate::output::{queued::QueuedAlert, rows::QueuedRows};
use crate::{alert::Template, host};

/// Rows in an item of the spool, which is a request.
const ROWS: usize = 500;

/// Where Central is, as whom to deliver, and whom to trust.
#[derive(Clone)]
pub struct CentralSettings {
    pub url: Url,
    pub token: SecretString,
    /// The `customer_id`.
    pub tenant: Uuid,
    /// The folder of trust files.
    pub certs_dir: PathBuf,
    pub crl_policy: CrlPolicy,
    /// In place of that of the environment.
    pub proxy: Option<Url>,
    /// Where the sensor's id is.
    pub state_dir: PathBuf,
    /// Whether statistics on the sensor's health go along.
    pub statistics: bool,
}

impl PartialEq for CentralSettings {
    fn eq(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret() && self.without_token() == other.without_token()
    }
}

impl Eq for CentralSettings {}

/// Without token and proxy: both may be, or hold, a secret.
impl fmt::Debug for CentralSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CentralSettings({}, {}, {})", self.url, self.tenant, self.certs_dir.display())
    }
}

impl CentralSettings {
    /// Everything else, to be compared.
    fn without_token(&self) -> (&Url, Uuid, &Path, CrlPolicy, Option<&Url>, &Path, bool) {
        (
            &self.url,
            self.tenant,
            &self.certs_dir,
            self.crl_policy,
            self.proxy.as_ref(),
            &self.state_dir,
            self.statistics,
        )
    }

    /// Looks whether these can work at all, whatever the network does.
    ///
    /// # Errors
    ///
    /// What is wrong, for people; never with a secret in it.
    pub fn check(&self) -> Result<(), String> {
        self.settings("mcs", "id".to_owned(), Hello::default()).check().map_err(|error| error.to_string())
    }

    /// What is wrong, or not as it should be, with the trust files as they are now.
    #[must_use]
    pub fn trouble_with_trust(&self) -> Vec<String> {
        match TrustFolder::new(&self.certs_dir, self.crl_policy).current() {
            Ok(trust) => trust.warnings.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    fn settings(&self, name: &str, sensor_id: String, hello: Hello) -> McsSettings {
        McsSettings {
            name: name.to_owned(),
            url: self.url.clone(),
            token: self.token.clone(),
            tenant: self.tenant,
            sensor_id,
            trust: TrustFolder::new(&self.certs_dir, self.crl_policy),
            proxy: self.proxy.clone(),
            hello,
            bounds: Bounds::default(),
            pace: Pace::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// What delivers to it for the output of this name.
    ///
    /// # Errors
    ///
    /// When the settings cannot work, or the sensor's id cannot be read.
    pub(crate) fn remote(&self, name: &str) -> io::Result<Central> {
        // What is wrong with the id's place is said where the sensor starts.
        let (host, _) = host::describe(&self.state_dir);
        let hello = Hello {
            sensor_version: crate::cli::version(),
            hostname: host.hostname,
            metadata: host.metadata,
            statistics: self.statistics,
        };
        Central::new(self.settings(name, host.sensor_id, hello)).map_err(io::Error::other)
    }
}

/// Alerts as Central takes them. A template gives them no other form, but one that makes nothing of an alert keeps it
/// back, as on any output.
pub(crate) struct AlertMessages(pub(crate) Option<Arc<Template>>);

impl Encode<QueuedAlert> for AlertMessages {
    fn encode(&mut self, item: &mut QueuedAlert, ledger: &Ledger) -> Encoded {
        if self.0.as_ref().is_some_and(|template| matches!(template.render(&item.alert), Ok(None))) {
            return Encoded::Nothing;
        }
        match alert_item(&item.alert) {
            Ok((new, is_cut)) => {
                if is_cut {
                    ledger.shortened();
                }
                Encoded::Items(vec![new])
            }
            Err(error) => Encoded::Unfit(error.to_string()),
        }
    }
}

/// Rows as Central takes them.
pub(crate) struct RowMessages;

impl Encode<QueuedRows> for RowMessages {
    fn encode(&mut self, rows: &mut QueuedRows, _: &Ledger) -> Encoded {
        let batch = Arc::clone(&rows.batch);
        let to = batch.events.len().min(rows.from + ROWS);
        match row_items(batch.table, &batch.events[rows.from..to], &batch.host, ROWS) {
            Ok(new) if to == batch.events.len() => Encoded::Items(new),
            Ok(new) => {
                rows.from = to;
                Encoded::Part(new)
            }
            Err(error) => Encoded::Unfit(error.to_string()),
        }
    }
}
