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

mod baseline;
mod batch;
mod control;
mod counters;
mod drain;
mod error;
mod freeze;
mod hooks;
mod links;
mod multicast;
pub mod offsets;
pub mod preflight;
mod programs;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sensor_ebpf::counters::{ProgramCounters, TURNS};

pub use baseline::Baseline;
pub use batch::{Batch, Records};
pub use control::FailedExecs;
pub use counters::Counted;
pub use drain::{Drain, DrainOptions, DrainStats};
pub use error::CaptureError;
pub use hooks::missed;
pub use links::Reattached;
pub use programs::{ProgramStatus, State};

use control::ControlMap;
use drain::Sources;
use multicast::{Multicast, MulticastCounters};
use programs::{Loaded, RingSizes};

/// The object that the build script built for the BPF target.
pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("SENSOR_EBPF_OBJECT"));

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of the ring buffer of process events, in bytes; rounded up to a power of two.
    pub lifecycle_ring: u32,
    /// Which execs that fail to tell, where the kernel allows it; see [`Capture::ask_for_failed_execs`]. Shells that try each
    /// directory of their path make many.
    pub failed_execs: FailedExecs,
    /// Size of the ring buffer of audit messages, likewise.
    pub audit_ring: u32,
    /// Whether further programs tell what the first one misses: where tasks are preempted at tracepoints.
    pub later_programs: bool,
    /// Which hooks may tell audit messages.
    pub audit: AuditHooks,
    /// Whether to listen to the kernel's audit multicast group when none of them can be had.
    pub audit_multicast: bool,
    /// The kernel's type information.
    pub btf: PathBuf,
}

impl Options {
    /// Programs at a place that has several.
    const fn turns(&self) -> u32 {
        if self.later_programs { TURNS } else { 1 }
    }
}

/// Which hooks may tell audit messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditHooks {
    /// The best that the kernel offers.
    #[default]
    Best,
    /// The tracepoint, also where functions could be traced.
    Tracepoint,
    Off,
}

/// The ring buffers: each is filled by its own programs, so that none can flood another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Programs started, forked and ended.
    Lifecycle,
    /// Messages to the kernel's audit.
    Audit,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lifecycle_ring: 4 * 1024 * 1024,
            failed_execs: FailedExecs::All,
            audit_ring: 1024 * 1024,
            later_programs: preflight::preempts_at_tracepoints(&preflight::release()),
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
    watermark: u64,
}

/// What became of the multicast group.
#[derive(Debug)]
enum Fallback {
    /// It is switched off, and not spoken of.
    Off,
    Idle(State),
    Joined(Arc<MulticastCounters>),
}

/// The name of the hooks of audit messages.
pub const AUDIT_HOOK: &str = "audit";
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
        let table = offsets::read(&options.btf, &preflight::release())?;
        let sizes = RingSizes { lifecycle: ring_size(options.lifecycle_ring), audit: ring_size(options.audit_ring) };
        let mut loaded = Loaded::new(&table, options, sizes)?;
        let watermark = u64::from(sizes.lifecycle / 4);
        let control = Arc::new(ControlMap::map(loaded.take_map("CONTROL")?)?);
        control.ask(options.failed_execs);
        control.set_watermark(Ring::Lifecycle, watermark);
        control.set_watermark(Ring::Audit, u64::from(sizes.audit / 4));
        loaded.attach()?;
        let (multicast, fallback) = fallback(options, &loaded);
        Ok(Self { loaded, control, is_draining: false, multicast, fallback, watermark })
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
        let lifecycle = self.loaded.take_ring("LIFECYCLE")?;
        let audit = self.loaded.take_ring("AUDIT")?;
        Drain::start(Sources { lifecycle, audit, multicast: self.multicast.take() }, control, options)
    }

    /// From now on tells these failed execs and no others. One that nobody asks for costs next to nothing, and takes no room
    /// from what counts.
    pub fn ask_for_failed_execs(&self, failed: FailedExecs) {
        self.control.ask(failed);
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
            name: AUDIT_HOOK,
            hook: MULTICAST_HOOK,
            rung: MULTICAST_RUNG,
            ring: Ring::Audit,
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
            && let Some(audit) = counted.iter_mut().find(|counted| counted.name == AUDIT_HOOK)
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

    /// Unread bytes in the ring of process events at which the drain thread is woken early.
    #[must_use]
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Looks whether all programs are still attached, and attaches again what somebody else detached. Returns what is
    /// new since the last look.
    pub fn recheck(&mut self) -> Vec<Reattached> {
        self.loaded.recheck()
    }

    /// Detaches all programs. What is in the ring can still be drained, and the counters stand still.
    pub fn detach(&mut self) {
        self.loaded.detach();
    }

    /// Detaches the hooks that fill a ring. They stay loaded, see [`Self::attach_ring`].
    pub fn detach_ring(&mut self, ring: Ring) {
        self.loaded.detach_ring(ring);
    }

    /// Attaches the hooks of a ring again: with [`Self::detach_ring`], what they cost can be measured with nothing else changed.
    ///
    /// # Errors
    ///
    /// If the kernel refuses, for instance for lack of the capabilities that the start takes.
    pub fn attach_ring(&mut self, ring: Ring) -> Result<(), CaptureError> {
        self.loaded.attach_ring(ring)
    }
}

/// Joins the multicast group if that is wanted and no hook serves.
fn fallback(options: &Options, loaded: &Loaded) -> (Option<Multicast>, Fallback) {
    if !options.audit_multicast {
        return (None, Fallback::Off);
    }
    let serves = |program: &ProgramStatus| program.name == AUDIT_HOOK && program.state == State::Attached;
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

/// The kernel wants a power of two of at least a page.
fn ring_size(wanted: u32) -> u32 {
    let page = u32::try_from(rustix::param::page_size()).unwrap_or(4096);
    wanted.clamp(page, 1 << 30).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_sizes_are_what_the_kernel_takes() {
        assert_eq!(ring_size(0), 4096);
        assert_eq!(ring_size(4097), 8192);
        assert_eq!(ring_size(8 << 20), 8 << 20);
        assert_eq!(ring_size(u32::MAX), 1 << 30);
    }
}
