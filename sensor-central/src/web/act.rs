//! What analysts do about a detection.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Redirect,
};
use maud::{Markup, html};
use uuid::Uuid;

use super::{
    Failure, Web, layout,
    session::{Form, Session},
};
use crate::store::{Act, Handled, UserRole};

/// Longest comment, characters.
const LONGEST: usize = 4000;

pub(super) async fn act(
    State(web): State<Arc<Web>>,
    session: Session,
    Path((id, what)): Path<(String, String)>,
    Form(sent): Form,
) -> Result<Redirect, Failure> {
    session.must_be(UserRole::Analyst)?;
    let id = Uuid::parse_str(&id).map_err(|_| Failure::NotFound)?;
    let message = sent.one("message").unwrap_or_default().to_owned();
    if message.chars().count() > LONGEST {
        return Err(Failure::TooLarge);
    }
    let act = match what.as_str() {
        "acknowledge" => Act::Acknowledge,
        "close" => Act::Close,
        "reopen" => Act::Reopen,
        "assign" => Act::Assign(sent.one("to").unwrap_or_default().to_owned()),
        "comment" => Act::Comment,
        _ => return Err(Failure::NotFound),
    };
    let tenant = session.user.tenant;
    if web.read(move |reader| reader.handled(tenant, id)).await?.is_none() {
        return Err(Failure::NotFound);
    }
    // That somebody else was quicker shows on the page.
    web.store.act(&session.user, id, act, message).await?;
    Ok(Redirect::to(&format!("/detections/{id}#done")))
}

/// Forms for what can be done now.
pub(super) fn forms(session: &Session, handled: &Handled, users: &[String]) -> Markup {
    if session.user.role < UserRole::Analyst {
        return html! {};
    }
    let id = handled.listed.alert.public_id;
    let form = |what: &str, fields: Markup| {
        html! {
            form.act method="post" action={ "/detections/" (id) "/" (what) } { (layout::csrf(session)) (fields) }
        }
    };
    html! {
        div.acts {
            @if handled.closed.is_none() {
                @if handled.acknowledged.is_none() { (form("acknowledge", html! { button type="submit" { "Acknowledge" } })) }
            } @else {
                (form("reopen", html! { button type="submit" { "Open again" } }))
            }
            (form("assign", html! {
                label for="to" { "Assign to" }
                span.together {
                    select id="to" name="to" {
                        option value="" { "nobody" }
                        @for name in users { option value=(name) selected[*name == handled.assignee || (handled.assignee.is_empty() && *name == session.user.name)] { (name) } }
                    }
                    button type="submit" { "Assign" }
                }
            }))
            (form("comment", html! {
                label for="comment" { "Comment" }
                textarea id="comment" name="message" rows="3" maxlength=(LONGEST) required {}
                button type="submit" { "Say so" }
            }))
            @if handled.closed.is_none() {
                (form("close", html! {
                    label for="why" { "Why it is dealt with" }
                    input id="why" name="message" maxlength=(LONGEST);
                    button.primary type="submit" { "Close" }
                }))
            }
        }
    }
}
