//! `index`, `slice`, `len`

use super::{Failure, exactly};
use crate::{budget::Budget, value::Value};

pub(super) fn index(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    let Some((item, indexes)) = arguments.split_first() else {
        return Err("wrong number of args: want at least 1 got 0".into());
    };
    if *item == Value::Nothing {
        return Err(Failure::value("index of untyped nil"));
    }
    let mut item = item.clone();
    for index in indexes {
        item = match &item {
            Value::List(list) => {
                let at = position(index, list.items().len())?;
                list.items().get(at).cloned().ok_or_else(|| out_of_range(at))?
            }
            Value::Text(text) => {
                let at = position(index, text.len())?;
                text.get(at).copied().map(Value::Uint8).ok_or_else(|| out_of_range(at))?
            }
            Value::Map(map) => match index {
                Value::Text(key) => map.get(key).cloned().unwrap_or_else(|| "".into()),
                Value::Nothing => return Err(Failure::value("value is nil; should be of type string")),
                other => return Err(format!("value has type {}; should be string", other.type_name()).into()),
            },
            other => return Err(format!("can't index item of type {}", other.type_name()).into()),
        };
    }
    Ok(item)
}

pub(super) fn slice(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let Some((item, indexes)) = arguments.split_first() else {
        return Err("wrong number of args: want at least 1 got 0".into());
    };
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let (len, capacity) = match item {
        Value::Nothing => return Err(Failure::value("slice of untyped nil")),
        Value::Text(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Text(text) => (text.len(), text.len()),
        Value::List(list) => (list.items().len(), list.capacity()),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, len, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, capacity)?;
    }
    let [start, end, most] = bounds;
    if start > end || (indexes.len() == 3 && end > most) {
        let (start, end) = if start > end { (start, end) } else { (end, most) };
        return Err(Failure::value(format!("invalid slice index: {start} > {end}")));
    }
    match item {
        Value::Text(text) => {
            let part = text.get(start..end).unwrap_or_default();
            budget.keep(part.len())?;
            Ok(part.into())
        }
        Value::List(list) => list.part(start, end).map(Value::List).ok_or_else(|| out_of_range(end)),
        _ => Err("can't slice this".into()),
    }
}

pub(super) fn len(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    let [value] = exactly(arguments)?;
    let len = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.len(),
        Value::Nothing => return Err(Failure::value("len of nothing: there is no value")),
        other => return Err(format!("len of type {}", other.type_name()).into()),
    };
    Ok(Value::Int(len.try_into().unwrap_or(i64::MAX)))
}

/// An index up to the length, which itself is one for slices.
fn position(index: &Value, len: usize) -> Result<usize, Failure> {
    if *index == Value::Nothing {
        return Err(Failure::value("cannot index slice/array with nil"));
    }
    let Some(number) = index.integer() else {
        return Err(format!("cannot index slice/array with type {}", index.type_name()).into());
    };
    usize::try_from(number).ok().filter(|at| *at <= len).ok_or_else(|| {
        let message = format!("index out of range: {number}");
        if number < 0 { message.into() } else { Failure::value(message) }
    })
}

fn out_of_range(at: usize) -> Failure {
    Failure::value(format!("index out of range: {at}"))
}
