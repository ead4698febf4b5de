//! The process table: from records to events.
//!
//! Invariants:
//! * a process is known by its [`ProcessKey`]; a reused pid is another process;
//! * a snapshot in the table is never changed, it is replaced; who holds one holds its lineage, also of the dead;
//! * a process forked without exec has its forker's image;
//! * a lineage tells who made whom, also where `CLONE_PARENT` gave a child to its maker's own parent;
//! * the table holds at most `limit` processes and a lineage at most [`MAX_DEPTH`] ancestors; what that costs is counted, and
//!   told by the processes that it is missing for;
//! * while memory is scarce it keeps long arguments and paths in short. The event of an exec has them whole.

mod act;
mod audit;
mod image;
mod room;
mod walk;

use std::collections::VecDeque;
use std::sync::Arc;

use budget::Budget;
use hashlink::LinkedHashMap;
use schema::{EventType, process::Runtime};
use sensor_ebpf::record::{ExitRecord, ForkRecord};

use super::container_lives::ContainerLives;
use super::container_names::{ContainerNames, Lookups};
use super::crashes::Crashes;
use super::ended::Ended;
use super::groups::{Found, Groups};
use super::host_place::HostPlace;
use super::lineage::{MAX_DEPTH, shorten};
use super::logins::Logins;
use super::mounts::HostMounts;
use super::observed::{Known, Observed};
use super::pool::Pool;
use super::users::Users;
use crate::event::decode::{Exec, Record};
use crate::event::{Detail, Event, Process, ProcessKey, TTY_LEN};

/// Most running processes that the sensor holds. A host with more keeps the lineage of the busiest; `status` says so.
pub const MAX_PROCESSES: usize = 32_768;

type Map = LinkedHashMap<ProcessKey, Arc<Process>, foldhash::fast::RandomState>;

/// The process table.
#[derive(Debug)]
pub struct Table {
    live: Map,
    limit: usize,
    groups: Groups,
    container_lives: ContainerLives,
    users: Users,
    logins: Logins,
    ended: Ended,
    crashes: Crashes,
    mounts: HostMounts,
    pool: Pool,
    /// Processes that were put in with a large program, the oldest first. Some are gone.
    large: VecDeque<ProcessKey>,
    counters: TableCounters,
    /// Scratch for turning paths round.
    path: Vec<u8>,
}

/// What the table could not do as it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableCounters {
    /// Processes pushed out because the table was full.
    pub evicted: u64,
    /// Execs and forks whose parent was unknown.
    pub orphaned: u64,
    /// Exits of processes that were not in the table: double reports of one exit, or a fork that was lost.
    pub unknown_exits: u64,
    /// Execs that two programs told.
    pub repeated: u64,
    /// Lineages that lost their middle because they were longer than [`MAX_DEPTH`].
    pub lineage_cut: u64,
    /// Programs run in a container whose runtime no name tells: one by its namespaces.
    pub unknown_containers: u64,
    /// Programs run of which it could not be told whether that is in a container.
    pub undecided_containers: u64,
    /// Processes whose arguments and paths are kept in short, for want of memory.
    pub shortened: u64,
}

impl Table {
    /// The same table, which knows the host's mounts.
    #[must_use]
    pub fn with_mounts(self, mounts: HostMounts) -> Self {
        Self { mounts, ..self }
    }

    /// The same with somebody who is asked for containers.
    #[must_use]
    pub fn with_containers(mut self, lookups: Lookups) -> Self {
        self.groups.names = ContainerNames::new(Some(lookups));
        self
    }

    /// A table of at most `limit` live processes.
    #[must_use]
    pub fn new(limit: usize, users: Users) -> Self {
        Self {
            live: Map::default(),
            limit: limit.max(1),
            groups: Groups::new(),
            container_lives: ContainerLives::default(),
            users,
            logins: Logins::default(),
            ended: Ended::default(),
            crashes: Crashes::default(),
            mounts: HostMounts::default(),
            pool: Pool::default(),
            large: VecDeque::new(),
            counters: TableCounters::default(),
            path: Vec::new(),
        }
    }

    /// Tells the table what the host's own processes have that those in containers do not.
    pub fn set_host(&mut self, host: HostPlace) {
        self.groups.host = host;
    }

