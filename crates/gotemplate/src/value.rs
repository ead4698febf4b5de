//! What templates are filled with.

use std::{borrow::Borrow, collections::BTreeMap, fmt, sync::Arc};

/// A value with the type that Go would see; copies share what they hold.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value at all: the key that a map does not have, `nil`.
    Nothing,
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `uint8`: a byte of a text
    Uint8(u8),
    /// `uint32`
    Uint32(u32),
    /// `uint64`
    Uint64(u64),
    /// `float64`
    Float(f64),
    /// `string`
    Text(Arc<[u8]>),
    List(List),
    Map(Arc<Map>),
    Structure(Arc<Structure>),
}

/// A slice: a part of items that others may share. One of no items at all is `nil`.
#[derive(Clone, PartialEq)]
pub struct List {
    items: Arc<[Value]>,
    start: usize,
    end: usize,
    /// What Go calls the type of the items.
    of: &'static str,
}

/// A map from texts to texts. One without keys is `nil`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(BTreeMap<Key, Value>);

/// A struct: it has these fields and no others.
#[derive(PartialEq)]
pub struct Structure {
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Arc<[u8]>);

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl Value {
    /// A struct with fields in their order.
    pub fn structure(name: &'static str, fields: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Structure(Arc::new(Structure { name, fields: fields.into_iter().collect() }))
    }

    /// A slice of items whose type Go calls so.
    pub fn list(of: &'static str, items: impl IntoIterator<Item = Self>) -> Self {
        let items: Arc<[Self]> = items.into_iter().collect();
        Self::List(List { start: 0, end: items.len(), items, of })
    }

    /// A map from texts to texts.
    pub fn map<K: AsRef<[u8]>, V: AsRef<[u8]>>(items: impl IntoIterator<Item = (K, V)>) -> Self {
        let items = items.into_iter().map(|(key, value)| (Key(key.as_ref().into()), value.as_ref().into()));
        Self::Map(Arc::new(Map(items.collect())))
    }

    /// What Go calls the type.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Nothing => "nil".to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Int64(_) => "int64".to_owned(),
            Self::Uint8(_) => "uint8".to_owned(),
            Self::Uint32(_) => "uint32".to_owned(),
            Self::Uint64(_) => "uint64".to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::List(list) => format!("[]{}", list.of),
            Self::Map(_) => "map[string]string".to_owned(),
            Self::Structure(structure) => format!("main.{}", structure.name),
        }
    }

    /// Whether `if` takes it for true.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bool(value) => *value,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Map(map) => !map.0.is_empty(),
            Self::Structure(_) => true,
            Self::Int(_) | Self::Int64(_) | Self::Uint8(_) | Self::Uint32(_) | Self::Uint64(_) => {
                self.integer() != Some(0)
            }
        }
    }

    /// The number, if it is a whole one.
    #[must_use]
    pub fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(value) | Self::Int64(value) => Some((*value).into()),
            Self::Uint8(value) => Some((*value).into()),
            Self::Uint32(value) => Some((*value).into()),
            Self::Uint64(value) => Some((*value).into()),
            _ => None,
        }
    }

    /// A number of the same type.
    pub(crate) fn same_type(&self, number: i128) -> Self {
        match self {
            Self::Int64(_) => number.try_into().map_or(Self::Nothing, Self::Int64),
            Self::Uint8(_) => number.try_into().map_or(Self::Nothing, Self::Uint8),
            Self::Uint32(_) => number.try_into().map_or(Self::Nothing, Self::Uint32),
            Self::Uint64(_) => number.try_into().map_or(Self::Nothing, Self::Uint64),
            _ => number.try_into().map_or(Self::Nothing, Self::Int),
        }
    }

    /// Whether Go takes it for `nil`.
    pub(crate) fn is_nil(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::List(list) => list.items.is_empty(),
            Self::Map(map) => map.0.is_empty(),
            _ => false,
        }
    }
}

impl List {
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.items.get(self.start..self.end).unwrap_or_default()
    }

    /// How far a slice of it can go: what comes behind its end still belongs to the list that it was cut from.
    pub(crate) fn capacity(&self) -> usize {
        self.items.len().saturating_sub(self.start)
    }

    /// A part of it; none if it has no such.
    pub(crate) fn part(&self, start: usize, end: usize) -> Option<Self> {
        let (start, end) = (self.start.checked_add(start)?, self.start.checked_add(end)?);
        self.items.get(start..end)?;
        Some(Self { items: self.items.clone(), start, end, of: self.of })
    }
}

impl Map {
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.0.get(key)
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<[u8]>, &Value)> {
        self.0.iter().map(|(key, value)| (&key.0, value))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Structure {
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// Whether Go's `==` takes it: no field is a list or a map.
    pub(crate) fn is_comparable(&self) -> bool {
        self.fields.iter().all(|(_, value)| match value {
            Value::List(_) | Value::Map(_) => false,
            Value::Structure(structure) => structure.is_comparable(),
            _ => true,
        })
    }

    #[must_use]
    pub fn fields(&self) -> &[(&'static str, Value)] {
        &self.fields
    }
}

impl From<&[u8]> for Value {
    fn from(text: &[u8]) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// As in a log of a test, not as a template prints it.
impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str("nothing"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value:?}"),
            Self::Text(text) => write!(out, "{:?}", String::from_utf8_lossy(text)),
            Self::List(list) => out.debug_list().entries(list.items()).finish(),
            Self::Map(map) => {
                out.debug_map().entries(map.iter().map(|(key, value)| (String::from_utf8_lossy(key), value))).finish()
            }
            Self::Structure(structure) => out.debug_map().entries(structure.fields.iter().cloned()).finish(),
            Self::Int(_) | Self::Int64(_) | Self::Uint8(_) | Self::Uint32(_) | Self::Uint64(_) => {
                write!(out, "{}", self.integer().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.items()).finish()
    }
}

impl fmt::Debug for Structure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.fields.iter().cloned()).finish()
    }
}
