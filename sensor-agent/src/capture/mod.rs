//! Capture: loads the kernel programs and hands on what they record.
//!
//! ```text
//! kernel programs ──▶ ring buffers ─▶ drain thread ──▶ bounded channel ──▶ the consumer, with records as bytes
//!                 ──▶ counters    ──▶ `Capture::counters`
//! task iterator   ──▶ `Capture::baseline`
//! ```
//!
//! Records leave here as the bytes the kernel side wrote; [`sensor_ebpf::record`] says what they mean. Nothing here
//! reads `/proc`, resolves names, or knows of rules.
//!
//! Needs Linux 5.10 with BTF, `CAP_BPF` and `CAP_PERFMON`; [`preflight`] tells what is missing.

mod attach;
mod baseline;
mod batch;
mod cast;
mod control;
mod counters;
mod drain;
mod error;
mod freeze;
mod hooks;
mod links;
mod multicast;
#[cfg(test)]
mod object_tests;
pub mod offsets;
mod order;
mod own;
mod place;
pub mod preflight;
mod programs;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sensor_ebpf::classes::credentials::KNOWN_THREADS;
use sensor_ebpf::classes::{Class, Classes, REPLICAS, Source};
use sensor_ebpf::counters::ProgramCounters;
use sensor_ebpf::hooks::Kind;
use sensor_ebpf::rings::Ring;
use settings::words;

pub use baseline::Baseline;
pub use batch::{Batch, Records};
pub use control::{FailedExecs, Files};
pub use counters::Counted;
pub use drain::{Drain, DrainOptions, DrainStats};
pub use error::CaptureError;
pub use hooks::missed;
pub use links::Reattached;
pub use programs::{ProgramStatus, State};

use control::ControlMap;
use drain::{Input, Inputs};
use multicast::{Multicast, MulticastCounters};
use own::OwnObjects;
use programs::Loaded;

/// The object that the build script built for the BPF target.
pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("SENSOR_EBPF_OBJECT"));

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Sizes of the ring buffers in bytes, by [`Ring::index`]; rounded up to powers of two.
    pub rings: [u32; Ring::COUNT],
    /// Which execs that fail to tell, where the kernel allows it; see [`Capture::ask_for_failed_execs`]. Shells that try each
    /// directory of their path make many.
    pub failed_execs: FailedExecs,
    /// Which files that are changed, and that are read, to tell of; see [`Capture::watch`].
    pub files: [Files; 2],
    /// Which classes to tell from the start; see [`Capture::ask_for`].
    pub classes: Classes,
    /// Threads of which it is kept what credentials they had, at most, where changes are seen at the ends of system calls.
    pub known_threads: u32,
    /// Where further programs tell what the first one misses.
    pub preempted: Preempted,
    /// Which hooks may tell audit messages.
    pub audit: AuditHooks,
    /// Whether to listen to the kernel's audit multicast group when none of them can be had.
    pub audit_multicast: bool,
    /// The kernel's type information.
    pub btf: PathBuf,
}

impl Options {
    /// The same with another size of this ring.
    #[must_use]
    pub fn with_ring(mut self, ring: Ring, bytes: u32) -> Self {
        self.rings[ring.index()] = bytes;
        self
    }

    /// Programs at a place of this sort that can lose an event.
    const fn replicas_at(&self, kind: Kind) -> u32 {
        match (self.preempted, kind) {
            (Preempted::Everywhere, _) | (Preempted::AtFunctions, Kind::Entry | Kind::Return) => REPLICAS,
            _ => 1,
        }
    }

    /// A size that the kernel takes: a power of two of at least a page. One into which no program writes has that page.
    fn ring_size(&self, ring: Ring) -> u32 {
        let page = u32::try_from(rustix::param::page_size()).unwrap_or(4096);
        let wanted = if Class::any_in(ring) { self.rings[ring.index()] } else { page };
        wanted.clamp(page, 1 << 30).next_power_of_two()
    }
}

/// Where a task can lose its CPU to another in the middle of a program, which the kernel then leaves out for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preempted {
    Nowhere,
    /// At the entry and the return of functions.
    AtFunctions,
    /// At tracepoints too.
    Everywhere,
}

