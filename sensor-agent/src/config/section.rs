//! Typed values out of the merged tree.
//!
//! Everything was checked before, file by file; a value that is wrong was reported then, and counts as not given here.

use diagnostic::{Span, Spanned};
use secrecy::SecretString;

use super::scalar::FromText;
use super::schema::{Key, Kind, find};
use super::words::Word;
use super::yaml::{Entry, Node, Value};

/// A mapping with the keys that it may have.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    entries: &'a [Entry],
    keys: &'static [Key],
    /// More keys, of one variant.
    own_keys: &'static [Key],
}

impl<'a> Section<'a> {
    pub(crate) fn new(node: Option<&'a Node>, keys: &'static [Key]) -> Self {
        Self { entries: node.map_or(&[], Node::entries), keys, own_keys: &[] }
    }

    pub(crate) fn with_own_keys(self, own_keys: &'static [Key]) -> Self {
        Self { own_keys, ..self }
    }

    /// The value of a key, if one was given.
    pub(crate) fn node(&self, name: &str) -> Option<&'a Node> {
        let key = self.key(name);
        self.entries
            .iter()
            .find(|entry| key.is(&entry.key.value))
            .map(|entry| &entry.value)
            .filter(|node| !node.is_null())
    }

    /// Where a key's value is.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.node(name).map(|node| node.span.clone())
    }

    /// The keys that are given, and where their values are.
    pub(crate) fn places(&self) -> Vec<(&'static str, Span)> {
        let all = self.keys.iter().chain(self.own_keys);
        all.filter_map(|key| Some((key.name, self.span(key.name)?))).collect()
    }

    /// A mapping within this one; empty if it was not given.
    pub(crate) fn section(&self, name: &str) -> Self {
        let Kind::Map(keys) = self.key(name).kind else { unreachable!("`{name}` is not a mapping with known keys") };
        Self::new(self.node(name), keys)
    }

    /// The value of a key, or its default.
    pub(crate) fn get<T: FromText>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|text| T::from_text(&text).ok())
    }

    /// The word of a key, or its default.
    pub(crate) fn word<T: Word>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|text| T::from_word(&text))
    }

    pub(crate) fn bool(&self, name: &str) -> bool {
        self.get(name).unwrap_or(false)
    }

    /// Text with its place, if it was given.
    pub(crate) fn spanned(&self, name: &str) -> Option<Spanned<String>> {
        self.node(name)?.spanned()
    }

    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.node(name)?.scalar().map(|scalar| SecretString::from(scalar.text.clone()))
    }

    /// The items of a list, or the one value that stands for a list.
    pub(crate) fn items(&self, name: &str) -> &'a [Node] {
        match self.node(name) {
            Some(node) if node.scalar().is_some() => std::slice::from_ref(node),
            Some(node) => node.items(),
            None => &[],
        }
    }

    /// The texts of a list with their places.
    pub(crate) fn texts(&self, name: &str) -> Vec<Spanned<String>> {
        self.items(name).iter().filter_map(Node::spanned).collect()
    }

    /// The words of a list, each once; none if the list was not given.
    pub(crate) fn words<T: Word + PartialEq>(&self, name: &str) -> Option<Vec<T>> {
        self.node(name)?;
        let mut words = Vec::new();
        for word in self.texts(name).iter().filter_map(|text| T::from_word(&text.value)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Some(words)
    }

    /// The keys and values of a mapping with free keys.
    pub(crate) fn pairs(&self, name: &str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
        self.node(name).map_or(&[][..], Node::entries).iter().filter_map(|entry| match &entry.value.value {
            Value::Scalar(scalar) => Some((entry, scalar.text.as_str())),
            _ => None,
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        let given = self.node(name).and_then(Node::scalar).map(|scalar| scalar.text.clone());
        given.or_else(|| Some(self.key(name).default).filter(|default| !default.is_empty()).map(str::to_owned))
    }

    fn key(&self, name: &str) -> &'static Key {
        let key = find(self.keys, name).or_else(|| find(self.own_keys, name));
        key.unwrap_or_else(|| unreachable!("the key `{name}` is not in the table of keys"))
    }
}
