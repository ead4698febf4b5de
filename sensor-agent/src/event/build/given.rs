//! A value that is written down by hand, and what a field makes of it.

use std::net::IpAddr;

use diagnostic::nearest;
use schema::{Field, Type, Word};
use serde_json::Value;
use uuid::Uuid;

use crate::event::ProcessKey;
use crate::event::audit;
use crate::event::json::from_lossless;

/// Why a value is none for its field.
#[derive(Debug)]
pub(in crate::event) enum Fault {
    /// It is of another type.
    Type,
    Value(String),
}

/// A value for a field.
#[derive(Clone, Copy)]
pub(in crate::event) struct Given<'a> {
    field: &'static Field,
    value: &'a Value,
}

impl<'a> Given<'a> {
    pub(in crate::event) const fn new(field: &'static Field, value: &'a Value) -> Self {
        Self { field, value }
    }

    /// The value as this type.
    pub(in crate::event) fn take<T: Take>(self) -> Result<T, Fault> {
        T::take(self.value)
    }

    /// Puts it there.
    pub(in crate::event) fn put<T: Take>(self, place: &mut T) -> Result<(), Fault> {
        *place = self.take()?;
        Ok(())
    }

    /// A list of such values.
    pub(in crate::event) fn list<T: Take>(self) -> Result<Vec<T>, Fault> {
        self.value.as_array().ok_or(Fault::Type)?.iter().map(T::take).collect()
    }

    /// A list of texts; of an object each is `KEY=VALUE`.
    pub(in crate::event) fn texts(self) -> Result<Vec<String>, Fault> {
        let Some(object) = self.value.as_object() else { return self.list() };
        let text = |(key, value): (&String, &Value)| Ok(format!("{key}={}", value.as_str().ok_or(Fault::Type)?));
        object.iter().map(text).collect()
    }

    /// A point in time: nanoseconds since the Unix epoch, or as RFC 3339 has it.
    pub(in crate::event) fn put_time(self, place: &mut u64) -> Result<(), Fault> {
        let Some(text) = self.value.as_str() else { return self.put(place) };
        let time: jiff::Timestamp =
            text.parse().map_err(|_| Fault::Value("write it as 2026-01-31T12:00:00Z".into()))?;
        *place = u64::try_from(time.as_nanosecond()).map_err(|_| Fault::Value("before 1970".into()))?;
        Ok(())
    }

    /// A text as it stands.
    pub(in crate::event) fn str(self) -> Result<&'a str, Fault> {
        self.value.as_str().ok_or(Fault::Type)
    }

    /// One of the words that the field has.
    pub(in crate::event) fn known_word(self) -> Result<&'static str, Fault> {
        let word = self.str()?;
        let Type::Word(words) = self.field.ty else { return Err(Fault::Type) };
        words.iter().copied().find(|known| *known == word).ok_or_else(|| {
            Fault::Value(match nearest(word, words.iter().copied()) {
                Some(near) => format!("there is no word \"{word}\"; did you mean \"{near}\"?"),
                None => format!("the words are {}", words.join(", ")),
            })
        })
    }

    /// The same as a value.
    pub(in crate::event) fn word<T: Word>(self) -> Result<T, Fault> {
        T::from_word(self.known_word()?).ok_or(Fault::Type)
    }

    pub(in crate::event) fn put_word<T: Word>(self, place: &mut Option<T>) -> Result<(), Fault> {
        *place = Some(self.word()?);
        Ok(())
    }
}

/// What can be read from a value.
pub(in crate::event) trait Take: Sized {
    fn take(value: &Value) -> Result<Self, Fault>;
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Take for $number {
            fn take(value: &Value) -> Result<Self, Fault> {
                let number = value.as_i64().ok_or(Fault::Type)?;
                Self::try_from(number).map_err(|_| Fault::Value(format!("{number} is out of range")))
            }
        })*
    };
}

numbers! { u8 u16 u32 i32 }

/// 64 bits, which rows show as a signed number.
impl Take for u64 {
    fn take(value: &Value) -> Result<Self, Fault> {
        value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned)).ok_or(Fault::Type)
    }
}

impl Take for bool {
    fn take(value: &Value) -> Result<Self, Fault> {
        value.as_bool().ok_or(Fault::Type)
    }
}

impl Take for String {
    fn take(value: &Value) -> Result<Self, Fault> {
        value.as_str().map(str::to_owned).ok_or(Fault::Type)
    }
}

/// Text of the kernel's.
impl Take for Vec<u8> {
    fn take(value: &Value) -> Result<Self, Fault> {
        value.as_str().map(from_lossless).ok_or(Fault::Type)
    }
}

impl Take for Uuid {
    fn take(value: &Value) -> Result<Self, Fault> {
        value.as_str().ok_or(Fault::Type)?.parse().map_err(|_| Fault::Value("no UUID".into()))
    }
}

impl Take for IpAddr {
    fn take(value: &Value) -> Result<Self, Fault> {
        let text = value.as_str().ok_or(Fault::Type)?;
        audit::address(text.as_bytes()).ok_or_else(|| Fault::Value("no IP address".into()))
    }
}

/// `PID:START`.
impl Take for ProcessKey {
    fn take(value: &Value) -> Result<Self, Fault> {
        let text = value.as_str().ok_or(Fault::Type)?;
        text.split_once(':')
            .and_then(|(pid, start)| Some(Self::new(pid.parse().ok()?, start.parse().ok()?)))
            .ok_or_else(|| Fault::Value("write it as PID:START".into()))
    }
}

/// None for null.
impl<T: Take> Take for Option<T> {
    fn take(value: &Value) -> Result<Self, Fault> {
        if value.is_null() { Ok(None) } else { T::take(value).map(Some) }
    }
}
