//! How long to wait before the next try.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Tries of one request, and the times between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The shortest wait.
    pub first: Duration,
    /// The longest.
    pub most: Duration,
    /// How often a request is made at most.
    pub tries: u32,
    /// A wish to come back later than this ends the pass instead: the next will be later.
    pub longest_wish: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            tries: 6,
            longest_wish: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// The wait after so many faults in a row, drawn from the whole span that doubles with each ("full jitter"), so that
    /// many clients do not come back at the same moment. Not shorter than what the server wishes.
    pub(super) fn wait(&self, faults: u32, wish: Option<Duration>) -> Duration {
        let span = self.first.saturating_mul(1 << faults.min(20)).min(self.most);
        let wait = self.first + span.saturating_sub(self.first).mul_f64(random());
        wish.map_or(wait, |wish| wish + wait.min(wish.mul_f64(0.2)))
    }
}

/// At least 0, less than 1. Without a source of randomness the longest wait is right too.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
}

/// What `Retry-After` says: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds() {
        let pace = Pace::default();
        for faults in 0..40 {
            let wait = pace.wait(faults, None);
            let most = Duration::from_secs(1 << faults.min(6)).min(pace.most);
            assert!(wait >= pace.first && wait <= most, "{faults}: {wait:?}");
        }
        let wish = Duration::from_secs(100);
        let wait = pace.wait(3, Some(wish));
        assert!(wait >= wish && wait <= wish + Duration::from_secs(20), "{wait:?}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |value: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]));
        assert_eq!(of(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "-1", "soon", "1e9", "99999999999999999999"] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
    }
}
