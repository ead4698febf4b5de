//! What holds for all pages: nothing is changed that was not asked for on a page of ours, and browsers are told to run,
//! load, frame and keep nothing but that.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use subtle::ConstantTimeEq as _;

use super::{BODY, Failure, fields::Fields, session};

/// The field of a form that shows that it is one of ours.
pub(super) const FIELD: &str = "csrf";

/// There is no `Strict-Transport-Security`: it would hold for all that the same host serves at other ports.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-robots-tag", "noindex"),
];

pub(super) async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // What is on a page is for who asked, now.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what changes something and does not come from a page of ours. Here, and not in each page, so that none forgets.
pub(super) async fn forged(request: Request, next: Next) -> Response {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return next.run(request).await;
    }
    match checked(request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

async fn checked(request: Request) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    // Browsers say from where a form was sent; nothing else need.
    let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return Err(Failure::Forged);
    }
    let body = to_bytes(body, BODY).await.map_err(|_| Failure::TooLarge)?;
    let sent = Fields::parse(&String::from_utf8_lossy(&body));
    let wanted = session::token(&parts.headers).map(session::csrf).ok_or(Failure::Forged)?;
    let is_ours = bool::from(wanted.as_bytes().ct_eq(sent.exact(FIELD).unwrap_or_default().as_bytes()));
    if !is_ours {
        return Err(Failure::Forged);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
