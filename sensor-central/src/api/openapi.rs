//! `GET /openapi.json`: what is served, for programs. Made of the table of end points.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    answers,
    operations::{OPERATIONS, Operation, Who, in_path},
    shape::{Member, object},
};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// It is no secret.
pub(super) async fn get() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

pub(super) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in &OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The public API of Central",
            "version": crate::VERSION,
            "description": "What clients of Sophos Central's API ask for, as sensor-central serves it.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": { "Error": object(answers::ERROR), "TokenError": object(answers::TOKEN_ERROR) },
            "securitySchemes": {
                "token": {
                    "type": "oauth2",
                    "flows": { "clientCredentials": { "tokenUrl": "/api/v2/oauth2/token", "scopes": { "token": "All of it" } } },
                },
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
                "basic": { "type": "http", "scheme": "basic" },
            },
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let Operation { path, summary, who, parameters, body, status, answer, .. } = operation;
    let mut all: Vec<Value> = path.split(['{', '}']).skip(1).step_by(2).map(of_path).collect();
    all.extend(headers(*who).iter().map(|(name, about)| {
        json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string", "format": "uuid" } })
    }));
    all.extend(parameters.iter().copied().flatten().map(of_query));
    let error = if *who == Who::Anybody { "TokenError" } else { "Error" };
    let refused = json!({ "$ref": format!("#/components/schemas/{error}") });
    let mut described = json!({
        "summary": summary,
        "parameters": all,
        "security": security(*who),
        "responses": {
            status.to_string(): { "description": "It went well", "content": json_of(object(answer)) },
            "default": { "description": "It was refused; 429 and 503 come with Retry-After in seconds", "content": json_of(refused) },
        },
    });
    if !body.is_empty() {
        let members: Map<String, Value> = body
            .iter()
            .copied()
            .flatten()
            .map(|(name, shape, about)| {
                let mut schema = shape.schema();
                schema["description"] = (*about).into();
                ((*name).to_owned(), schema)
            })
            .collect();
        // Members that are not known are let pass.
        let schema = json!({ "type": "object", "properties": members });
        let mut content = json_of(schema.clone());
        if *who == Who::Anybody {
            content["application/x-www-form-urlencoded"] = json!({ "schema": schema });
        }
        described["requestBody"] = json!({ "content": content });
    }
    described
}

fn json_of(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn of_path(name: &str) -> Value {
    let (shape, about) = in_path(name);
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": shape.schema() })
}

/// Lists are joined by commas, or the name is repeated.
fn of_query((name, shape, about): &Member) -> Value {
    json!({ "name": name, "in": "query", "description": about, "schema": shape.schema(), "explode": false })
}

const fn headers(who: Who) -> &'static [(&'static str, &'static str)] {
    match who {
        Who::Anybody => &[],
        Who::Client => &[
            ("X-Partner-ID", "Must fit the token if it is said"),
            ("X-Organization-ID", "Must fit the token if it is said"),
        ],
        Who::OfTenant | Who::Legacy => {
            &[("X-Tenant-ID", "The tenant that is meant; needed if the token is not a tenant's")]
        }
    }
}

fn security(who: Who) -> Value {
    match who {
        Who::Anybody => json!([]),
        Who::Client | Who::OfTenant => json!([{ "token": ["token"] }]),
        Who::Legacy => json!([{ "key": [], "basic": [] }]),
    }
}
