//! How often somebody may try to log in: so many times by one name, and so many from one address, in a quarter of an hour.
//! Names that are not known count as well, or it would show which are. Names and addresses fall into buckets of a fixed
//! number, by a hash that nobody else can work out: however many are tried, the memory stays the same.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(15 * 60);
const BY_NAME: u32 = 10;
/// Many people may be behind one address.
const BY_ADDRESS: u32 = 50;

/// What one bucket holds.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    tries: u32,
}

#[derive(Debug, Default)]
pub(super) struct Attempts {
    random: RandomState,
    windows: Mutex<HashMap<(bool, u16), Window>>,
}

impl Attempts {
    /// Counts a try before its password is looked at, so that many at once are not more than one after the other.
    ///
    /// # Errors
    /// Whole seconds to wait.
    pub(super) fn begin(&self, name: &str, address: IpAddr, now: Instant) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = [(self.by_name(name), BY_NAME), (self.by_address(address), BY_ADDRESS)];
        let mut wait = Duration::ZERO;
        for (bucket, most) in limits {
            let window = windows.entry(bucket).or_insert(Window { began: now, tries: 0 });
            let passed = now.saturating_duration_since(window.began);
            if passed >= WINDOW {
                *window = Window { began: now, tries: 0 };
            } else if window.tries >= most {
                wait = wait.max(WINDOW - passed);
            }
        }
        if !wait.is_zero() {
            return Err(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        }
        for (bucket, _) in limits {
            windows.entry(bucket).and_modify(|window| window.tries += 1);
        }
        Ok(())
    }

    /// The last try was a good one: it does not count, and neither do those before it by this name.
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.remove(&self.by_name(name));
        windows.entry(self.by_address(address)).and_modify(|window| window.tries = window.tries.saturating_sub(1));
    }

    fn by_name(&self, name: &str) -> (bool, u16) {
        (true, self.bucket(name.as_bytes()))
    }

    /// Of IPv6 whoever has one address has the 2⁶⁴ beside it.
    fn by_address(&self, address: IpAddr) -> (bool, u16) {
        (
            false,
            match address.to_canonical() {
                IpAddr::V4(address) => self.bucket(&address.octets()),
                IpAddr::V6(address) => self.bucket(&address.octets()[..8]),
            },
        )
    }

    fn bucket(&self, bytes: &[u8]) -> u16 {
        self.random.hash_one(bytes) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_tried_ten_times_and_again_when_its_time_is_over() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let from = |last| IpAddr::from([192, 0, 2, last]);
        for last in 0..10 {
            assert_eq!(attempts.begin("anna", from(last), start), Ok(()));
        }
        let later = start + Duration::from_secs(60);
        assert_eq!(attempts.begin("anna", from(99), later), Err(14 * 60));
        assert_eq!(attempts.begin("berta", from(99), later), Ok(()));
        assert_eq!(attempts.begin("anna", from(99), start + WINDOW), Ok(()));
    }

    #[test]
    fn an_address_tries_names_fifty_times() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let address = |last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        // A few may share a bucket; no ten of them do.
        for number in 0..50 {
            assert_eq!(attempts.begin(&format!("user{number}"), address(number), now), Ok(()));
        }
        assert!(attempts.begin("another", address(99), now).is_err());
        assert_eq!(attempts.begin("another", IpAddr::from([192, 0, 2, 1]), now), Ok(()));
    }

    #[test]
    fn who_gets_in_has_lost_no_try() {
        let (attempts, now, address) = (Attempts::default(), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..100 {
            assert_eq!(attempts.begin("anna", address, now), Ok(()));
            attempts.succeeded("anna", address);
        }
    }
}
