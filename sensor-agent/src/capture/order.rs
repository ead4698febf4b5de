//! Puts records of several sources in the order in which things happened.

use std::mem::offset_of;

use sensor_ebpf::record::Header;

use super::Batch;

/// Records of a less urgent source on their way, and how many of them may be the last ones.
pub(super) struct Waiting<'a> {
    pub(super) records: &'a mut Batch,
    /// Those of the first source that are older than these have all been read.
    pub(super) may_be_last: usize,
}

/// Puts what waits among the records of the first source, by time. Of what is later than these, only so much goes as cannot be
/// followed by an older one; the rest stays.
pub(super) fn merge(first: &Batch, waiting: &mut [Waiting<'_>], merged: &mut Batch) {
    let mut others: Vec<_> = waiting.iter().map(|other| other.records.records().enumerate().peekable()).collect();
    // The source whose next record is the earliest.
    let mut earliest = |until: Option<u64>| {
        let heads = others.iter_mut().enumerate();
        let (source, at) = heads.filter_map(|(n, other)| Some((n, time(other.peek()?.1)))).min_by_key(|head| head.1)?;
        if until.is_some_and(|until| at > until) {
            return None;
        }
        let may_be_last = waiting.get(source)?.may_be_last;
        let other = others.get_mut(source)?;
        other.next_if(|&(index, _)| until.is_some() || index < may_be_last).map(|(_, record)| record)
    };
    for record in first {
        while let Some(other) = earliest(Some(time(record))) {
            merged.push(other);
        }
        merged.push(record);
    }
    while let Some(other) = earliest(None) {
        merged.push(other);
    }
    let rest: Vec<Batch> = others.into_iter().map(|other| other.map(|(_, record)| record).collect()).collect();
    for (other, rest) in waiting.iter_mut().zip(rest) {
        *other.records = rest;
    }
}

/// When a record was made.
fn time(record: &[u8]) -> u64 {
    let bytes = record.get(offset_of!(Header, time)..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A record made at this time, of this source.
    fn record(time: u64, source: u8) -> [u8; size_of::<Header>() + 1] {
        let mut bytes = [source; size_of::<Header>() + 1];
        bytes[offset_of!(Header, time)..][..8].copy_from_slice(&time.to_ne_bytes());
        bytes
    }

    fn batch(source: u8, times: impl IntoIterator<Item = u64>) -> Batch {
        times.into_iter().map(|time| record(time, source)).collect()
    }

    fn seen(batch: &Batch) -> Vec<(u64, u8)> {
        batch.records().map(|record| (time(record), record[size_of::<Header>()])).collect()
    }

    #[test]
    fn a_login_comes_before_the_shell_that_it_leads_to_and_after_what_was_before_it() {
        let (mut audit, mut rare) = (batch(1, [2, 5, 9]), batch(2, [3, 6]));
        let mut merged = Batch::default();
        let mut waiting =
            [Waiting { records: &mut audit, may_be_last: 2 }, Waiting { records: &mut rare, may_be_last: 2 }];
        merge(&batch(0, [1, 4, 5]), &mut waiting, &mut merged);
        assert_eq!(seen(&merged), [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1), (5, 0), (6, 2)]);
        // Something older than this one may still be on its way.
        assert_eq!(seen(&audit), [(9, 1)]);
        assert!(rare.is_empty());
    }

    #[test]
    fn what_must_wait_holds_back_what_is_later() {
        let (mut audit, mut rare) = (batch(1, [7]), batch(2, [8]));
        let mut merged = Batch::default();
        let mut waiting =
            [Waiting { records: &mut audit, may_be_last: 0 }, Waiting { records: &mut rare, may_be_last: 1 }];
        merge(&batch(0, [5]), &mut waiting, &mut merged);
        assert_eq!((seen(&merged), seen(&audit), seen(&rare)), (vec![(5, 0)], vec![(7, 1)], vec![(8, 2)]));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_time_goes_on(
            sources in prop::collection::vec(prop::collection::vec(0_u64..50, 0..20), 1..5),
            may_be_last in prop::collection::vec(0_usize..20, 4),
        ) {
            let mut batches: Vec<Batch> = sources
                .into_iter()
                .enumerate()
                .map(|(n, mut times)| {
                    times.sort_unstable();
                    batch(n as u8, times)
                })
                .collect();
            let mut all: Vec<_> = batches.iter().flat_map(seen).collect();
            let first = batches.remove(0);
            let mut waiting: Vec<_> = batches
                .iter_mut()
                .zip(&may_be_last)
                .map(|(records, &may_be_last)| Waiting { records, may_be_last })
                .collect();
            let mut merged = Batch::default();
            merge(&first, &mut waiting, &mut merged);
            let told = seen(&merged);
            prop_assert!(told.is_sorted_by_key(|&(time, _)| time));
            let end = told.iter().rev().find(|&&(_, source)| source == 0).map_or(0, |&(time, _)| time);
            for (n, waiting) in batches.iter().enumerate() {
                // What stays is later than all that went of the first.
                prop_assert!(seen(waiting).iter().all(|&(time, _)| time >= end));
                let later = told.iter().filter(|&&(time, source)| usize::from(source) == n + 1 && time > end).count();
                prop_assert!(later <= may_be_last[n]);
            }
            let mut kept: Vec<_> = told.into_iter().chain(batches.iter().flat_map(seen)).collect();
            all.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(kept, all);
        }
    }
}
