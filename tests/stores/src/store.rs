//! What the spool asks of a store, and the rivals that can do it.

mod fjall;
mod redb;
mod sqlite;

use std::error::Error;
use std::path::Path;

/// Bytes of an item's body: a usual alert.
pub(crate) const BODY: usize = 2048;

/// What went wrong, in a store's own words or in ours.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Something to be kept, as the store has it. Its checksum is stored with it, since not every store has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// From 1, in the order of appending.
    pub(crate) number: u64,
    pub(crate) crc: u32,
    pub(crate) body: Vec<u8>,
}

/// An open store.
pub(crate) trait Store {
    /// Puts items on disk with one commit, which is synced.
    fn append(&mut self, items: &[Item]) -> Result<(), Failure>;

    /// The oldest items after number `after`, at most `count`. They may be damaged: see [`Item::is_sound`].
    fn read(&mut self, after: u64, count: usize) -> Result<Vec<Item>, Failure>;

    /// Deletes items with one commit, which is synced.
    fn delete(&mut self, numbers: &[u64]) -> Result<(), Failure>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    Redb,
    Fjall,
    Sqlite,
    /// redb that looks through the whole file whenever it is opened.
    CheckedRedb,
}

impl Rival {
    /// Those that are compared, in the order of the table's columns.
    pub(crate) const COMPARED: [Self; 3] = [Self::Redb, Self::Fjall, Self::Sqlite];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::Fjall => "fjall",
            Self::Sqlite => "SQLite",
            Self::CheckedRedb => "redb-checked",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Redb, Self::Fjall, Self::Sqlite, Self::CheckedRedb].into_iter().find(|rival| rival.name() == name)
    }

    /// Opens the store in a folder, which is there; creates it if need be.
    pub(crate) fn open(self, folder: &Path) -> Result<Box<dyn Store>, Failure> {
        Ok(match self {
            Self::Redb => Box::new(redb::Redb::open(folder, false)?),
            Self::CheckedRedb => Box::new(redb::Redb::open(folder, true)?),
            Self::Fjall => Box::new(fjall::Fjall::open(folder)?),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(folder)?),
        })
    }
}

impl Item {
    /// The item of this number. Its body follows from the number, so that one that comes back can be told from one
    /// that has changed; it cannot be compressed.
    pub(crate) fn new(number: u64) -> Self {
        let mut chance = Chance(number);
        let body: Vec<u8> = (0..BODY / 8).flat_map(|_| chance.next().to_le_bytes()).collect();
        Self { number, crc: checksum(number, &body), body }
    }

    pub(crate) fn several(numbers: impl IntoIterator<Item = u64>) -> Vec<Self> {
        numbers.into_iter().map(Self::new).collect()
    }

    /// Whether it is as it was written, as far as the checksum can tell.
    pub(crate) fn is_sound(&self) -> bool {
        self.crc == checksum(self.number, &self.body)
    }

    /// The value for stores that have keys and values.
    fn to_value(&self) -> Vec<u8> {
        [&self.crc.to_le_bytes(), self.body.as_slice()].concat()
    }

    fn from_value(number: u64, value: &[u8]) -> Self {
        // One without a checksum is damaged, and its body then does not matter.
        let (crc, body) = value.split_first_chunk().unwrap_or((&[0; 4], &[]));
        Self { number, crc: u32::from_le_bytes(*crc), body: body.to_vec() }
    }
}

fn checksum(number: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// The same numbers in each run, without any order (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_store_gives_back_in_order_what_was_put_in() {
        for rival in Rival::COMPARED.into_iter().chain([Rival::CheckedRedb]) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = rival.open(folder.path()).unwrap();
            store.append(&Item::several(1..=300)).unwrap();
            store.append(&Item::several([301])).unwrap();
            assert_eq!(store.read(0, 2).unwrap(), Item::several(1..=2), "{rival:?}");
            store.delete(&(1..=256).collect::<Vec<u64>>()).unwrap();
            drop(store);
            let mut store = rival.open(folder.path()).unwrap();
            assert_eq!(store.read(0, 1000).unwrap(), Item::several(257..=301), "{rival:?}");
            assert_eq!(store.read(299, 1).unwrap(), Item::several([300]), "{rival:?}");
        }
    }

    #[test]
    fn a_changed_item_is_told_from_a_sound_one() {
        let item = Item::new(7);
        assert!(Item::from_value(7, &item.to_value()).is_sound());
        let mut value = item.to_value();
        value[1000] ^= 1;
        assert!(!Item::from_value(7, &value).is_sound());
        assert!(!Item::from_value(8, &item.to_value()).is_sound());
        assert!(!Item::from_value(7, &[]).is_sound());
    }
}
