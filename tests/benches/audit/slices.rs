//! What programs in the kernel cost loads that never touch audit.
//!
//! The difference is nanoseconds, and what else a machine does from second to second is more. So one process has the programs
//! loaded, runs a load on one processor, and attaches and detaches them every few milliseconds; nothing else changes. Each
//! slice is compared with its two neighbours: *with* with the *without* before and after it, which gives the cost, and *without*
//! likewise with those before and after it, which gives what the measure says where there is no difference.

use std::time::Duration;

use sensor_agent::capture::Capture;
use sensor_ebpf::classes::Class;
use sensor_tests::loads::{Load, Outcome};

use crate::empty::Empty;
use crate::ratios::Median;

/// Milliseconds of a slice: different ones, so that nothing periodic falls in step, and an odd number of them, so that slices with
/// and without the programs, which take turns, have the same.
const SLICE: std::ops::Range<u64> = 8..13;
/// For the caches to fill and the kernel to finish detaching.
const WARM_UP: Duration = Duration::from_millis(2);
/// A tracepoint that a healthy host never comes by.
const NEVER: &str = "sched_process_hang";

/// Programs that are loaded.
pub(crate) trait Switch {
    fn attach(&mut self) -> Outcome<()>;
    fn detach(&mut self);
}

/// The sensor's own for audit messages; its others stay attached.
impl Switch for Capture {
    fn attach(&mut self) -> Outcome<()> {
        Ok(self.attach_class(Class::Audit)?)
    }

    fn detach(&mut self) {
        self.detach_class(Class::Audit);
    }
}

impl Switch for Empty {
    fn attach(&mut self) -> Outcome<()> {
        self.attach()
    }

    fn detach(&mut self) {
        self.detach();
    }
}

/// What a load's slices say.
pub(crate) struct Cost {
    /// Nanoseconds of a round without the programs.
    pub(crate) without: f64,
    /// What they add, nanoseconds.
    pub(crate) added: Median,
    pub(crate) ratio: Median,
    /// The same without any difference.
    pub(crate) control: Median,
}

/// Measures a load on the processor that the thread is pinned to, in so many slices with the programs attached and one more
/// without.
pub(crate) fn measure(programs: &mut dyn Switch, load: &str, slices: usize) -> Outcome<Cost> {
    let mut load = Load::new(load)?;
    let mut other = Empty::at(&[NEVER])?;
    let mut lengths = SLICE.cycle();
    let mut slice = |attached: bool| -> Outcome<f64> {
        // The kernel has work left after detaching, which slows down what follows: so each slice comes after the same, attaching
        // twice and detaching once, and after a wait for that work.
        programs.attach()?;
        other.attach()?;
        if attached {
            other.detach();
        } else {
            programs.detach();
        }
        settle()?;
        load.run(WARM_UP)?;
        let nanoseconds = load.run(Duration::from_millis(lengths.next().unwrap_or(SLICE.start)))?;
        programs.detach();
        other.detach();
        Ok(nanoseconds)
    };
    let (mut without, mut with) = (vec![slice(false)?], Vec::new());
    for _ in 0..slices {
        with.push(slice(true)?);
        without.push(slice(false)?);
    }
    let beside: Vec<(f64, f64)> =
        with.iter().zip(without.windows(2)).map(|(with, around)| (*with, around[0].midpoint(around[1]))).collect();
    let control = without.windows(3).map(|three| three[1] / three[0].midpoint(three[2]));
    Ok(Cost {
        without: Median::of(without.iter().copied()).value,
        added: Median::of(beside.iter().map(|(with, without)| with - without)),
        ratio: Median::of(beside.iter().map(|(with, without)| with / without)),
        control: Median::of(control),
    })
}

/// Waits until no processor uses any more what was there before.
fn settle() -> Outcome<()> {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: plain numbers.
    match unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}
