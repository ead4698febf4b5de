//! Who asks: known by a cookie that no script can read and that no other site's page is sent with.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{DOCTYPE, html};
use sha2::{Digest as _, Sha256};

use super::{Failure, Web, fields::Fields};
use crate::store::{User, UserRole, hash};

/// With this prefix a browser takes it from us alone, over TLS alone, for the whole host.
const COOKIE: &str = "__Host-session";

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: User,
    /// What forms of theirs have to show.
    pub(super) csrf: String,
    /// Of the cookie's token.
    pub(super) hash: [u8; 32],
}

impl Session {
    /// Refuses those whose role is less.
    pub(super) fn must_be(&self, role: UserRole) -> Result<(), Failure> {
        if self.user.role >= role { Ok(()) } else { Err(Failure::NotAllowed { needed: role }) }
    }
}

/// The token of a request's cookie.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token)
}

/// What a form has to show: known to pages that were made for who has this token, and nothing that leads back to it.
pub(super) fn csrf(token: &str) -> String {
    let digest = Sha256::new().chain_update("form:").chain_update(token).finalize();
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A header that makes a browser show this token.
pub(super) fn set_cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// A header that makes a browser forget it.
pub(super) fn unset_cookie() -> String {
    format!("{}; Max-Age=0", set_cookie(""))
}

impl FromRequestParts<Arc<Web>> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let Some(token) = token(&parts.headers) else {
            return Err(if came_from_elsewhere(&parts.headers) { once_more() } else { to_login(parts) });
        };
        let hash = hash(token);
        let found = web.store.web_session(hash, web.lasting).await;
        let found = found.map_err(|error| Failure::from(error).into_response())?;
        let user = found.ok_or_else(|| to_login(parts))?;
        Ok(Self { user, csrf: csrf(token), hash })
    }
}

/// Whether a link on another site was followed: the cookie stays away then, whether there is one or not.
fn came_from_elsewhere(headers: &HeaderMap) -> bool {
    let is = |name, value: &str| headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes());
    is("sec-fetch-site", "cross-site") && is("sec-fetch-mode", "navigate")
}

/// A page that asks for itself again, now from here, and so with the cookie: a link to a detection in a chat leads to it.
fn once_more() -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Central" } meta http-equiv="refresh" content="0"; }
            body { p { "One moment …" } }
        }
    };
    axum::response::Html(page.into_string()).into_response()
}

fn to_login(parts: &Parts) -> Response {
    let asked = parts.uri.path_and_query().map(|asked| asked.as_str()).filter(|asked| *asked != "/");
    match asked.filter(|_| parts.method == Method::GET) {
        Some(asked) => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", asked).finish();
            Redirect::to(&format!("/login?{query}")).into_response()
        }
        None => Redirect::to("/login").into_response(),
    }
}

/// A form as it was sent. That it is one of ours is known already.
pub(super) struct Form(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        // The guard has read it whole.
        let body = Bytes::from_request(request, state).await.unwrap_or_default();
        Ok(Self(Fields::parse(&String::from_utf8_lossy(&body))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        headers.append(header::COOKIE, "a=b; session=no; __Host-session=abc; c=d".parse().unwrap());
        assert_eq!(token(&headers), Some("abc"));
        assert_ne!(csrf("abc"), csrf("abd"));
        assert!(!csrf("abc").contains("abc"));
    }
}
