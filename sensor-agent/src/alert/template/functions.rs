//! What templates can call beyond Go's own functions.

use gtmpl_ng::{Func, FuncError, NumberKind, Value};

/// By name. The text that is worked on comes last, so that it can be piped in; `join` takes its two in any order.
pub(super) const FUNCTIONS: &[(&str, Func)] = &[
    ("json", json),
    ("join", join),
    ("upper", upper),
    ("lower", lower),
    ("trim", trim),
    ("base", base),
    ("contains", contains),
    ("hasPrefix", has_prefix),
    ("hasSuffix", has_suffix),
    ("replace", replace),
    ("default", default),
];

/// `json VALUE`: the value as JSON.
fn json(args: &[Value]) -> Result<Value, FuncError> {
    let [value] = exactly("json", args)?;
    Ok(serde_json::to_string(&to_json(value)).unwrap_or_default().into())
}

/// `join SEPARATOR LIST` or `join LIST SEPARATOR`: the items as one text.
fn join(args: &[Value]) -> Result<Value, FuncError> {
    let [one, other] = exactly("join", args)?;
    let (items, separator) = match (one, other) {
        (Value::Array(items), separator) | (separator, Value::Array(items)) => (items, separator),
        _ => return Err(FuncError::Generic("join needs a list and a separator".to_owned())),
    };
    Ok(items.iter().map(Value::to_string).collect::<Vec<_>>().join(&separator.to_string()).into())
}

/// `upper TEXT`
fn upper(args: &[Value]) -> Result<Value, FuncError> {
    let [text] = exactly("upper", args)?;
    Ok(text.to_string().to_uppercase().into())
}

/// `lower TEXT`
fn lower(args: &[Value]) -> Result<Value, FuncError> {
    let [text] = exactly("lower", args)?;
    Ok(text.to_string().to_lowercase().into())
}

/// `trim TEXT`: without white space around it.
fn trim(args: &[Value]) -> Result<Value, FuncError> {
    let [text] = exactly("trim", args)?;
    Ok(text.to_string().trim().into())
}

/// `base PATH`: the part after the last slash.
fn base(args: &[Value]) -> Result<Value, FuncError> {
    let [path] = exactly("base", args)?;
    let path = path.to_string();
    Ok(path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name).into())
}

/// `contains PART TEXT`; of a list, whether one item is the part.
fn contains(args: &[Value]) -> Result<Value, FuncError> {
    let [part, whole] = exactly("contains", args)?;
    let part = part.to_string();
    Ok(match whole {
        Value::Array(items) => items.iter().any(|item| item.to_string() == part),
        text => text.to_string().contains(&part),
    }
    .into())
}

/// `hasPrefix PREFIX TEXT`
fn has_prefix(args: &[Value]) -> Result<Value, FuncError> {
    let [prefix, text] = exactly("hasPrefix", args)?;
    Ok(text.to_string().starts_with(&prefix.to_string()).into())
}

/// `hasSuffix SUFFIX TEXT`
fn has_suffix(args: &[Value]) -> Result<Value, FuncError> {
    let [suffix, text] = exactly("hasSuffix", args)?;
    Ok(text.to_string().ends_with(&suffix.to_string()).into())
}

/// `replace OLD NEW TEXT`
fn replace(args: &[Value]) -> Result<Value, FuncError> {
    let [old, new, text] = exactly("replace", args)?;
    let (old, new, text) = (old.to_string(), new.to_string(), text.to_string());
    // Judged before the memory is asked for: a template can make a text grow by a factor at each step.
    let limit = gtmpl_ng::limits::active().function_output.unwrap_or(usize::MAX);
    let count = text.matches(&old).count();
    if count.saturating_mul(new.len()).saturating_add(text.len()) > limit {
        return Err(FuncError::Generic(format!("replace would make a text of more than {limit} bytes")));
    }
    Ok(text.replace(&old, &new).into())
}

/// `default OTHER VALUE`: the value, or the other if it is empty.
fn default(args: &[Value]) -> Result<Value, FuncError> {
    let [other, value] = exactly("default", args)?;
    let empty = match value {
        Value::NoValue | Value::Nil => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Map(items) | Value::Object(items) => items.is_empty(),
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Function(_) => false,
    };
    Ok(if empty { other } else { value }.clone())
}

fn exactly<'a, const N: usize>(name: &str, args: &'a [Value]) -> Result<&'a [Value; N], FuncError> {
    args.try_into().map_err(|_| FuncError::ExactlyXArgs(name.to_owned(), N))
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::NoValue | Value::Nil | Value::Function(_) => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Map(items) | Value::Object(items) => {
            items.iter().map(|(key, value)| (key.clone(), to_json(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Number(number) => match number.kind() {
            NumberKind::Signed(number) => number.into(),
            NumberKind::Unsigned(number) => number.into(),
            NumberKind::Float(number) => number.into(),
        },
    }
}
