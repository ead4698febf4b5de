//! The table of keys as a JSON Schema, for editors that complete and check a configuration while it is written.
//!
//! Draft 7, which is what the language server of YAML that editors have takes. The schema is a help and no judge: it knows keys,
//! types, words and bounds, and lets pass what the program alone can tell, such as rules.

use serde_json::{Map, Value, json};

use crate::schema::{Key, Kind, Schema, Variants};

/// The schema of a file of these keys.
#[must_use]
pub fn json_schema(schema: &Schema, title: &str) -> Value {
    let mut made = nullable(mapping(schema.top.iter()));
    made["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    made["title"] = json!(title);
    if let Some(named) = &schema.named {
        made["additionalProperties"] = of(named.kind);
    }
    made
}

/// A mapping with these keys and no others.
fn mapping(keys: impl Iterator<Item = &'static Key>) -> Value {
    let (mut properties, mut required, mut spelt) = (Map::new(), Vec::new(), Vec::new());
    for key in keys {
        properties.insert(key.name.to_owned(), property(key));
        for alias in key.aliases {
            let mut other = nullable(of(&key.kind));
            other["description"] = json!(format!("Another spelling of `{}`.", key.name));
            properties.insert((*alias).to_owned(), other);
        }
        if key.required && key.aliases.is_empty() {
            required.push(key.name);
        } else if key.required {
            let names = key.aliases.iter().chain([&key.name]);
            spelt.push(json!({"anyOf": names.map(|name| json!({"required": [name]})).collect::<Vec<_>>()}));
        }
    }
    let mut made = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !spelt.is_empty() {
        made["allOf"] = json!(spelt);
    }
    if !required.is_empty() {
        made["required"] = json!(required);
    }
    made
}

fn property(key: &Key) -> Value {
    let mut made = nullable(of(&key.kind));
    let default = if key.default.is_empty() { String::new() } else { format!("\n\nDefault: {}", key.default) };
    made["description"] = json!(format!("{}{default}", key.doc));
    made
}

/// A key without a value changes nothing, or means what the manual says.
fn nullable(mut made: Value) -> Value {
    if let Some(types) = made.get_mut("type") {
        match types {
            Value::Array(types) => types.push(json!("null")),
            one => *one = json!([one, "null"]),
        }
    } else if let Some(Value::Array(words)) = made.get_mut("enum") {
        words.push(Value::Null);
    } else if let Some(Value::Array(ways)) = made.get_mut("anyOf") {
        ways.push(json!({"type": "null"}));
    }
    made
}

fn of(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({"enum": [true, false, "yes", "no", "on", "off"]}),
        // What looks like a number or a truth value is text where text is expected.
        Kind::Text | Kind::Secret | Kind::Path | Kind::Own(_) => json!({"type": ["string", "number", "boolean"]}),
        Kind::Url(schemes) => json!({"type": "string", "pattern": format!("^({})://", schemes.join("|"))}),
        Kind::Uuid => json!({"type": "string"}),
        Kind::Duration(_) => json!({"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"}),
        Kind::Count(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Size(least, most) => {
            json!({"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string"}]})
        }
        Kind::Word(words) => {
            let all: Vec<_> = words.current.iter().chain(words.older).collect();
            json!({"enum": all})
        }
        Kind::List(of_each) => json!({"type": "array", "items": of(of_each)}),
        Kind::OneOrMore(of_each) => json!({"anyOf": [of(of_each), {"type": "array", "items": of(of_each)}]}),
        Kind::MapOf(of_each) => json!({"type": "object", "additionalProperties": of(of_each)}),
        Kind::Pairs(pairs) => {
            let map = json!({"type": "object", "additionalProperties": of(pairs.value)});
            json!({"anyOf": [map, {"type": "array", "items": map}]})
        }
        Kind::Map(keys) => mapping(keys.iter()),
        Kind::Variants(variants) => variants_of(variants),
    }
}

/// Which keys there may be depends on the one that tells the kinds apart.
fn variants_of(variants: &'static Variants) -> Value {
    let names: Vec<_> = variants.variants.iter().map(|variant| variant.name).collect();
    let each: Vec<Value> = variants
        .variants
        .iter()
        .map(|variant| {
            let mut then = mapping(variants.common.iter().chain(variant.keys));
            then["properties"][variants.tag] = json!({"const": variant.name, "description": variant.doc});
            json!({"if": {"properties": {variants.tag: {"const": variant.name}}}, "then": then})
        })
        .collect();
    json!({
        "type": "object",
        "required": [variants.tag],
        "properties": {variants.tag: {"enum": names}},
        "allOf": each,
    })
}
