//! `/metrics` and `/healthz` over HTTP.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use exposition::Form;
use settings::ListenAddress;
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinSet,
};

use super::Metrics;

/// What is served, for who does not know.
const PAGES: &str = "\
/metrics  its state, for Prometheus
/healthz  whether all is where it should go, and what is not
";

/// Serves them until what is returned is dropped.
///
/// # Errors
/// Nobody can listen there.
pub async fn serve(address: &ListenAddress, metrics: Arc<Metrics>) -> io::Result<JoinSet<io::Result<()>>> {
    let router = Router::new()
        .route("/", get(|| async { PAGES }))
        .route("/metrics", get(exposed))
        .route("/healthz", get(health))
        .with_state(metrics);
    let mut tasks = JoinSet::new();
    match address {
        ListenAddress::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            tasks.spawn(async { axum::serve(listener, router).await });
        }
        ListenAddress::Unix(path) => {
            let listener = listen(path)?;
            tasks.spawn(async { axum::serve(listener, router).await });
        }
    }
    Ok(tasks)
}

/// A socket for the owner alone, in place of one that nobody listens at any more.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn exposed(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> impl IntoResponse {
    let form = Form::asked_for(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    ([(header::CONTENT_TYPE, form.content_type())], metrics.write(form))
}

/// 200 if all is where it should go, else 503 and what is not: a line for each.
async fn health(State(metrics): State<Arc<Metrics>>) -> (StatusCode, String) {
    let troubles = metrics.troubles();
    if troubles.is_empty() {
        return (StatusCode::OK, "ok\n".into());
    }
    (StatusCode::SERVICE_UNAVAILABLE, troubles.into_iter().map(|trouble| trouble + "\n").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_ones_place_is_taken_and_no_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let held = listen(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(listen(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(held);
        let file = folder.path().join("notes");
        fs::write(&file, "mine").unwrap();
        assert_eq!(listen(&file).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
}
