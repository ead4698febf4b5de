//! What policies do about what they find: they stop and end processes.
//!
//! ```text
//! engine: finding ─▶ Order ─▶ worker: held by a pidfd? still the same process? may it be hit? ─▶ signal
//!    alert waits ◀── Answer: what was done, as notifications ◀────────────────────────────────────┘
//! ```
//!
//! The worker is a thread of its own: reading `/proc` and gathering a tree take time that the engine does not have. An
//! alert waits for its answer, and not for long. Whatever keeps an action from being done is told in the alert and
//! counted by its outcome.

mod container;
mod counts;
mod identity;
mod limits;
mod off_limits;
mod tally;
mod tree;
mod worker;

use std::io;
use std::sync::Arc;

use clock::unix_now;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use settings::words;
use uuid::Uuid;

pub use self::{counts::Counts, limits::Limits, off_limits::OffLimits};
use crate::alert::Notification;
use crate::event::{Process, ProcessKey};
use crate::policy::{Action, Policy};

/// Orders that may wait for the worker.
const ORDERS: usize = 256;

words! {
    /// What came of an action.
    pub Outcome {
        Success = "success",
        /// It would have been done.
        DryRun = "dry_run",
        /// It must not be done.
        Refused = "refused",
        /// The process had ended.
        Gone = "gone",
        /// The kernel did not do it.
        Failed = "failed",
        /// It was not known yet when the alert was told.
        Unknown = "unknown",
    }
}

/// What is to be done.
#[derive(Debug)]
pub struct Order {
    /// The answer has the same.
    pub number: u64,
    pub policy: Arc<Policy>,
    /// To whom.
    pub process: Arc<Process>,
    /// When it did what it is to be done for: nanoseconds since the Unix epoch.
    pub happened: u64,
    pub limits: Arc<Limits>,
}

impl Order {
    /// Whether it is only to be said what would be done.
    fn is_dry(&self) -> bool {
        self.policy.response.dry_run
    }

    /// How long after the event this is, for the end of a sentence.
    fn since(&self) -> String {
        let millis = unix_now().saturating_sub(self.happened) as f64 / 1e6;
        format!(", {millis:.1} ms after what it did")
    }
}

/// What came of an order, each action one notification.
#[derive(Debug)]
pub struct Answer {
    pub number: u64,
    pub notifications: Vec<Notification>,
}

/// What came of one action.
#[derive(Debug)]
struct Deed {
    outcome: Outcome,
    /// A sentence.
    details: String,
}

/// Tells the running descendants of a process; none if it is not known in time.
pub type Descendants = Box<dyn Fn(ProcessKey) -> Option<Vec<Arc<Process>>> + Send>;

/// Carries out orders, one after another.
#[derive(Debug)]
pub struct Responder {
    orders: Sender<Order>,
    answers: Receiver<Answer>,
    counts: Arc<Counts>,
}

impl Responder {
    /// Starts the worker, with what capabilities the calling thread has.
    ///
    /// # Errors
    /// There can be no further thread.
    pub fn start(off_limits: OffLimits, descendants: Descendants) -> io::Result<Self> {
        let (orders, ordered) = bounded::<Order>(ORDERS);
        // As many as there can be orders, and the one at hand: the worker never waits for the engine.
        let (answered, answers) = bounded(ORDERS + 1);
        let counts = Arc::new(Counts::default());
        let mut worker = worker::Worker::new(off_limits, descendants, Arc::clone(&counts));
        std::thread::Builder::new().name("responses".into()).spawn(move || {
            for order in ordered {
                let notifications = worker.carry_out(&order);
                if answered.send(Answer { number: order.number, notifications }).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { orders, answers, counts })
    }

    /// Takes an order; gives it back if too many wait.
    ///
    /// # Errors
    /// The order, and why it is not carried out.
    pub fn order(&self, order: Order) -> Result<(), (Order, &'static str)> {
        self.orders.try_send(order).map_err(|error| match error {
            TrySendError::Full(order) => (order, "too many others wait"),
            TrySendError::Disconnected(order) => (order, "the thread that does it has ended"),
        })
    }

    /// What came of the orders.
    #[must_use]
    pub const fn answers(&self) -> &Receiver<Answer> {
        &self.answers
    }

    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// Says of each action of a policy that this came of it.
#[must_use]
pub fn none_done(policy: &Policy, outcome: Outcome, why: &str) -> Vec<Notification> {
    let actions = policy.response.actions.iter();
    actions.map(|action| notification(*action, &Deed { outcome, details: why.to_owned() })).collect()
}

fn notification(action: Action, deed: &Deed) -> Notification {
    let target = match action {
        Action::Stop | Action::Kill => "process",
        Action::KillTree => "process_tree",
        Action::KillContainer => "container",
    };
    let fields = [
        ("action_type", action.word()),
        ("action_target_type", target),
        ("action_result", deed.outcome.word()),
        ("action_result_details", &deed.details),
    ];
    Notification {
        time: unix_now(),
        name: "response".into(),
        uuid: Uuid::now_v7(),
        message: format!("{}: {}", action.word(), deed.details),
        message_fields: fields.map(|(key, text)| (key, text.to_owned())).into(),
    }
}
