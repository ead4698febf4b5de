//! What other threads want of the engine.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::{Counts, EngineStatus, Piece, Search, Setup, Watch};
use crate::event::{Host, Process, ProcessKey};
use crate::policy::Policy;
use crate::process::rescan::Rescan;
use crate::redaction::Redaction;

/// What the engine is asked by other threads.
#[derive(Debug)]
pub enum Request {
    Status(Sender<EngineStatus>),
    /// What each policy and each table came to.
    Counts(Sender<Counts>),
    /// Which processes run.
    Processes(Sender<Running>),
    /// Go on with another setup. The recorder keeps the rows of tables that stay.
    Reload(Box<Setup>),
    /// Tell when a process with this argument is seen, and which alert it raises. Answered once the watch is kept, so
    /// that nothing from then on is missed.
    Watch(Watch, Sender<()>),
    /// Hand over a piece of what is held, and when that is all, what is to come.
    Show(Box<Search>, Sender<Piece>),
    /// Go on with what is known of the host by now.
    Host(Arc<Host>),
    /// Tell of the processes whose records were lost.
    Rescan(Box<Rescan>),
    /// Tell the running descendants of a process.
    Descendants(ProcessKey, Sender<Vec<Arc<Process>>>),
    /// Raise an alert about the sensor itself; the second is the rule that it names.
    Tell(Box<Policy>, &'static str),
    /// Hand over what is left, and end.
    Stop,
}

/// Which processes run.
#[derive(Debug)]
pub struct Running {
    /// As rules see them.
    pub processes: Vec<Arc<Process>>,
    pub host: Arc<Host>,
    /// For what is told of them.
    pub redaction: Arc<Redaction>,
}
