//! `print`, `println`, and what an action prints.

use super::{Flags, Printer};
use crate::{budget::Budget, functions::Failure, value::Value};

/// One value.
pub(crate) fn value(value: &Value, out: &mut Vec<u8>, budget: &mut Budget<'_>) -> Result<(), Failure> {
    Printer { out, budget, flags: Flags::default() }.argument(value, 'v')
}

/// Values one after another, a blank between two that are no texts.
pub(crate) fn values(values: &[Value], out: &mut Vec<u8>, budget: &mut Budget<'_>) -> Result<(), Failure> {
    let mut after_text = true;
    for item in values {
        let is_text = matches!(item, Value::Text(_));
        if !is_text && !after_text {
            budget.append(out, b" ")?;
        }
        value(item, out, budget)?;
        after_text = is_text;
    }
    Ok(())
}

/// Values with blanks between them, and a line end.
pub(crate) fn line(values: &[Value], out: &mut Vec<u8>, budget: &mut Budget<'_>) -> Result<(), Failure> {
    for (item, at) in values.iter().zip(0..) {
        if at > 0 {
            budget.append(out, b" ")?;
        }
        value(item, out, budget)?;
    }
    budget.append(out, b"\n")
}
