//! The public API as clients of Sophos Central use it.

mod access_tokens;
mod alerts;
mod clients;
mod detections;
pub(crate) mod endpoints;
mod login;
mod openapi;
mod siem;
mod tenants;

use std::process::Command;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::program::Central;

/// A client of the API that has logged in.
pub(crate) struct Client<'a> {
    central: &'a Central,
    pub(crate) token: String,
}

impl Central {
    /// Id and secret of the client that `dev` makes.
    pub(crate) fn credentials(&self) -> (String, String) {
        let read = |name| std::fs::read_to_string(self.dir.path().join(name)).unwrap().trim().to_owned();
        (read("client_id"), read("client_secret"))
    }

    /// Asks for a token with this form.
    pub(crate) async fn ask_for_token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let body = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = self.client.post(format!("{}/api/v2/oauth2/token", self.url));
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Logs in as the client that `dev` makes.
    pub(crate) async fn log_in(&self) -> Client<'_> {
        let (id, secret) = self.credentials();
        self.log_in_as(&id, &secret).await
    }

    pub(crate) async fn log_in_as(&self, id: &str, secret: &str) -> Client<'_> {
        let form =
            [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", "token")];
        let (status, reply) = self.ask_for_token(&form).await;
        assert_eq!(status, 200, "{reply}");
        Client { central: self, token: reply["access_token"].as_str().unwrap().to_owned() }
    }

    /// Runs the program on this one's folder; returns what it wrote.
    pub(crate) fn run_command(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sensor-central"));
        let output = command.args(words).arg("--data-dir").arg(self.dir.path()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a client with these arguments; its id and secret.
    pub(crate) fn create_client(&self, words: &[&str]) -> (String, String) {
        let said = self.run_command(&[&["create-client", "--label", "test"], words].concat());
        let of = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(": ").to_owned()
        };
        (of("client_id"), of("client_secret"))
    }
}

impl Client<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.central.client.request(method, format!("{}{path}", self.central.url)).bearer_auth(&self.token)
    }

    /// What is asked for the tenant that `dev` makes.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path).header("X-Tenant-ID", &self.central.tenant)).await
    }

    /// Sends an object for that tenant.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, path).header("X-Tenant-ID", &self.central.tenant);
        answer(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// What is asked for it, which must be answered well.
    pub(crate) async fn got(&self, path: &str) -> Value {
        let (status, value) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }
}

/// A member of each item.
pub(crate) fn of_items(reply: &Value, name: &str) -> Vec<String> {
    let text = |item: &Value| item[name].as_str().unwrap_or_default().to_owned();
    reply["items"].as_array().unwrap().iter().map(text).collect()
}

/// Status and JSON of an answer.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|fault| panic!("{status}, {fault}: {}", String::from_utf8_lossy(&bytes)));
    (status, value)
}

/// The names of an object's members.
pub(crate) fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
