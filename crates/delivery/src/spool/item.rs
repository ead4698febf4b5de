//! What a spool holds, and how much of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use uuid::Uuid;

/// How much an item counts. What is urgent is handed out first and given up last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One record each.
    Urgent,
    /// Many records each.
    Bulk,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Bulk];

    /// The name of its table on disk, which spools of all versions share.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "alert",
            Self::Bulk => "telemetry",
        }
    }
}

/// An item to be spooled.
#[derive(Clone, PartialEq, Eq)]
pub struct NewItem {
    pub kind: Kind,
    /// The same each time the item is sent, so that a receiver can tell a repetition.
    pub uuid: Uuid,
    /// Records in it: what losses are counted in.
    pub records: u32,
    /// What is sent; the spool does not look into it.
    pub body: Vec<u8>,
}

/// A spooled item.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    pub id: ItemId,
    pub uuid: Uuid,
    pub records: u32,
    /// When it was spooled: nanoseconds since the Unix epoch.
    pub time: u64,
    pub body: Vec<u8>,
}

/// Names an item within its spool. In the order of appending, per kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId {
    pub kind: Kind,
    pub(super) seq: i64,
}

#[cfg(test)]
impl ItemId {
    pub(crate) const fn for_test(kind: Kind, seq: i64) -> Self {
        Self { kind, seq }
    }
}

impl Item {
    /// Bytes that it counts for: its body and what is stored with it.
    pub(super) fn cost(&self) -> u64 {
        cost(self.body.len())
    }

    pub(super) fn weight(&self) -> Weight {
        Weight { cost: self.cost(), records: u64::from(self.records) }
    }
}

/// Bytes that an item with a body of this length counts for.
pub(super) fn cost(body: usize) -> u64 {
    body as u64 + 128
}

/// Bodies hold what happened on the host, which is nobody's business in a log.
impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Item({:?}, {}, {} bytes)", self.id, self.uuid, self.body.len())
    }
}

impl fmt::Debug for NewItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NewItem({:?}, {}, {} bytes)", self.kind, self.uuid, self.body.len())
    }
}

/// Bounds of a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all items on disk, 128 per item included. The files take at most about twice as much.
    pub disk_bytes: u64,
    /// Bytes of what is urgent kept in memory while the disk takes none.
    pub memory_bytes: u64,
    /// Bytes of rejected items kept for inspection.
    pub dead_letter_bytes: u64,
    /// Items older than this are given up.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            disk_bytes: 256 << 20,
            memory_bytes: 4 << 20,
            dead_letter_bytes: 4 << 20,
            age: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// What a stored item counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes as [`Limits`] counts them.
    pub(super) cost: u64,
    pub(super) records: u64,
}

/// Why an item was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// More was waiting than the spool may hold.
    Full,
    /// It waited for longer than the spool may keep it.
    Expired,
    /// It alone is larger than the spool may be.
    TooLarge,
    /// The disk took nothing, and memory for waiting items was used up or is not meant for it.
    Disk,
    /// What was stored is damaged.
    Damaged,
    /// The receiver will never take it.
    Rejected,
}

impl Cause {
    pub const ALL: [Self; 6] = [Self::Full, Self::Expired, Self::TooLarge, Self::Disk, Self::Damaged, Self::Rejected];

    /// The one with this name.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The cause in `lost_records` and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "spool_full",
            Self::Expired => "expired",
            Self::TooLarge => "too_large",
            Self::Disk => "disk",
            Self::Damaged => "damaged",
            Self::Rejected => "rejected",
        }
    }
}

/// Records that were given up since the start, by kind and cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUp([[u64; Cause::ALL.len()]; Kind::ALL.len()]);

impl GivenUp {
    /// All of it as well.
    pub(super) fn add_all(&mut self, more: &Self) {
        for (count, more) in self.0.as_flattened_mut().iter_mut().zip(more.0.as_flattened()) {
            *count += more;
        }
    }

    /// What is more here than there.
    pub(super) fn beyond(&self, other: &Self) -> Self {
        let mut left = *self;
        for (count, other) in left.0.as_flattened_mut().iter_mut().zip(other.0.as_flattened()) {
            *count = count.saturating_sub(*other);
        }
        left
    }

    /// So much of it, by the name of the cause and of either kind.
    pub(super) fn up_to(&self, counts: &[(&str, u64)]) -> Self {
        let mut some = Self::default();
        let known = counts.iter().filter_map(|(name, count)| Some((Cause::by_name(name)?, *count)));
        for (cause, mut left) in known {
            for kind in Kind::ALL {
                let count = left.min(self.count(kind, cause).saturating_sub(some.count(kind, cause)));
                some.add(kind, cause, count);
                left -= count;
            }
        }
        some
    }

    pub(super) fn add(&mut self, kind: Kind, cause: Cause, count: u64) {
        self.0[kind as usize][cause as usize] += count;
    }

    #[must_use]
    pub fn count(&self, kind: Kind, cause: Cause) -> u64 {
        self.0[kind as usize][cause as usize]
    }

    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// What was given up of either kind, by the names of the causes for which there was something.
    #[must_use]
    pub fn by_cause(&self) -> BTreeMap<&'static str, u64> {
        let sum = |cause| Kind::ALL.map(|kind| self.count(kind, cause)).iter().sum();
        Cause::ALL.into_iter().map(|cause| (cause.name(), sum(cause))).filter(|(_, count)| *count > 0).collect()
    }
}

/// How much there is of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub items: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes as [`Limits`] counts them.
    pub bytes: u64,
}

impl Usage {
    pub(super) fn add(&mut self, weight: Weight) {
        self.items += 1;
        self.records += weight.records;
        self.bytes += weight.cost;
    }

    pub(super) fn remove(&mut self, weight: Weight) {
        self.items = self.items.saturating_sub(1);
        self.records = self.records.saturating_sub(weight.records);
        self.bytes = self.bytes.saturating_sub(weight.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_by_a_cause_is_of_whatever_kind_there_was() {
        let mut owed = GivenUp::default();
        owed.add(Kind::Urgent, Cause::Full, 2);
        owed.add(Kind::Bulk, Cause::Full, 5);
        owed.add(Kind::Bulk, Cause::Expired, 3);
        let told = owed.up_to(&[("spool_full", 6), ("expired", 9), ("no such cause", 1)]);
        let left = owed.beyond(&told);
        assert_eq!((left.sum(), left.count(Kind::Bulk, Cause::Full)), (1, 1));
    }
}
