//! One detection: what happened, who did it, what belongs to it, and what was done about it.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Failure, Web, act,
    detections::{short, what},
    layout::{self, Page, Place as Here, time},
    lineage,
    session::Session,
};
use crate::{
    attack::{self, Technique},
    severity::Severity,
    store::{Handled, Listed, Place, Sought},
    told,
};

/// Similar ones that are shown.
const SIMILAR: usize = 10;

/// A detection, and what is shown beside it.
struct Shown {
    handled: Handled,
    incident: Vec<Listed>,
    /// Whether the incident has more.
    is_cut: bool,
    similar: Vec<Listed>,
    /// Whom it can be assigned to.
    users: Vec<String>,
}

pub(super) async fn page(
    State(web): State<Arc<Web>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Page, Failure> {
    let id = Uuid::parse_str(&id).map_err(|_| Failure::NotFound)?;
    let tenant = session.user.tenant;
    let shown = web
        .read(move |reader| {
            let Some(handled) = reader.handled(tenant, id)? else { return Ok(None) };
            let (incident, is_cut) = reader.incident(tenant, &handled.listed.incident)?;
            let sought = Sought { policy: Some(handled.listed.alert.policy.clone()), ..Sought::default() };
            let newest = Place { raised: i64::MAX, row: 0 };
            let mut similar = reader.listing(tenant, &sought, newest, SIMILAR + 1)?.found;
            similar.retain(|listed| listed.alert.public_id != id);
            similar.truncate(SIMILAR);
            Ok(Some(Shown { handled, incident, is_cut, similar, users: reader.user_names(tenant)? }))
        })
        .await?;
    Ok(show(&session, &shown.ok_or(Failure::NotFound)?))
}

fn show(session: &Session, shown: &Shown) -> Page {
    let Shown { handled, incident, is_cut, similar, users } = shown;
    let Listed { alert, incident: incident_id, .. } = &handled.listed;
    let told = told::value(&alert.json);
    let priority = Severity::of_number(alert.severity).priority;
    let body = html! {
        p.up { a href="/detections" { "Detections" } }
        h1 { (alert.policy) }
        p.standing {
            span class={ "badge " (priority.to_ascii_lowercase()) } { (priority) }
            span.state { (state(handled)) }
            span { "assigned to " @if handled.assignee.is_empty() { "nobody" } @else { strong { (handled.assignee) } } }
        }
        div.sides {
            div {
                section aria-labelledby="what" {
                    h2 id="what" { "What happened" }
                    (happened(&told))
                }
                section aria-labelledby="who" {
                    h2 id="who" { "Who did it" }
                    (lineage::draw(&told))
                }
                section aria-labelledby="incident" {
                    h2 id="incident" { "The incident, in order of time" }
                    @if *is_cut { p.hint { "These are the newest; " a href={ "/detections?incident=" (incident_id) } { "all of them" } "." } }
                    (others(incident, Some(alert.public_id)))
                }
                section aria-labelledby="similar" {
                    h2 id="similar" { "Others of the same policy" }
                    @if similar.is_empty() { p { "None." } } @else {
                        (others(similar, None))
                        p { a href={ "/detections?" (query("policy", &alert.policy)) } { "All of this policy" } }
                    }
                }
            }
            div {
                section.panel aria-labelledby="done" {
                    h2 id="done" { "What was done" }
                    (history(handled))
                    (act::forms(session, handled, users))
                }
                section.panel aria-labelledby="facts" {
                    h2 id="facts" { "Facts" }
                    (facts(handled, &told))
                }
                section.panel aria-labelledby="attack" {
                    h2 id="attack" { "MITRE ATT&CK" }
                    (techniques(&told))
                }
            }
        }
        details.raw {
            summary { "The alert as the sensor told it (JSON)" }
            pre tabindex="0" { (serde_json::to_string_pretty(&told).unwrap_or_else(|_| alert.json.clone())) }
        }
    };
    layout::page(session, Here::Detections, &alert.policy, body)
}

fn state(handled: &Handled) -> &'static str {
    match (handled.closed, handled.acknowledged) {
        (Some(_), _) => "closed",
        (None, Some(_)) => "acknowledged",
        (None, None) => "open",
    }
}

