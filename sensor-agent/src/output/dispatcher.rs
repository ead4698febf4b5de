//! Hands each alert to the outputs, and word of what became of it to whoever waits.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use budget::Budget;
use delivery::{
    ledger::OutputStatus,
    open_error::OpenError,
    outcome::{Awaited, Receipt},
    worker::group::{Group, Prepared},
};

use super::{queued::QueuedAlert, settings::OutputSettings};
use crate::alert::Alert;

/// All alert outputs.
pub struct Dispatcher {
    group: Group<OutputSettings>,
    watchers: Mutex<Vec<Watcher>>,
}

impl Dispatcher {
    /// Starts the outputs. One that cannot be opened is tried again and again; what it is to get waits.
    ///
    /// # Errors
    ///
    /// Two have the same name, and then none is started; or there can be no more threads.
    pub fn start(settings: Vec<OutputSettings>) -> Result<Self, Vec<OpenError>> {
        Self::start_within(Budget::unlimited(), settings)
    }

    /// The same with the memory of what waits taken out of a budget.
    ///
    /// # Errors
    ///
    /// See [`Self::start`].
    pub fn start_within(budget: Budget, settings: Vec<OutputSettings>) -> Result<Self, Vec<OpenError>> {
        let group: Group<_> = Group::within(budget);
        group.reconfigure(settings)?;
        Ok(Self { group, watchers: Mutex::default() })
    }

    /// Hands an alert to every output that takes its kind of message, without waiting. What an output has no room for
    /// is lost to it, and counted.
    pub fn send(&self, alert: Arc<Alert>) {
        let watchers = self.watchers_of(&alert);
        let awaited = Awaited { uuid: alert.uuid, since: Instant::now(), watchers };
        self.group.send(&QueuedAlert { alert, awaited });
    }

    /// Puts other settings in force without losing an alert: outputs whose settings stay are not touched, those that
    /// change keep what waits, those that are gone send what waits and end. Returns each output that could not be
    /// opened at once; it is tried again.
    ///
    /// # Errors
    ///
    /// Two have the same name, and then everything stays as it was; or there can be no more threads.
    pub fn reconfigure(&self, settings: Vec<OutputSettings>) -> Result<Vec<OpenError>, Vec<OpenError>> {
        self.group.reconfigure(settings)
    }

    /// The first step of [`Self::reconfigure`]: makes everything ready and changes nothing.
    ///
    /// # Errors
    ///
    /// See [`Self::reconfigure`].
    pub fn prepare(&self, settings: Vec<OutputSettings>) -> Result<PreparedOutputs<'_>, Vec<OpenError>> {
        self.group.prepare(settings).map(PreparedOutputs)
    }

    /// Waits for an alert that is yet to come, and for word of it from each output there is now.
    pub fn watch(&self, is_it: impl Fn(&Alert) -> bool + Send + 'static) -> Watch {
        let (sender, receipts) = mpsc::channel();
        let wanted = Arc::new(());
        let watcher = Watcher { is_it: Box::new(is_it), sender, wanted: Arc::downgrade(&wanted) };
        self.watchers().push(watcher);
        Watch { outputs: self.group.names(), receipts, _wanted: wanted }
    }

    /// An alert that was sent tells of what this output gave up, by cause: no later run of the sensor need tell it.
    pub fn reported(&self, output: &str, given_up: &[(&'static str, u64)]) {
        self.group.reported(output, given_up);
    }

    /// What each output did.
    #[must_use]
    pub fn status(&self) -> Vec<OutputStatus> {
        self.group.status()
    }

    /// Lets what waits go out for at most so long and gives up the rest. Returns what each output did, as
    /// [`Self::status`] does from then on.
    pub fn stop(&self, within: Duration) -> Vec<OutputStatus> {
        self.group.stop(within)
    }

    fn watchers_of(&self, alert: &Alert) -> Vec<Sender<Receipt>> {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| watcher.wanted.strong_count() > 0);
        watchers.iter().filter(|watcher| (watcher.is_it)(alert)).map(|watcher| watcher.sender.clone()).collect()
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outputs that can come into force.
pub struct PreparedOutputs<'a>(Prepared<'a, OutputSettings>);

impl PreparedOutputs<'_> {
    /// Puts them in force. Returns each that could not be opened at once.
    #[must_use]
    pub fn commit(self) -> Vec<OpenError> {
        self.0.commit()
    }
}

struct Watcher {
    is_it: Box<dyn Fn(&Alert) -> bool + Send>,
    sender: Sender<Receipt>,
    /// Gone once nobody waits any more.
    wanted: Weak<()>,
}

/// Word of an alert, from each output.
pub struct Watch {
    /// The outputs that word is expected from.
    pub outputs: Vec<String>,
    receipts: Receiver<Receipt>,
    _wanted: Arc<()>,
}

impl Watch {
    /// The next word of any output, if it comes in time. An output can send several: each failed try, then the
    /// outcome.
    #[must_use]
    pub fn next(&self, until: Instant) -> Option<Receipt> {
        self.receipts.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    /// Waits for the outcome at every output: the last word of each, in the order of the outputs; none from those
    /// that said nothing in time.
    #[must_use]
    pub fn wait(self, until: Instant) -> Vec<(String, Option<Receipt>)> {
        let mut words: Vec<_> = self.outputs.iter().map(|output| (output.clone(), None::<Receipt>)).collect();
        let open = |word: &Option<Receipt>| word.as_ref().is_none_or(|word| !word.outcome.is_final());
        while words.iter().any(|(_, word)| open(word))
            && let Some(receipt) = self.next(until)
        {
            let place = words.iter_mut().find(|(output, word)| *output == receipt.output && open(word));
            if let Some((_, word)) = place {
                *word = Some(receipt);
            }
        }
        words
    }
}
