//! One question by gRPC and its answer: HTTP/2 over the socket, as [`super::get`] bounds it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, client::conn::http2};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::{CallError, LONGEST, connect, words};

/// Codes of gRPC.
const NOT_FOUND: &str = "5";
const UNIMPLEMENTED: &str = "12";

/// Calls a method of the runtime's service; none if what it asks for is not there.
pub(crate) async fn unary(socket: &Path, method: &str, question: Vec<u8>) -> Result<Option<Vec<u8>>, CallError> {
    let broken = |error: hyper::Error| CallError::Broken(words(&error));
    let tasks = Tasks::default();
    // What the connection does beside the call ends with it.
    let _ended = Ended(tasks.clone());
    let stream = TokioIo::new(connect(socket).await?);
    let (mut sender, connection) = http2::handshake(tasks, stream).await.map_err(broken)?;
    let request = Request::post(format!("http://localhost/runtime.v1.RuntimeService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(framed(&question))));
    let request = request.map_err(|error| CallError::Malformed(error.to_string()))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        if !response.status().is_success() {
            return Err(CallError::Refused(response.status().to_string()));
        }
        // An error without a message stands in the headers.
        if let Some(refusal) = refusal(response.headers()) {
            return refusal;
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { CallError::TooLong } else { CallError::Broken(words(&*error)) }
        })?;
        if let Some(refusal) = body.trailers().and_then(refusal) {
            return refusal;
        }
        message(&body.to_bytes()).map(Some)
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

/// What these headers or trailers say, if they are not those of an answer.
fn refusal(headers: &HeaderMap) -> Option<Result<Option<Vec<u8>>, CallError>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("grpc-status")? {
        "0" => None,
        NOT_FOUND => Some(Ok(None)),
        UNIMPLEMENTED => Some(Err(CallError::NoInterface)),
        code => {
            let words: String = text("grpc-message").unwrap_or_default().chars().take(200).collect();
            Some(Err(CallError::Refused(format!("code {code}, {words}"))))
        }
    }
}

/// A message as it goes over the wire: whether it is compressed, its length, itself.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// The one message of an answer.
fn message(bytes: &[u8]) -> Result<Vec<u8>, CallError> {
    let malformed = |why: &str| CallError::Malformed(why.into());
    let (head, message) = bytes.split_at_checked(5).ok_or_else(|| malformed("it has no message"))?;
    let [compressed, length @ ..] = head else { return Err(malformed("it has no message")) };
    if *compressed != 0 {
        return Err(malformed("it is compressed, which was not asked for"));
    }
    let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_be_bytes);
    if usize::try_from(length) != Ok(message.len()) {
        return Err(malformed("its length is not that of its message"));
    }
    Ok(message.to_vec())
}

/// What a connection has running.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

/// Ends them. They hold the set that they are in, so that it would not end by itself.
struct Ended(Tasks);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_framed_and_back() {
        assert_eq!(message(&framed(b"abc")).unwrap(), b"abc");
        for bytes in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02a", b"\x01\0\0\0\x01a"] {
            assert!(message(bytes).is_err(), "{bytes:?}");
        }
    }
}
