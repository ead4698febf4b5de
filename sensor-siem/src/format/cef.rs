//! Items in the Common Event Format, version 0.
//!
//! ```text
//! CEF:0|sophos|sophos central|1.0|type|name|severity|key=value key=value …
//! ```
//!
//! In the header a backslash and a bar are escaped, in values a backslash and an equals sign.

use std::borrow::Cow;

use super::{escape, json, keys, python};
use crate::item::{Members, Value};

/// What the header is made of.
pub(super) struct Header<'a> {
    kind: Option<Value<'a>>,
    name: Option<Value<'a>>,
    severity: Option<Value<'a>>,
}

impl<'a> Header<'a> {
    /// Takes it out of the members.
    pub(super) fn take(members: &mut Members<'a>) -> Self {
        Self {
            kind: members.shift_remove("type"),
            name: members.shift_remove("name"),
            severity: members.shift_remove("severity"),
        }
    }

    fn severity(&self, compat: bool) -> &'static str {
        let Some(Value::Text(word)) = &self.severity else { return if compat { "0" } else { "Unknown" } };
        match &**word {
            "none" => "0",
            "low" => "1",
            "medium" => "5",
            "high" => "8",
            "very_high" => "10",
            "critical" if !compat => "10",
            _ if compat => "0",
            _ => "Unknown",
        }
    }
}

pub(super) fn put(out: &mut String, header: &Header<'_>, members: &Members<'_>, compat: bool) {
    out.push_str("CEF:0|sophos|sophos central|1.0|");
    for value in [&header.kind, &header.name] {
        match value {
            None => out.push_str("NA"),
            Some(Value::Text(text)) if compat => out.push_str(&text.replace('\\', "\\\\").replace('|', "\\|")),
            Some(value) if compat => out.push_str(&python::str(value)),
            // The header knows no escape for line ends.
            Some(value) => escape(out, &text(value).replace(['\n', '\r'], " "), |char| matches!(char, '\\' | '|')),
        }
        out.push('|');
    }
    out.extend([header.severity(compat), "|"]);
    let begin = out.len();
    let mut put = |key: &str, value: &dyn Fn(&mut String)| {
        out.extend([if out.len() == begin { "" } else { " " }, key, "="]);
        value(out);
    };
    if compat {
        for (key, value) in members {
            put(key, &|out| match value {
                Value::Text(text) => out.push_str(&text.replace('\\', "\\\\").replace('=', "\\=")),
                value => out.push_str(&python::str(value)),
            });
        }
    } else {
        for (key, value) in keys(members) {
            put(&key, &|out| escape(out, &text(value), |char| matches!(char, '\\' | '=')));
        }
    }
}

fn text<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        value => Cow::Owned(json::value(value)),
    }
}
