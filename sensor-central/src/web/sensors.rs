//! The fleet: which sensors there are and how they do, those that need somebody first.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use maud::{Markup, html};

use super::{
    Failure, Web,
    fields::Fields,
    layout::{self, Page, Place, time},
    session::Session,
};
use crate::store::{Fleet, Health, UserRole, Watched};

/// Sensors in a page.
const PAGE: u32 = 100;

/// A clock that is this far off is told, nanoseconds.
const SKEWED: i64 = 5_000_000_000;

pub(super) async fn page(State(web): State<Arc<Web>>, session: Session, asked: Fields) -> Result<Page, Failure> {
    let host = asked.one("host").unwrap_or_default().to_lowercase();
    let skip = asked.one("skip").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let (tenant, now, part) = (session.user.tenant, crate::now(), host.clone());
    let mut fleet = web.read(move |reader| reader.fleet(tenant, &part, skip.into(), PAGE + 1, now)).await?;
    let has_more = fleet.sensors.len() > PAGE as usize;
    fleet.sensors.truncate(PAGE as usize);
    let body = html! {
        h1 { "Sensors" }
        (summary(&fleet))
        form.filter method="get" action="/sensors" role="search" aria-label="Sensors" {
            div.fields { div { label for="host" { "Host" } input id="host" name="host" value=(host) maxlength="300" placeholder="part of its name"; } }
            div.buttons {
                button.primary type="submit" { "Show" }
                @if session.user.role >= UserRole::Admin { a.button href="/tokens" { "Add a sensor" } }
            }
        }
        div.scroll {
            table.list role="table" aria-label="Sensors" {
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["State", "Host", "Last seen (UTC)", "Lost in a day", "Version", "Kernel", "System", "Sensor"] {
                            th scope="col" role="columnheader" { (name) }
                        }
                    }
                }
                tbody role="rowgroup" { @for sensor in &fleet.sensors { (row(sensor, now)) } }
            }
        }
        @if fleet.sensors.is_empty() { p.nothing { "No sensor has been heard of" @if !host.is_empty() { " whose host is called so" } "." } }
        @if has_more {
            @let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("host", &host).finish();
            p { a.button href={ "/sensors?" (query) "&skip=" (skip.saturating_add(PAGE)) } { "Further sensors" } }
        }
    };
    Ok(layout::page(&session, Place::Sensors, "Sensors", body))
}

fn summary(fleet: &Fleet) -> Markup {
    let counted: Vec<(Health, u64)> =
        Health::ALL.into_iter().zip(fleet.counts).filter(|(_, count)| *count > 0).collect();
    html! {
        @if !counted.is_empty() {
            ul.summary { @for (health, count) in counted { li { span class={ "badge " (class(health)) } { (count) " " (word(health)) } " " span.hint { (meaning(health)) } } } }
        }
    }
}

const fn word(health: Health) -> &'static str {
    match health {
        Health::Tampered => "tampered with",
        Health::Silent => "silent",
        Health::Losing => "losing records",
        Health::Late => "late",
        Health::Unknown => "unknown",
        Health::Good => "well",
    }
}

const fn meaning(health: Health) -> &'static str {
    match health {
        Health::Tampered => "somebody meddled with it",
        Health::Silent => "nothing came for too long",
        Health::Losing => "some events were not seen within a day",
        Health::Late => "nothing came for two hours",
        Health::Unknown => "has not said what it is",
        Health::Good => "",
    }
}

/// The colours are those of priorities.
const fn class(health: Health) -> &'static str {
    match health {
        Health::Tampered | Health::Silent => "high",
        Health::Losing | Health::Late => "medium",
        Health::Unknown => "info",
        Health::Good => "low",
    }
}

fn row(watched: &Watched, now: i64) -> Markup {
    let sensor = &watched.sensor;
    let metadata: BTreeMap<String, String> = serde_json::from_str(&sensor.metadata).unwrap_or_default();
    let fact = |name: &str| metadata.get(name).map_or("", String::as_str);
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("host", &sensor.hostname).finish();
    html! {
        tr role="row" {
            td.state-of role="cell" { span class={ "badge " (class(watched.health)) } { (word(watched.health)) }
                @for (trouble, alert) in watched.troubles.iter().filter_map(|(trouble, alert)| Some((trouble, (*alert)?))) {
                    " " a href={ "/detections/" (alert) } { "alert: " (trouble) }
                }
            }
            td.host role="cell" { @if sensor.hostname.is_empty() { "?" } @else { a href={ "/detections?" (query) } { (sensor.hostname) } } }
            td.time role="cell" {
                (time(sensor.last_seen)) " " span.hint { "(" (ago(now - sensor.last_seen)) ")" }
                @if let Some(skew) = watched.skew.filter(|skew| skew.abs() >= SKEWED) {
                    " " span.hint { "its clock is " (ago(skew.abs()).trim_end_matches(" ago")) @if skew > 0 { " behind" } @else { " ahead" } }
                }
            }
            td.lost role="cell" { @if watched.lost > 0 { (watched.lost) } }
            td.version role="cell" { (sensor.version) }
            td.kernel role="cell" { (fact("kernel_release")) }
            td.system role="cell" { (fact("os_name")) " " (fact("os_version")) }
            td.path role="cell" { (sensor.sensor) }
        }
    }
}

/// A time that has passed, nanoseconds, in words.
fn ago(nanoseconds: i64) -> String {
    let seconds = (nanoseconds / 1_000_000_000).max(0);
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = [0, 1, 59, 60, 3599, 3600, 172_799, 172_800].map(|seconds| ago(seconds * 1_000_000_000));
        assert_eq!(
            told,
            [
                "0 seconds ago",
                "1 second ago",
                "59 seconds ago",
                "1 minute ago",
                "59 minutes ago",
                "1 hour ago",
                "47 hours ago",
                "2 days ago"
            ]
        );
        assert_eq!(ago(-5), "0 seconds ago", "of a clock that was set back");
    }
}
