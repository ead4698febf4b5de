//! What was handed over lately, to tell it from what is new when a time is read again.

use std::{collections::VecDeque, sync::Arc};

/// Items that are known of one stream at one output, at most: some 160 KB. Where more came in than this since the time
/// that would be read again, the reading begins later.
pub const MOST: usize = 20_000;
/// Parts in which they are kept, about.
const PARTS: usize = 32;

/// Marks of items ([`crate::item::Item::mark`]), each with the time at which it was handed over.
///
/// They take little more than eight bytes each: there is one of these for each stream of each tenant at each output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// As they came; no two of one time stand side by side.
    parts: VecDeque<Part>,
    count: usize,
    known_from: Option<i64>,
}

/// What was handed over at a time, or until then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    at: i64,
    /// In order. Outputs that were handed the same have them in common.
    marks: Arc<[u64]>,
}

impl Sent {
    #[must_use]
    pub fn has(&self, mark: u64) -> bool {
        // What comes again came lately.
        self.parts.iter().rev().any(|part| part.marks.binary_search(&mark).is_ok())
    }

    /// From when on all are known, Unix seconds.
    #[must_use]
    pub const fn known_from(&self) -> Option<i64> {
        self.known_from
    }

    /// Those that were handed over at a time. Whatever was before `known_from` may be forgotten.
    /// They are in order, each once.
    pub(super) fn add(&mut self, at: i64, marks: Arc<[u64]>, known_from: Option<i64>) {
        self.known_from = self.known_from.max(known_from);
        let new = if marks.iter().any(|&mark| self.has(mark)) {
            marks.iter().copied().filter(|&mark| !self.has(mark)).collect()
        } else {
            marks
        };
        if !new.is_empty() {
            self.count += new.len();
            self.parts.push_back(Part { at, marks: new });
            self.join_alike(self.parts.len() - 1);
        }
        if self.parts.len() > PARTS {
            self.join_smallest();
        }
        while let Some(Part { at, marks }) = self.parts.front() {
            if self.count > MOST {
                // Of the same second others may be forgotten as well.
                self.known_from = self.known_from.max(Some(at.saturating_add(1)));
            } else if self.known_from.is_none_or(|known| *at >= known) {
                break;
            }
            self.count -= marks.len();
            self.parts.pop_front();
        }
    }

    /// What came last.
    pub(super) fn last(&self) -> Option<&Arc<[u64]>> {
        self.parts.back().map(|part| &part.marks)
    }

    /// Makes one of the two neighbours that are fewest together.
    fn join_smallest(&mut self) {
        let size = |at: usize| self.parts[at].marks.len() + self.parts[at + 1].marks.len();
        if let Some(at) = (0..self.parts.len().saturating_sub(1)).min_by_key(|&at| size(at)) {
            self.join(at);
            self.join_alike(at);
        }
    }

    /// Makes one of this part and its neighbours, as far as they have the same time.
    fn join_alike(&mut self, at: usize) {
        for before in [at.checked_sub(1), Some(at)].into_iter().flatten().rev() {
            let alike =
                self.parts.get(before).zip(self.parts.get(before + 1)).is_some_and(|(one, next)| one.at == next.at);
            if alike {
                self.join(before);
            }
        }
    }

    /// Makes one of a part and the next one: all of it is as if it had been handed over with the later.
    fn join(&mut self, at: usize) {
        if let Some(next) = self.parts.remove(at + 1)
            && let Some(part) = self.parts.get_mut(at)
        {
            let mut marks = [&*part.marks, &*next.marks].concat();
            marks.sort_unstable();
            *part = Part { at: part.at.max(next.at), marks: marks.into() };
        }
    }

    /// Each time with what was handed over at it.
    pub(super) fn by_time(&self) -> impl Iterator<Item = (i64, Vec<u64>)> {
        self.parts.iter().map(|part| (part.at, part.marks.to_vec()))
    }
}

/// Marks as text: numbers of 64 bits are not for every reader of JSON.
pub(super) mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de::Error as _};

    struct Hexadecimal(u64);

    impl Serialize for Hexadecimal {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{:016x}", self.0))
        }
    }

    pub(in crate::state) fn serialize<S: Serializer>(marks: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(marks.iter().copied().map(Hexadecimal))
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| u64::from_str_radix(text, 16).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn marks(marks: &[u64]) -> Arc<[u64]> {
        let mut marks = marks.to_vec();
        marks.sort_unstable();
        marks.into()
    }

    #[test]
    fn what_was_sent_is_known_until_it_is_forgotten() {
        let mut sent = Sent::default();
        sent.add(100, marks(&[1, 2]), Some(50));
        sent.add(200, marks(&[2, 3]), None);
        assert!(sent.has(1) && sent.has(2) && sent.has(3) && !sent.has(4));
        assert_eq!(sent.known_from(), Some(50));
        assert_eq!(sent.by_time().collect::<Vec<_>>(), [(100, vec![1, 2]), (200, vec![3])]);
        sent.add(300, marks(&[]), Some(150));
        assert!(!sent.has(1) && !sent.has(2) && sent.has(3));
        assert_eq!(sent.known_from(), Some(150));
        // It never goes back.
        sent.add(300, marks(&[]), Some(10));
        assert_eq!(sent.known_from(), Some(150));
    }

    #[test]
    fn it_has_a_bound_and_says_from_when_on_it_knows_all() {
        let mut sent = Sent::default();
        let all: Vec<u64> = (0..MOST as u64).collect();
        sent.add(100, marks(&all), Some(0));
        assert_eq!(sent.known_from(), Some(0));
        sent.add(101, marks(&[u64::MAX]), None);
        assert!(!sent.has(0) && sent.has(u64::MAX));
        assert_eq!((sent.known_from(), sent.count), (Some(101), 1), "all of a second or none");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_knows_what_a_plain_list_knows(adds in proptest::collection::vec((-1_i64..4, 0_usize..700, 0_u64..9), 1..80)) {
            let (mut sent, mut model) = (Sent::default(), HashMap::<u64, i64>::new());
            let (mut now, mut next) = (0, 0);
            for (later, count, again) in adds {
                now += later;
                // Some come again.
                let first = next - u64::min(next, again);
                let marks: Vec<u64> = (first..next + count as u64).map(spread).collect();
                next += count as u64;
                for mark in &marks {
                    model.entry(*mark).or_insert(now);
                }
                sent.add(now, self::marks(&marks), Some(now - 30));
                let known = sent.known_from().unwrap();
                prop_assert!(known >= now - 30);
                prop_assert!(sent.count <= MOST && sent.parts.len() <= PARTS);
                prop_assert_eq!(sent.count, sent.parts.iter().map(|part| part.marks.len()).sum::<usize>());
                prop_assert!(model.iter().filter(|(_, at)| **at >= known).all(|(mark, _)| sent.has(*mark)));
                prop_assert!(!sent.has(spread(next)));
                model.retain(|_, at| *at >= known);
            }
            let mut again = Sent::default();
            sent.by_time().for_each(|(at, marks)| again.add(at, self::marks(&marks), None));
            again.known_from = sent.known_from;
            prop_assert_eq!(again, sent);
        }
    }

    /// Marks look like random numbers.
    fn spread(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
