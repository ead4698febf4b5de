//! The description of the API, held against what is answered: each end point, parameter and member of an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use rusqlite::{Connection, params};
use sensor_proto::v1::{Alert, Location, ProcessInfo};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, answer, endpoints::hello};
use crate::program::{Central, alert, reply};

/// The description, and what of it was met.
struct Described {
    document: Value,
    /// `METHOD path`, and `METHOD path .member…` of answers.
    met: BTreeSet<String>,
}

impl Described {
    async fn of(central: &Central) -> Self {
        let response = central.client.get(format!("{}/openapi.json", central.url)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        Self { document: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(), met: BTreeSet::new() }
    }

    fn operations(&self) -> Vec<(String, String)> {
        let paths = self.document["paths"].as_object().unwrap();
        let of = |(path, methods): (&String, &Value)| -> Vec<_> {
            methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())).collect()
        };
        paths.iter().flat_map(of).collect()
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let operation = &self.document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation
    }

    /// Every member of the answers of an end point.
    fn members(&self, method: &str, path: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let responses = self.operation(method, path)["responses"].as_object().unwrap();
        let (_, well) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        members(&well["content"]["application/json"]["schema"], &format!("{method} {path} "), &mut all);
        all
    }

    /// Takes an answer: it must be as described.
    fn meet(&mut self, method: &str, path: &str, status: u16, value: &Value) {
        let responses = &self.operation(method, path)["responses"];
        let described = &responses.get(status.to_string()).unwrap_or(&responses["default"]);
        assert!(status >= 400 || described["description"] == "It went well", "{method} {path}: {status} {value}");
        let mut schema = described["content"]["application/json"]["schema"].clone();
        if let Some(name) = schema["$ref"].as_str() {
            schema = self.document["components"]["schemas"][name.rsplit('/').next().unwrap()].clone();
        }
        let place = if status < 400 { format!("{method} {path} ") } else { "refused ".to_owned() };
        check(&schema, value, &place, &mut self.met);
        if status < 400 {
            self.met.insert(format!("{method} {path}"));
        }
    }
}

fn members(schema: &Value, place: &str, all: &mut BTreeSet<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        assert!(schema["description"].as_str().is_some_and(|text| text.len() > 1), "{place} says nothing of itself");
        all.insert(place.clone());
        members(schema, &place, all);
    }
    if schema["items"].is_object() {
        members(&schema["items"], &format!("{place}[]"), all);
    }
}

/// Holds a value against its schema.
fn check(schema: &Value, value: &Value, place: &str, met: &mut BTreeSet<String>) {
    let fits = match schema["type"].as_str() {
        None => true,
        Some("string") => value.as_str().is_some_and(|text| match schema["format"].as_str() {
            Some("uuid") => Uuid::parse_str(text).is_ok(),
            Some("date-time") => text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T',
            _ => schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text)),
        }),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => {
            for item in value.as_array().into_iter().flatten() {
                check(&schema["items"], item, &format!("{place}[]"), met);
            }
            value.is_array()
        }
        Some("object") => {
            for (name, member) in value.as_object().into_iter().flatten() {
                let place = format!("{place}.{name}");
                let described = schema["properties"].get(name).unwrap_or_else(|| panic!("{place} is not described"));
                check(described, member, &place, met);
                met.insert(place);
            }
            value.is_object()
        }
        Some(other) => panic!("{place}: {other}"),
    };
    assert!(fits, "{place} is {value}, described as {schema}");
}

/// An alert that says all that answers have members for.
fn whole() -> Alert {
    Alert {
        policy_type: "program".into(),
        matched_rule: "match a".into(),
        confidence: "High".into(),
        description: "Something happened".into(),
        categories: vec!["MITRE.Execution.Unix Shell (T1059.004)".into()],
        location: Some(Location { node_name: "web-1".into(), container_id: "c1".into(), ..Location::default() }),
        process_info: Some(ProcessInfo {
            pid: Some(7),
            uid: Some(0),
            user: "root".into(),
            name: "/bin/a".into(),
            args: vec!["a".into()],
            sophos_pid: "7:1".into(),
            ..ProcessInfo::default()
        }),
        metadata: [("network_interface.eth0".into(), "192.0.2.1".into())].into(),
        ..alert()
    }
}

async fn filled() -> Central {
    let dir = Arc::clone(&Central::start().dir);
    let central =
        Central::serve(dir, "api: {requests_per_second: null, requests_per_minute: null, requests_per_hour: null}");
    reply(central.send("k", &[whole(), whole()]).await).await;
    hello(&central, "sensor-1", "web-1", "192.0.2.1").await;
    hello(&central, "sensor-2", "web-2", "192.0.2.2").await;
    let database = Connection::open(central.dir.path().join("central.db")).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let json = json!({ "acct": "anna", "uid": 7, "address": "192.0.2.9", "path": "/usr/sbin/sshd" });
    for number in 0..2 {
        let sql = "INSERT INTO rows (tenant, sensor, received, table_name, time, json, event, raised)
                   VALUES (?, 'sensor-1', 1, 'audit_user_msg', 1, ?, 'Event::Endpoint::Login::Succeeded', ?)";
        database.execute(sql, params![central.tenant, json.to_string(), now + number]).unwrap();
    }
    central
}

