//! What was meant by a value of a translated or typeset page: `5秒`, `１,０００`.

use crate::duration::duration;

/// The number that was meant by full-width digits, digits in groups, another base, an exponent or sixties; none if there
/// is nothing to mend.
pub(crate) fn plain_number(text: &str) -> Option<String> {
    if is_apart(text) {
        return None;
    }
    let plain: String = narrow(text).chars().filter(|character| !",_ '\u{a0}\u{202f}".contains(*character)).collect();
    let number: u64 = if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        plain.parse().ok()?
    } else if let Some(binary) = plain.strip_prefix("0b") {
        u64::from_str_radix(binary, 2).ok()?
    } else if let Some(parts) = sixties(&plain) {
        parts.iter().fold(0, |number, part| number * 60 + part)
    } else if plain.starts_with(|first: char| first.is_ascii_digit()) {
        let number: f64 = plain.parse().ok()?;
        // Beyond this not every whole number has a float.
        (number.fract() == 0.0 && number < 9e15).then_some(number as u64)?
    } else {
        return None;
    };
    let number = number.to_string();
    (number != text).then_some(number)
}

/// Whether blanks part digits, as where a value goes on in the next line: which number is meant nobody knows.
fn is_apart(text: &str) -> bool {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.windows(2).any(|pair| pair[0].ends_with(char::is_numeric) && pair[1].starts_with(char::is_numeric))
}

/// `1:30`, which is 90 to older readers of YAML.
fn sixties(text: &str) -> Option<Vec<u64>> {
    let mut parts = Vec::new();
    for part in text.split(':') {
        let is_part = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.push(part.parse().ok().filter(|part| is_part && (parts.is_empty() || *part < 60))?);
    }
    matches!(parts.len(), 2 | 3).then_some(parts)
}

/// The duration that was meant by a time of the clock.
pub(crate) fn clock(text: &str) -> Option<String> {
    match sixties(&narrow(text))?.as_slice() {
        [hours, minutes, seconds] => Some(format!("{hours}h{minutes}m{seconds}s")),
        [first, second] => {
            Some(format!("{first}m{second}s for minutes and seconds, {first}h{second}m for hours and minutes"))
        }
        _ => None,
    }
}

/// What was meant by another word for true or false.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "1" | "enable" | "enabled" => Some(true),
        "n" | "0" | "disable" | "disabled" => Some(false),
        _ => None,
    }
}

/// The duration that was meant by a translated unit, full-width digits or blanks; none if there is nothing to mend.
pub(crate) fn plain_duration(text: &str) -> Option<String> {
    if is_apart(text) {
        return None;
    }
    let text_narrow: String = narrow(text).split_whitespace().collect::<String>().replace('_', "");
    let text_narrow = text_narrow.strip_prefix('+').unwrap_or(&text_narrow);
    let digits = text_narrow.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text_narrow.split_at(digits);
    let unit = unit.to_lowercase();
    let known = UNITS.iter().find(|(_, words)| words.contains(&unit.as_str())).map(|(known, _)| *known);
    let plain = match known {
        Some(known) => format!("{number}{known}"),
        None => text_narrow.to_owned(),
    };
    (plain != text && !number.is_empty() && is_plain_duration(&plain)).then_some(plain)
}

/// Units of time as people write them, and as the page translators do.
const UNITS: &[(&str, &[&str])] = &[
    ("ms", &["毫秒", "ミリ秒", "밀리초", "мс", "msec", "millis", "millisecond", "milliseconds", "msek"]),
    (
        "s",
        &[
            "秒", "秒钟", "秒鐘", "초", "с", "сек", "sec", "secs", "second", "seconds", "sek", "sekunden", "sekunde",
            "seg", "segundos", "segundo", "seconde", "secondes", "secondi",
        ],
    ),
    (
        "m",
        &[
            "分", "分钟", "分鐘", "分間", "분", "м", "мин", "min", "mins", "minute", "minutes", "minuten", "minutos",
            "minuto", "minuti",
        ],
    ),
    (
        "h",
        &[
            "时", "小时", "小時", "時間", "시간", "ч", "час", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden",
            "hora", "horas", "heure", "heures", "ora", "ore",
        ],
    ),
];

/// Whether the text is a duration as it stands.
fn is_plain_duration(text: &str) -> bool {
    // Digits alone are left to the reader of durations, which asks for the unit.
    text.ends_with(|last: char| last.is_ascii_lowercase()) && duration(text).is_ok()
}

/// Full-width signs as the ASCII signs that they widen.
fn narrow(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
            '\u{3000}' | '\u{a0}' | '\u{202f}' => ' ',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_found_and_left_alone() {
        assert_eq!(plain_duration("5秒").as_deref(), Some("5s"));
        assert_eq!(plain_duration("５ 分钟").as_deref(), Some("5m"));
        assert_eq!(plain_duration("10 seconds").as_deref(), Some("10s"));
        assert_eq!(plain_duration("5s"), None);
        assert_eq!(plain_duration("5d"), None);
        assert_eq!(plain_duration("5"), None);
        assert_eq!(plain_number("１,０００").as_deref(), Some("1000"));
        assert_eq!(plain_number("1000"), None);
        assert_eq!(plain_number("many"), None);
        // Of two lines YAML makes one text with a blank.
        for apart in ["01 7", "1 7", "1\n7", "１ ７"] {
            assert_eq!(plain_number(apart), None, "{apart}");
            assert_eq!(plain_duration(&format!("{apart}s")), None, "{apart}");
        }
    }
}
