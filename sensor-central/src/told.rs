//! JSON of sensors as it is kept, read without copies of its names and texts.
//!
//! A page for a SIEM reads a thousand alerts and passes on a few members of each; `serde_json`'s own values copy every name
//! and text of them, and were most of what such a page cost. They also take an object whose first name is
//! `$serde_json::private::RawValue` for something else; labels of containers have what names their makers like.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Index};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

/// A value. It is written as `serde_json`'s own is: the members by name.
#[derive(Clone, Debug)]
pub(crate) enum Told<'a> {
    Nothing,
    Flag(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// In the order in which they were told. Of a name that is told twice, the last counts.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// The same as a value of `serde_json`'s.
pub(crate) fn value(json: &str) -> serde_json::Value {
    // Written as a value, a member has any name; it is the reading that takes one for something else.
    serde_json::to_value(Told::read(json)).unwrap_or_default()
}

/// Which members of an object are read; the others are only looked at, whether they are JSON.
#[derive(Debug)]
pub(crate) enum Of {
    All,
    /// Those of these names, and which members of theirs.
    These(&'static [(&'static str, Of)]),
    /// Those whose names begin so.
    Beginning(&'static str),
}

impl Of {
    fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::These(these) => these.iter().find(|(known, _)| *known == name).map(|(_, of)| of),
            Self::Beginning(with) => name.starts_with(with).then_some(&Self::All),
        }
    }
}

/// The name of a member, or a text.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Told<'a> {
    /// What is no JSON tells nothing.
    pub(crate) fn read(json: &'a str) -> Self {
        Self::read_of(json, &Of::All)
    }

    /// The same of an alert's or a row's members that are looked at, which are few of many.
    pub(crate) fn read_of(json: &'a str, of: &Of) -> Self {
        let mut reader = serde_json::Deserializer::from_str(json);
        let told = Reading(of).deserialize(&mut reader);
        told.and_then(|told| reader.end().map(|()| told)).unwrap_or(Self::Nothing)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text that is not empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The members of these names, by name; none if it is no object.
    pub(crate) fn members(&self, of: impl Fn(&str) -> bool) -> BTreeMap<&str, &Self> {
        let members = if let Self::Object(members) = self { &members[..] } else { &[] };
        members.iter().filter(|(name, _)| of(name)).map(|(name, value)| (&**name, value)).collect()
    }

    /// Without members that say nothing, at any depth outside of lists: null, empty texts and empty objects. Nothing if
    /// it is one of them itself.
    pub(crate) fn said<'t>(&'t self) -> Option<Cow<'t, Told<'t>>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) if text.is_empty() => None,
            Self::Object(_) => {
                let mut members = Vec::new();
                for (name, value) in self.members(|_| true) {
                    if let Some(value) = value.said() {
                        members.push((Cow::Borrowed(name), value.into_owned()));
                    }
                }
                (!members.is_empty()).then_some(Cow::Owned(Told::Object(members)))
            }
            other => Some(Cow::Borrowed(other)),
        }
    }
}

/// A member; nothing if it has none of that name.
impl<'a> Index<&str> for Told<'a> {
    type Output = Self;

    fn index(&self, name: &str) -> &Self {
        let members = if let Self::Object(members) = self { &members[..] } else { &[] };
        members.iter().rev().find(|(known, _)| known == name).map_or(&Told::Nothing, |(_, value)| value)
    }
}

