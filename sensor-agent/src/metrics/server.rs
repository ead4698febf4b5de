//! `/metrics`, `/healthz` and `/readyz` over HTTP, on a thread of its own.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::{fs, io};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use exposition::Form;
use settings::ListenAddress;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;

use super::exposition;
use crate::control::problems::silent;
use crate::control::{Handler, Status};
use crate::health;

/// Why nothing listens. The sensor goes on without.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("metrics cannot be served at {address}: {source}; name another place in `metrics.listen`")]
    Bind { address: String, source: io::Error },
    #[error("metrics cannot be served at {}: something that is no socket is in the way; move it", .0.display())]
    InTheWay(PathBuf),
    #[error("metrics cannot be served: {0}")]
    Start(#[source] io::Error),
}

/// What is served, for who does not know.
const PAGES: &str = "\
/metrics  the sensor's state, for Prometheus
/healthz  whether it is healthy
/readyz   whether it is healthy and every hook is attached
";

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: ListenAddress,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen. Call it after capabilities were dropped: its thread has what the calling one has.
    ///
    /// # Errors
    /// The address is taken or not this host's; the path is in the way.
    pub fn start(address: ListenAddress, handler: Arc<dyn Handler>) -> Result<Self, ListenError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ListenError::Start)?;
        let bind = |source| ListenError::Bind { address: address.to_string(), source };
        let router = Router::new()
            .route("/", get(|| async { PAGES }))
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(handler);
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async move {
            let _ = stopped.await;
        };
        let name = || std::thread::Builder::new().name("metrics".into());
        let thread = match &address {
            ListenAddress::Tcp(tcp) => {
                let listener = runtime.block_on(TcpListener::bind(tcp)).map_err(bind)?;
                name().spawn(move || {
                    let serve = async { axum::serve(listener, router).with_graceful_shutdown(until).await };
                    ended(runtime.block_on(serve));
                })
            }
            ListenAddress::Unix(path) => {
                let listener = listen(path, &runtime)?;
                name().spawn(move || {
                    let serve = async { axum::serve(listener, router).with_graceful_shutdown(until).await };
                    ended(runtime.block_on(serve));
                })
            }
        };
        let thread = thread.map_err(ListenError::Start)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> &ListenAddress {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A client that keeps its connection open does not keep the sensor: the thread is left to end by itself.
        drop(self.thread.take());
        if let ListenAddress::Unix(path) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

fn ended(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!("metrics are served no more: {error}");
    }
}

/// A socket for the owner alone. One that is there already is a dead sensor's: the run directory belongs to one.
fn listen(path: &Path, runtime: &tokio::runtime::Runtime) -> Result<UnixListener, ListenError> {
    let bind = |source| ListenError::Bind { address: path.display().to_string(), source };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(ListenError::InTheWay(path.to_owned())),
        Ok(_) => fs::remove_file(path).map_err(bind)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(bind(error)),
    }
    let _context = runtime.enter();
    let listener = UnixListener::bind(path).map_err(bind)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(bind)?;
    Ok(listener)
}

async fn metrics(State(handler): State<Arc<dyn Handler>>, headers: HeaderMap) -> impl IntoResponse {
    let form = Form::asked_for(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    ([(header::CONTENT_TYPE, form.content_type())], exposition(&handler.status(), form))
}

async fn healthz(State(handler): State<Arc<dyn Handler>>) -> impl IntoResponse {
    verdict(&handler.status(), health::ailments)
}

async fn readyz(State(handler): State<Arc<dyn Handler>>) -> impl IntoResponse {
    verdict(&handler.status(), health::lacking)
}

fn verdict(status: &Status, judge: fn(&Status) -> Vec<String>) -> (StatusCode, String) {
    match judge(status).as_slice() {
        // It hears all the same: what is lacking is in the configuration, and no restart would mend it.
        [] => (StatusCode::OK, std::iter::once("ok").chain(silent(status)).map(|line| format!("{line}\n")).collect()),
        wrong => (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n") + "\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::control::{Inventory, Query, Reload, Stage, Update};
    use crate::live::Subject;

    struct Silent;

    impl Handler for Silent {
        fn status(&self) -> Status {
            Status::default()
        }

        fn test_alert(&self, _: &mut dyn FnMut(Stage)) {}

        fn reload(&self) -> Reload {
            Reload::default()
        }

        fn inventory(&self) -> Result<Inventory, String> {
            Err("nothing is known".into())
        }

        fn show(&self, _: Subject, _: &Query, _: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
            Ok(())
        }
    }

    fn ask(path: &Path, what: &str) -> String {
        let mut stream = UnixStream::connect(path).unwrap();
        write!(stream, "GET {what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_truly_and_takes_a_dead_ones_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let server = Server::start(ListenAddress::Unix(path.clone()), Arc::new(Silent)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(ask(&path, "/healthz").starts_with("HTTP/1.1 503"), "an engine that does not answer is not healthy");
        assert!(ask(&path, "/metrics").contains("# TYPE sophoslinuxsensor_alerts_total counter"));
        let pages = ask(&path, "/");
        assert!(pages.starts_with("HTTP/1.1 200"), "{pages}");
        for page in ["/metrics", "/healthz", "/readyz"] {
            assert!(pages.contains(page), "{pages}");
        }
        assert!(ask(&path, "/other").starts_with("HTTP/1.1 404"));
        drop(server);
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        let error = Server::start(ListenAddress::Unix(path), Arc::new(Silent)).unwrap_err();
        assert!(matches!(error, ListenError::InTheWay(_)));
    }
}
