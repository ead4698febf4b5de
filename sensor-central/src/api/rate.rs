//! How often a client may ask: so many requests in each second, minute, hour and day. What comes above is told how long to
//! wait.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::config::Rates;

/// A time that has begun, and the requests in it.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    requests: u64,
}

/// What each client has asked for. As many entries as there are clients.
#[derive(Debug)]
pub(super) struct Counted {
    limits: [(Duration, Option<u64>); 4],
    clients: Mutex<HashMap<Uuid, [Window; 4]>>,
}

impl Counted {
    pub(super) fn new(rates: Rates) -> Self {
        let Rates { per_second, per_minute, per_hour, per_day } = rates;
        let limits = [(1, per_second), (60, per_minute), (3600, per_hour), (24 * 3600, per_day)];
        let limits = limits.map(|(seconds, most)| (Duration::from_secs(seconds), most));
        Self { limits, clients: Mutex::default() }
    }

    /// Counts a request of a client; one that is too many is not counted.
    ///
    /// # Errors
    /// Whole seconds to wait.
    pub(super) fn count(&self, client: Uuid, now: Instant) -> Result<(), u32> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let windows = clients.entry(client).or_insert([Window { began: now, requests: 0 }; 4]);
        let mut wait = Duration::ZERO;
        for (window, (length, most)) in windows.iter_mut().zip(self.limits) {
            let passed = now.saturating_duration_since(window.began);
            if passed >= length {
                *window = Window { began: now, requests: 0 };
            } else if most.is_some_and(|most| window.requests >= most) {
                wait = wait.max(length - passed);
            }
        }
        if wait.is_zero() {
            windows.iter_mut().for_each(|window| window.requests = window.requests.saturating_add(1));
            return Ok(());
        }
        let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Err(u32::try_from(whole).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_counted_alone_and_waits_until_its_time_is_over() {
        let rates = Rates { per_second: Some(2), per_minute: Some(3), per_hour: None, per_day: None };
        let (counted, start) = (Counted::new(rates), Instant::now());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(counted.count(one, at(0)), Ok(()));
        assert_eq!(counted.count(one, at(1)), Ok(()));
        assert_eq!(counted.count(one, at(300)), Err(1));
        assert_eq!(counted.count(other, at(300)), Ok(()));
        assert_eq!(counted.count(one, at(1000)), Ok(()));
        assert_eq!(counted.count(one, at(2500)), Err(58), "the minute is used up");
        assert_eq!(counted.count(one, at(60_000)), Ok(()));
        let free = Counted::new(Rates { per_second: None, per_minute: None, per_hour: None, per_day: None });
        assert!((0..10_000).all(|_| free.count(one, start).is_ok()));
    }
}