/// Takes every value that there is in JSON.
#[derive(Clone, Copy)]
struct Reading<'o>(&'o Of);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Told<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Told<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Told<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Told<'de>, E> {
        Ok(Told::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Told<'de>, E> {
        Ok(Told::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Told<'de>, E> {
        Ok(Told::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Told<'de>, E> {
        Ok(Told::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Told<'de>, E> {
        Ok(Number::from_f64(number).map_or(Told::Nothing, Told::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Told<'de>, E> {
        Ok(Told::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Told<'de>, E> {
        Ok(Told::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Told<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Told::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut told: A) -> Result<Told<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = told.next_key()? {
            match self.0.member(&name) {
                Some(of) => members.push((name, told.next_value_seed(Reading(of))?)),
                None => told.next_value_seed(Passing)?,
            }
        }
        Ok(Told::Object(members))
    }
}

/// Passes over a value. Unlike serde's own way to do that it takes nothing that reading the value would not take.
struct Passing;

impl<'de> DeserializeSeed<'de> for Passing {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Passing {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(Self)?.is_some() {
            members.next_value_seed(Self)?;
        }
        Ok(())
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => out.serialize_unit(),
            Self::Flag(flag) => out.serialize_bool(*flag),
            Self::Number(number) => number.serialize(out),
            Self::Text(text) => out.serialize_str(text),
            Self::List(list) => out.collect_seq(list),
            Self::Object(_) => out.collect_map(self.members(|_| true)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Values as they may be written, for properties: names out of `names` and others, names told twice, and what is no
    /// JSON.
    pub(crate) fn any_json(names: &'static [&'static str]) -> impl Strategy<Value = String> {
        let number = &["0", "-0", "7", "1.0", "1e2", "-3", "0.1", "1e-7", "1e300", "18446744073709551615", "2e19"];
        let text = &["", "a", "a b", "\\u00e9\\n", "/", "\\ud83d\\ude00", "\u{e9}", "\\\"", "\\u0000\u{7f}"];
        let odd = &["", "nul", "1e999", "\"\\ud800\"", "[", "}", "01", "\"\n\"", "{\"a\":}", " "];
        let quoted =
            prop_oneof![prop::sample::select(&text[..]).prop_map(str::to_owned), "[a-z]{0,6}", "[0-9.,:]{0,9}"]
                .prop_map(|text| format!("\"{text}\""));
        let name = prop_oneof![8 => prop::sample::select(names), 1 => prop::sample::select(&["", "z", "\\u0061"][..])];
        let leaf = prop_oneof![
            60 => quoted,
            20 => any::<String>().prop_map(|text| Value::from(text).to_string()),
            20 => prop::sample::select(&["null", "true", "false", "{}", "[]"][..]).prop_map(str::to_owned),
            30 => prop::sample::select(&number[..]).prop_map(str::to_owned),
            10 => any::<f64>().prop_map(|number| Value::from(number).to_string()),
            1 => prop::sample::select(&odd[..]).prop_map(str::to_owned),
        ];
        leaf.prop_recursive(4, 60, 12, move |inner| {
            let members = prop::collection::vec((name.clone(), inner.clone()), 0..12);
            let member = |(name, value)| format!("\"{name}\": {value}");
            prop_oneof![
                1 => prop::collection::vec(inner, 0..5).prop_map(|values| format!("[{}]", values.join(" ,"))),
                4 => members.prop_map(move |all| format!("{{{}}}", all.into_iter().map(member).collect::<Vec<_>>().join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_written_as_the_values_of_serde_json_are(json in any_json(&["a", "b", "c"])) {
            let value: Value = serde_json::from_str(&json).unwrap_or_default();
            let told = Told::read(&json);
            prop_assert_eq!(serde_json::to_string(&told).unwrap(), value.to_string());
            prop_assert_eq!(serde_json::to_value(&told["a"]["b"]).unwrap(), value["a"]["b"].clone());
            prop_assert_eq!((told.as_str(), told.as_u64()), (value.as_str(), value.as_u64()));
        }
    }

    proptest! {
        /// What is passed over is looked at as what is read is.
        #[test]
        fn of_a_part_the_same_is_read(json in any_json(&["a", "b", "c"])) {
            static OF: Of = Of::These(&[("a", Of::These(&[("b", Of::All)])), ("b", Of::Beginning("c"))]);
            let value: Result<Value, _> = serde_json::from_str(&json);
            let told = Told::read_of(&json, &OF);
            prop_assert_eq!(matches!(told, Told::Nothing), value.as_ref().map_or(true, Value::is_null));
            let value = value.unwrap_or_default();
            for (told, value) in [(&told["a"]["b"], &value["a"]["b"]), (&told["b"]["c"], &value["b"]["c"])] {
                prop_assert_eq!(&serde_json::to_value(told).unwrap(), value);
            }
            prop_assert!(matches!((&told["c"], &told["a"]["c"]), (Told::Nothing, Told::Nothing)));
        }
    }

    #[test]
    fn texts_are_not_copied_unless_they_are_written_otherwise() {
        let told = Told::read(r#"{"a": "x", "b": "\n"}"#);
        assert!(matches!(told["a"], Told::Text(Cow::Borrowed("x"))));
        assert!(matches!(&told["b"], Told::Text(Cow::Owned(text)) if text == "\n"));
    }

    /// As in a list of `serde_json`'s own values, which end there too.
    #[test]
    fn what_is_nested_too_deeply_tells_nothing() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for depth in [127, 128, 100_000] {
            let (told, value) = (nested(depth), serde_json::from_str::<Value>(&nested(depth)));
            assert_eq!(matches!(Told::read(&told), Told::Nothing), value.is_err(), "{depth}");
            let told = format!("{{\"a\":1,\"b\":{}}}", nested(depth - 1));
            let part = Told::read_of(&told, &Of::These(&[("a", Of::All)]));
            assert_eq!(matches!(part, Told::Nothing), value.is_err(), "{depth}");
        }
    }

    #[test]
    fn whoever_names_a_label_hides_nothing_by_it() {
        let told = Told::read(r#"{"a": 1, "labels": {"$serde_json::private::RawValue": "x"}}"#);
        assert_eq!(told["a"].as_u64(), Some(1));
        assert_eq!(told["labels"]["$serde_json::private::RawValue"].as_str(), Some("x"));
    }
}