words! {
    /// Which hooks may tell audit messages.
    #[derive(Default)]
    pub AuditHooks {
        /// The best that the kernel offers.
        #[default]
        Best = "best",
        /// The tracepoint, also where functions could be traced.
        Tracepoint = "tracepoint",
        Off = "off",
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rings: Ring::ALL.map(Ring::bytes),
            failed_execs: FailedExecs::All,
            files: [Files::All, Files::None],
            classes: Class::ALWAYS,
            known_threads: KNOWN_THREADS,
            preempted: preflight::preempted(&preflight::release(), &preflight::build()),
            audit: AuditHooks::Best,
            audit_multicast: false,
            btf: PathBuf::from(preflight::BTF),
        }
    }
}

/// Loaded and attached kernel programs. They detach when this is dropped, and a [`Drain`] ends.
#[derive(Debug)]
pub struct Capture {
    loaded: Loaded,
    control: Arc<ControlMap>,
    is_draining: bool,
    /// Until the drain thread has it.
    multicast: Option<Multicast>,
    fallback: Fallback,
    asked: Classes,
    own: OwnObjects,
}

/// What became of the multicast group.
#[derive(Debug)]
enum Fallback {
    /// It is switched off, and not spoken of.
    Off,
    Idle(State),
    Joined(Arc<MulticastCounters>),
}

/// What stands for a hook when there is none.
pub const MULTICAST_HOOK: &str = "netlink multicast";
const MULTICAST_RUNG: u32 = 3;

/// Whether the host and the rights allow programs to be loaded at all. Takes nothing and changes nothing.
///
/// # Errors
/// They do not; the error says what is missing.
pub fn may_start(btf: &Path) -> Result<(), CaptureError> {
    let found = preflight::check(btf).into_iter();
    let fatal: Vec<_> = found.filter(|finding| finding.severity == preflight::Severity::Fatal).collect();
    if fatal.is_empty() { Ok(()) } else { Err(CaptureError::Preflight(preflight::Findings(fatal))) }
}

impl Capture {
    /// Checks the host, loads the programs, and attaches them. Events are kept in the ring from here on.
    ///
    /// # Errors
    ///
    /// If the host lacks something indispensable, or the kernel refuses one of the process programs. Programs that the
    /// sensor can do without are not an error: see [`Capture::status`].
    pub fn start(options: &Options) -> Result<Self, CaptureError> {
        may_start(&options.btf)?;
        preflight::raise_memlock();
        let table = cast::facts(offsets::read(&options.btf, &preflight::release())?);
        let mut loaded = Loaded::new(&table, options)?;
        let control = Arc::new(ControlMap::map(loaded.take_map("CONTROL")?)?);
        control.ask(options.failed_execs);
        control.watch(&options.files);
        for ring in Ring::ALL {
            control.set_watermark(ring, Ring::watermark(options.ring_size(ring)));
        }
        loaded.attach(options.classes)?;
        loaded.load_spares();
        let (multicast, fallback) = fallback(options, &loaded);
        let own = OwnObjects::new(loaded.take_map("OWN_OBJECTS")?)?;
        Ok(Self { loaded, control, is_draining: false, multicast, fallback, asked: options.classes, own })
    }

    /// Starts the drain thread. Once only.
    ///
    /// # Errors
    ///
    /// If it was called before, or a file descriptor or thread cannot be had.
    pub fn drain(&mut self, options: &DrainOptions) -> Result<Drain, CaptureError> {
        if std::mem::replace(&mut self.is_draining, true) {
            return Err(CaptureError::AlreadyDraining);
        }
        let control = Arc::clone(&self.control);
        let mut inputs = Inputs { first: self.loaded.take_ring(Ring::Lifecycle).map(Input::Ring)?, others: Vec::new() };
        for ring in Ring::ALL.into_iter().filter(|&ring| ring != Ring::Lifecycle && Class::any_in(ring)) {
            inputs.others.push(self.loaded.take_ring(ring).map(Input::Ring)?);
        }
        inputs.others.extend(self.multicast.take().map(Input::Multicast));
        Drain::start(inputs, control, options)
    }

