//! Files that pages load, built in.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse as _, Response},
};

use super::Failure;

const ASSETS: [(&str, &str, &str); 3] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("assets/live.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Failure> {
    let (_, kind, text) = ASSETS.iter().find(|(known, ..)| *known == name).ok_or(Failure::NotFound)?;
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "max-age=300")], *text).into_response())
}
