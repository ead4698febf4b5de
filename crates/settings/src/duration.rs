//! Durations as Go writes them: `1h30m`, `500ms`.

use std::time::Duration;

use crate::problem::Problem;

pub(crate) const HELP: &str = "write a number and a unit, such as 500ms, 5s, 5m, 1h30m";

/// Units in the order in which they may follow each other, nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads what Go's `time.ParseDuration` reads, signs and units of microseconds in Greek aside.
pub(crate) fn duration(text: &str) -> Result<Duration, Problem> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(Problem::new("a duration is missing").help(HELP));
    }
    let mut total: u64 = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let number = &rest[..digits];
        let unit_length = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = &rest[digits..digits + unit_length];
        let Some((whole, fraction)) = decimal(number) else {
            return Err(Problem::new("this is not a duration").part(at..text.len()).help(HELP));
        };
        let Some((_, scale)) = UNITS.iter().find(|(known, _)| *known == unit) else {
            let problem = if unit.is_empty() {
                Problem::new("a duration needs a unit").help(match text.parse::<u64>() {
                    Ok(number) => format!("write {number}s for seconds, {number}m for minutes"),
                    Err(_) => HELP.to_owned(),
                })
            } else {
                let start = at + digits;
                let hours = match unit {
                    "d" => Some(24),
                    "w" => Some(24 * 7),
                    _ => None,
                };
                // Of the whole text alone: `1d12h` has more behind it.
                let alone = || text.strip_suffix(unit)?.parse::<u64>().ok();
                Problem::new(format!("`{unit}` is not a unit of time")).part(start..start + unit_length).help(
                    match hours.and_then(|hours| alone()?.checked_mul(hours)) {
                        Some(hours) => format!("write {hours}h"),
                        None => "units are h, m, s, ms, us, ns".to_owned(),
                    },
                )
            };
            return Err(problem);
        };
        let nanoseconds = whole
            .checked_mul(*scale)
            .and_then(|nanoseconds| nanoseconds.checked_add((fraction * *scale as f64) as u64))
            .and_then(|nanoseconds| total.checked_add(nanoseconds));
        total = nanoseconds.ok_or_else(|| Problem::new("this duration is too long"))?;
        at += digits + unit_length;
    }
    Ok(Duration::from_nanos(total))
}

/// A decimal number as its whole part and its fraction.
fn decimal(number: &str) -> Option<(u64, f64)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().ok()? };
    Some((whole, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_hours() {
        for (text, help) in [("7d", "write 168h"), ("2w", "write 336h"), ("1d12h", "units are h, m, s, ms, us, ns")] {
            let problem = duration(text).unwrap_err();
            assert_eq!(problem.help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            (".5s", 500),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }
}