    /// From now on tells of these classes and no others. What is not told costs nothing: its programs are loaded, and not
    /// attached.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to attach a program that the sensor cannot do without.
    pub fn ask_for(&mut self, classes: Classes) -> Result<(), CaptureError> {
        self.asked = classes;
        let attached = self.loaded.attach(classes);
        self.tell_what_is_own();
        attached
    }

    /// Says which process of the host is this one. What it does with its own programs and maps is told of nobody from then on, and
    /// that others get at them is; neither is before.
    pub fn know_sensor(&mut self, tgid: u32) {
        self.control.know_sensor(tgid);
        self.own.is_sensor_known = true;
        self.tell_what_is_own();
    }

    /// Has the programs know what is the sensor's, where somebody asks.
    fn tell_what_is_own(&mut self) {
        if self.asked.has(Class::BpfCalls) {
            self.own.look();
        }
    }

    /// What is asked for and not seen on this kernel, a sentence each.
    #[must_use]
    pub fn unseen(&self) -> Vec<String> {
        unseen(self.asked, &self.loaded.status())
    }

    /// From now on tells these failed execs and no others. One that nobody asks for costs next to nothing, and takes no room
    /// from what counts.
    pub fn ask_for_failed_execs(&self, failed: FailedExecs) {
        self.control.ask(failed);
    }

    /// From now on tells of these files and no others: those that are changed, and those that are read. What happens to others ends
    /// in the kernel.
    pub fn watch(&self, files: &[Files; 2]) {
        self.control.watch(files);
    }

    /// Whether the drain thread sleeps until the first record comes.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.control.is_idle()
    }

    /// The tasks that are running, from the kernel's own list. Call it after `start`, so that whatever changes
    /// meanwhile is in the ring as well.
    ///
    /// # Errors
    ///
    /// If the kernel refused the iterator, or reading it failed.
    pub fn baseline(&mut self) -> Result<Baseline, CaptureError> {
        baseline::read(&mut self.loaded)
    }

    /// Whether a hook was detached from outside and could not be attached again.
    #[must_use]
    pub fn lacks_hooks(&self) -> bool {
        self.loaded.lacks_hooks()
    }

    /// Each hook: which program serves it, and how it fares.
    #[must_use]
    pub fn status(&self) -> Vec<ProgramStatus> {
        let mut status = self.loaded.status();
        let state = match &self.fallback {
            Fallback::Off => return status,
            Fallback::Idle(state) => state.clone(),
            Fallback::Joined(_) => State::Attached,
        };
        status.push(ProgramStatus {
            source: Source::Audit,
            hook: MULTICAST_HOOK,
            rung: MULTICAST_RUNG,
            state,
            id: None,
            run_count: 0,
            run_time_ns: 0,
            recursion_misses: 0,
            recursion_loses: false,
            reattached: 0,
        });
        status
    }

    /// What the programs counted, summed over all CPUs.
    ///
    /// # Errors
    ///
    /// If the counters cannot be read.
    pub fn counters(&self) -> Result<Vec<Counted>, CaptureError> {
        let mut counted = self.loaded.counters()?;
        if let Fallback::Joined(counters) = &self.fallback
            && let Some(audit) = counted.iter_mut().find(|counted| counted.source == Source::Audit)
        {
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            audit.counters = ProgramCounters {
                // Each overrun stands for a message at least.
                seen: read(&counters.seen) + read(&counters.overruns),
                submitted: read(&counters.submitted),
                ring_full: read(&counters.overruns),
                filtered: read(&counters.filtered),
                failed: read(&counters.failed),
                ..ProgramCounters::default()
            };
        }
        Ok(counted)
    }

    /// Looks whether all programs are still attached, and attaches again what somebody else detached. Returns what is
    /// new since the last look.
    pub fn recheck(&mut self) -> Vec<Reattached> {
        let news = self.loaded.recheck();
        if !news.is_empty() {
            self.tell_what_is_own();
        }
        news
    }

    /// Detaches all programs. What is in the ring can still be drained, and the counters stand still.
    pub fn detach(&mut self) {
        self.loaded.detach();
    }

    /// Detaches the hooks of a class. They stay loaded, see [`Self::attach_class`].
    pub fn detach_class(&mut self, class: Class) {
        self.loaded.detach_class(class);
    }

    /// Attaches the hooks of a class again: with [`Self::detach_class`], what they cost can be measured with nothing else changed.
    ///
    /// # Errors
    ///
    /// If the kernel refuses, for instance for lack of the capabilities that the start takes.
    pub fn attach_class(&mut self, class: Class) -> Result<(), CaptureError> {
        self.loaded.attach_class(class)
    }
}

