//! The list of detections.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Failure, Web,
    fields::Fields,
    filter::{Filter, Misunderstood, SPANS, STATES, write_place},
    layout::{self, Place as Here},
    plot,
    session::Session,
    views,
};
use crate::{
    attack,
    severity::{DEGREES, Severity},
    store::{Counted, LOOKS, Listed, Listing, Place, Sought, View},
    told,
};

/// Detections in a page.
const PAGE: usize = 50;

/// What is plotted if no time is asked for, milliseconds.
const DAY: i64 = 24 * 3_600_000;

/// The place before which everything is.
const NEWEST: Place = Place { raised: i64::MAX, row: 0 };

pub(super) async fn page(State(web): State<Arc<Web>>, session: Session, asked: Fields) -> Result<Response, Failure> {
    let now = crate::now() / 1_000_000;
    let filter = match Filter::read(&asked, now) {
        Ok(filter) => filter,
        Err(misunderstood) => return Ok(refused(&session, &misunderstood)),
    };
    if asked.has_empty() {
        // As a form sends it. What is kept or sent on is to be short.
        return Ok(Redirect::to(&format!("/detections?{}", filter.query())).into_response());
    }
    let (tenant, sought, before) = (session.user.tenant, filter.sought.clone(), filter.before.unwrap_or(NEWEST));
    let user = session.user.id;
    let (newest, listing, plotted, views) = web
        .read(move |reader| {
            // Before the page is read: what comes in meanwhile is told later, twice rather than not at all.
            let newest = reader.newest_place(tenant)?;
            let listing = reader.listing(tenant, &sought, before, PAGE)?;
            let plotted = plotted(&sought, now);
            let counts = reader.counts(tenant, &plotted, plot::BARS)?;
            Ok((newest, listing, counts.map(|counts| (plotted, counts)), reader.views(user)?))
        })
        .await?;
    Ok(show(&session, &filter, newest, &listing, plotted.as_ref(), &views).into_response())
}

/// The same with a time from when till when.
fn plotted(sought: &Sought, now: i64) -> Sought {
    let to = sought.to.unwrap_or(now + 1);
    Sought { from: sought.from.or(Some(to - DAY)), to: Some(to), ..sought.clone() }
}

fn refused(session: &Session, misunderstood: &Misunderstood) -> Response {
    let body = html! {
        h1 { "Detections" }
        p.wrong role="alert" { (misunderstood) }
        p { a href="/detections" { "All detections" } }
    };
    (StatusCode::BAD_REQUEST, layout::page(session, Here::Detections, "Detections", body)).into_response()
}

fn show(
    session: &Session,
    filter: &Filter,
    newest: Place,
    listing: &Listing,
    plotted: Option<&(Sought, Vec<Counted>)>,
    views: &[View],
) -> layout::Page {
    let query = filter.query();
    // Only what is newer than all that is shown can be added above.
    let live = filter.before.is_none() && filter.sought.to.is_none();
    let live = live.then(|| format!("/detections/live?{query}&after={}", write_place(newest)));
    let body = html! {
        h1 { "Detections" }
        (form(filter, &listing.found))
        (views::shown(session, views, filter))
        @if let Some((sought, counts)) = plotted { (plot::draw(sought, counts)) }
        div.above {
            p.hint { "Newest arrivals first. Times are UTC, by the clock of the host." }
            p.live hidden { button type="button" id="pause" aria-pressed="false" { "Pause live updates" } " " span id="news" role="status" {} }
        }
        div.scroll {
            table.detections role="table" aria-label="Detections" {
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["Priority", "Time", "Policy", "Host", "User", "Container", "Tactic", "What happened"] {
                            th scope="col" role="columnheader" { (name) }
                        }
                    }
                }
                tbody id="found" role="rowgroup" data-live=[live] {
                    @for listed in &listing.found { (row(listed)) }
                }
            }
        }
        @if listing.found.is_empty() && !listing.is_cut {
            p.nothing { @if filter.is_empty() { "No sensor has told of anything yet." } @else { "Nothing that came in is like this." } }
        }
        @if let Some(next) = listing.next {
            @if listing.is_cut {
                p.hint { "Looked at " (LOOKS) " detections, back to " (layout::time(next.raised * 1_000_000)) "; a host, a user or a time makes it quicker." }
            }
            p { a.button href={ "/detections?" (query) "&before=" (write_place(next)) } { @if listing.is_cut { "Look further back" } @else { "Older detections" } } }
        }
        script src="/assets/live.js" defer {}
    };
    layout::page(session, Here::Detections, "Detections", body)
}

/// One of the list.
pub(super) fn row(listed: &Listed) -> Markup {
    let Listed { alert, user, container, is_closed, .. } = listed;
    let told = told::value(&alert.json);
    let priority = Severity::of_number(alert.severity).priority;
    html! {
        tr role="row" class=[is_closed.then_some("closed")] {
            td.priority role="cell" { span class={ "badge " (priority.to_ascii_lowercase()) } { (priority) } @if *is_closed { " " span.state { "closed" } } }
            td.time role="cell" { (layout::time(alert.time)) }
            td.policy role="cell" { a href={ "/detections/" (alert.public_id) } { (alert.policy) } }
            td.host role="cell" { (alert.host) }
            td.user role="cell" { (user) }
            td.container role="cell" { (short(container)) }
            td.tactic role="cell" { (tactics(&told)) }
            td.what role="cell" { (what(&told)) }
        }
    }
}

