//! Metrics over HTTP: each connection is answered once and closed.

use std::{io, sync::Arc, time::Duration};

use exposition::Form;
use settings::ListenAddress;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use super::Metrics;

/// Bytes of a request that are read. Its header is shorter.
const MOST: usize = 8 << 10;
/// How long whoever asks may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at the same time. Others wait.
const AT_ONCE: usize = 8;

/// Serves `/metrics` until what is returned is dropped.
///
/// # Errors
/// Nobody can listen there.
pub async fn serve(address: &ListenAddress, metrics: Arc<Metrics>) -> io::Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    match address {
        ListenAddress::Tcp(address) => {
            let listener = TcpListener::bind(address).await?;
            tasks.spawn(async move {
                loop {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    let metrics = Arc::clone(&metrics);
                    tokio::spawn(async move {
                        let _ = timeout(PATIENCE, answer(stream, &metrics)).await;
                        drop(place);
                    });
                }
            });
        }
        ListenAddress::Unix(path) => {
            // One that nobody listens at any more.
            if std::os::unix::net::UnixStream::connect(path).is_err() {
                let _ = std::fs::remove_file(path);
            }
            let listener = UnixListener::bind(path)?;
            tasks.spawn(async move {
                loop {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    let metrics = Arc::clone(&metrics);
                    tokio::spawn(async move {
                        let _ = timeout(PATIENCE, answer(stream, &metrics)).await;
                        drop(place);
                    });
                }
            });
        }
    }
    Ok(tasks)
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, metrics: &Metrics) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).await?;
        if read == 0 || head.len() > MOST {
            return Ok(());
        }
        head.extend_from_slice(&chunk[..read]);
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let accept = lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("accept"));
    let form = Form::asked_for(accept.map(|(_, value)| value.trim()));
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics") => ("200 OK", form.content_type(), metrics.write(form)),
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "metrics are got with GET\n".to_owned()),
    };
    let length = body.len();
    let body = if method == "HEAD" { String::new() } else { body };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}
