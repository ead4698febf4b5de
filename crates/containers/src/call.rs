//! One question to a socket and its answer, which is of [`LONGEST`] at most.
//!
//! Each question has a connection of its own: a runtime that was restarted or replaced is found without further ado, and an
//! answer that does not end is cut off by closing. Who asks bounds the time.

mod grpc;

use std::io;
use std::path::Path;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

pub(crate) use grpc::unary;

/// Longest answer, bytes. Those of Docker have all mounts and variables of a container.
const LONGEST: usize = 4 << 20;

/// Why there is no answer. The texts are for the person in charge.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("nobody listens there: {0}")]
    Connect(io::Error),
    #[error("it belongs to uid {0}, who could say anything: it is not asked")]
    Owner(u32),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no answer in time: a runtime has {} s", crate::PATIENCE.as_secs())]
    Late,
    #[error("an answer of more than {} MiB", LONGEST >> 20)]
    TooLong,
    #[error("it offers neither Docker's API nor Kubernetes' interface to runtimes (CRI)")]
    NoInterface,
    #[error("it refuses the question: {0}")]
    Refused(String),
    #[error("its answer cannot be understood: {0}")]
    Malformed(String),
}

/// Connects to a socket, if root or the sensor's own user listens there.
async fn connect(socket: &Path) -> Result<UnixStream, CallError> {
    let stream = UnixStream::connect(socket).await.map_err(CallError::Connect)?;
    let uid = stream.peer_cred().map_err(CallError::Connect)?.uid();
    let own = rustix::process::geteuid().as_raw();
    if uid == 0 || uid == own { Ok(stream) } else { Err(CallError::Owner(uid)) }
}

/// Asks for a path by HTTP/1; none if there is no such thing.
pub(crate) async fn get(socket: &Path, path: &str) -> Result<Option<Response<Vec<u8>>>, CallError> {
    let broken = |error: hyper::Error| CallError::Broken(words(&error));
    let stream = TokioIo::new(connect(socket).await?);
    let (mut sender, connection) = http1::handshake(stream).await.map_err(broken)?;
    let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| CallError::Malformed(error.to_string()))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        match response.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            status if !status.is_success() => return Err(CallError::Refused(status.to_string())),
            _ => {}
        }
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { CallError::TooLong } else { CallError::Broken(words(&*error)) }
        })?;
        Ok(Some(Response::from_parts(head, body.to_bytes().to_vec())))
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // It drives the exchange. What had come when it ended is read all the same.
        _ = connection => answer.await,
    }
}

/// What an error says, with its causes.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error).chain(causes).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