/// What the sensor saw, what the policy is about, and what its author advises.
fn happened(told: &Value) -> Markup {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let notifications = told["notifications"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (about, advice) = (text(&told["description"]), text(&told["comments"]));
    html! {
        @if notifications.len() == 1 { p.seen { (text(&notifications[0]["message"])) } }
        @if notifications.len() > 1 { ol.seen { @for seen in notifications { li { (text(&seen["message"])) } } } }
        @if !about.is_empty() { p { (about) } }
        @if !advice.is_empty() { h3 { "What to do" } p { (advice) } }
        @if told["alert_truncated"] == true { p.hint { "The sensor's output cut all but this away (max_bytes)." } }
    }
}

fn others(found: &[Listed], this: Option<Uuid>) -> Markup {
    html! {
        ol.others {
            @for listed in found {
                @let told = told::value(&listed.alert.json);
                @let is_this = Some(listed.alert.public_id) == this;
                li aria-current=[is_this.then_some("true")] {
                    (time(listed.alert.time)) " "
                    @if is_this { strong { (listed.alert.policy) } " (this one)" }
                    @else { a href={ "/detections/" (listed.alert.public_id) } { (listed.alert.policy) } }
                    " on " (listed.alert.host)
                    @if !listed.user.is_empty() { " by " (listed.user) }
                    @if !what(&told).is_empty() { div.hint { (what(&told)) } }
                }
            }
        }
    }
}

fn facts(handled: &Handled, told: &Value) -> Markup {
    let Listed { alert, user, container, incident, .. } = &handled.listed;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let linked = |name: &'static str, value: &str| html! { a href={ "/detections?" (query(name, value)) } { (value) } };
    let facts: [(&str, Option<Markup>); 12] = [
        ("Happened", Some(time(alert.time))),
        ("Came in", Some(time(handled.received))),
        ("Host", some(&alert.host).map(|host| linked("host", host))),
        ("User", some(user).map(|user| linked("user", user))),
        (
            "Container",
            some(container)
                .map(|id| html! { a href={ "/detections?" (query("container", id)) } title=(id) { (short(id)) } }),
        ),
        ("Policy", Some(linked("policy", &alert.policy))),
        ("Kind of policy", plain(&text(&told["policy_type"]))),
        ("Rule", some(&text(&told["matched_rule"])).map(|rule| html! { code { (rule) } })),
        ("Confidence", plain(&text(&told["confidence"]))),
        ("Scope", plain(&text(&told["scope"]))),
        ("Incident", some(incident).map(|id| linked("incident", id))),
        ("Alert", plain(&text(&told["uuid"]))),
    ];
    html! {
        dl.facts { @for (name, value) in facts { @if let Some(value) = value { dt { (name) } dd { (value) } } } }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn plain(text: &str) -> Option<Markup> {
    some(text).map(|text| html! { (text) })
}

fn query(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

fn history(handled: &Handled) -> Markup {
    html! {
        @if handled.history.is_empty() { p { "Nothing yet." } }
        ol.history {
            @for done in &handled.history {
                li {
                    (time(done.time)) " " strong { (done.by) } " " (did(&done.action))
                    @if !done.message.is_empty() { @if done.action == "assign" { " " (done.message) } @else { blockquote { (done.message) } } }
                }
            }
        }
    }
}

fn did(action: &str) -> &str {
    match action {
        "seen" => "acknowledged it",
        // Of the public API.
        "acknowledge" | "close" => "closed it",
        "reopen" => "opened it again",
        "assign" => "assigned it to",
        "comment" => "said",
        other => other,
    }
}

fn techniques(told: &Value) -> Markup {
    let categories = told["categories"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let found: Vec<Technique<'_>> = categories.filter_map(attack::technique).collect();
    html! {
        @if found.is_empty() { p { "The policy names none." } }
        ul.techniques {
            @for technique in &found {
                li {
                    (technique.tactic) @if !technique.tactic_id.is_empty() { " (" (technique.tactic_id) ")" } ": "
                    @match described_at(technique.id) {
                        Some(address) => a href=(address) rel="noreferrer" { (technique.name) " (" (technique.id) ")" },
                        None => (technique.name),
                    }
                }
            }
        }
    }
}

/// Where MITRE describes a technique: of `T1547.006`, a page below that of `T1547`.
fn described_at(id: &str) -> Option<String> {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = id.strip_prefix('T')?;
    let (first, second) = number.split_once('.').map_or((number, None), |(first, second)| (first, Some(second)));
    (digits(first, 4) && second.is_none_or(|second| digits(second, 3)))
        .then(|| format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_described_by_mitre() {
        assert_eq!(described_at("T1014").as_deref(), Some("https://attack.mitre.org/techniques/T1014/"));
        assert_eq!(described_at("T1547.006").as_deref(), Some("https://attack.mitre.org/techniques/T1547/006/"));
        for other in ["", "T1", "T1014.1", "T1014.0061", "TA0001", "T1014/../..", "T१२३४"] {
            assert_eq!(described_at(other), None, "{other}");
        }
    }
}
