//! Views: filters of the list of detections that somebody keeps under a name. Each sees their own alone.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    Failure, Web,
    fields::Fields,
    filter::Filter,
    layout::{self, Place},
    session::{Form, Session},
};
use crate::store::{MOST_VIEWS, View};

/// Longest name, characters.
const LONGEST: usize = 50;

/// Keeps the filter that is shown.
pub(super) async fn keep(State(web): State<Arc<Web>>, session: Session, Form(sent): Form) -> Result<Response, Failure> {
    let name = sent.one("name").unwrap_or_default().to_owned();
    if !(1..=LONGEST).contains(&name.chars().count()) {
        return Ok(refused(&session, &format!("A view's name has 1 to {LONGEST} characters.")));
    }
    // What is kept is what the list understands, and nothing else.
    let asked = Fields::parse(sent.one("query").unwrap_or_default());
    let query = match Filter::read(&asked, crate::now() / 1_000_000) {
        Ok(filter) => filter.query(),
        Err(misunderstood) => return Ok(refused(&session, &misunderstood.to_string())),
    };
    if web.store.keep_view(session.user.id, name, query.clone()).await? {
        Ok(Redirect::to(&format!("/detections?{query}")).into_response())
    } else {
        Ok(refused(&session, &format!("There are {MOST_VIEWS} views, which are the most: remove one first.")))
    }
}

pub(super) async fn forget(
    State(web): State<Arc<Web>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    if web.store.forget_view(session.user.id, id).await? {
        Ok(Redirect::to("/detections"))
    } else {
        Err(Failure::NotFound)
    }
}

fn refused(session: &Session, why: &str) -> Response {
    let body = html! {
        h1 { "Views" }
        p.wrong role="alert" { (why) " Nothing was kept." }
        p { a href="/detections" { "Back to the detections" } }
    };
    (StatusCode::BAD_REQUEST, layout::page(session, Place::Detections, "Views", body)).into_response()
}

/// Those there are, and a form to keep what is shown.
pub(super) fn shown(session: &Session, views: &[View], filter: &Filter) -> Markup {
    let query = filter.query();
    let current = views.iter().find(|view| view.query == query);
    html! {
        @if !views.is_empty() {
            nav.views aria-label="Views" {
                ul {
                    @for view in views {
                        li {
                            a href={ "/detections?" (view.query) } aria-current=[(view.query == query).then_some("page")] { (view.name) }
                        }
                    }
                }
            }
        }
        @if let Some(view) = current {
            form.view method="post" action={ "/views/" (view.id) "/remove" } {
                (layout::csrf(session))
                button type="submit" { "Remove the view “" (view.name) "”" }
            }
        } @else if !filter.is_empty() {
            form.view method="post" action="/views" {
                (layout::csrf(session))
                input type="hidden" name="query" value=(query);
                label for="view-name" { "Keep this filter as" }
                span.together {
                    input id="view-name" name="name" maxlength=(LONGEST) required autocomplete="off";
                    button type="submit" { "Keep" }
                }
            }
        }
    }
}
