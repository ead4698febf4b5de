//! Faults on purpose, for tests of the sensor's delivery: `dev --fault status=429,retry-after=1,count=3`.
//!
//! A fault is a list of `key=value` with commas between:
//!
//! | key | meaning |
//! | --- | --- |
//! | `status` | answer with this status |
//! | `cut` | (without a value) begin the answer, then end the connection |
//! | `retry-after` | seconds, sent as `Retry-After` |
//! | `delay-ms` | wait so long first |
//! | `count` | how many requests, 1 if not given |
//! | `endpoint` | `alerts`, `events` or `hello` of sensors, or a path such as `/siem/v1/alerts`; else all |
//! | `after` | (without a value) take the request in first: the fault hits the answer alone |
//!
//! Several faults come one after the other, each once the one before is used up.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::channel::Channel;

use crate::ingest::linger;

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    answer: Option<StatusCode>,
    cut: bool,
    retry_after: Option<u32>,
    delay: Duration,
    endpoint: Option<String>,
    after: bool,
    /// Requests that it still hits.
    left: Arc<AtomicU32>,
}

/// The faults to come, in order. None in a service that is not a test's.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Fault>);

/// What is wrong with a fault.
#[derive(Debug, thiserror::Error)]
#[error("--fault: {0}; write it like status=429,retry-after=1,count=3 or cut,after,endpoint=alerts")]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut fault = Self {
            answer: None,
            cut: false,
            retry_after: None,
            delay: Duration::ZERO,
            endpoint: None,
            after: false,
            left: Arc::new(AtomicU32::new(1)),
        };
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let number = || value.parse::<u32>().map_err(|_| FaultError(format!("{key} must be a number")));
            match key {
                "status" => {
                    let status = u16::try_from(number()?).ok().and_then(|status| StatusCode::from_u16(status).ok());
                    fault.answer = Some(status.ok_or_else(|| FaultError("status must be from 100 to 999".into()))?);
                }
                "cut" => fault.cut = true,
                "retry-after" => fault.retry_after = Some(number()?),
                "delay-ms" => fault.delay = Duration::from_millis(number()?.into()),
                "count" => fault.left = Arc::new(AtomicU32::new(number()?)),
                "endpoint" if value.starts_with('/') => fault.endpoint = Some(value.into()),
                "endpoint" => fault.endpoint = Some(format!("/sensor/v1/{value}")),
                "after" => fault.after = true,
                _ => return Err(FaultError(format!("there is no {key:?}"))),
            }
        }
        if fault.answer.is_none() && !fault.cut && fault.delay.is_zero() {
            return Err(FaultError("it needs one of status, cut and delay-ms".into()));
        }
        Ok(fault)
    }
}

impl Faults {
    /// The fault for a request, used up by one.
    fn next(&self, path: &str) -> Option<&Fault> {
        self.0.iter().find(|fault| {
            fault.endpoint.as_deref().is_none_or(|endpoint| endpoint == path)
                && fault.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        })
    }
}

/// Puts the next fault, if there is one, in the way of a request.
pub async fn inject(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    let Some(fault) = faults.next(request.uri().path()) else {
        return next.run(request).await;
    };
    tokio::time::sleep(fault.delay).await;
    if fault.after {
        let answer = next.run(request).await;
        fault.answer_instead_of(answer)
    } else if fault.answer.is_none() && !fault.cut {
        next.run(request).await
    } else {
        let (head, mut body) = request.into_parts();
        linger(&head, &mut body).await;
        fault.answer_instead_of(StatusCode::OK.into_response())
    }
}

impl Fault {
    fn answer_instead_of(&self, answer: Response) -> Response {
        let mut answer = match self.answer {
            Some(status) => (status, "a fault that was asked for with --fault\n").into_response(),
            None => answer,
        };
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.cut {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            let (sender, body) = Channel::<Bytes, std::io::Error>::new(1);
            sender.abort(std::io::Error::other("cut by --fault"));
            *answer.body_mut() = Body::new(body);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_are_used_up() {
        let fault = |text: &str| text.parse::<Fault>().unwrap();
        let faults = Faults(vec![fault("status=429,count=2,endpoint=alerts"), fault("status=503")]);
        let status = |path| faults.next(path).and_then(|fault| fault.answer).map(|status| status.as_u16());
        assert_eq!(status("/sensor/v1/alerts"), Some(429));
        assert_eq!(status("/sensor/v1/events"), Some(503));
        assert_eq!(status("/sensor/v1/alerts"), Some(429));
        assert_eq!(status("/sensor/v1/alerts"), None);
    }

    #[test]
    fn a_fault_that_does_nothing_is_refused() {
        for text in ["", "count=3", "status=x", "status=99999", "cut,sometimes"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