/// As people write the id of a container.
pub(super) fn short(container: &str) -> &str {
    container.get(..12).unwrap_or(container)
}

fn tactics(told: &Value) -> String {
    let categories = told["categories"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let tactics: BTreeSet<&str> = categories.filter_map(attack::technique).map(|technique| technique.tactic).collect();
    tactics.into_iter().collect::<Vec<_>>().join(", ")
}

/// What happened, in a sentence: what was seen rather than what the policy is about.
pub(super) fn what(told: &Value) -> &str {
    let texts = [&told["notifications"][0]["message"], &told["description"]];
    texts.into_iter().filter_map(Value::as_str).find(|text| !text.is_empty()).unwrap_or_default()
}

fn form(filter: &Filter, found: &[Listed]) -> Markup {
    let further = ["user", "container", "policy", "incident", "tactic", "state", "from", "to"];
    let is_open = further.iter().any(|name| !filter.said(name).is_empty());
    let priorities = DEGREES.map(|degree| (degree.priority, degree.priority));
    let text = |name: &'static str, label: &str, hint: &str, known: BTreeSet<&str>| {
        let list = format!("known-{name}");
        html! {
            div {
                label for=(name) { (label) }
                input id=(name) name=(name) value=(filter.said(name)) list=[(!known.is_empty()).then_some(&list)] placeholder=[(!hint.is_empty()).then_some(hint)] maxlength="300" autocomplete="off";
                @if !known.is_empty() { datalist id=(list) { @for value in known { option value=(value); } } }
            }
        }
    };
    let choice = |name: &'static str, label: &str, any: &str, known: &[(&str, &str)]| {
        let said = filter.said(name);
        html! {
            div {
                label for=(name) { (label) }
                select id=(name) name=(name) {
                    option value="" { (any) }
                    @for (word, text) in known { option value=(word) selected[word.eq_ignore_ascii_case(said)] { (text) } }
                }
            }
        }
    };
    let of = |value: fn(&Listed) -> &str| found.iter().map(value).filter(|value| !value.is_empty()).collect();
    let tactics = attack::tactic_names();
    html! {
        form.filter method="get" action="/detections" role="search" aria-label="Detections" {
            div.fields {
                (text("q", "Text", "words of the alert", BTreeSet::new()))
                (text("host", "Host", "", of(|listed| &listed.alert.host)))
                (choice("priority", "Priority", "any", &priorities))
                (choice("since", "Came in", "at any time", &SPANS.map(|(word, text, _)| (word, text))))
            }
            details open[is_open] {
                summary { "More" }
                div.fields {
                    (text("user", "User", "", of(|listed| &listed.user)))
                    (text("container", "Container", "the whole id", of(|listed| &listed.container)))
                    (text("policy", "Policy", "", of(|listed| &listed.alert.policy)))
                    (choice("tactic", "Tactic", "any", &tactics.map(|name| (name, name))))
                    (choice("state", "State", "any", &STATES.map(|(word, text, _)| (word, text))))
                    (text("incident", "Incident", "", BTreeSet::new()))
                    (text("from", "Came in from (UTC)", "2026-11-29 08:00", BTreeSet::new()))
                    (text("to", "Came in before (UTC)", "2026-11-29 09:00", BTreeSet::new()))
                }
            }
            div.buttons {
                button.primary type="submit" { "Show" }
                @if !filter.is_empty() { a.button href="/detections" { "Show all" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::store::StoredAlert;

    #[test]
    fn what_was_seen_comes_before_what_the_policy_is_about() {
        let told = json!({ "notifications": [{ "message": "seen" }], "description": "about" });
        assert_eq!(what(&told), "seen");
        assert_eq!(what(&json!({ "description": "about" })), "about");
        assert_eq!(what(&json!(null)), "");
        assert_eq!(tactics(&json!({ "categories": ["MITRE.B.x (T1)", "no", "MITRE.A.y", "MITRE.B.z"] })), "A, B");
        assert_eq!((short("0123456789abcdef"), short("c1")), ("0123456789ab", "c1"));
    }

    /// A label of a container has the name that its maker likes, which must not hide what was done in it.
    #[test]
    fn no_name_of_a_label_hides_what_was_seen() {
        let json = r#"{"location": {"container_labels": {"$serde_json::private::RawValue": "x", "app": "web"}},
            "notifications": [{"message": "seen"}]}"#;
        let told = told::value(json);
        assert_eq!(what(&told), "seen");
        assert_eq!(told["location"]["container_labels"]["$serde_json::private::RawValue"], "x");
        let alert = StoredAlert {
            place: Place { raised: 1, row: 1 },
            public_id: Uuid::nil(),
            sensor: String::new(),
            time: 1,
            severity: 8,
            policy: "policy".into(),
            host: "host".into(),
            json: json.into(),
        };
        let [user, container, incident] = Default::default();
        let row = row(&Listed { alert, user, container, incident, is_closed: false }).into_string();
        assert!(row.contains(">seen<"), "{row}");
    }
}
