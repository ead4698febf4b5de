//! What the hooks cost loads that never touch audit.
//!
//! The difference is nanoseconds, and what else a machine does from second to second is more. So one process has the kernel
//! programs loaded as the sensor has them, runs a load on one processor, and attaches and detaches the audit programs
//! every few milliseconds; nothing else changes. Each slice is compared with its two neighbours: *with* with the *without* before
//! and after it, which gives the cost, and *without* likewise with those before and after it, which gives what the measure
//! says where there is no difference.

use std::time::Duration;

use sensor_agent::capture::{Capture, Options, Ring, State};
use sensor_tests::loads::{Load, Outcome, UNRELATED, pin};

use crate::ratios::Median;

/// Slices of a load with the hooks attached; there is one more without.
const SLICES: usize = 150;
/// Milliseconds of a slice: different ones, so that nothing periodic falls in step.
const SLICE: std::ops::Range<u64> = 8..16;
/// For the caches to fill and the kernel to finish attaching.
const WARM_UP: Duration = Duration::from_millis(1);

/// What a load's slices say.
pub(crate) struct Cost {
    pub(crate) load: &'static str,
    /// Nanoseconds of a round without the hooks.
    pub(crate) without: f64,
    /// What the hooks add, nanoseconds.
    pub(crate) added: Median,
    pub(crate) ratio: Median,
    /// The same without any difference.
    pub(crate) control: Median,
}

/// Measures all loads; gives the hook that served as well.
pub(crate) fn measure(options: &Options) -> Outcome<(String, Vec<Cost>)> {
    let mut capture = Capture::start(options)?;
    let serves = |hook: &sensor_agent::capture::ProgramStatus| hook.name == "audit" && hook.state == State::Attached;
    let hook = capture.status().into_iter().find(serves).ok_or("no hook for audit messages")?.hook.to_owned();
    capture.detach_ring(Ring::Audit);
    pin()?;
    let costs = UNRELATED.iter().map(|load| cost(&mut capture, load)).collect::<Outcome<_>>()?;
    Ok((hook, costs))
}

fn cost(capture: &mut Capture, name: &'static str) -> Outcome<Cost> {
    eprintln!("{name} …");
    let mut load = Load::new(name)?;
    let mut lengths = SLICE.cycle();
    let mut slice = |attached: bool| -> Outcome<f64> {
        // Both come right after the same things done.
        capture.attach_ring(Ring::Audit)?;
        if !attached {
            capture.detach_ring(Ring::Audit);
        }
        load.run(WARM_UP)?;
        let nanoseconds = load.run(Duration::from_millis(lengths.next().unwrap_or(SLICE.start)))?;
        capture.detach_ring(Ring::Audit);
        Ok(nanoseconds)
    };
    let (mut without, mut with) = (vec![slice(false)?], Vec::new());
    for _ in 0..SLICES {
        with.push(slice(true)?);
        without.push(slice(false)?);
    }
    let beside: Vec<(f64, f64)> =
        with.iter().zip(without.windows(2)).map(|(with, around)| (*with, around[0].midpoint(around[1]))).collect();
    let control = without.windows(3).map(|three| three[1] / three[0].midpoint(three[2]));
    Ok(Cost {
        load: name,
        without: Median::of(without.iter().copied()).value,
        added: Median::of(beside.iter().map(|(with, without)| with - without)),
        ratio: Median::of(beside.iter().map(|(with, without)| with / without)),
        control: Median::of(control),
    })
}
