//! What was read, written back with its secrets masked.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::scalar::FromText;
use crate::schema::{Kind, Schema, find};
use crate::secrets;
use crate::yaml::{Entry, Node, Scalar, Value};

/// A node whose secrets are masked: those of keys that are secret, everything below a key that is not known where it
/// stands (it may be a secret key, mistyped), and what looks like a secret.
pub struct Masked<'a> {
    schema: &'a Schema,
    node: &'a Node,
    /// What the key takes; none if it is not known.
    kind: Option<&'static Kind>,
    secret: bool,
}

impl<'a> Masked<'a> {
    /// The value of a key of the file itself.
    #[must_use]
    pub fn top(entry: &'a Entry, schema: &'a Schema) -> Self {
        let kind = match find(schema.top, &entry.key.value) {
            Some(key) => Some(&key.kind),
            None => schema.named.filter(|named| named.may_be(&entry.value)).map(|named| named.kind),
        };
        Self::of(entry, kind, false, schema)
    }

    fn of(entry: &'a Entry, kind: Option<&'static Kind>, secret: bool, schema: &'a Schema) -> Self {
        // Also by the key alone: rather one value too many than one too few.
        let elsewhere = schema.anywhere(&entry.key.value).map(|key| key.kind);
        let secret = secret || kind.is_some_and(Kind::is_secret) || elsewhere.is_some_and(|kind| kind.is_secret());
        Self { schema, node: &entry.value, kind, secret }
    }

    fn item(&self, item: &'a Node) -> Self {
        let kind = match self.kind {
            Some(Kind::List(of) | Kind::OneOrMore(of)) => Some(*of),
            Some(Kind::Pairs(_)) => self.kind,
            _ => None,
        };
        Self { node: item, kind, ..*self }
    }

    fn entry(&self, entry: &'a Entry) -> Self {
        let name = entry.key.value.as_str();
        let kind = match self.kind {
            Some(Kind::Map(keys)) => find(keys, name).map(|key| &key.kind),
            Some(Kind::MapOf(of)) => Some(*of),
            Some(Kind::Pairs(pairs)) => Some(pairs.value),
            Some(Kind::Variants(variants)) => {
                let tag = self.node.entries().iter().find(|entry| entry.key.value == variants.tag);
                let variant = tag.and_then(|tag| variants.find(&tag.value.scalar()?.text));
                let own = variant.and_then(|variant| find(variant.keys, name));
                find(variants.common, name).or(own).map(|key| &key.kind)
            }
            _ => None,
        };
        Self::of(entry, kind, self.secret, self.schema)
    }

    fn scalar<S: Serializer>(&self, scalar: &Scalar, kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        let text = scalar.text.as_str();
        // Words such as `yes` and `off` are booleans for some keys and text for others.
        if let (Kind::Bool, Ok(value)) = (kind, bool::from_text(text)) {
            return serializer.serialize_bool(value);
        }
        if let Some(number) = text.parse::<u64>().ok().filter(|_| scalar.plain)
            && (matches!(kind, Kind::Count(..)) || number.to_string() == text)
        {
            return serializer.serialize_u64(number);
        }
        let shown = if matches!(kind, Kind::Url(_)) {
            secrets::masked_url(text, self.schema)
        } else {
            secrets::masked(text, self.schema)
        };
        serializer.serialize_str(&shown)
    }
}

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.node.value {
            Value::Null => serializer.serialize_unit(),
            Value::Scalar(scalar) => {
                let kind = match self.kind {
                    Some(Kind::OneOrMore(of)) => Some(*of),
                    kind => kind,
                };
                match kind.filter(|kind| !self.secret && kind.is_scalar()) {
                    Some(kind) => self.scalar(scalar, kind, serializer),
                    // A switch is no secret.
                    None if !self.secret && scalar.is_bool() => self.scalar(scalar, &Kind::Bool, serializer),
                    None => serializer.serialize_str(secrets::MASK),
                }
            }
            Value::Sequence(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&self.item(item))?;
                }
                list.end()
            }
            Value::Mapping(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
                    map.serialize_entry(&secrets::masked(&entry.key.value, self.schema), &self.entry(entry))?;
                }
                map.end()
            }
        }
    }
}
