//! An HTTP receiver that says what it is told to say and keeps what it was sent: a webhook's, or a collector in the
//! manner of Splunk's.

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use axum::routing::any;
use serde_json::{Value, json};

use super::authority;

/// What is replied to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, further headers, a body.
    Say(u16, &'static [(&'static str, &'static str)], String),
    /// Nothing, for longer than anyone waits.
    Hang,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

type Manner = Box<dyn Fn(&Came) -> Option<Reply> + Send>;

#[derive(Default)]
struct Shared {
    came: Vec<Came>,
    /// What to reply next; then what is usual.
    script: VecDeque<Reply>,
    /// What is usual instead, where it says so.
    manner: Option<Manner>,
    /// Whether questions for acknowledgements are answered with yes.
    indexes: bool,
    /// Ends each wait of a hanging reply.
    ended: bool,
}

/// Ends when it is dropped.
pub(crate) struct Collector {
    shared: Arc<Mutex<Shared>>,
    address: SocketAddr,
    /// Also that of its certificate.
    scheme: &'static str,
    host: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Collector {
    /// One that takes everything.
    pub(crate) fn start() -> Self {
        let (runtime, shared, router) = Self::parts();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("its address");
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { shared, address, scheme: "http", host: "127.0.0.1".to_owned(), runtime: Some(runtime) }
    }

    /// The same behind TLS, with the certificates of [`super::authority::certificates`]: it is `localhost`, and takes
    /// nothing from who has no certificate of the same authority.
    pub(crate) fn start_tls(folder: &Path) -> Self {
        let (runtime, shared, router) = Self::parts();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let tls = axum_server::tls_rustls::RustlsConfig::from_config(authority::server(folder));
        let _runtime = runtime.enter();
        let server = axum_server::from_tcp_rustls(listener, tls).expect("a server");
        runtime.spawn(server.serve(router.into_make_service()));
        Self { shared, address, scheme: "https", host: "localhost".to_owned(), runtime: Some(runtime) }
    }

    fn parts() -> (tokio::runtime::Runtime, Arc<Mutex<Shared>>, Router) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let shared = Arc::new(Mutex::new(Shared { indexes: true, ..Shared::default() }));
        let router = Router::new().fallback(any(reply)).with_state(Arc::clone(&shared));
        (runtime, shared, router)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.address.port())
    }

    /// What it replies to the next requests that bring something.
    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().script.extend(replies);
    }

    /// What it replies from now on to what the script has no reply to. None is the usual reply.
    pub(crate) fn behave(&self, manner: impl Fn(&Came) -> Option<Reply> + Send + 'static) {
        self.shared.lock().unwrap().manner = Some(Box::new(manner));
    }

    pub(crate) fn index(&self, indexes: bool) {
        self.shared.lock().unwrap().indexes = indexes;
    }

    /// The requests so far, questions for acknowledgements left out.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.shared.lock().unwrap().came.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.shared.lock().unwrap().ended = true;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, unpacked.
    pub(crate) fn text(&self) -> String {
        let mut body = Vec::new();
        match self.header("content-encoding") {
            "gzip" => drop(flate2::read::GzDecoder::new(&*self.body).read_to_end(&mut body).expect("gzip")),
            _ => body.clone_from(&self.body),
        }
        String::from_utf8(body).expect("UTF-8")
    }

    /// The JSON values of the body, one after the other.
    pub(crate) fn values(&self) -> Vec<Value> {
        serde_json::Deserializer::from_str(&self.text()).into_iter().map(|value| value.expect("JSON")).collect()
    }
}

async fn reply(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 16 << 20).await.expect("a body").to_vec();
    let path = parts.uri.path().to_owned();
    if path == "/services/collector/ack" {
        let asked: Value = serde_json::from_slice(&body).expect("JSON");
        let indexed = shared.lock().unwrap().indexes;
        let acks = asked["acks"].as_array().expect("ids").iter();
        let acks: serde_json::Map<_, _> = acks.map(|id| (id.to_string(), json!(indexed))).collect();
        return say(200, &[], json!({"acks": acks}).to_string());
    }
    let next = {
        let mut shared = shared.lock().unwrap();
        let (method, query) = (parts.method.to_string(), parts.uri.query().unwrap_or_default().to_owned());
        let came = Came { method, path, query, headers: parts.headers, body };
        shared.came.push(came.clone());
        let usual = json!({"text": "Success", "code": 0, "ackId": shared.came.len()}).to_string();
        let scripted = shared.script.pop_front().or_else(|| shared.manner.as_ref().and_then(|manner| manner(&came)));
        scripted.unwrap_or(Reply::Say(200, &[], usual))
    };
    match next {
        Reply::Say(status, headers, body) => say(status, headers, body),
        Reply::Hang => {
            while !shared.lock().unwrap().ended {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            say(500, &[], String::new())
        }
    }
}

fn say(status: u16, headers: &[(&str, &str)], body: String) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body)).expect("a response")
}
