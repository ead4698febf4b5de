//! The program under test, and a client that speaks to it as a sensor does.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use prost::Message;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response};
use sensor_proto::{
    MEDIA_TYPE, header, path,
    v1::{Alert, AlertBatch, BatchReply, Location, ProcessInfo},
};
use tempfile::TempDir;
use uuid::Uuid;

/// A running Central.
pub(crate) struct Central {
    child: Child,
    pub(crate) dir: Arc<TempDir>,
    pub(crate) url: String,
    /// Where the web pages are; empty if there are none.
    pub(crate) web_url: String,
    pub(crate) tenant: String,
    pub(crate) token: String,
    pub(crate) client: Client,
}

impl Central {
    /// `sensor-central dev` in a folder of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), arguments)
    }

    /// `sensor-central dev` in a folder that may have been used before.
    pub(crate) fn start_in(dir: Arc<TempDir>, arguments: &[&str]) -> Self {
        let mut command = Self::command();
        command.args(["dev", "--listen", "127.0.0.1:0", "--dir"]).arg(dir.path()).args(arguments);
        Self::run(command, dir, true)
    }

    /// `sensor-central serve` with a configuration, in a folder that `dev` has made.
    pub(crate) fn serve(dir: Arc<TempDir>, further: &str) -> Self {
        let at = dir.path().display();
        let config = dir.path().join("central.yaml");
        let yaml = format!(
            "listen: 127.0.0.1:0\ndata_dir: {at}\ntls: {{certificate: {at}/server.crt, key: {at}/server.key}}\n{further}\n"
        );
        std::fs::write(&config, yaml).unwrap();
        let mut command = Self::command();
        command.arg("serve").arg("--config").arg(config);
        Self::run(command, dir, further.contains("web:"))
    }

    fn command() -> Command {
        Command::new(env!("CARGO_BIN_EXE_sensor-central"))
    }

    fn run(mut command: Command, dir: Arc<TempDir>, has_pages: bool) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let (_, url) = line.trim().split_once("listening on ").expect("the program says where it listens");
        let url = url.to_owned();
        let mut web_url = String::new();
        if has_pages {
            let line = lines.by_ref().lines().map(Result::unwrap).find(|line| line.contains("web pages"));
            web_url = line.unwrap().rsplit_once(' ').expect("an address").1.to_owned();
        }
        // Nobody else reads the rest; an unread pipe must not stop the program.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap().trim().to_owned();
        let client = Self::client_of(dir.path(), |builder| builder);
        Self { child, url, web_url, tenant: read("tenant"), token: read("token"), client, dir }
    }

    /// A client that trusts the CA in the folder and nothing else.
    pub(crate) fn client_of(dir: &Path, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        // Fails from the second time on.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = Certificate::from_pem(&std::fs::read(dir.join("sophosca1.crt")).unwrap()).unwrap();
        settings(Client::builder().tls_certs_only([ca]).no_proxy()).build().unwrap()
    }

    /// A request as a sensor makes it, but for the body.
    pub(crate) fn post(&self, path: &str, key: &str) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header(header::TENANT_ID, &self.tenant)
            .header(header::SENSOR_ID, "sensor-1")
            .header(header::IDEMPOTENCY_KEY, key)
            .header("content-type", MEDIA_TYPE)
    }

    /// Sends alerts in a batch of this key.
    pub(crate) async fn send(&self, key: &str, alerts: &[Alert]) -> Response {
        let body = AlertBatch { alerts: alerts.to_vec() }.encode_to_vec();
        self.post(path::ALERTS, key).body(body).send().await.unwrap()
    }

    /// What `sensor-central detections` lists: JSON lines.
    pub(crate) fn detections(&self) -> Vec<serde_json::Value> {
        let mut command = Self::command();
        command.args(["detections", "--json", "--limit", "1000000", "--data-dir"]).arg(self.dir.path());
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// The uuids of [`Central::detections`], sorted.
    pub(crate) fn uuids(&self) -> Vec<String> {
        let uuid = |alert: &serde_json::Value| alert["uuid"].as_str().unwrap().to_owned();
        let mut uuids: Vec<_> = self.detections().iter().map(uuid).collect();
        uuids.sort();
        uuids
    }

    /// The value of a metric, told by the begin of its line.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let response = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Ends it the hard way; keeps the folder.
    pub(crate) fn kill(mut self) -> Arc<TempDir> {
        self.signal(Signal::SIGKILL);
        self.wait();
        Arc::clone(&self.dir)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An alert with a uuid of its own.
pub(crate) fn alert() -> Alert {
    Alert {
        uuid: Uuid::new_v4().to_string(),
        unix_nano_timestamp: Some(1_700_000_000_000_000_000),
        strategy_name: "Suspicious Interactive Shell".into(),
        priority: "High".into(),
        location: Some(Location { node_name: "web-1".into(), ..Location::default() }),
        process_info: Some(ProcessInfo { uid: Some(0), name: "/usr/bin/a\\xff".into(), ..ProcessInfo::default() }),
        ..Alert::default()
    }
}

/// A batch's reply, which must be a good one.
pub(crate) async fn reply(response: Response) -> BatchReply {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    BatchReply::decode(bytes).unwrap()
}

/// A refusal's status and text.
pub(crate) async fn refusal(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}
