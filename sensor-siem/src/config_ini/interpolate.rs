//! `%` in values: `%%` is one, `%(key)s` the value of another key of the section or of `[DEFAULT]`.

/// How many values may stand within one another, as in Python.
const DEEPEST: usize = 10;
/// The longest value, bytes: values within values can grow without end.
const LONGEST: usize = 64 << 10;

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadValue {
    #[error("a `%` stands alone")]
    Alone,
    #[error("there is no key `{0}`")]
    NoKey(String),
    #[error("the values named in it are too deep or too long")]
    TooMuch,
}

/// The value as it is meant.
pub(super) fn interpolate<'a>(
    value: &str,
    lookup: impl Fn(&str) -> Option<&'a str> + Copy,
) -> Result<String, BadValue> {
    let mut out = String::new();
    put(&mut out, value, lookup, 1)?;
    Ok(out)
}

fn put<'a>(
    out: &mut String,
    value: &str,
    lookup: impl Fn(&str) -> Option<&'a str> + Copy,
    depth: usize,
) -> Result<(), BadValue> {
    if depth > DEEPEST || out.len() + value.len() > LONGEST {
        return Err(BadValue::TooMuch);
    }
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let (key, behind) = behind.strip_prefix('(').and_then(|inner| inner.split_once(")s")).ok_or(BadValue::Alone)?;
        let key = key.to_lowercase();
        let named = lookup(&key).ok_or(BadValue::NoKey(key))?;
        put(out, named, lookup, depth + 1)?;
        rest = behind;
    }
    out.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<String, BadValue> {
        interpolate(value, |key| match key {
            "a" => Some("x%%%(b)s"),
            "b" => Some("y"),
            "me" => Some("%(me)s"),
            "many" => Some("%(many1)s%(many1)s%(many1)s%(many1)s"),
            "many1" => Some(
                "0123456789012345678901234567890123456789012345678901234567890123456789%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s%(many2)s",
            ),
            "many2" => Some(
                "%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s%(many3)s",
            ),
            "many3" => Some("0123456789012345678901234567890123456789012345678901234567890123456789"),
            _ => None,
        })
    }

    #[test]
    fn values_stand_in_values() {
        assert_eq!(of("100%% %(A)s."), Ok("100% x%y.".into()));
        assert_eq!(of("plain"), Ok("plain".into()));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for alone in ["%", "50% of", "%(a)", "%(a", "%s"] {
            assert_eq!(of(alone), Err(BadValue::Alone), "{alone}");
        }
        assert_eq!(of("%(C)s"), Err(BadValue::NoKey("c".into())));
        assert_eq!(of("%(me)s"), Err(BadValue::TooMuch));
        assert_eq!(of("%(many)s"), Err(BadValue::TooMuch));
    }
}
