//! What was handed over lately, to tell it from what is new when a time is read again.

use std::collections::{HashSet, VecDeque};

/// Items that are known of one stream at one output, at most: some 500 KB. Where more came in than this since the time
/// that would be read again, the reading begins later.
pub const MOST: usize = 20_000;

/// Marks of items ([`crate::item::Item::mark`]), each with the time at which it was handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    in_order: VecDeque<(i64, u64)>,
    marks: HashSet<u64>,
    known_from: Option<i64>,
}

impl Sent {
    #[must_use]
    pub fn has(&self, mark: u64) -> bool {
        self.marks.contains(&mark)
    }

    /// From when on all are known, Unix seconds.
    #[must_use]
    pub const fn known_from(&self) -> Option<i64> {
        self.known_from
    }

    /// Those that were handed over at a time. Whatever was before `known_from` may be forgotten.
    pub(super) fn add(&mut self, at: i64, marks: &[u64], known_from: Option<i64>) {
        self.known_from = self.known_from.max(known_from);
        for mark in marks {
            if self.marks.insert(*mark) {
                self.in_order.push_back((at, *mark));
            }
        }
        while let Some((first, mark)) = self.in_order.front().copied() {
            let is_one_too_many = self.in_order.len() > MOST;
            if is_one_too_many {
                // Of the same second others may be forgotten as well.
                self.known_from = self.known_from.max(Some(first.saturating_add(1)));
            } else if self.known_from.is_none_or(|known| first >= known) {
                break;
            }
            self.in_order.pop_front();
            self.marks.remove(&mark);
        }
    }

    /// Each time with what was handed over at it.
    pub(super) fn by_time(&self) -> impl Iterator<Item = (i64, Vec<u64>)> {
        let mut times: Vec<(i64, Vec<u64>)> = Vec::new();
        for (at, mark) in &self.in_order {
            match times.last_mut() {
                Some((last, marks)) if last == at => marks.push(*mark),
                _ => times.push((*at, vec![*mark])),
            }
        }
        times.into_iter()
    }
}

/// Marks as text: numbers of 64 bits are not for every reader of JSON.
pub(super) mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::state) fn serialize<S: Serializer>(marks: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(marks.iter().map(|mark| format!("{mark:016x}")))
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| u64::from_str_radix(text, 16).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_known_until_it_is_forgotten() {
        let mut sent = Sent::default();
        sent.add(100, &[1, 2], Some(50));
        sent.add(200, &[2, 3], None);
        assert!(sent.has(1) && sent.has(2) && sent.has(3) && !sent.has(4));
        assert_eq!(sent.known_from(), Some(50));
        assert_eq!(sent.by_time().collect::<Vec<_>>(), [(100, vec![1, 2]), (200, vec![3])]);
        sent.add(300, &[], Some(150));
        assert!(!sent.has(1) && !sent.has(2) && sent.has(3));
        assert_eq!(sent.known_from(), Some(150));
        // It never goes back.
        sent.add(300, &[], Some(10));
        assert_eq!(sent.known_from(), Some(150));
    }

    #[test]
    fn it_has_a_bound_and_says_from_when_on_it_knows_all() {
        let mut sent = Sent::default();
        let marks: Vec<u64> = (0..MOST as u64).collect();
        sent.add(100, &marks, Some(0));
        assert_eq!(sent.known_from(), Some(0));
        sent.add(101, &[u64::MAX], None);
        assert!(!sent.has(0) && sent.has(u64::MAX));
        assert_eq!((sent.known_from(), sent.in_order.len()), (Some(101), 1), "all of a second or none");
    }
}
