//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`

use std::cmp::Ordering;

use super::{Failure, exactly};
use crate::{budget::Budget, value::Value};

/// Whether the first argument equals one of the others.
pub(super) fn eq(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let Some((first, others)) = arguments.split_first() else {
        return Err("wrong number of args: want at least 1 got 0".into());
    };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal(first, other, budget)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn ne(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    let [one, other] = exactly(arguments)?;
    Ok((!equal(one, other, budget)?).into())
}

pub(super) fn lt(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    Ok((order(arguments)? == Some(Ordering::Less)).into())
}

pub(super) fn le(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    Ok(order(arguments)?.is_some_and(Ordering::is_le).into())
}

pub(super) fn gt(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    // What is not less or equal, as Go has it: so also what cannot be ordered.
    Ok((!order(arguments)?.is_some_and(Ordering::is_le)).into())
}

pub(super) fn ge(arguments: &[Value], _: &mut Budget<'_>) -> Result<Value, Failure> {
    Ok((order(arguments)? != Some(Ordering::Less)).into())
}

fn equal(one: &Value, other: &Value, budget: &mut Budget<'_>) -> Result<bool, Failure> {
    match (one, other) {
        (Value::Nothing, value) | (value, Value::Nothing) => Ok(value.is_nil()),
        (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
        (Value::Float(one), Value::Float(other)) => Ok(one == other),
        (Value::Text(one), Value::Text(other)) => Ok(one == other),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) if one.is_nil() || other.is_nil() => {
            Ok(one.is_nil() == other.is_nil())
        }
        (Value::Structure(_), Value::Structure(right)) if !right.is_comparable() => Err(not_comparable(other)),
        (Value::Structure(left), Value::Structure(right)) => {
            budget.steps(right.fields().len())?;
            Ok(left == right)
        }
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => Err(not_comparable(other)),
        _ => match (one.integer(), other.integer()) {
            (Some(one), Some(other)) => Ok(one == other),
            _ => Err(incompatible(one, other)),
        },
    }
}

/// None if they are numbers without an order.
fn order(arguments: &[Value]) -> Result<Option<Ordering>, Failure> {
    let [one, other] = exactly(arguments)?;
    if matches!(one, Value::Nothing) || matches!(other, Value::Nothing) {
        return Err(Failure::value("invalid type for comparison: there is no value"));
    }
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => Ok(one.partial_cmp(other)),
        (Value::Text(one), Value::Text(other)) => Ok(Some(one.cmp(other))),
        _ => match (one.integer(), other.integer()) {
            (Some(one), Some(other)) => Ok(Some(one.cmp(&other))),
            _ if has_no_order(one) => Err(format!("invalid type for comparison: {}", one.type_name()).into()),
            _ if has_no_order(other) => Err(format!("invalid type for comparison: {}", other.type_name()).into()),
            _ => Err(incompatible(one, other)),
        },
    }
}

const fn has_no_order(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Structure(_))
}

fn incompatible(one: &Value, other: &Value) -> Failure {
    format!("incompatible types for comparison: {} and {}", one.type_name(), other.type_name()).into()
}

fn not_comparable(value: &Value) -> Failure {
    format!("non-comparable type {}", value.type_name()).into()
}
