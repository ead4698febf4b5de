//! Numbers as rules write them: whole numbers, sizes, durations, points in time.

/// A whole number: 10, -1, 0x1f, 0o17, 0b11, with `_` between digits. One too great for `i64` but not for `u64`
/// becomes the negative number of the same bits, as the kernel's unsigned values are kept.
pub(super) fn integer(text: &str) -> Result<i64, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        let plain = digits.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        return Err(format!("`{text}` may be meant as octal or as decimal; write `0o{plain}` or `{plain}`"));
    }
    let plain = digits.replace('_', "");
    let between = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    if plain.is_empty() || !between || !plain.chars().all(|digit| digit.is_digit(radix)) {
        return Err(match whole_part(text) {
            Some(whole) => format!("`{text}` is no whole number; write `{whole}`"),
            None => format!("`{text}` is no whole number (10, 0x1f, 0o17)"),
        });
    }
    let value = u64::from_str_radix(&plain, radix).map_err(|_| format!("`{text}` does not fit into 64 bits"))?;
    if negative {
        0i64.checked_sub_unsigned(value).ok_or_else(|| format!("`{text}` does not fit into 64 bits"))
    } else {
        Ok(value.cast_signed())
    }
}

/// What a number with nothing behind the point is.
fn whole_part(text: &str) -> Option<&str> {
    let (whole, places) = text.split_once('.')?;
    let is_plain = whole == "0" || !whole.starts_with('0');
    (is_plain && integer(whole).is_ok() && places.bytes().all(|digit| digit == b'0')).then_some(whole)
}

const SIZES: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Bytes: a whole number, or a number with a unit: 64KiB, 1.5MB.
pub(super) fn size(text: &str) -> Result<i64, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find(|char: char| char.is_ascii_alphabetic())
        && !lower.starts_with("0x")
        && !lower.starts_with("0o")
        && !lower.starts_with("0b")
    {
        let unit = &lower[at..];
        let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "`{}` is no unit of size; the units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
                &text[at..]
            ));
        };
        return scaled(&lower[..at], *factor).ok_or_else(|| format!("`{text}` is no size"));
    }
    integer(text)
}

const DURATIONS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Nanoseconds: numbers with units, as Go writes them: 1h30m, 1.5s, 250ms; also days: 2d.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    let mut rest = text;
    let mut total = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|char: char| char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let Some((_, factor)) = DURATIONS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{text}` is no duration; write 250ms, 1.5s, 5m, 1h30m or 2d"));
        };
        total = scaled(number, *factor)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| format!("`{text}` is no duration, or too long a one"))?;
        rest = after;
    }
    Ok(total)
}

/// Nanoseconds since the Unix epoch, of an RFC 3339 text.
pub(super) fn time(text: &str) -> Result<i64, String> {
    let bad = || format!("`{text}` is no point in time; write it as 2026-01-31T12:00:00Z");
    let time: jiff::Timestamp = text.parse().map_err(|_| bad())?;
    i64::try_from(time.as_nanosecond()).map_err(|_| bad())
}

/// A decimal number with at most nine places, times a factor, rounded down.
fn scaled(number: &str, factor: u64) -> Option<i64> {
    let (whole, places) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || places.len() > 9 || number.ends_with('.') {
        return None;
    }
    let whole: i128 = whole.parse::<u64>().ok()?.into();
    let part: i128 = if places.is_empty() { 0 } else { places.parse::<u32>().ok()?.into() };
    let scale = 10i128.pow(u32::try_from(places.len()).ok()?);
    i64::try_from((whole * scale + part) * i128::from(factor) / scale).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers() {
        for (text, value) in [
            ("0", 0),
            ("10", 10),
            ("-1", -1),
            ("0x1F", 31),
            ("0o17", 15),
            ("0b101", 5),
            ("1_000", 1000),
            ("18446744073709551615", -1),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(text), Ok(value), "{text}");
        }
        for text in ["", "-", "017", "0x", "ten", "1.5", "10MB", "18446744073709551616", "-9223372036854775809", "é1"]
        {
            assert!(integer(text).is_err(), "{text}");
        }
        for text in ["+1", "--1", "-+1", "1_", "_1", "1__0", "0x_1", "0x-1", "0x", "1e3", "1.0.0", "１"] {
            assert!(integer(text).is_err(), "{text}");
        }
        for (text, whole) in [("1.0", "`1`"), ("-3.00", "`-3`"), ("0.0", "`0`")] {
            let told = integer(text).unwrap_err();
            assert!(told.ends_with(&format!("write {whole}")), "{told}");
        }
    }

    #[test]
    fn sizes_durations_times() {
        for (text, value) in [("64KiB", 65536), ("1.5MB", 1_500_000), ("7", 7), ("0x10", 16), ("1b", 1)] {
            assert_eq!(size(text), Ok(value), "{text}");
        }
        for text in ["64K", "x", "1.5", "99999999TiB", "-1MB", ".MB"] {
            assert!(size(text).is_err(), "{text}");
        }
        for (text, value) in [("0", 0), ("250ms", 250_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000)] {
            assert_eq!(duration(text), Ok(value), "{text}");
        }
        for text in ["5", "5x", "s", "1..5s", "999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(time("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(time("1970-01-01T01:00:00+01:00"), Ok(0));
        assert!(time("yesterday").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,12}") {
            let _ = (integer(&text), size(&text), duration(&text), time(&text));
        }
    }
}
