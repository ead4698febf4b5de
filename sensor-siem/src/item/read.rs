//! Text to values and pages.
//!
//! Nearly all pages are read in one go, with texts borrowed from theirs. What that way cannot keep as it was written (a number with a
//! fraction, say, which it would read as a double), and what it does not know at once, sends a page by the careful way, which
//! looks at each value as text first. Both come to the same.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Item, Members, Value};

/// Values nested deeper are kept as text: their JSON.
pub(super) const DEEPEST: usize = 64;

/// A page of items as Central answers.
#[derive(Debug, PartialEq)]
pub struct Page<'a> {
    pub items: Vec<Item<'a>>,
    pub has_more: bool,
    pub next_cursor: String,
}

/// The members of a page, with items as this way reads them.
#[derive(Deserialize)]
struct Told<T> {
    items: Vec<T>,
    has_more: bool,
    next_cursor: String,
}

impl<'a> Page<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// It is no JSON, or lacks a member.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        Self::read_at_once(text).or_else(|_| Self::read_carefully(text))
    }

    fn read_at_once(text: &'a str) -> serde_json::Result<Self> {
        let Told { items, has_more, next_cursor } = serde_json::from_str::<Told<AtOnce<'a>>>(text)?;
        Ok(Self { items: items.into_iter().map(|item| item.0).collect(), has_more, next_cursor })
    }

    fn read_carefully(text: &'a str) -> serde_json::Result<Self> {
        let Told { items, has_more, next_cursor } = serde_json::from_str::<Told<&'a RawValue>>(text)?;
        Ok(Self { items: items.into_iter().map(Item::new).collect(), has_more, next_cursor })
    }
}

impl<'a> Value<'a> {
    /// The same, with texts that are borrowed from this one.
    #[must_use]
    pub fn borrowed(&'a self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(bool) => Self::Bool(*bool),
            Self::Number(digits) => Self::Number(Cow::Borrowed(digits)),
            Self::Text(text) => Self::Text(Cow::Borrowed(text)),
            Self::List(values) => Self::List(values.iter().map(Self::borrowed).collect()),
            Self::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (Cow::Borrowed(&**name), value.borrowed())).collect())
            }
        }
    }

    /// Reads one that stands so deep, carefully.
    pub(super) fn read(json: &'a RawValue, depth: usize) -> Self {
        let text = json.get();
        let kept = || Self::Text(text.into());
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => serde_json::from_str::<String>(text).map_or_else(|_| kept(), |text| Self::Text(text.into())),
            Some(b'[' | b'{') if depth == DEEPEST => kept(),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text).map_or_else(
                |_| kept(),
                |values| Self::List(values.into_iter().map(|value| Self::read(value, depth + 1)).collect()),
            ),
            Some(b'{') => serde_json::from_str::<Raw<'a>>(text).map_or_else(
                |_| kept(),
                |Raw(members)| {
                    let mut read = Members::default();
                    for (name, value) in members {
                        read.insert(name, Self::read(value, depth + 1));
                    }
                    Self::Object(read)
                },
            ),
            _ => Self::Number(text.into()),
        }
    }
}

/// The members of an object in order, with names that are given again.
struct Raw<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Raw<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Raw(members))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// A text, borrowed where nothing in it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// An item that is read in one go: an object with an id.
struct AtOnce<'a>(Item<'a>);

impl<'de> Deserialize<'de> for AtOnce<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(members) = Depth(0).deserialize(deserializer)? else {
            return Err(D::Error::custom("no object"));
        };
        // One without is known by its text.
        Item::known_by_id(members).map(Self).ok_or_else(|| D::Error::custom("no id"))
    }
}

/// How deep a value stands.
#[derive(Clone, Copy)]
struct Depth(usize);

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Value<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("what can be read in one go")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(bool))
    }

    // Whole numbers are written in one way alone, but for those that come as doubles.
    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number.to_string().into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let below = self.below()?;
        // About as many as items have, and objects within them.
        let room = if self.0 == 0 { 16 } else { 4 };
        let mut members = Members::with_capacity_and_hasher(room, foldhash::fast::RandomState::default());
        while let Some(Name(name)) = map.next_key()? {
            members.insert(name, map.next_value_seed(below)?);
        }
        Ok(Value::Object(members))
    }
}

impl Depth {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.0 < DEEPEST { Ok(Self(self.0 + 1)) } else { Err(E::custom("too deep")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(items: &str) -> String {
        format!(r#"{{"has_more": true, "items": [{items}], "next_cursor": "x"}}"#)
    }

    #[test]
    fn what_is_common_is_read_at_once() {
        let text = page(r#"{"id": "a", "n": 17, "m": -3, "t": "tab\t", "l": [null, true], "o": {"b": "c"}}"#);
        let read = Page::read_at_once(&text).unwrap();
        assert_eq!(read, Page::read_carefully(&text).unwrap());
        assert!(matches!(&read.items[0].members["id"], Value::Text(Cow::Borrowed("a"))));
        // Digits, depth, and items that are known by their text.
        let deep = format!(r#"{{"id": "a", "d": {}1{}}}"#, "[".repeat(64), "]".repeat(64));
        for item in [r#"{"id": "a", "n": 1.50}"#, r#"{"id": "a", "n": -0}"#, r#"{"id": 7}"#, "[1]", &deep] {
            let text = page(item);
            assert!(Page::read_at_once(&text).is_err(), "{item}");
            assert_eq!(Page::read(&text).unwrap(), Page::read_carefully(&text).unwrap(), "{item}");
        }
        for text in ["", "{}", r#"{"has_more": 1, "items": [], "next_cursor": "x"}"#, "[]"] {
            assert!(Page::read(text).is_err(), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?";
        let text = r#""([a-zé ]|\\[nt"\\/]|\\u00e9|\\ud83d\\ude00){0,12}""#;
        let leaf = prop_oneof![number, text, Just("null".to_owned()), Just("true".to_owned()), Just("-0".to_owned())];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
                proptest::collection::vec(("(a|b|\\\\u0061|name)", inner), 0..4).prop_map(|members| {
                    let members = members.iter().map(|(name, value)| format!("\"{name}\": {value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_ways_come_to_the_same(values in proptest::collection::vec(value(), 0..4), has_id: bool) {
            let id = if has_id { r#""id": "a", "# } else { "" };
            let items: Vec<String> = values.iter().map(|value| format!(r#"{{{id}"v": {value}}}"#)).collect();
            let text = page(&items.join(","));
            let careful = Page::read_carefully(&text).unwrap();
            if let Ok(quick) = Page::read_at_once(&text) {
                prop_assert_eq!(&quick, &careful);
            }
            prop_assert_eq!(Page::read(&text).unwrap(), careful);
        }
    }
}
