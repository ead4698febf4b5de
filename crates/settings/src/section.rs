//! Typed values out of the merged tree.
//!
//! Everything was checked before, file by file; a value that is wrong was reported then, and counts as not given here.

use diagnostic::{Span, Spanned};
use secrecy::SecretString;

use crate::scalar::FromText;
use crate::schema::{Key, Kind, find};
use crate::yaml::{Entry, Node, Value};

/// A mapping with the keys that it may have.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    entries: &'a [Entry],
    keys: &'static [Key],
    /// More keys, of one variant.
    own_keys: &'static [Key],
}

impl<'a> Section<'a> {
    #[must_use]
    pub fn new(node: Option<&'a Node>, keys: &'static [Key]) -> Self {
        Self { entries: node.map_or(&[], Node::entries), keys, own_keys: &[] }
    }

    #[must_use]
    pub fn with_own_keys(self, own_keys: &'static [Key]) -> Self {
        Self { own_keys, ..self }
    }

    /// The value of a key, if one was given.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        let key = self.key(name);
        self.entries
            .iter()
            .find(|entry| key.is(&entry.key.value))
            .map(|entry| &entry.value)
            .filter(|node| !node.is_null())
    }

    /// Where a key's value is.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<Span> {
        self.node(name).map(|node| node.span.clone())
    }

    /// The keys that are given, and where their values are.
    #[must_use]
    pub fn places(&self) -> Vec<(&'static str, Span)> {
        let all = self.keys.iter().chain(self.own_keys);
        all.filter_map(|key| Some((key.name, self.span(key.name)?))).collect()
    }

    /// A mapping within this one; empty if it was not given.
    ///
    /// # Panics
    /// The table of keys has no such mapping.
    #[must_use]
    pub fn section(&self, name: &str) -> Self {
        let Kind::Map(keys) = self.key(name).kind else { unreachable!("`{name}` is not a mapping with known keys") };
        Self::new(self.node(name), keys)
    }

    /// The value of a key, or its default; none if it has neither, or `null` says so.
    #[must_use]
    pub fn get<T: FromText>(&self, name: &str) -> Option<T> {
        let key = self.key(name);
        if key.null.is_some() && self.is_null(key) {
            return None;
        }
        let given = self.node(name).and_then(Node::scalar);
        let text = given.map_or(key.default, |scalar| scalar.text.as_str());
        T::from_text(text).ok().filter(|_| given.is_some() || !text.is_empty())
    }

    /// The value of a key that has a default, which also stands for a value that is wrong.
    ///
    /// # Panics
    /// The table of keys has no default, or one that is no such value.
    #[must_use]
    pub fn value<T: FromText>(&self, name: &str) -> T {
        self.get(name).unwrap_or_else(|| {
            let default = T::from_text(self.key(name).default);
            default.unwrap_or_else(|problem| unreachable!("the default of the key `{name}` is none: {problem}"))
        })
    }

    #[must_use]
    pub fn bool(&self, name: &str) -> bool {
        self.value(name)
    }

    /// Text with its place, if it was given.
    #[must_use]
    pub fn spanned(&self, name: &str) -> Option<Spanned<String>> {
        self.node(name)?.spanned()
    }

    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.node(name)?.scalar().map(|scalar| SecretString::from(scalar.text.clone()))
    }

    /// The items of a list, or the one value that stands for a list.
    #[must_use]
    pub fn items(&self, name: &str) -> &'a [Node] {
        match self.node(name) {
            Some(node) if node.scalar().is_some() => std::slice::from_ref(node),
            Some(node) => node.items(),
            None => &[],
        }
    }

    /// The texts of a list with their places.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<Spanned<String>> {
        self.items(name).iter().filter_map(Node::spanned).collect()
    }

    /// The values of a list, each once; none if the list was not given.
    #[must_use]
    pub fn values<T: FromText + PartialEq>(&self, name: &str) -> Option<Vec<T>> {
        self.node(name)?;
        let mut values = Vec::new();
        for value in self.texts(name).iter().filter_map(|text| T::from_text(&text.value).ok()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Some(values)
    }

    /// The keys and values of a mapping with free keys.
    pub fn pairs(&self, name: &str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
        self.node(name).map_or(&[][..], Node::entries).iter().filter_map(|entry| match &entry.value.value {
            Value::Scalar(scalar) => Some((entry, scalar.text.as_str())),
            _ => None,
        })
    }

    fn is_null(&self, key: &Key) -> bool {
        self.entries.iter().any(|entry| key.is(&entry.key.value) && entry.value.is_null())
    }

    fn key(&self, name: &str) -> &'static Key {
        let key = find(self.keys, name).or_else(|| find(self.own_keys, name));
        key.unwrap_or_else(|| unreachable!("the key `{name}` is not in the table of keys"))
    }
}
