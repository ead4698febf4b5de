//! Outputs and sinks that deliver to Central.

mod items;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use delivery::{
    backoff::Pace,
    ledger::Ledger,
    mcs::{Bounds, Hello, Mcs, McsSettings, Observer, State, Status, Timeouts, Word},
    outcome::Outcome,
    spooled::{Courier, Encode, Encoded, StartCourier, backlog::Backlog},
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
/// How long a request may still take once the output ends.
const GRACE: Duration = Duration::from_secs(1);
/// How often an output that ends looks whether everything is out.
const LOOK: Duration = Duration::from_millis(20);
/// Clocks that differ by less are as good as the same.
const SKEW: Duration = Duration::from_secs(60);

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

    /// Delivers to it.
    ///
    /// # Errors
    ///
    /// When the settings cannot work, or the sensor's id cannot be read.
    pub(crate) fn courier(&self, name: &str) -> io::Result<StartCourier> {
        self.check().map_err(io::Error::other)?;
        // What is wrong with the id's place is said where the sensor starts.
        let (host, _) = host::describe(&self.state_dir);
        let hello = Hello {
            sensor_version: crate::cli::version(),
            hostname: host.hostname,
            metadata: host.metadata,
            statistics: self.statistics,
        };
        let settings = self.settings(name, host.sensor_id, hello);
        Ok(Box::new(move |backlog, ledger| {
            ledger.set_confirms(true);
            let reports = Reports { backlog: Arc::clone(backlog), ledger: Arc::clone(ledger) };
            let mcs = Mcs::start(settings, backlog.spool.clone(), Box::new(reports)).map_err(io::Error::other)?;
            Ok(Box::new(ToCentral { mcs: Some(mcs), backlog: Arc::clone(backlog) }) as Box<dyn Courier>)
        }))
    }
}

struct ToCentral {
    /// None once it has ended.
    mcs: Option<Mcs>,
    backlog: Arc<Backlog>,
}

impl Courier for ToCentral {
    fn wake(&self, urgent: bool) {
        // The spool itself tells of what arrives.
        if urgent && let Some(mcs) = &self.mcs {
            mcs.hurry();
        }
    }

    fn finish(&mut self, within: Duration) {
        let Some(mcs) = self.mcs.take() else { return };
        let until = Instant::now() + within;
        while self.backlog.spool.has_items() && mcs.status().state == State::Working && Instant::now() < until {
            thread::sleep(LOOK);
        }
        mcs.stop(GRACE.min(until.saturating_duration_since(Instant::now())));
    }
}

/// Passes on how delivery goes.
struct Reports {
    backlog: Arc<Backlog>,
    ledger: Arc<Ledger>,
}

impl Observer for Reports {
    fn word(&self, uuid: Uuid, word: &Word) {
        let outcome = match word {
            Word::Confirmed => Outcome::Confirmed,
            Word::Retrying(reason) => Outcome::Retrying(reason.clone()),
            Word::Rejected(reason) => {
                self.ledger.rejected(uuid, reason);
                Outcome::Rejected(reason.clone())
            }
        };
        self.backlog.tell(&self.ledger.name, uuid, &outcome);
    }

    fn delivered(&self, count: usize) {
        self.ledger.confirmed(count);
        self.ledger.note_given_up();
    }

    fn failed(&self, reason: &str) {
        self.ledger.failed(reason);
        self.ledger.note_given_up();
    }

    fn too_large(&self, reason: &str) {
        self.ledger.too_large(reason);
    }

    fn works(&self, status: &Status) {
        self.ledger.works();
        let mut notes = status.trust_warnings.clone();
        if let Some(skew) = status.central.as_ref().and_then(|central| central.clock_skew)
            && skew.unsigned_abs() >= SKEW.as_nanos() as u64
        {
            let seconds = skew.unsigned_abs() / 1_000_000_000;
            let way = if skew > 0 { "behind" } else { "ahead of" };
            notes.push(format!("this host's clock is {seconds} s {way} Central's"));
        }
        self.ledger.set_notes(notes);
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
