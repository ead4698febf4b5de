//! How often a tenant is asked: Central bounds the requests of each by the second and by the minute.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Requests that a tenant is asked at most. None means as many as there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub per_second: Option<u64>,
    pub per_minute: Option<u64>,
}

impl Rates {
    /// Those that Central has, for `config.ini`, which cannot say others.
    pub const USUAL: Self = Self { per_second: Some(10), per_minute: Some(100) };
}

/// When each tenant was asked.
#[derive(Debug, Default)]
pub(super) struct Rate {
    rates: Rates,
    asked: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Rate {
    pub(super) fn new(rates: Rates) -> Self {
        Self { rates, asked: Mutex::default() }
    }

    /// Waits until the tenant may be asked, and counts that it is.
    pub(super) async fn wait(&self, tenant: &str) {
        while let Some(wait) = self.take(tenant, Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Counts a request, or says how long to wait before it is tried again.
    fn take(&self, tenant: &str, now: Instant) -> Option<Duration> {
        let bounds = [(self.rates.per_second, 1), (self.rates.per_minute, 60)];
        let most = bounds.iter().filter_map(|(most, _)| *most).max()?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = asked.entry(tenant.to_owned()).or_default();
        for (most, seconds) in bounds {
            let Some(most) = most.and_then(|most| usize::try_from(most).ok()) else { continue };
            let span = Duration::from_secs(seconds);
            // The one that has to be past by now.
            let Some(before) = asked.len().checked_sub(most).and_then(|at| asked.get(at)) else { continue };
            if let Some(wait) = span.checked_sub(now.saturating_duration_since(*before)).filter(|wait| !wait.is_zero())
            {
                return Some(wait);
            }
        }
        asked.push_back(now);
        while asked.len() > most {
            asked.pop_front();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_asked_no_more_often_than_is_said() {
        let rate = Rate::new(Rates { per_second: Some(2), per_minute: Some(3) });
        let begin = Instant::now();
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        assert_eq!((rate.take("a", at(0)), rate.take("a", at(100))), (None, None));
        assert_eq!(rate.take("a", at(200)), Some(Duration::from_millis(800)));
        assert_eq!(rate.take("b", at(200)), None, "each tenant by itself");
        assert_eq!(rate.take("a", at(1000)), None);
        assert_eq!(rate.take("a", at(5000)), Some(Duration::from_secs(55)));
        assert_eq!(rate.take("a", at(60_000)), None);
    }

    #[test]
    fn without_bounds_nobody_waits() {
        let rate = Rate::new(Rates::default());
        let now = Instant::now();
        assert!((0..10_000).all(|_| rate.take("a", now).is_none()));
        assert!(rate.asked.lock().unwrap().is_empty());
    }
}
