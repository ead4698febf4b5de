//! A runtime that speaks Kubernetes' interface, over gRPC.

use std::convert::Infallible;
use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

/// The code of gRPC and the message that answer a method; a message goes out as it is framed.
type Method = fn(&str) -> (u32, Vec<u8>);

const NOT_FOUND: u32 = 5;
const UNIMPLEMENTED: u32 = 12;

/// Listens until the test ends.
fn serve(socket: &Path, method: Method) {
    let listener = UnixListener::bind(socket).expect("a socket");
    listener.set_nonblocking(true).expect("a socket that does not block");
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::spawn(move || {
        executor.block_on(async {
            let listener = tokio::net::UnixListener::from_std(listener).expect("a socket");
            while let Ok((connection, _)) = listener.accept().await {
                let service = service_fn(move |request| answer(request, method));
                let serving =
                    http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), service);
                tokio::spawn(serving);
            }
        });
    });
}

async fn answer(
    request: Request<Incoming>,
    method: Method,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let name = request.uri().path().strip_prefix("/runtime.v1.RuntimeService/").unwrap_or_default().to_owned();
    let question = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let is_asked = name == "Version" || question.windows(ID.len()).any(|bytes| bytes == ID.as_bytes());
    let (code, framed) = if is_asked { method(&name) } else { (NOT_FOUND, Vec::new()) };
    let trailers = async move { Some(Ok(HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.into())]))) };
    let response = Response::builder().header("content-type", "application/grpc");
    Ok(response.body(Full::new(Bytes::from(framed)).with_trailers(trailers)).expect("a response"))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a length").to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// A field with bytes of their own: a text, a message.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut field);
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend_from_slice(bytes);
    field
}

fn pair(number: u32, key: &str, value: &str) -> Vec<u8> {
    field(number, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
}

fn version() -> (u32, Vec<u8>) {
    (0, framed(&field(2, b"containerd")))
}

fn container() -> Vec<u8> {
    let status = [
        field(1, ID.as_bytes()),
        field(2, &field(1, b"web")),
        field(8, &field(1, b"web:1")),
        field(9, format!("web@sha256:{ID}").as_bytes()),
        pair(12, "io.kubernetes.pod.name", "web-0"),
        pair(12, "io.kubernetes.pod.namespace", "shop"),
    ];
    let info = pair(2, "info", r#"{"config": {"linux": {"security_context": {"privileged": true}}}}"#);
    [field(1, &status.concat()), info].concat()
}

fn kubernetes(method: &str) -> (u32, Vec<u8>) {
    match method {
        "Version" => version(),
        "ContainerStatus" => (0, framed(&container())),
        _ => (UNIMPLEMENTED, Vec::new()),
    }
}

/// The container is that which holds a pod's namespaces.
fn a_pod(method: &str) -> (u32, Vec<u8>) {
    match method {
        "Version" => version(),
        "PodSandboxStatus" => {
            let metadata = [field(1, b"web-0"), field(3, b"shop")].concat();
            (0, framed(&field(1, &[field(1, ID.as_bytes()), field(2, &metadata)].concat())))
        }
        _ => (NOT_FOUND, Vec::new()),
    }
}

fn knows_none(method: &str) -> (u32, Vec<u8>) {
    if method == "Version" { version() } else { (NOT_FOUND, Vec::new()) }
}

fn without_interface(_: &str) -> (u32, Vec<u8>) {
    (UNIMPLEMENTED, Vec::new())
}

fn of_another(method: &str) -> (u32, Vec<u8>) {
    let other = || field(1, &field(1, "1a".repeat(32).as_bytes()));
    if method == "Version" { version() } else { (0, framed(&other())) }
}

fn too_long(method: &str) -> (u32, Vec<u8>) {
    if method == "Version" { version() } else { (0, framed(&vec![0; 5 << 20])) }
}

fn of_a_false_length(method: &str) -> (u32, Vec<u8>) {
    if method == "Version" { version() } else { (0, vec![0, 0xff, 0xff, 0xff, 0xff, 1]) }
}

#[test]
fn a_runtime_of_kubernetes_is_found_out_and_told_of() {
    let bench = Bench::new();
    serve(&bench.socket(), kubernetes);
    let expected = Facts {
        runtime: Some(Runtime::Containerd),
        name: "web".into(),
        image_name: "web".into(),
        image_tag: "1".into(),
        image_digest: format!("sha256:{ID}"),
        labels: [("io.kubernetes.pod.name", "web-0"), ("io.kubernetes.pod.namespace", "shop")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        pod: "web-0".into(),
        namespace: "shop".into(),
        privileged: Some(true),
        ..Facts::default()
    };
    assert_eq!(named(&bench.ask(ID)), expected);
    let status = bench.until("its count", |status| status.runtimes[0].named == 1);
    assert_eq!((status.runtimes[0].runtime.as_str(), status.runtimes[0].answers), ("containerd", Some(true)));
}

#[test]
fn what_holds_a_pod_is_known_by_the_pod() {
    let bench = Bench::new();
    serve(&bench.socket(), a_pod);
    let facts = named(&bench.ask(ID));
    assert_eq!((facts.pod.as_str(), facts.namespace.as_str(), facts.name.as_str()), ("web-0", "shop", ""));
}

#[test]
fn an_answer_of_kubernetes_that_says_nothing_is_none() {
    for (what, method, error) in [
        ("without the container", knows_none as Method, None),
        ("of another container", of_another, Some("another container")),
        ("too long", too_long, Some("more than 4 MiB")),
        ("of a false length", of_a_false_length, Some("length")),
        ("without the interface", without_interface, Some("offers neither")),
    ] {
        let bench = Bench::new();
        serve(&bench.socket(), method);
        assert_eq!(next(&bench.ask(ID)), None, "{what}");
        let status = bench.until(what, |status| status.runtimes[0].asked > 0);
        match error {
            None => assert!(status.runtimes[0].unknown > 0 && status.runtimes[0].last_error.is_none(), "{status:?}"),
            Some(error) => {
                let said = status.runtimes[0].last_error.as_deref().unwrap_or_default();
                assert!(said.contains(error), "{what}: {said}");
            }
        }
    }
}
