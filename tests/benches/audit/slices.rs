//! What programs in the kernel cost loads that never touch audit.
//!
//! The difference is nanoseconds, and what else a machine does from second to second is more. So one process has the programs
//! loaded, runs a load on one processor, and attaches and detaches them every few milliseconds; nothing else changes. Each
//! slice is compared with its two neighbours: *with* with the *without* before and after it, which gives the cost, and *without*
//! likewise with those before and after it, which gives what the measure says where there is no difference.

use std::time::Duration;

use sensor_agent::capture::{Capture, Ring};
use sensor_tests::loads::{Load, Outcome};

use crate::empty::Empty;
use crate::ratios::Median;

/// Milliseconds of a slice: different ones, so that nothing periodic falls in step.
const SLICE: std::ops::Range<u64> = 8..14;
/// For the caches to fill and the kernel to finish attaching.
const WARM_UP: Duration = Duration::from_millis(1);

/// Programs that are loaded.
pub(crate) trait Switch {
    fn attach(&mut self) -> Outcome<()>;
    fn detach(&mut self);
}

/// The sensor's own for audit messages; its others stay attached.
impl Switch for Capture {
    fn attach(&mut self) -> Outcome<()> {
        Ok(self.attach_ring(Ring::Audit)?)
    }

    fn detach(&mut self) {
        self.detach_ring(Ring::Audit);
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
    let mut lengths = SLICE.cycle();
    let mut slice = |attached: bool| -> Outcome<f64> {
        // Both come right after the same things done.
        programs.attach()?;
        if !attached {
            programs.detach();
        }
        load.run(WARM_UP)?;
        let nanoseconds = load.run(Duration::from_millis(lengths.next().unwrap_or(SLICE.start)))?;
        programs.detach();
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
