//! What templates can call beyond Go's own functions.

use gotemplate::{Budget, Failure, Function, Functions, Value, text_of};

/// The text that is worked on comes last, so that it can be piped in; `join` takes its two in any order.
pub(super) const FUNCTIONS: Functions = Functions::with(OWN);

const OWN: &[(&str, Function)] = &[
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

type Made = Result<Value, Failure>;

/// `json VALUE`: the value as JSON.
fn json(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [value] = exactly(args)?;
    let json = to_json(value, budget)?.to_string();
    made(json, budget)
}

/// `join SEPARATOR LIST` or `join LIST SEPARATOR`: the items as one text.
fn join(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [one, other] = exactly(args)?;
    let (items, separator) = match (one, other) {
        (Value::List(items), separator) | (separator, Value::List(items)) => (items.items(), separator),
        _ => return Err("it needs a list and a separator".into()),
    };
    let separator = text(separator, budget)?;
    let mut joined = Vec::new();
    for (item, at) in items.iter().zip(0..) {
        if at > 0 {
            budget.append(&mut joined, separator.as_bytes())?;
        }
        let item = text_of(item, budget)?;
        budget.append(&mut joined, &item)?;
    }
    Ok(joined.into())
}

/// `upper TEXT`
fn upper(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [value] = exactly(args)?;
    let upper = text(value, budget)?.to_uppercase();
    made(upper, budget)
}

/// `lower TEXT`
fn lower(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [value] = exactly(args)?;
    let lower = text(value, budget)?.to_lowercase();
    made(lower, budget)
}

/// `trim TEXT`: without white space around it.
fn trim(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [value] = exactly(args)?;
    Ok(text(value, budget)?.trim().into())
}

/// `base PATH`: the part after the last slash.
fn base(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [path] = exactly(args)?;
    let path = text(path, budget)?;
    Ok(path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name).into())
}

/// `contains PART TEXT`; of a list, whether one item is the part.
fn contains(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [part, whole] = exactly(args)?;
    let part = text(part, budget)?;
    if let Value::List(items) = whole {
        for item in items.items() {
            if text(item, budget)? == part {
                return Ok(true.into());
            }
        }
        return Ok(false.into());
    }
    Ok(text(whole, budget)?.contains(&part).into())
}

/// `hasPrefix PREFIX TEXT`
fn has_prefix(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [prefix, value] = exactly(args)?;
    let prefix = text(prefix, budget)?;
    Ok(text(value, budget)?.starts_with(&prefix).into())
}

/// `hasSuffix SUFFIX TEXT`
fn has_suffix(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [suffix, value] = exactly(args)?;
    let suffix = text(suffix, budget)?;
    Ok(text(value, budget)?.ends_with(&suffix).into())
}

/// `replace OLD NEW TEXT`
fn replace(args: &[Value], budget: &mut Budget<'_>) -> Made {
    let [old, new, value] = exactly(args)?;
    let (old, new, value) = (text(old, budget)?, text(new, budget)?, text(value, budget)?);
    // Judged before the memory is asked for: a template can make a text grow by a factor at each step.
    let count = value.matches(&old).count();
    budget.grow(0, count.saturating_mul(new.len()).saturating_add(value.len()))?;
    Ok(value.replace(&old, &new).into())
}

/// `default OTHER VALUE`: the value, or the other if it is empty.
fn default(args: &[Value], _: &mut Budget<'_>) -> Made {
    let [other, value] = exactly(args)?;
    Ok(if value.truth() { value } else { other }.clone())
}

fn exactly<const N: usize>(args: &[Value]) -> Result<&[Value; N], Failure> {
    args.try_into().map_err(|_| format!("it takes {N} arguments and got {}", args.len()).into())
}

/// A value as a text; what is not there is an empty one.
fn text(value: &Value, budget: &mut Budget<'_>) -> Result<String, Failure> {
    if matches!(value, Value::Nothing) {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&text_of(value, budget)?).into_owned())
}

fn made(text: String, budget: &mut Budget<'_>) -> Made {
    budget.grow(0, text.len())?;
    Ok(text.into())
}

fn to_json(value: &Value, budget: &mut Budget<'_>) -> Result<serde_json::Value, Failure> {
    budget.steps(1)?;
    Ok(match value {
        Value::Nothing => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => {
            budget.keep(text.len())?;
            String::from_utf8_lossy(text).into()
        }
        Value::List(list) => {
            list.items().iter().map(|item| to_json(item, budget)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Map(map) => {
            let mut object = serde_json::Map::new();
            for (key, value) in map.iter() {
                object.insert(String::from_utf8_lossy(key).into_owned(), to_json(value, budget)?);
            }
            object.into()
        }
        Value::Structure(structure) => {
            let mut object = serde_json::Map::new();
            for (name, value) in structure.fields() {
                object.insert((*name).to_owned(), to_json(value, budget)?);
            }
            object.into()
        }
        Value::Uint64(number) => (*number).into(),
        Value::Int(_) | Value::Int64(_) | Value::Uint8(_) | Value::Uint32(_) => {
            value.integer().and_then(|number| i64::try_from(number).ok()).into()
        }
    })
}
