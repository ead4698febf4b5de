//! What the sensor lost: every counter of a loss, gathered in one place.
//!
//! Counters only grow. [`Ledger::settle`] compares them with what was told before and yields what is new, as events
//! for the `lost_records` table; a loss of kernel events also raises an alert.

use foldhash::{HashMap, HashMapExt as _};

use crate::event::Lost;

/// The grown value of one loss counter: [`Lost`] with the total since the start as its count.
pub type Total = Lost;

/// What was told already.
#[derive(Debug, Default)]
pub struct Ledger {
    told: HashMap<(&'static str, &'static str, &'static str), u64>,
}

impl Ledger {
    /// What was lost since the last call.
    pub fn settle(&mut self, totals: impl IntoIterator<Item = Total>) -> Vec<Lost> {
        let mut sums: HashMap<_, u64> = HashMap::new();
        for total in totals {
            *sums.entry((total.stage, total.class, total.cause)).or_default() += total.count;
        }
        let mut news: Vec<Lost> = sums
            .into_iter()
            .filter_map(|(key, total)| {
                let told = self.told.entry(key).or_default();
                // A counter that starts anew (an output that was configured anew) counts from zero.
                let count = if total >= *told { total - *told } else { total };
                *told = total;
                (count > 0).then_some(Lost { stage: key.0, class: key.1, cause: key.2, count })
            })
            .collect();
        news.sort_by_key(|lost| (lost.stage, lost.class, lost.cause));
        news
    }
}

/// The counters of the same place, class and cause as one: several outputs can lose alike.
#[must_use]
pub fn added_up(totals: Vec<Total>) -> Vec<Total> {
    let mut sums: Vec<Total> = Vec::with_capacity(totals.len());
    for total in totals {
        let key = |total: &Total| (total.stage, total.class, total.cause);
        match sums.iter_mut().find(|sum| key(sum) == key(&total)) {
            Some(sum) => sum.count += total.count,
            None => sums.push(total),
        }
    }
    sums
}

/// Whether this loss means that events of the kernel went unseen.
#[must_use]
pub fn is_blindness(lost: &Lost) -> bool {
    matches!(lost.stage, "hook" | "ring" | "decode")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn total(cause: &'static str, count: u64) -> Total {
        Total { stage: "ring", class: "process", cause, count }
    }

    #[test]
    fn only_what_is_new_is_told() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.settle([total("full", 0)]), []);
        assert_eq!(ledger.settle([total("full", 3)]), [total("full", 3)]);
        assert_eq!(ledger.settle([total("full", 3)]), []);
        assert_eq!(ledger.settle([total("full", 5), total("misread", 1)]), [total("full", 2), total("misread", 1)]);
    }

    #[test]
    fn a_place_has_one_counter() {
        let totals = vec![total("full", 3), total("misread", 0), total("full", 4)];
        assert_eq!(added_up(totals), [total("full", 7), total("misread", 0)]);
    }

    #[test]
    fn equal_causes_add_up_and_restarts_count_from_zero() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.settle([total("full", 3), total("full", 4)]), [total("full", 7)]);
        assert_eq!(ledger.settle([total("full", 2)]), [total("full", 2)]);
    }
}
