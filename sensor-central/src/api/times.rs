//! Points in time as clients write them, and as they are told.

use jiff::{
    Span, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// In a millisecond.
const NANOSECONDS: i64 = 1_000_000;

/// Nanoseconds since the Unix epoch as text, always with three digits and a Z: some clients know no other form.
pub(super) fn write(nanoseconds: i64) -> String {
    write_milliseconds(nanoseconds.div_euclid(NANOSECONDS))
}

/// The same of milliseconds.
pub(super) fn write_milliseconds(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
}

/// A point in time, milliseconds since the Unix epoch, the part of a millisecond left out: with Z, an offset or nothing
/// (UTC), `T` or a blank before the hour, any fraction; or how long before `now`, as `P7D` or `PT1H`.
pub(crate) fn read(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    let time = if text.starts_with(['P', 'p']) {
        let span: Span = text.parse().ok().filter(|span: &Span| !span.is_negative())?;
        let now = Timestamp::from_nanosecond(now.into()).ok()?;
        now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?.timestamp()
    } else if let Ok(time) = text.parse::<Timestamp>() {
        time
    } else if let Some(time) = with_a_lost_plus(text) {
        time
    } else {
        Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    Some(time.as_millisecond())
}

/// The plus of an offset that was put into a query as it is has become a blank: `2026-11-29T08:00:00 02:00`.
fn with_a_lost_plus(text: &str) -> Option<Timestamp> {
    let (time, offset) = text.rsplit_once(' ')?;
    if !time.contains(':') {
        return None;
    }
    format!("{time}+{offset}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-29T08:00:00Z
    const AT: i64 = 1_795_939_200_000;

    #[test]
    fn every_form_that_clients_send_is_read() {
        let now = (AT + 7 * 24 * 3_600_000) * NANOSECONDS;
        for text in [
            "2026-11-29T08:00:00Z",
            "2026-11-29T08:00:00.000Z",
            "2026-11-29T08:00:00.000000",
            "2026-11-29 08:00:00",
            "2026-11-29 08:00:00.000999+00:00",
            "2026-11-29T10:00:00+02:00",
            "2026-11-29T10:00:00 02:00",
            "2026-11-29t08:00:00z",
            "2026-11-29T08:00",
            "P7D",
            "PT168H",
            " 2026-11-29T08:00:00Z ",
        ] {
            assert_eq!(read(text, now), Some(AT), "{text}");
        }
        assert_eq!(read("2026-11-29", now), Some(AT - 8 * 3_600_000));
        for text in ["", "yesterday", "2026-13-29T08:00:00Z", "-P7D", "P-7D", "1795939200", "P99999Y", "2026-11-29T"] {
            assert_eq!(read(text, now), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(milliseconds in -60_000_000_000_000..250_000_000_000_000_i64) {
            let text = write_milliseconds(milliseconds);
            prop_assert_eq!(read(&text, 0), Some(milliseconds));
            prop_assert!(text.ends_with('Z') && text.as_bytes()[text.len() - 5] == b'.');
        }

        #[test]
        fn nothing_that_comes_stops_it(text: String, now: i64) {
            read(&text, now);
        }
    }
}
