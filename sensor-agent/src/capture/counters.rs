//! Reads what the programs counted.
//!
//! The kernel keeps one slot for each *possible* CPU, which may be more than are online; aya reads them all.

use aya::maps::{MapData, PerCpuArray};
use sensor_ebpf::classes::{Source, slot};
use sensor_ebpf::counters::ProgramCounters;

use super::CaptureError;

/// What the programs of one source counted, summed over all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub source: Source,
    pub counters: ProgramCounters,
}

/// [`ProgramCounters`] as words: any bit pattern is one.
pub(super) type Words = [u64; 9];

const _: () = assert!(size_of::<Words>() == size_of::<ProgramCounters>());

/// Reads them, with so many replicas at a place.
pub(super) fn read(map: &PerCpuArray<MapData, Words>, replicas: u32) -> Result<Vec<Counted>, CaptureError> {
    let of = |slot| {
        let cpus = map.get(&slot, 0);
        cpus.map_err(|error| CaptureError::Map { name: "COUNTERS", reason: error.to_string() })
    };
    let mut counted = Vec::with_capacity(Source::ALL.len());
    for &source in Source::ALL {
        let each = (0..replicas).map(|replica| of(slot(source, replica))).collect::<Result<Vec<_>, _>>()?;
        counted.push(Counted { source, counters: sum(each.iter().flat_map(|cpus| cpus.iter())) });
    }
    Ok(counted)
}

fn sum<'a>(cpus: impl Iterator<Item = &'a Words>) -> ProgramCounters {
    let mut total: Words = Default::default();
    for cpu in cpus {
        for (total, one) in total.iter_mut().zip(cpu) {
            *total = total.wrapping_add(*one);
        }
    }
    let [seen, submitted, ring_full, filtered, failed, partial, refused, over_budget, made_good] = total;
    ProgramCounters { seen, submitted, ring_full, filtered, failed, partial, refused, over_budget, made_good }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_add_up() {
        let total = sum([[7, 1, 2, 1, 2, 9, 1, 1, 3], [5, 1, 1, 1, 1, 0, 2, 1, 1]].iter());
        let expected = ProgramCounters {
            seen: 12,
            submitted: 2,
            ring_full: 3,
            filtered: 2,
            failed: 3,
            partial: 9,
            refused: 3,
            over_budget: 2,
            made_good: 4,
        };
        assert_eq!(total, expected);
        assert_eq!(total.seen, total.submitted + total.ring_full + total.over_budget + total.filtered + total.failed);
    }
}
