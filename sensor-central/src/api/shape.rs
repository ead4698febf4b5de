//! What JSON an end point takes and tells, for its description.

use serde_json::{Map, Value, json};

/// What a value is.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    /// A UUID.
    Id,
    /// A moment, such as `2026-11-29T08:00:00.000Z`.
    Time,
    Number,
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    List(&'static Shape),
    Object(&'static [Member]),
    /// Whatever the sensor told.
    Any,
}

/// A member of an object, or a parameter: its name, what it is, what it means.
pub(super) type Member = (&'static str, Shape, &'static str);

impl Shape {
    /// As a JSON Schema. Whatever there may be without saying anything is left out of an answer, so that nothing is required.
    pub(super) fn schema(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Id => json!({ "type": "string", "format": "uuid" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Number => json!({ "type": "integer" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::List(of) => json!({ "type": "array", "items": of.schema() }),
            Self::Object(members) => object(members),
            Self::Any => json!({}),
        }
    }
}

/// An object of these members and no others.
pub(super) fn object(members: &[Member]) -> Value {
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, shape, about)| {
            let mut schema = shape.schema();
            schema["description"] = (*about).into();
            ((*name).to_owned(), schema)
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