    /// The same with what it holds taken out of a budget.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.pool.budget = budget;
        self
    }

    /// Takes one record in and tells the event that it makes; none if it tells nothing new. `time` is the record's
    /// time in nanoseconds since the Unix epoch.
    pub fn apply(&mut self, record: &Record<'_>, time: u64) -> Option<Event> {
        match record {
            Record::Fork(fork) => self.fork(fork, time),
            Record::Exec(exec) => self.exec(exec, time),
            Record::Baseline(exec) => Some(self.executed(exec, EventType::Baseline, time)),
            Record::ExecFailed(exec) => Some(self.exec_failed(exec, time)),
            Record::Exit(exit) => self.exit(exit, time),
            Record::Audit(audit) => Some(self.audit(audit, time)),
            Record::Act(act) => self.act(act, time),
        }
    }

    /// Gives an event's snapshot back once everybody has seen the event.
    pub fn recycle(&mut self, event: Event) {
        self.pool.recycle(event.process);
    }

    /// Marks a process as part of an incident, and with it all that it forks from now on.
    pub fn set_incident(&mut self, event: &mut Event, incident: uuid::Uuid) {
        let held = self.live.get_mut(&event.process.key);
        let is_latest = held.as_ref().is_some_and(|held| Arc::ptr_eq(held, &event.process));
        Arc::make_mut(&mut event.process).incident = Some(incident);
        match held {
            Some(held) if is_latest => *held = Arc::clone(&event.process),
            // The event has a snapshot of its own, as of an audit message.
            Some(held) => Arc::make_mut(held).incident = Some(incident),
            None => {}
        }
    }

    /// The process, if it is running.
    #[must_use]
    pub fn get(&self, key: ProcessKey) -> Option<&Arc<Process>> {
        self.live.get(&key)
    }

    /// The process with this id, if it is running. Slow: for the start, and for what is rare.
    #[must_use]
    pub fn find_pid(&self, pid: u32) -> Option<&Arc<Process>> {
        self.live.values().find(|process| process.key.tgid == pid)
    }

    /// The running processes held, in no order.
    pub fn running(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.live.values()
    }

    /// Running processes held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Most running processes held.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    #[must_use]
    pub const fn counters(&self) -> TableCounters {
        self.counters
    }

    fn fork(&mut self, fork: &ForkRecord, time: u64) -> Option<Event> {
        if self.live.contains_key(&fork.process) {
            return None; // the baseline had it already
        }
        // With CLONE_PARENT they differ: whoever made it then is beside it, and would be in nobody's lineage.
        let forker = self.parent(fork.forker);
        let (parent_key, parent) = match &forker {
            Some(forker) => (fork.forker, Some(Arc::clone(forker))),
            None => (fork.parent, self.parent(fork.parent)),
        };
        if forker.is_none() {
            self.counters.orphaned += 1;
        }
        let empty = self.pool.empty_image();
        let process = self.pool.process(|child| {
            child.key = fork.process;
            child.parent_key = parent_key;
            child.link(parent);
            child.ns_pid = fork.ns_pid;
            child.exec_id = 0;
            if let Some(forker) = forker.as_deref() {
                child.ids = forker.ids;
                child.namespaces = forker.namespaces;
                child.cgroup_id = forker.cgroup_id;
                child.tty = forker.tty;
                child.user.clone_from(&forker.user);
                child.login.clone_from(&forker.login);
                child.container.clone_from(&forker.container);
                child.container_unknown = forker.container_unknown;
                child.incident = forker.incident;
                child.image = Arc::clone(&forker.image);
            } else {
                child.ids = Default::default();
                child.login = None;
                child.namespaces = Default::default();
                child.cgroup_id = 0;
                child.tty = Default::default();
                child.container_unknown = false;
                child.image = empty;
            }
            child.namespaces.pid = fork.pid_ns;
        });
        self.insert(Arc::clone(&process));
        Some(Event { kind: EventType::Fork, time, process, detail: Detail::None })
    }

    fn exec(&mut self, exec: &Exec<'_>, time: u64) -> Option<Event> {
        let held = self.live.get(&exec.fixed.process);
        if held.is_some_and(|held| held.exec_id != 0 && held.exec_id == exec.fixed.exec_id) {
            self.counters.repeated += 1;
            return None; // two programs told it
        }
        Some(self.executed(exec, EventType::Exec, time))
    }

    /// What a process runs from now on.
    fn executed(&mut self, exec: &Exec<'_>, kind: EventType, time: u64) -> Event {
        if is_first(exec) {
            self.groups.host = HostPlace::of(exec);
        }
        let before = self.live.get(&exec.fixed.process).cloned();
        let known = match &before {
            Some(before) => Known::of(before),
            None => {
                let parent = self.parent(exec.fixed.parent);
                let incident = parent.as_ref().and_then(|parent| parent.incident);
                if parent.is_none() && exec.fixed.parent.tgid != 0 {
                    self.counters.orphaned += 1;
                }
                Known { parent_key: exec.fixed.parent, parent, incident }
            }
        };
        let image = self.image(exec, before.as_deref().map(|before| &*before.image));
        let mut told = Observed::by_exec(exec);
        if kind == EventType::Baseline {
            // The exec that it is of may be told yet.
            told.exec_id = 0;
        }
        let process = self.snapshot(&told, image, known, before.as_deref());
        drop(before);
        let kept = self.kept(&process);
        self.insert(kept);
        Event { kind, time, process, detail: Detail::None }
    }

    /// A failed exec changes nothing: its event has a snapshot of its own.
    fn exec_failed(&mut self, exec: &Exec<'_>, time: u64) -> Event {
        let before = self.live.get(&exec.fixed.process).cloned();
        let known = before.as_deref().map(Known::of).unwrap_or_else(|| {
            let parent_key = exec.fixed.parent;
            Known { parent_key, parent: self.parent(parent_key), incident: None }
        });
        let errno = exec.fixed.error.saturating_abs();
        let image = match before.as_deref() {
            Some(before) if errno == libc::ENOEXEC => self.unformatted(exec, &before.image),
            _ => self.image(exec, None),
        };
        let process = self.snapshot(&Observed::by_exec(exec), image, known, before.as_deref());
        let detail = Detail::ExecFailed { errno };
        Event { kind: EventType::ExecFailed, time, process, detail }
    }

    fn exit(&mut self, exit: &ExitRecord, time: u64) -> Option<Event> {
        let [low, code, ..] = exit.status.to_le_bytes();
        let detail = Detail::Exit { code, signal: low & 0x7f, core_dumped: low & 0x80 != 0 };
        let ended = self.end(exit.process, detail, time);
        if ended.is_none() {
            self.counters.unknown_exits += 1;
        }
        ended
    }

    fn end(&mut self, key: ProcessKey, detail: Detail, time: u64) -> Option<Event> {
        let process = self.live.remove(&key)?;
        if let Some(forgotten) = self.ended.push(Arc::clone(&process)) {
            self.pool.recycle(forgotten);
        }
        Some(Event { kind: EventType::Exit, time, process, detail })
    }

    /// A process as a record tells it, with what the table knows of it.
    fn snapshot(
        &mut self,
        told: &Observed<'_>,
        image: Arc<crate::event::Image>,
        known: Known,
        before: Option<&Process>,
    ) -> Arc<Process> {
        let (container, container_unknown) = match self.groups.find(&told.at(before.or(known.parent.as_deref()))) {
            Found::In(container) => (Some(container), false),
            Found::Outside => (None, false),
            Found::Unknown => (None, true),
        };
        self.counters.unknown_containers +=
            u64::from(container.as_ref().is_some_and(|container| container.runtime() == Some(Runtime::Unknown)));
        self.counters.undecided_containers += u64::from(container_unknown);
        let user = self.users.name(told.ids.uid);
        let login = self.logins.get(told.ids.session);
        self.pool.process(|process| {
            process.key = told.key;
            process.exec_id = told.exec_id;
            process.parent_key = known.parent_key;
            process.link(known.parent);
            process.ids = told.ids;
            process.namespaces = told.namespaces;
            process.ns_pid = told.ns_pid;
            process.cgroup_id = told.place.cgroup_id;
            process.tty = terminal_name(told.tty);
            process.user = user;
            process.login = login;
            process.container = container;
            process.container_unknown = container_unknown;
            process.incident = known.incident;
            process.image = image;
        })
    }

    /// The parent to link to, its lineage made shorter if it has grown too long.
    fn parent(&mut self, key: ProcessKey) -> Option<Arc<Process>> {
        let parent = self.live.get(&key)?;
        if parent.depth + 1 < MAX_DEPTH {
            return Some(Arc::clone(parent));
        }
        let (shorter, is_cut) = shorten(parent);
        self.counters.lineage_cut += u64::from(is_cut);
        self.live.insert(key, Arc::clone(&shorter));
        Some(shorter)
    }

    fn insert(&mut self, process: Arc<Process>) {
        // Linked hash maps move a key that is inserted again to the end: the one pushed out is the one that has
        // neither been forked nor executed anything for longest.
        if let Some(before) = self.live.insert(process.key, process) {
            self.pool.recycle(before);
        }
        if self.live.len() > self.limit {
            self.evict();
        }
        self.make_room();
    }
}

/// A terminal's name as `/dev` has it: the kernel calls the pseudo-terminal `pts/3` `pts3`.
fn terminal_name(kernel: [u8; TTY_LEN]) -> [u8; TTY_LEN] {
    let mut name = kernel;
    if let Some(number) = kernel.strip_prefix(b"pts")
        && number.first().is_some_and(u8::is_ascii_digit)
    {
        name[3] = b'/';
        name[4..].copy_from_slice(&number[..TTY_LEN - 4]);
    }
    name
}

/// Whether this is the host's first process.
fn is_first(exec: &Exec<'_>) -> bool {
    let fixed = &exec.fixed;
    (fixed.process.tgid, fixed.ns_pid) == (1, 1) && fixed.namespaces.mnt != 0
}

#[cfg(test)]
mod tests;
