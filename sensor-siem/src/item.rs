//! An alert or event of Central, as it was received.
//!
//! Members keep their order and numbers the digits they were written with: outputs are compared byte by byte with what
//! their readers know. `serde_json`'s own values do that only with features that would change them in every other
//! program of the build, so items have [values](Value) of their own. Their texts are those of the page wherever nothing is escaped.

mod read;
mod text;

use std::borrow::Cow;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

pub use read::Page;
pub use text::{mended, readable};

/// Members of an object, in order. A name that is given again keeps its place and takes the new value.
pub type Members<'a> = IndexMap<Cow<'a, str>, Value<'a>, foldhash::fast::RandomState>;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// As it was written, such as `1e5` or an integer of fifty digits.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Members<'a>),
}

/// Which of Central's two streams an item is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stream {
    #[serde(rename = "event")]
    Events,
    #[serde(rename = "alert")]
    Alerts,
}

impl Stream {
    /// In the order in which they are read.
    pub const ALL: [Self; 2] = [Self::Events, Self::Alerts];

    /// One of its items in words: the member `datastream`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Events => "event",
            Self::Alerts => "alert",
        }
    }

    /// The end point's last part.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
        }
    }
}

/// One alert or event.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    pub members: Members<'a>,
    /// What it is known by when it comes again: a part of the SHA-256 of its id, or of its text if it has none. Two in
    /// twenty thousand are the same with a probability of about 10⁻¹¹.
    pub mark: u64,
    /// What came in its place: no object, as text. Central never sends such.
    pub odd: Option<&'a str>,
}

impl<'a> Item<'a> {
    /// Reads one.
    #[must_use]
    pub fn new(json: &'a RawValue) -> Self {
        let (members, odd) = match Value::read(json, 0) {
            Value::Object(members) => (members, None),
            other => (Members::from_iter([("item".into(), other)]), Some(json.get())),
        };
        let mut item = Self { members, mark: 0, odd };
        item.mark = mark(item.id().unwrap_or(json.get()));
        item
    }

    /// One of these members; none if there is no id among them.
    fn known_by_id(members: Members<'a>) -> Option<Self> {
        let mut item = Self { members, mark: 0, odd: None };
        item.mark = mark(item.id()?);
        Some(item)
    }

    /// Central's id of it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// When it came to be, as Central says it.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        ["created_at", "when"].into_iter().find_map(|name| self.text(name))
    }

    /// The same as a point in time, if it can be read.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.time()?.parse().ok()
    }

    /// The computer that it is about, by name.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.text("location").filter(|host| !host.trim().is_empty())
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.members.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// What an item with this id, or text, is known by.
fn mark(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{read::DEEPEST, *};

    fn item(json: &str) -> Item<'_> {
        Item::new(serde_json::from_str(json).unwrap())
    }

    fn number(text: &str) -> Value<'_> {
        Value::Number(text.into())
    }

    #[test]
    fn order_and_digits_stay() {
        let item =
            item(r#" {"b": 1.50, "a": [1e5, -0, 123456789012345678901234567890], "b2": {"z": null, "y": true}} "#);
        let names: Vec<&str> = item.members.keys().map(|name| &**name).collect();
        assert_eq!(names, ["b", "a", "b2"]);
        assert_eq!(item.members["b"], number("1.50"));
        let all = vec![number("1e5"), number("-0"), number("123456789012345678901234567890")];
        assert_eq!(item.members["a"], Value::List(all));
        let Value::Object(inner) = &item.members["b2"] else { panic!("{item:?}") };
        assert_eq!(inner.keys().collect::<Vec<_>>(), ["z", "y"]);
    }

    #[test]
    fn a_name_given_twice_keeps_its_place_and_the_last_value() {
        let item = item(r#"{"a": 1, "b": 2, "a": 3}"#);
        assert_eq!(
            item.members.into_iter().collect::<Vec<_>>(),
            [("a".into(), number("3")), ("b".into(), number("2"))]
        );
    }

    #[test]
    fn what_is_no_object_is_not_lost() {
        assert_eq!(item("[1]").members["item"], Value::List(vec![number("1")]));
        assert_eq!(item("null").members["item"], Value::Null);
        assert_eq!((item("[1]").odd, item("{}").odd), (Some("[1]"), None));
    }

    #[test]
    fn an_item_is_known_by_its_id() {
        let mark = |json: &str| item(json).mark;
        assert_eq!(mark(r#"{"id": "a", "b": 1}"#), mark(r#"{"b": 2, "id": "a"}"#));
        assert_ne!(mark(r#"{"id": "a"}"#), mark(r#"{"id": "b"}"#));
        // Without one it is what it says.
        assert_ne!(mark(r#"{"id": 1, "b": 1}"#), mark(r#"{"id": 1, "b": 2}"#));
        assert_eq!(mark("[1]"), mark("[1]"));
    }

    #[test]
    fn depth_has_a_bound() {
        let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
        let json = format!("{{\"a\": {deep}}}");
        let item = item(&json);
        let mut value = &item.members["a"];
        let mut depth = 1;
        while let Value::List(list) = value {
            (value, depth) = (&list[0], depth + 1);
        }
        assert!(matches!(value, Value::Text(text) if text.starts_with("[[[")), "{depth}");
        assert_eq!(depth, DEEPEST);
    }
}
