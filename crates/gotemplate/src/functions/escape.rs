//! `html`, `js`, `urlquery`: their arguments printed together, and escaped.

use super::Failure;
use crate::{
    budget::Budget,
    exec::text_of,
    format::print,
    unicode::{is_print, letters},
    value::Value,
};

pub(super) fn html(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    escaped(arguments, budget, |text, out, budget| {
        for byte in text {
            let piece: &[u8] = match byte {
                0 => "\u{fffd}".as_bytes(),
                b'"' => b"&#34;",
                b'\'' => b"&#39;",
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                byte => std::slice::from_ref(byte),
            };
            budget.append(out, piece)?;
        }
        Ok(())
    })
}

pub(super) fn js(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    escaped(arguments, budget, |mut text, out, budget| {
        for (char, len) in letters(text) {
            let (letter, rest) = text.split_at_checked(len).unwrap_or_default();
            text = rest;
            match char {
                Some('\\') => budget.append(out, br"\\")?,
                Some('\'') => budget.append(out, br"\'")?,
                Some('"') => budget.append(out, b"\\\"")?,
                Some(char @ ('<' | '>' | '&' | '=' | '\0'..='\x1f')) => {
                    budget.append(out, format!("\\u{:04X}", u32::from(char)).as_bytes())?;
                }
                Some(char) if !char.is_ascii() && !is_print(char) => {
                    budget.append(out, format!("\\u{:04X}", u32::from(char)).as_bytes())?;
                }
                _ => budget.append(out, letter)?,
            }
        }
        Ok(())
    })
}

pub(super) fn urlquery(arguments: &[Value], budget: &mut Budget<'_>) -> Result<Value, Failure> {
    escaped(arguments, budget, |text, out, budget| {
        for byte in text {
            match byte {
                b' ' => budget.append(out, b"+")?,
                b'-' | b'_' | b'.' | b'~' => budget.append(out, &[*byte])?,
                byte if byte.is_ascii_alphanumeric() => budget.append(out, &[*byte])?,
                byte => budget.append(out, format!("%{byte:02X}").as_bytes())?,
            }
        }
        Ok(())
    })
}

fn escaped(
    arguments: &[Value],
    budget: &mut Budget<'_>,
    escape: impl FnOnce(&[u8], &mut Vec<u8>, &mut Budget<'_>) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    // What is not there is a text here.
    let mut printable = Vec::with_capacity(arguments.len());
    for value in arguments {
        printable.push(match value {
            Value::Nothing => text_of(value, budget)?.into(),
            value => value.clone(),
        });
    }
    let mut text = Vec::new();
    print::values(&printable, &mut text, budget)?;
    let mut out = Vec::with_capacity(text.len());
    escape(&text, &mut out, budget)?;
    Ok(out.into())
}
