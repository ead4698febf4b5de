//! In and out.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::html;

use super::{
    Failure, Web,
    fields::Fields,
    layout,
    session::{Form, Session, csrf, set_cookie, token, unset_cookie},
};
use crate::store::{Entry, Known, Secret, StoreError, hash, password, user_name};

pub(super) async fn page(headers: HeaderMap, asked: Fields) -> Result<Response, Failure> {
    let next = asked.exact("next").filter(|next| is_ours(next)).unwrap_or_default();
    // The form of somebody without a session is to be one of ours as well. Who has a token keeps it until they are in.
    Ok(match token(&headers).filter(|token| !token.is_empty()) {
        Some(token) => form(&csrf(token), next, None).into_response(),
        None => {
            let token = Secret::random("")?;
            let cookie = [(header::SET_COOKIE, set_cookie(token.reveal()))];
            (cookie, form(&csrf(token.reveal()), next, None)).into_response()
        }
    })
}

fn form(csrf: &str, next: &str, wrong: Option<&str>) -> layout::Page {
    let body = html! {
        h1 { "Log in" }
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
        form.stacked method="post" action="/login" {
            (layout::csrf_field(csrf))
            input type="hidden" name="next" value=(next);
            label for="name" { "Name" }
            input id="name" name="name" autocomplete="username" autocapitalize="none" required autofocus maxlength="64";
            label for="password" { "Password" }
            input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256";
            button.primary type="submit" { "Log in" }
        }
    };
    layout::bare("Log in", body)
}

/// Whether this leads to a page here, and nowhere else.
fn is_ours(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) async fn log_in(
    State(web): State<Arc<Web>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    let shown = token(&headers).unwrap_or_default();
    let next = sent.exact("next").filter(|next| is_ours(next)).unwrap_or("/");
    let again = |status, wrong: &str| (status, form(&csrf(shown), next, Some(wrong))).into_response();
    // What is no name is nobody's, and counts all the same.
    let name = user_name(sent.one("name").unwrap_or_default()).unwrap_or_default();
    let password = sent.exact("password").unwrap_or_default();
    if password.chars().count() > password::LONGEST {
        return Ok(again(StatusCode::UNAUTHORIZED, WRONG));
    }
    if let Err(seconds) = web.attempts.begin(&name, from.ip(), Instant::now()) {
        web.metrics.login("limited");
        let wrong = format!("Too many tries. The next one counts in {} minutes.", seconds.div_ceil(60));
        let response = again(StatusCode::TOO_MANY_REQUESTS, &wrong);
        return Ok(([(header::RETRY_AFTER, seconds.to_string())], response).into_response());
    }
    let known = {
        let _place = web.hashing.acquire().await.map_err(|_| StoreError::Closed)?;
        let (name, password) = (name.clone(), password.to_owned());
        web.read(move |reader| reader.user_with(&name, &password)).await?
    };
    match known {
        Known::Right(user) => {
            web.attempts.succeeded(&name, from.ip());
            web.metrics.login("succeeded");
            // A token that somebody else may have put there is worth nothing afterwards.
            let session = web.store.begin_web_session(&user, Some(hash(shown)), web.lasting).await?;
            Ok(([(header::SET_COOKIE, set_cookie(session.reveal()))], Redirect::to(next)).into_response())
        }
        Known::Wrong(user) => {
            let entry =
                Entry::by(user.tenant, &user.name, "log-in failed", "", &format!("from {}", from.ip().to_canonical()));
            web.store.audit(entry).await?;
            web.metrics.login("failed");
            Ok(again(StatusCode::UNAUTHORIZED, WRONG))
        }
        Known::Nobody => {
            web.metrics.login("failed");
            Ok(again(StatusCode::UNAUTHORIZED, WRONG))
        }
    }
}

/// Not which of them.
const WRONG: &str = "Name or password is wrong.";

pub(super) async fn log_out(State(web): State<Arc<Web>>, session: Session) -> Result<Response, Failure> {
    web.store.end_web_session(session.hash, &session.user).await?;
    Ok(([(header::SET_COOKIE, unset_cookie())], Redirect::to("/login")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_log_in_no_other_site_is_led_to() {
        for ours in ["/", "/detections?q=%2F%2Fa", "/audit"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in ["", "//example.org", "/\\example.org", "https://example.org", "javascript:1", "/a\nb", "/\t/x"] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
