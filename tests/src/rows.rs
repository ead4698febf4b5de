//! What the sensor wrote: JSON lines.

use serde_json::Value;

/// The objects of complete lines.
///
/// # Panics
/// A line is not one JSON object, or holds a control character.
#[must_use]
pub fn parse_lines(text: &[u8]) -> Vec<Value> {
    let complete = text.iter().rposition(|&byte| byte == b'\n').map_or(&[][..], |end| &text[..end]);
    complete
        .split(|&byte| byte == b'\n')
        .filter(|line| !complete.is_empty() || !line.is_empty())
        .map(|line| {
            let shown = String::from_utf8_lossy(line);
            assert!(!line.iter().any(|byte| byte.is_ascii_control()), "control characters in {shown:?}");
            match serde_json::from_slice(line) {
                Ok(object @ Value::Object(_)) => object,
                other => panic!("{shown:?} is not one JSON object: {other:?}"),
            }
        })
        .collect()
}

/// Compares these columns of a row.
///
/// # Panics
/// One of them differs.
#[track_caller]
pub fn assert_columns<const N: usize>(row: &Value, columns: [(&str, Value); N]) {
    for (column, value) in columns {
        assert_eq!(row[column], value, "{column} of {row:#}");
    }
}

/// The rows of one process id, in order.
#[must_use]
pub fn of_pid(rows: &[Value], pid: u32) -> Vec<Value> {
    rows.iter().filter(|row| row["pid"] == pid).cloned().collect()
}

/// The rows of one event type, such as `EXEC`, in order.
#[must_use]
pub fn of_kind(rows: &[Value], kind: &str) -> Vec<Value> {
    rows.iter().filter(|row| row["event_type"].as_str().is_some_and(|word| word.ends_with(kind))).cloned().collect()
}

/// The bytes that a text stands for: each `\xHH` is the byte HH.
///
/// # Panics
/// The value is no text.
#[must_use]
#[track_caller]
pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = rest.get(..4).filter(|four| four.starts_with(b"\\x")).and_then(|four| str::from_utf8(four).ok());
        match escape.and_then(|escape| u8::from_str_radix(&escape[2..], 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[4..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(bytes(&Value::from(r"a\xffb\x5cx41\xg")), b"a\xffb\\x41\\xg");
    }

    #[test]
    fn a_line_without_its_end_is_not_read() {
        assert_eq!(parse_lines(b"{\"a\":1}\n{\"b\"").len(), 1);
        assert_eq!(parse_lines(b"{\"b\"").len(), 0);
        assert_eq!(parse_lines(b"").len(), 0);
    }

    #[test]
    #[should_panic(expected = "is not one JSON object")]
    fn two_objects_on_a_line_are_found() {
        let _ = parse_lines(b"{\"a\":1}{\"b\":2}\n");
    }
}
