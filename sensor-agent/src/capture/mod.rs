//! Capture: loads the kernel programs and hands on what they record.
//!
//! ```text
//! kernel programs ──▶ ring buffer ──▶ drain thread ──▶ bounded channel ──▶ the consumer, with records as bytes
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
pub mod offsets;
pub mod preflight;
mod programs;

use std::path::PathBuf;

pub use baseline::Baseline;
pub use batch::{Batch, Records};
pub use counters::Counted;
pub use drain::{Drain, DrainOptions, DrainStats};
pub use error::CaptureError;
pub use programs::{ProgramStatus, State};

use control::ControlMap;
use programs::Loaded;

/// The object that the build script built for the BPF target.
pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("SENSOR_EBPF_OBJECT"));

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of the ring buffer of process events, in bytes; rounded up to a power of two.
    pub lifecycle_ring: u32,
    /// Whether to record execs that fail, where the kernel allows it. Shells that try each directory of their path make
    /// many.
    pub failed_execs: bool,
    /// The kernel's type information.
    pub btf: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self { lifecycle_ring: 4 * 1024 * 1024, failed_execs: true, btf: PathBuf::from(preflight::BTF) }
    }
}

/// Loaded and attached kernel programs. They detach when this is dropped, and a [`Drain`] ends.
#[derive(Debug)]
pub struct Capture {
    loaded: Loaded,
    control: Option<ControlMap>,
    watermark: u64,
}

impl Capture {
    /// Checks the host, loads the programs, and attaches them. Events are kept in the ring from here on.
    ///
    /// # Errors
    ///
    /// If the host lacks something indispensable, or the kernel refuses one of the process programs. Programs that the
    /// sensor can do without are not an error: see [`Capture::status`].
    pub fn start(options: &Options) -> Result<Self, CaptureError> {
        let fatal: Vec<_> = preflight::check(&options.btf)
            .into_iter()
            .filter(|finding| finding.severity == preflight::Severity::Fatal)
            .collect();
        if !fatal.is_empty() {
            return Err(CaptureError::Preflight(preflight::Findings(fatal)));
        }
        preflight::raise_memlock();
        let table = offsets::read(&options.btf, &preflight::release())?;
        let ring = ring_size(options.lifecycle_ring);
        let mut loaded = Loaded::new(&table, options, ring)?;
        let watermark = u64::from(ring / 4);
        let control = ControlMap::map(loaded.take_map("CONTROL")?)?;
        control.set_watermark(watermark);
        loaded.attach()?;
        Ok(Self { loaded, control: Some(control), watermark })
    }

    /// Starts the drain thread. Once only.
    ///
    /// # Errors
    ///
    /// If it was called before, or a file descriptor or thread cannot be had.
    pub fn drain(&mut self, options: &DrainOptions) -> Result<Drain, CaptureError> {
        let control = self.control.take().ok_or(CaptureError::AlreadyDraining)?;
        let ring = self.loaded.take_ring("LIFECYCLE")?;
        Drain::start(ring, control, options)
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

    /// Each hook: which program serves it, and how it fares.
    #[must_use]
    pub fn status(&self) -> Vec<ProgramStatus> {
        self.loaded.status()
    }

    /// What the programs counted, summed over all CPUs.
    ///
    /// # Errors
    ///
    /// If the counters cannot be read.
    pub fn counters(&self) -> Result<Vec<Counted>, CaptureError> {
        counters::read(self.loaded.counters())
    }

    /// Unread bytes in the ring at which the drain thread is woken early.
    #[must_use]
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Detaches all programs. What is in the ring can still be drained, and the counters stand still.
    pub fn detach(&mut self) {
        self.loaded.detach();
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
