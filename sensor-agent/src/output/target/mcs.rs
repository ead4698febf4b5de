//! The management service, Central, as the top-level `mcs` says.

mod items;

use std::{
    fmt::{self, Write as _},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use delivery::{
    backoff::Pace,
    ledger::Ledger,
    mcs::{Bounds, Central, Hello, McsSettings, Timeouts},
    spooled::{Encode, Encoded, Spooled},
    trust::{CrlPolicy, TrustFolder},
};
use diagnostic::Report;
use schema::Table;
use secrecy::{ExposeSecret as _, SecretString};
use settings::Variant;
use url::Url;
use uuid::Uuid;

use self::items::{alert_item, row_items};
use super::{Elsewhere, Fault, Given, Opened, Target};
use crate::output::{
    queued::QueuedAlert,
    rows::QueuedRows,
    settings::{OutputSettings, SinkSettings},
};
use crate::{alert::Template, host};

/// What it is called in a configuration.
pub(crate) const NAME: &str = "mcs";

pub(super) const OUTPUT: Variant =
    Variant { name: NAME, keys: &[], doc: "The management service, as the top-level `mcs` says." };

pub(super) const SINK: Variant = Variant {
    doc: "The management service and its Data Lake: `process_events` and `audit_user_msg` alone.",
    ..OUTPUT
};

/// Rows in an item of the spool, which is a request.
const ROWS: usize = 500;

pub(super) fn output(given: &Given<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    given.without_effect(
        &["format", "max_bytes"],
        "an output of type `mcs`",
        "alerts go to the management service in a form of its own; take it out",
        report,
    );
    Some(central(elsewhere.central.as_ref()))
}

pub(super) fn sink(_: &Given<'_>, elsewhere: &mut Elsewhere, _: &mut Report) -> Option<Arc<dyn Target>> {
    Some(central(elsewhere.central.as_ref().filter(|_| elsewhere.rows_to_central)))
}

fn central(settings: Option<&CentralSettings>) -> Arc<dyn Target> {
    settings.map_or_else(|| Arc::new(Off) as Arc<dyn Target>, |settings| Arc::new(settings.clone()))
}

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
    fn remote(&self, name: &str) -> io::Result<Central> {
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

impl Target for CentralSettings {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn place(&self) -> String {
        self.url.to_string()
    }

    /// Whether these can work at all, whatever the network does. No secret is in the reason.
    fn fault(&self) -> Option<Fault> {
        let reason = self.settings("mcs", "id".to_owned(), Hello::default()).check().err()?.to_string();
        Some(Fault { label: "cannot deliver as `mcs` says", ..Fault::of_all(reason) })
    }

    /// Whether Central would be trusted: with its trust files as they are now.
    fn remarks(&self) -> String {
        let mut text = format!(" at {}, trusted by {}", self.url, self.certs_dir.display());
        let trouble = match TrustFolder::new(&self.certs_dir, self.crl_policy).current() {
            Ok(trust) => trust.warnings.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        for trouble in trouble {
            let _ = write!(text, "\n    NOTE: {trouble}");
        }
        text
    }

    fn is_spooled(&self) -> bool {
        true
    }

    fn takes(&self, table: &Table) -> bool {
        table.mcs
    }

    fn form(&self) -> Option<&'static str> {
        Some(NAME)
    }

    fn has_topics(&self) -> bool {
        true
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        let messages = AlertMessages(output.template.clone());
        Ok(Box::new(Spooled::new(output.spool.clone(), messages, Box::new(self.remote(&output.name)?))))
    }

    fn rows(&self, sink: &SinkSettings) -> Opened<QueuedRows> {
        Ok(Box::new(Spooled::new(sink.spool.clone(), RowMessages, Box::new(self.remote(&sink.name)?))))
    }
}

/// Central while `mcs` is off, or takes no rows.
#[derive(Debug, PartialEq)]
struct Off;

impl Target for Off {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn place(&self) -> String {
        NAME.to_owned()
    }

    fn is_off(&self) -> bool {
        true
    }

    fn takes(&self, table: &Table) -> bool {
        table.mcs
    }

    fn has_topics(&self) -> bool {
        true
    }
}

/// Alerts as Central takes them. A template gives them no other form, but one that makes nothing of an alert keeps it
/// back, as on any output.
struct AlertMessages(Option<Arc<Template>>);

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
struct RowMessages;

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

/// What Central gets of an alert and of its event as a row, if it has a table for that.
#[cfg(test)]
pub(crate) fn forms_of(alert: &crate::alert::Alert, event: &crate::event::Event, host: &crate::event::Host) -> Vec<u8> {
    let mut forms = alert_item(alert).map(|(item, _)| item.body).unwrap_or_default();
    let tables = schema::TABLES.iter().filter(|table| table.mcs && table.kinds.contains(&event.kind));
    for items in tables.filter_map(|table| row_items(table, std::slice::from_ref(event), host, 1).ok()) {
        forms.extend(items.into_iter().flat_map(|item| item.body));
    }
    forms
}