struct Asking<'a> {
    client: Client<'a>,
    described: Described,
}

impl Asking<'_> {
    /// Asks an end point, with this in the place of what its path has in braces and behind it.
    async fn get(&mut self, path: &str, asked: &str) -> Value {
        let (status, value) = self.client.get(asked).await;
        self.described.meet("get", path, status, &value);
        assert_eq!(status, 200, "{asked}: {value}");
        value
    }

    async fn send(&mut self, method: Method, path: &str, asked: &str, body: &Value) -> Value {
        let name = method.as_str().to_lowercase();
        let (status, value) = self.client.send(method, asked, body).await;
        self.described.meet(&name, path, status, &value);
        assert!(status < 300, "{asked}: {value}");
        value
    }

    /// A list by keys, whole and one by one.
    async fn by_key(&mut self, path: &str) -> Value {
        let first = self.get(path, &format!("{path}?pageSize=1&pageTotal=true")).await;
        let key = first["pages"]["nextKey"].as_str().unwrap().to_owned();
        self.get(path, &format!("{path}?pageSize=1&pageFromKey={key}")).await;
        first["items"][0]["id"].clone()
    }
}

fn legacy(central: &Central, path: &str) -> RequestBuilder {
    let (id, secret) = central.credentials();
    let request = central.client.get(format!("{}{path}", central.url)).header("x-api-key", &id);
    request.basic_auth(id, Some(secret))
}

#[tokio::test]
async fn every_answer_is_as_described_and_nothing_else_is_described() {
    let central = filled().await;
    let described = Described::of(&central).await;
    let mut asking = Asking { client: central.log_in().await, described };
    let (id, secret) = central.credentials();
    let form = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    let (status, value) = central.ask_for_token(&form).await;
    asking.described.meet("post", "/api/v2/oauth2/token", status, &value);
    asking.get("/whoami/v1", "/whoami/v1").await;
    let alert = asking.by_key("/common/v1/alerts").await;
    let (search, one) = ("/common/v1/alerts/search", "/common/v1/alerts/{id}");
    let first = asking.send(Method::POST, search, search, &json!({ "pageSize": 1, "pageTotal": true })).await;
    let key = &first["pages"]["nextKey"];
    asking.send(Method::POST, search, search, &json!({ "pageSize": 1, "pageFromKey": key })).await;
    let path = format!("/common/v1/alerts/{}", alert.as_str().unwrap());
    asking.get(one, &path).await;
    let act = format!("{path}/actions");
    asking.send(Method::POST, "/common/v1/alerts/{id}/actions", &act, &json!({ "action": "acknowledge" })).await;
    for kind in ["detections", "detection-groups"] {
        let path = "/detections/v1/queries/{kind}";
        let asked = path.replace("{kind}", kind);
        let run = asking.send(Method::POST, path, &asked, &json!({})).await["id"].as_str().unwrap().to_owned();
        asking.get("/detections/v1/queries/{kind}/{run}", &format!("{asked}/{run}")).await;
        asking.get("/detections/v1/queries/{kind}/{run}/results", &format!("{asked}/{run}/results")).await;
    }
    let endpoint = asking.by_key("/endpoint/v1/endpoints").await;
    let path = format!("/endpoint/v1/endpoints/{}", endpoint.as_str().unwrap());
    asking.get("/endpoint/v1/endpoints/{id}", &path).await;
    let (tokens, token) = ("/accounts/v1/access-tokens", "/accounts/v1/access-tokens/{id}");
    let new = json!({ "label": "l", "type": "sophosLinuxSensor", "expiresAt": "P-1D" });
    let (status, refused) = asking.client.send(Method::POST, tokens, &new).await;
    asking.described.meet("post", tokens, status, &refused);
    let new = json!({ "label": "l", "type": "sophosLinuxSensor", "expiresAt": "2999-01-01T00:00:00.000Z" });
    let made = asking.send(Method::POST, tokens, tokens, &new).await;
    let path = format!("{tokens}/{}", made["id"].as_str().unwrap());
    asking.get(tokens, tokens).await;
    asking.get(token, &path).await;
    asking.send(Method::PATCH, token, &path, &json!({ "label": "m" })).await;
    asking.send(Method::DELETE, token, &path, &json!({})).await;
    for path in ["/siem/v1/alerts", "/siem/v1/events"] {
        asking.get(path, path).await;
        let path = format!("/gateway{path}");
        let (status, value) = answer(legacy(&central, &path)).await;
        asking.described.meet("get", &path, status, &value);
    }
    let owners = [("partner", Uuid::new_v4().to_string()), ("organization", Uuid::new_v4().to_string())];
    let [partner, organization] = owners.each_ref().map(|(_, id)| id.as_str());
    let words = ["set-tenant", "--tenant", &central.tenant, "--partner", partner, "--organization", organization];
    central.run_command(&words);
    for (kind, owner) in &owners {
        let (id, secret) = central.create_client(&[&format!("--{kind}"), owner]);
        asking.client = central.log_in_as(&id, &secret).await;
        let path = format!("/{kind}/v1/tenants");
        asking.get(&path, &path).await;
        asking.get(&format!("{path}/{{id}}"), &format!("{path}/{}", central.tenant)).await;
    }
    let mut all = BTreeSet::new();
    for (method, path) in asking.described.operations() {
        all.extend(asking.described.members(&method, &path));
        all.insert(format!("{method} {path}"));
    }
    let met: BTreeSet<String> =
        asking.described.met.into_iter().filter(|place| !place.starts_with("refused")).collect();
    let never: Vec<_> = all.difference(&met).collect();
    assert!(never.is_empty(), "described, and never met: {never:?}");
}

