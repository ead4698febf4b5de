//! Least privilege: the sensor starts with the capabilities that loading kernel programs takes, and goes on with those
//! that its duties take, which is none in the common case.
//!
//! ```text
//! start: missing(START) ─▶ claim the run directory, read the configuration, load, attach, baseline
//!                           ─▶ drop_to_runtime(duties) ─▶ threads, outputs, control socket
//! ```
//!
//! Capabilities belong to threads, not to processes: [`drop_to_runtime`] changes the calling thread, and a thread
//! begins with those of the one that made it. So it is called while there is one thread; it looks at every thread
//! afterwards and fails if one has more than it should.
//!
//! The user stays root, and why that is, is in `docs/privileges.md` with the rest of the reasoning.

mod capability;
mod probe;
mod threads;

use rustix::{
    io::Errno,
    thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets},
};

pub use capability::{Capability, Missing, in_user_namespace, missing};
pub use threads::{Excess, threads_beyond};

/// What no sensor can start without.
pub const START: &[Capability] = &[Capability::Bpf, Capability::Perfmon];

/// What a sensor starts better with: the paths of what runs already are read from `/proc`, files that the configuration
/// names may lie where root may not look, and the bounding set is given up.
pub const START_BETTER: &[Capability] = &[Capability::SysPtrace, Capability::DacReadSearch, Capability::Setpcap];

/// What a running sensor has to do beyond reading its ring buffers, sending, and writing its own files; all of that
/// takes no capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Use maps that are open already: read the counters of the kernel programs, say when to wake up. Takes `CAP_BPF`
    /// on kernels before 5.19, where the `unprivileged_bpf_disabled` setting covers each use of `bpf(2)`; which it
    /// is, is tried out.
    UseMaps,
    /// End and stop processes of other users, for policies that ask for it. Takes `CAP_KILL`.
    Respond,
}

impl Duty {
    fn capabilities(self) -> &'static [Capability] {
        match self {
            Self::UseMaps => &[Capability::Bpf],
            Self::Respond => &[Capability::Kill],
        }
    }
}

/// What is left after [`drop_to_runtime`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    set: CapabilitySet,
    /// Whether the bounding set was reduced too and root's privilege on exec switched off, which takes `CAP_SETPCAP`.
    /// If not, programs that the sensor starts still get no more than it has: `no_new_privs` sees to that.
    pub bounding: bool,
}

impl Kept {
    /// The names, such as `CAP_BPF`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        threads::names(self.set)
    }

    /// Whether this one was kept.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.set.contains(capability.flag())
    }
}

/// Why privileges could not be given up. The sensor must not go on with them.
#[derive(Debug, thiserror::Error)]
pub enum DropError {
    #[error("privileges cannot be given up: {what}: {source}")]
    Refused { what: &'static str, source: Errno },

    #[error("the threads' privileges cannot be read from /proc/self/task: {0}; is /proc mounted?")]
    Unreadable(#[source] std::io::Error),

    #[error(
        "threads kept privileges that they must not have: {}. Give them up before starting threads",
        _0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Threads(Vec<Excess>),
}

/// Gives up, for good, every capability that no duty takes: in the bounding, permitted, effective, inheritable and
/// ambient sets. Programs started later get none at all, and no privilege from set-user-id bits (`no_new_privs`).
///
/// Call it once everything is loaded, attached and opened, and before any thread is started. What it gives up cannot be
/// had again: a reload that adds a duty needs a restart.
///
/// # Errors
/// The kernel refused, or another thread has more than this one now.
pub fn drop_to_runtime(duties: &[Duty]) -> Result<Kept, DropError> {
    let refused = |what| move |source| DropError::Refused { what, source };
    let before = rustix::thread::capabilities(None).map_err(refused("reading the capabilities"))?;
    let mut wanted = CapabilitySet::empty();
    for &duty in duties {
        let is_taken = match duty {
            Duty::UseMaps => probe::bpf_is_refused_without_capabilities(before)
                .map_err(refused("trying bpf(2) without capabilities"))?,
            Duty::Respond => true,
        };
        if is_taken {
            wanted |= duty.capabilities().iter().map(|capability| capability.flag()).collect::<CapabilitySet>();
        }
    }
    let set = before.permitted & wanted;

    rustix::thread::set_no_new_privs(true).map_err(refused("setting no_new_privs"))?;
    rustix::thread::clear_ambient_capability_set().map_err(refused("clearing the ambient set"))?;
    let bounding = before.permitted.contains(CapabilitySet::SETPCAP);
    if bounding {
        let effective = CapabilitySets { effective: CapabilitySet::SETPCAP, ..before };
        rustix::thread::set_capabilities(None, effective).map_err(refused("raising CAP_SETPCAP"))?;
        reduce_bounding_set(set).map_err(refused("reducing the bounding set"))?;
        let no_root = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
        rustix::thread::capabilities_secure_bits()
            .and_then(|bits| rustix::thread::set_capabilities_secure_bits(bits | no_root))
            .map_err(refused("switching off root's privilege on exec"))?;
    }
    let after = CapabilitySets { effective: set, permitted: set, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, after).map_err(refused("setting the capabilities"))?;

    let kept = Kept { set, bounding };
    match threads_beyond(&kept).map_err(DropError::Unreadable)?.as_slice() {
        [] => Ok(kept),
        beyond => Err(DropError::Threads(beyond.to_vec())),
    }
}

fn reduce_bounding_set(to: CapabilitySet) -> Result<(), Errno> {
    for number in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << number);
        match rustix::thread::capability_is_in_bounding_set(one) {
            Ok(true) if !to.contains(one) => rustix::thread::remove_capability_from_bounding_set(one)?,
            Ok(_) => {}
            // Past the last capability that this kernel knows.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