/// What of these classes no hook tells, a sentence for each class. Of those that are always told there is a word elsewhere.
fn unseen(asked: Classes, programs: &[ProgramStatus]) -> Vec<String> {
    let classes = Class::ALL.iter().filter(|&&class| asked.has(class) && !Class::ALWAYS.has(class));
    classes.filter_map(|&class| unseen_of(class, programs)).collect()
}

fn unseen_of(class: Class, programs: &[ProgramStatus]) -> Option<String> {
    let mut lost = Vec::new();
    let mut refused = None;
    for source in Source::ALL.iter().filter(|source| source.class() == class) {
        let rungs: Vec<_> = programs.iter().filter(|program| program.source == *source).collect();
        // A walk runs when it is asked for, and is ready ever after.
        if rungs.iter().any(|program| matches!(program.state, State::Attached | State::Ready)) {
            continue;
        }
        let Some(last) = rungs.last() else { continue };
        lost.extend(missed(*source, last.rung));
        refused.get_or_insert(*last);
    }
    let refused = refused.filter(|_| !lost.is_empty())?;
    let others = match lost.len() {
        1 => "",
        _ => ", and so are other hooks of its kind",
    };
    Some(format!(
        "{}, although a policy or a table asks for them: {} is {}{others}",
        lost.join("; "),
        refused.hook,
        refused.state
    ))
}

/// Joins the multicast group if that is wanted and no hook serves.
fn fallback(options: &Options, loaded: &Loaded) -> (Option<Multicast>, Fallback) {
    if !options.audit_multicast {
        return (None, Fallback::Off);
    }
    let serves = |program: &ProgramStatus| program.source == Source::Audit && program.state == State::Attached;
    if loaded.status().iter().any(serves) {
        return (None, Fallback::Idle(State::NotNeeded("a better hook tells it")));
    }
    match Multicast::join() {
        Ok(multicast) => {
            let counters = multicast.counters();
            (Some(multicast), Fallback::Joined(counters))
        }
        Err(reason) => (None, Fallback::Idle(State::NotAvailable(reason))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_and_cannot_be_had_is_said() {
        let program = |rung, state| ProgramStatus {
            source: Source::BpfLoad,
            hook: "fexit/x",
            rung,
            state,
            id: None,
            run_count: 0,
            run_time_ns: 0,
            recursion_misses: 0,
            recursion_loses: true,
            reattached: 0,
        };
        let asked = Class::ALWAYS.with(Class::Bpf);
        let refused = || State::NotAvailable("refused".to_owned());
        let said = unseen(asked, &[program(1, refused()), program(2, refused())]);
        assert_eq!(
            said,
            ["BPF programs that are loaded into the kernel are not seen, although a policy or a table asks for them: \
              fexit/x is not available here: refused"]
        );
        assert_eq!(unseen(Class::ALWAYS, &[program(2, refused())]), [""; 0]);
        assert_eq!(unseen(asked, &[program(1, refused()), program(2, State::Attached)]), [""; 0]);
    }

    #[test]
    fn ring_sizes_are_what_the_kernel_takes() {
        let ring_size = |bytes| Options::default().with_ring(Ring::Audit, bytes).ring_size(Ring::Audit);
        assert_eq!(ring_size(0), 4096);
        assert_eq!(ring_size(4097), 8192);
        assert_eq!(ring_size(8 << 20), 8 << 20);
        assert_eq!(ring_size(u32::MAX), 1 << 30);
        let unused = Ring::ALL.into_iter().filter(|&ring| !Class::any_in(ring));
        assert!(unused.map(|ring| Options::default().ring_size(ring)).all(|size| size == 4096));
    }
}