/// Who shows nothing is refused in the described words; other methods are not taken.
#[tokio::test]
async fn every_refusal_is_as_described() {
    let central = filled().await;
    let mut described = Described::of(&central).await;
    for (method, path) in described.operations() {
        let asked = path.replace("{kind}", "detections").replace(['{', '}'], "");
        let ask = |method: &str| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            central.client.request(method, format!("{}{asked}", central.url))
        };
        let (status, value) = answer(ask(&method)).await;
        assert_eq!(status, if path.starts_with("/api/") { 400 } else { 401 }, "{method} {path}: {value}");
        described.meet(&method, &path, status, &value);
        for other in ["get", "post", "put", "patch", "delete"] {
            let is_described = described.document["paths"][&path].get(other).is_some();
            let (status, value) = answer(ask(other)).await;
            assert_eq!(status == 405, !is_described, "{other} {path}: {value}");
        }
    }
    let (status, _) = answer(central.client.get(format!("{}/no/such/v1", central.url))).await;
    assert_eq!(status, 404);
}

/// What a parameter is given that cannot be must be told, or lead to another answer.
#[tokio::test]
async fn every_parameter_has_an_effect() {
    let central = filled().await;
    let described = Described::of(&central).await;
    let client = central.log_in().await;
    let alert = super::of_items(&client.got("/common/v1/alerts").await, "id").remove(0);
    let endpoint = super::of_items(&client.got("/endpoint/v1/endpoints").await, "id").remove(0);
    let start = "/detections/v1/queries/detections";
    let (_, run) = client.send(Method::POST, start, &json!({})).await;
    let run = run["id"].as_str().unwrap().to_owned();
    let (id, secret) = central.create_client(&["--partner", &Uuid::new_v4().to_string()]);
    let partner = central.log_in_as(&id, &secret).await;
    // A cursor is another at any time.
    let told = |value: &Value| value.get("items").unwrap_or(value).clone();
    let mut count = 0;
    for (method, path) in described.operations() {
        let mut names: Vec<_> = described.operation(&method, &path)["parameters"].as_array().unwrap().iter().collect();
        names.retain(|parameter| parameter["in"] == "query");
        for parameter in names {
            let name = parameter["name"].as_str().unwrap();
            let of_path = if path.contains("endpoint/") { &endpoint } else { &alert };
            let asked = path.replace("{id}", of_path).replace("{kind}", "detections").replace("{run}", &run);
            let odd = if name == "exclude_types" { "Event::Endpoint::Login::Succeeded" } else { "no-such" };
            let ask = async |query: String| {
                let path = format!("{asked}{query}");
                match path.starts_with("/gateway") {
                    true => answer(legacy(&central, &path)).await,
                    false if path.contains("/tenants") => {
                        answer(partner.request(Method::GET, &path.replace("/organization", "/partner"))).await
                    }
                    false => client.get(&path).await,
                }
            };
            let (status, plain) = ask(String::new()).await;
            assert_eq!(status, 200, "{asked}: {plain}");
            let (status, value) = ask(format!("?{name}={odd}")).await;
            assert!(
                status == 400 || (status == 200 && told(&plain) != told(&value)),
                "{path} {name}: {status} {value}"
            );
            count += 1;
        }
        let body = &described.operation(&method, &path)["requestBody"]["content"]["application/json"]["schema"];
        if !path.ends_with("/search") && !path.ends_with("/{kind}") {
            continue;
        }
        let asked = path.replace("{kind}", "detections");
        let (_, plain) = client.send(Method::POST, &asked, &json!({})).await;
        for name in body["properties"].as_object().unwrap().keys() {
            let (status, value) = client.send(Method::POST, &asked, &json!({ name: "no-such" })).await;
            let found = |value: &Value| (value["items"].clone(), value["resultCount"].clone());
            assert!(status == 400 || found(&plain) != found(&value), "{path} {name}: {status} {value}");
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}
