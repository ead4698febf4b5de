//! How long to wait before the next try.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use uuid::Uuid;

/// The times between tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The shortest wait after a fault.
    pub first: Duration,
    /// The longest wait after a fault.
    pub most: Duration,
    /// The wait after a refusal that only people can end, such as of a wrong token.
    pub slow: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(300), slow: Duration::from_secs(300) }
    }
}

/// What a receiver asks for with `Retry-After` is granted up to this.
const LONGEST_WISH: Duration = Duration::from_secs(3600);

/// Waits that double with each fault in a row. Each is drawn from the whole span between the shortest and its double
/// ("full jitter"), so that thousands of sensors do not come back at the same moment.
#[derive(Debug)]
pub struct Backoff {
    pace: Pace,
    faults: u32,
}

impl Backoff {
    pub const fn new(pace: Pace) -> Self {
        Self { pace, faults: 0 }
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.faults = 0;
    }

    /// It failed: the next wait is from a longer span.
    pub fn count(&mut self) {
        self.faults = self.faults.saturating_add(1);
    }

    /// The wait after a fault. Not shorter than what the receiver wishes.
    pub fn wait_after_fault(&self, wish: Option<Duration>) -> Duration {
        let span = self.pace.first.saturating_mul(2 << self.faults.min(20)).min(self.pace.most);
        let wait = self.pace.first + span.saturating_sub(self.pace.first).mul_f64(random());
        wish.map_or(wait, |wish| wish.min(LONGEST_WISH) + wait.min(wish.mul_f64(0.2)))
    }

    /// The wait after a refusal.
    pub fn wait_after_refusal(&self, wish: Option<Duration>) -> Duration {
        self.pace.slow.mul_f64(0.9 + 0.2 * random()).max(wish.unwrap_or_default().min(LONGEST_WISH))
    }
}

/// At least 0, less than 1.
fn random() -> f64 {
    // 32 of the random bits of a version 4 UUID.
    f64::from(Uuid::new_v4().as_fields().0) / (f64::from(u32::MAX) + 1.0)
}

/// What `Retry-After` says: seconds, or a date.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // A date is by the receiver's clock, and so is what it says the time is; this host's may be another.
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    wish(text(RETRY_AFTER)?, now.unwrap_or_else(SystemTime::now))
}

fn wish(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bounds_and_begin_anew() {
        let mut backoff = Backoff::new(Pace::default());
        let seconds = Duration::from_secs;
        for round in 0..200 {
            let wait = backoff.wait_after_fault(None);
            assert!(wait >= seconds(1) && wait <= seconds(300) && wait <= seconds(2 << round.min(20)), "{wait:?}");
            backoff.count();
        }
        let far: Vec<_> = (0..100).map(|_| backoff.wait_after_fault(None)).collect();
        assert!(far.iter().any(|wait| *wait < seconds(100)) && far.iter().any(|wait| *wait > seconds(200)));
        backoff.reset();
        assert!(backoff.wait_after_fault(None) <= seconds(2));
    }

    #[test]
    fn wishes_are_granted_within_reason() {
        let backoff = Backoff::new(Pace::default());
        let seconds = Duration::from_secs;
        let wait = backoff.wait_after_fault(Some(seconds(120)));
        assert!(wait >= seconds(120) && wait < seconds(150));
        assert!(backoff.wait_after_fault(Some(seconds(86_400))) < seconds(3600 + 301));
        assert!(backoff.wait_after_refusal(None) >= seconds(270));
        assert!(backoff.wait_after_refusal(Some(seconds(900))) >= seconds(900));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(wish(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(wish("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(wish("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        for nonsense in ["", "-1", "soon", "1e9", "99999999999999999999"] {
            assert_eq!(wish(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn a_date_to_retry_after_is_by_the_receivers_clock() {
        let headers = |all: &[(&'static str, &'static str)]| {
            all.iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let after = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(retry_after(&headers(&[date, after])), Some(Duration::from_secs(60)));
        assert_eq!(retry_after(&headers(&[after])), Some(Duration::ZERO), "long ago");
        assert_eq!(retry_after(&headers(&[date])), None);
    }
}
