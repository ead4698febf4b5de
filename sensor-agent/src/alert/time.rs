//! Points in time as text.

use jiff::Timestamp;

/// Nanoseconds since the Unix epoch as RFC 3339, in UTC, to the nanosecond: `2023-11-14T22:13:20.123456789Z`.
pub(crate) fn rfc3339(time: u64) -> String {
    match Timestamp::from_nanosecond(time.into()) {
        Ok(time) => format!("{time:.9}"),
        // A clock that is centuries off.
        Err(_) => format!("{:.9}", Timestamp::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_nanosecond() {
        assert_eq!(rfc3339(1_700_000_000_000_000_001), "2023-11-14T22:13:20.000000001Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(rfc3339(u64::MAX).len(), 30);
    }
}
