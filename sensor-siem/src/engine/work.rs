//! The tasks of a round, and what came of them.

use std::{collections::HashSet, fmt, sync::Arc};

use tokio::task::JoinSet;

use super::{
    Engine,
    group::{go_on_alone, groups},
    outlet::Outlet,
};
use crate::{
    item::Stream,
    source::{Fault, Tenant, Tenants},
};

/// What came of a round, or of several that run into one another.
#[derive(Debug, Default)]
pub struct Summary {
    pub tenants: usize,
    /// Items that were new to an output.
    pub events: u64,
    pub alerts: u64,
    /// Items whose name should tell a detection and could not be read.
    pub unread: u64,
    /// Items that were set aside.
    pub dead_letters: u64,
    /// Streams, or tenants, that could not be read to their end.
    pub faults: Vec<Fault>,
    /// How often an output failed, or did not take a page in time.
    pub refused: u64,
}

impl Summary {
    /// Whether nothing was new and nothing went wrong.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.events + self.alerts + self.dead_letters + self.refused == 0 && self.faults.is_empty()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let tenants = counted(self.tenants as u64, "tenant");
        write!(out, "{} and {} of {tenants}", counted(self.events, "event"), counted(self.alerts, "alert"))?;
        if self.dead_letters > 0 {
            write!(out, "; {} set aside", counted(self.dead_letters, "item"))?;
        }
        if !self.faults.is_empty() {
            write!(out, "; {} could not be read to the end", counted(self.faults.len() as u64, "stream"))?;
        }
        if self.refused > 0 {
            write!(out, "; not every output has everything")?;
        }
        Ok(())
    }
}

/// What came of a part of it.
#[derive(Default)]
pub(super) struct Done {
    pub(super) events: u64,
    pub(super) alerts: u64,
    pub(super) unread: u64,
    pub(super) dead_letters: u64,
    pub(super) faults: Vec<Fault>,
    pub(super) refused: u64,
    pub(super) behind: u64,
    /// Outputs that go on without the others, and with which stream.
    pub(super) slow: Vec<(Arc<Outlet>, Stream)>,
}

impl Done {
    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.alerts += other.alerts;
        self.unread += other.unread;
        self.dead_letters += other.dead_letters;
        self.faults.extend(other.faults);
        self.refused += other.refused;
        self.behind += other.behind;
        self.slow.extend(other.slow);
    }
}

enum Ended {
    /// How many outputs cannot be opened, and which tenants there are; none if there is no output for them.
    Found(u64, Option<Result<Tenants, Fault>>),
    Read(Arc<Tenant>, Done),
    /// By an output that was slow.
    ReadAlone(Arc<Outlet>, Arc<Tenant>, Stream, Done),
}

/// Rounds under way. What it started ends with it.
pub struct Work {
    engine: Arc<Engine>,
    tasks: JoinSet<Ended>,
    /// Whether it is asked which tenants there are.
    is_finding: bool,
    /// Tenants that are read.
    busy: HashSet<String>,
    /// Those of the last round: they are read also while nobody says which there are.
    known: Vec<Tenant>,
    summary: Summary,
}

