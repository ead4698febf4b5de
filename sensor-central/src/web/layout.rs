//! What every page has around it.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::{guard::FIELD, session::Session};
use crate::{detections::point_in_time, store::UserRole};

/// A page as it is sent.
pub(super) type Page = Html<String>;

/// The pages that others lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Detections,
    Sensors,
    Audit,
}

/// Name, path and least role of each.
const PLACES: [(Place, &str, &str, UserRole); 3] = [
    (Place::Detections, "Detections", "/detections", UserRole::Reader),
    (Place::Sensors, "Sensors", "/sensors", UserRole::Reader),
    (Place::Audit, "Audit log", "/audit", UserRole::Admin),
];

/// A page for somebody who has logged in.
pub(super) fn page(session: &Session, place: Place, title: &str, body: Markup) -> Page {
    let user = &session.user;
    let shown = PLACES.iter().filter(|(.., role)| user.role >= *role);
    whole(
        title,
        html! {
            header {
                a.skip href="#main" { "Skip to the content" }
                span.brand { "Central" }
                nav aria-label="Pages" {
                    ul {
                        @for (other, name, path, _) in shown {
                            li { a href=(path) aria-current=[(*other == place).then_some("page")] { (name) } }
                        }
                    }
                }
                form.logout method="post" action="/logout" {
                    (csrf(session))
                    span.who { (user.name) " " span.role { "(" (user.role.name()) ")" } }
                    button type="submit" { "Log out" }
                }
            }
            main id="main" tabindex="-1" { (body) }
        },
    )
}

/// A page for anybody.
pub(super) fn bare(title: &str, body: Markup) -> Page {
    whole(
        title,
        html! {
            header { span.brand { "Central" } }
            main.narrow id="main" { (body) }
        },
    )
}

/// A point in time, nanoseconds since the Unix epoch: for people, and for programs.
pub(super) fn time(nanoseconds: i64) -> Markup {
    let text = point_in_time(nanoseconds);
    html! { time datetime=(text) { (text.replace('T', " ").trim_end_matches('Z')) } }
}

/// The field that shows that a form is one of ours.
pub(super) fn csrf(session: &Session) -> Markup {
    csrf_field(&session.csrf)
}

pub(super) fn csrf_field(value: &str) -> Markup {
    html! { input type="hidden" name=(FIELD) value=(value); }
}

fn whole(title: &str, body: Markup) -> Page {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Central" }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
            }
            body { (body) }
        }
    };
    Html(page.into_string())
}
