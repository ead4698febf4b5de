//! Tokens that let sensors in: made with the block to paste, and revoked.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    Failure, Web,
    layout::{self, Page, Place, time},
    session::{Form, Session},
};
use crate::{
    sensors,
    store::{AccessToken, NewToken, UserRole},
};

const DAY: i64 = 24 * 3600 * 1_000_000_000;

/// Most days until one expires: a hundred years.
const LONGEST: i64 = 36_500;

pub(super) async fn page(State(web): State<Arc<Web>>, session: Session) -> Result<Page, Failure> {
    session.must_be(UserRole::Admin)?;
    show(&web, &session, html! {}).await
}

async fn show(web: &Web, session: &Session, told: Markup) -> Result<Page, Failure> {
    let tenant = session.user.tenant;
    let found = web.read(move |reader| reader.access_tokens(tenant)).await?;
    let now = crate::now();
    let body = html! {
        p.up { a href="/sensors" { "Sensors" } }
        h1 { "Tokens of sensors" }
        (told)
        h2 { "Add a sensor" }
        p { "A token lets in any number of sensors. It is shown once; the database has its SHA-256." }
        form.stacked.narrow-form method="post" action="/tokens" {
            (layout::csrf(session))
            label for="label" { "What it is for" }
            input id="label" name="label" required maxlength="50" autocomplete="off";
            label for="days" { "Days until it expires; without any, it never does" }
            input id="days" name="days" type="number" min="1" max=(LONGEST);
            button.primary type="submit" { "Make a token" }
        }
        h2 { "Tokens there are" }
        div.scroll {
            table.list role="table" aria-label="Tokens" {
                thead role="rowgroup" { tr role="row" { @for name in ["For", "Made (UTC)", "Expires (UTC)", ""] { th scope="col" role="columnheader" { (name) @if name.is_empty() { span.skip { "Revoke" } } } } } }
                tbody role="rowgroup" { @for token in &found { (row(session, token, now)) } }
            }
        }
        @if found.is_empty() { p.nothing { "There are none: no sensor can deliver." } }
    };
    Ok(layout::page(session, Place::Sensors, "Tokens of sensors", body))
}

fn row(session: &Session, token: &AccessToken, now: i64) -> Markup {
    html! {
        tr role="row" {
            td.label role="cell" { (token.label) }
            td.time role="cell" { (time(token.created)) }
            td.time role="cell" {
                @match token.expires {
                    Some(expires) => { (time(expires)) @if expires <= now { " " span.state { "expired" } } },
                    None => "never",
                }
            }
            td role="cell" {
                form method="post" action={ "/tokens/" (token.id) "/revoke" } {
                    (layout::csrf(session))
                    button type="submit" aria-label={ "Revoke " (token.label) } { "Revoke" }
                }
            }
        }
    }
}

pub(super) async fn make(
    State(web): State<Arc<Web>>,
    session: Session,
    uri: Uri,
    headers: HeaderMap,
    Form(sent): Form,
) -> Result<Response, Failure> {
    session.must_be(UserRole::Admin)?;
    let label = sent.one("label").unwrap_or_default().to_owned();
    let wrong = |text: &str| html! { p.wrong role="alert" { (text) } };
    let refused =
        async |text: &str| Ok((StatusCode::BAD_REQUEST, show(&web, &session, wrong(text)).await?).into_response());
    if !(1..=50).contains(&label.chars().count()) {
        return refused("What it is for takes 1 to 50 characters; no token was made.").await;
    }
    let days = sent.one("days").map(|text| text.parse::<i64>().ok().filter(|days| (1..=LONGEST).contains(days)));
    if days == Some(None) {
        return refused("The days must be a whole number, 1 at least; no token was made.").await;
    }
    let tenant = session.user.tenant;
    let expires = days.flatten().map(|days| crate::now() + days * DAY);
    let token = web.store.issue_token(&session.user, NewToken { tenant, label: label.clone(), expires }).await?;
    let url = format!("https://{}:{}", host(&uri, &headers), web.sensors_port);
    let block = sensors::configuration(&tenant.to_string(), &url, token.reveal(), None);
    let told = html! {
        section.panel role="status" {
            h2 { "For “" (label) "”" }
            p { "Put this into the sensor's " code { "/etc/sophos/runtimedetections.yaml" } ", and the certificate of the authority that signed Central's, with its revocation list, into " code { "/etc/sophos" } " as " code { "sophosca1.crt" } " and " code { "sophosca1.crl" } ". If sensors reach Central by another name, write that." }
            pre.block tabindex="0" { (block) }
            p { strong { "The token is shown this once." } }
        }
    };
    Ok(show(&web, &session, told).await?.into_response())
}

/// The name by which the browser came here: sensors may know the same.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    let of_header = || headers.get(header::HOST)?.to_str().ok();
    let host = uri.authority().map(|authority| authority.as_str()).or_else(of_header).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        // Not within the brackets of an address of version 6.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_of_name) { name } else { "central.example" }
}

pub(super) async fn revoke(
    State(web): State<Arc<Web>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    session.must_be(UserRole::Admin)?;
    if web.store.revoke_token(&session.user, id).await? { Ok(Redirect::to("/tokens")) } else { Err(Failure::NotFound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_host_is_without_its_port_and_never_anything_else() {
        let of = |authority: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, authority.parse().unwrap());
            host(&Uri::from_static("/"), &headers).to_owned()
        };
        for (authority, name) in [
            ("central.example.org:8444", "central.example.org"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:8444", "[::1]"),
            ("[::1]", "[::1]"),
            ("a b", "central.example"),
            ("x\"y:1", "central.example"),
            ("", "central.example"),
        ] {
            assert_eq!(of(authority), name, "{authority}");
        }
        assert_eq!(host(&Uri::from_static("https://a:1/"), &HeaderMap::new()), "a");
    }
}