impl Work {
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        engine.tell_health();
        let (tasks, busy, known, summary) = Default::default();
        Self { engine, tasks, is_finding: false, busy, known, summary }
    }

    /// Begins a round. A tenant that is still read from an earlier one is not begun again.
    pub fn begin(&mut self) {
        self.engine.outlets.iter().for_each(|outlet| outlet.try_again());
        for tenant in self.known.clone() {
            self.read(tenant);
        }
        if std::mem::replace(&mut self.is_finding, true) {
            return;
        }
        let engine = Arc::clone(&self.engine);
        self.tasks.spawn(async move {
            let mut failed = 0;
            for outlet in &engine.outlets {
                failed += u64::from(outlet.open(&engine).await.is_err());
            }
            if failed == engine.outlets.len() as u64 {
                return Ended::Found(failed, None);
            }
            tokio::select! {
                tenants = engine.session.tenants() => Ended::Found(failed, Some(tenants)),
                () = engine.stopped() => Ended::Found(failed, None),
            }
        });
    }

    /// Waits until a part is done; false once nothing is under way.
    pub async fn go_on(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next().await else { return false };
        match ended {
            Ok(Ended::Read(tenant, done)) => {
                self.busy.remove(&tenant.id);
                self.absorb(&tenant, done);
            }
            Ok(Ended::ReadAlone(outlet, tenant, stream, done)) => {
                outlet.set_alone(&tenant.id, stream, false);
                self.absorb(&tenant, done);
            }
            Ok(Ended::Found(failed, found)) => {
                self.is_finding = false;
                self.summary.refused += failed;
                if let Some(found) = found {
                    self.found(found);
                }
            }
            Err(error) => {
                tracing::error!("a part of the round ended: {error}");
                self.summary.faults.push(Fault::Unavailable(error.to_string()));
            }
        }
        self.engine.tell_health();
        if self.is_round_over()
            && let Err(error) = self.engine.store().settle()
        {
            tracing::error!("{error}");
            self.summary.refused += 1;
        }
        true
    }

    fn found(&mut self, tenants: Result<Tenants, Fault>) {
        self.engine.found(&tenants);
        match tenants {
            Ok(tenants) => {
                self.summary.tenants = tenants.found.len() + tenants.faults.len();
                self.engine.metrics.tenants(self.summary.tenants);
                for (id, fault) in tenants.faults {
                    tracing::error!("the tenant {}: {fault}", diagnostic::printable(&id));
                    self.engine.keep_fault_of_tenant(&id, &fault);
                    self.summary.faults.push(fault);
                }
                let known = std::mem::replace(&mut self.known, tenants.found);
                // Those that were known have begun.
                for tenant in self.known.clone().into_iter().filter(|tenant| !known.contains(tenant)) {
                    self.read(tenant);
                }
            }
            Err(fault) => {
                tracing::error!("{fault}");
                // Those that are known are read all the same.
                if self.known.is_empty() {
                    self.engine.keep_fault_of_all(&fault);
                }
                self.summary.faults.push(fault);
            }
        }
    }

    fn read(&mut self, tenant: Tenant) {
        if !self.busy.insert(tenant.id.clone()) {
            tracing::debug!("the tenant {tenant} is still read");
            return;
        }
        let engine = Arc::clone(&self.engine);
        let tenant = Arc::new(tenant);
        let doubtful = engine
            .outlets
            .iter()
            .filter(|outlet| outlet.is_doubtful() && !outlet.has_failed() && engine.patience.is_some());
        for (outlet, stream) in
            doubtful.flat_map(|outlet| engine.config.streams.iter().map(move |stream| (outlet, *stream)))
        {
            if outlet.set_alone(&tenant.id, stream, true) {
                self.read_alone(Arc::clone(outlet), Arc::clone(&tenant), stream);
            }
        }
        self.tasks.spawn(async move {
            let mut all = Done::default();
            for stream in &engine.config.streams {
                let mut parts = JoinSet::new();
                for group in groups(&engine, &tenant, *stream) {
                    parts.spawn(group.run(Arc::clone(&engine), Arc::clone(&tenant), *stream));
                }
                for done in parts.join_all().await {
                    all.add(done);
                }
            }
            Ended::Read(tenant, all)
        });
    }

    /// An output that the others do not wait for reads a stream by itself.
    fn read_alone(&mut self, outlet: Arc<Outlet>, tenant: Arc<Tenant>, stream: Stream) {
        let engine = Arc::clone(&self.engine);
        self.tasks.spawn(async move {
            let done = go_on_alone(engine, Arc::clone(&outlet), Arc::clone(&tenant), stream).await;
            Ended::ReadAlone(outlet, tenant, stream, done)
        });
    }

    fn absorb(&mut self, tenant: &Arc<Tenant>, done: Done) {
        for (outlet, stream) in done.slow {
            self.read_alone(outlet, Arc::clone(tenant), stream);
        }
        self.summary.events += done.events;
        self.summary.alerts += done.alerts;
        self.summary.unread += done.unread;
        self.summary.dead_letters += done.dead_letters;
        self.summary.faults.extend(done.faults);
        self.summary.refused += done.refused + done.behind;
    }

    /// How far it is, for people; none if no stream has more to read.
    #[must_use]
    pub fn progress(&self) -> Option<String> {
        self.engine.progress.line()
    }

    /// What came of it since this was asked the last time.
    pub fn summary(&mut self) -> Summary {
        let tenants = self.summary.tenants;
        std::mem::replace(&mut self.summary, Summary { tenants, ..Summary::default() })
    }

    /// Whether all that was read together is at its end. Slow outputs may still be on their way.
    #[must_use]
    pub fn is_round_over(&self) -> bool {
        self.busy.is_empty() && !self.is_finding
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }
}
