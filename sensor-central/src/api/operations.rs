//! The end points: the one table that routes and their description are made of.

use std::sync::Arc;

use axum::routing::{MethodRouter, delete, get, patch, post};

use super::{
    Api, WHOAMI, access_tokens, alerts, answers, detections, endpoints, oauth,
    shape::{
        Member,
        Shape::{self, Flag, Id, List, Number, Object, Text, Time, Word},
    },
    siem, tenants, whoami,
};

/// An end point.
pub(super) struct Operation {
    /// As routes and the description both spell it.
    pub(super) path: &'static str,
    pub(super) method: &'static str,
    pub(super) route: fn() -> MethodRouter<Arc<Api>>,
    pub(super) summary: &'static str,
    pub(super) who: Who,
    /// Behind the question mark.
    pub(super) parameters: &'static [&'static [Member]],
    /// Members of the object that is sent.
    pub(super) body: &'static [&'static [Member]],
    pub(super) status: u16,
    pub(super) answer: &'static [Member],
}

/// Who may ask, and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever has a secret.
    Anybody,
    /// A client with a token.
    Client,
    /// The same, for a tenant.
    OfTenant,
    /// The same, with a key of the old kind.
    Legacy,
}

const BY_NUMBER: &[Member] = &[
    ("page", Number, "Which page, from 1"),
    ("pageSize", Number, "Items in a page, 50 if it is not said"),
    ("pageTotal", Flag, "Taken; the totals are told in any case"),
];

const BY_KEY: &[Member] = &[
    ("pageFromKey", Text, "The nextKey of the page before"),
    ("page", Number, "Which page, from 1, if there is no pageFromKey"),
    ("pageSize", Number, "Items in a page, 50 if it is not said"),
    ("pageTotal", Flag, "Whether to count pages and items"),
];

const ALERT_FILTER: &[Member] = &[
    ("from", Time, "Came in then or later; durations before now (P7D) are taken too, as in all times"),
    ("to", Time, "Came in before"),
    ("severity", List(&Word(&["high", "medium", "low"])), "Of these"),
    ("product", List(&Text), "Of these; all are of server"),
    ("category", List(&Text), "Of these; all are of runtimeDetections"),
    ("groupKey", List(&Text), "Of these"),
    ("ids", List(&Id), "These"),
    ("sort", Word(&["raisedAt", "raisedAt:asc", "raisedAt:desc"]), "The oldest or the newest first"),
];

const FIELDS: &[Member] = &[("fields", List(&Text), "Members to tell; the id is told in any case")];

const ENDPOINT_FILTER: &[Member] = &[
    ("ids", List(&Id), "These"),
    ("type", List(&Text), "Of these types; all are server"),
    ("healthStatus", List(&Word(&["good", "suspicious", "bad", "unknown"])), "Of these"),
    ("hostnameContains", Text, "Part of the host's name"),
    ("ipAddresses", List(&Text), "With one of these addresses"),
    ("search", Text, "Part of the host's name, the system's name or an address"),
    ("lastSeenBefore", Time, "Nothing came since"),
    ("lastSeenAfter", Time, "Something came since"),
    ("sort", Text, "hostname, lastSeenAt or id, with :asc or :desc behind it"),
];

const SEARCH: &[Member] = &[
    ("from", Time, "Came in then or later; a day ago if it is not said"),
    ("to", Time, "Came in before"),
    ("severity", List(&Number), "Of these, 0 to 10"),
    ("detectionRule", List(&Text), "Of these"),
    (
        "sort",
        List(&Object(&[
            ("field", Text, "time, severity, detectionRule, sensorGeneratedAt, device or count"),
            ("direction", Word(&["asc", "desc"]), "Which way"),
        ])),
        "By these, one after the other",
    ),
];

const CREDENTIALS: &[Member] = &[
    ("grant_type", Word(&["client_credentials", "refresh_token"]), "What is shown"),
    ("client_id", Text, "The client's id"),
    ("client_secret", Text, "Its secret"),
    ("refresh_token", Text, "In the place of both"),
    ("scope", Text, "token; anything is taken"),
];

const ACTION: &[Member] =
    &[("action", Word(&["acknowledge"]), "What is to be done"), ("message", Text, "Why, for whoever reads it later")];

const NEW_TOKEN: &[Member] = &[
    ("label", Text, "1 to 50 characters"),
    ("type", Word(&["sophosLinuxSensor", "sls"]), "What it is for"),
    ("expiresAt", Time, "When it is to end; never if it is not said"),
];

const LABEL: &[Member] = &[("label", Text, "1 to 50 characters")];

const SIEM: &[Member] = &[
    ("limit", Number, "Most items, 200 if it is not said, 1000 at most"),
    ("cursor", Text, "The next_cursor of the answer before"),
    ("from_date", Number, "Seconds since the Unix epoch, at most 24 hours back, if there is no cursor"),
];

const WITHOUT: &[Member] = &[("exclude_types", List(&Text), "Types that are left out")];

const fn reads(
    path: &'static str,
    route: fn() -> MethodRouter<Arc<Api>>,
    who: Who,
    parameters: &'static [&'static [Member]],
    answer: &'static [Member],
    summary: &'static str,
) -> Operation {
    Operation { path, method: "get", route, summary, who, parameters, body: &[], status: 200, answer }
}

const fn does(
    path: &'static str,
    method: &'static str,
    route: fn() -> MethodRouter<Arc<Api>>,
    body: &'static [&'static [Member]],
    (status, answer): (u16, &'static [Member]),
    summary: &'static str,
) -> Operation {
    Operation { path, method, route, summary, who: Who::OfTenant, parameters: &[], body, status, answer }
}

/// What a part of a path in braces is.
pub(super) fn in_path(name: &str) -> (Shape, &'static str) {
    match name {
        "kind" => (Word(&["detections", "detection-groups"]), "What is searched"),
        _ => (Id, "Its id"),
    }
}

pub(super) static OPERATIONS: [Operation; 24] = [
    Operation {
        who: Who::Anybody,
        ..does(
            "/api/v2/oauth2/token",
            "post",
            || post(oauth::token),
            &[CREDENTIALS],
            (200, answers::TOKEN),
            "Log in: a secret for tokens that last an hour",
        )
    },
    reads(WHOAMI, || get(whoami::get), Who::Client, &[], answers::WHOAMI, "Who the token is for"),
    reads("/partner/v1/tenants", || get(tenants::list), Who::Client, &[BY_NUMBER], answers::TENANTS, "Its tenants"),
    reads("/partner/v1/tenants/{id}", || get(tenants::one), Who::Client, &[], answers::TENANT, "One of its tenants"),
    reads(
        "/organization/v1/tenants",
        || get(tenants::list),
        Who::Client,
        &[BY_NUMBER],
        answers::TENANTS,
        "Its tenants",
    ),
    reads(
        "/organization/v1/tenants/{id}",
        || get(tenants::one),
        Who::Client,
        &[],
        answers::TENANT,
        "One of its tenants",
    ),
    reads(
        "/common/v1/alerts",
        || get(alerts::list),
        Who::OfTenant,
        &[BY_KEY, ALERT_FILTER, FIELDS],
        answers::ALERTS,
        "Open alerts",
    ),
    does(
        "/common/v1/alerts/search",
        "post",
        || post(alerts::search),
        &[BY_KEY, ALERT_FILTER, FIELDS],
        (200, answers::ALERTS),
        "The same, asked for with an object",
    ),
    reads("/common/v1/alerts/{id}", || get(alerts::one), Who::OfTenant, &[FIELDS], answers::ALERT, "An open alert"),
    does(
        "/common/v1/alerts/{id}/actions",
        "post",
        || post(alerts::act),
        &[ACTION],
        (201, answers::ACTION),
        "Does something about an alert",
    ),
    does(
        "/detections/v1/queries/{kind}",
        "post",
        || post(detections::start),
        &[SEARCH],
        (201, answers::RUN),
        "Starts a search for detections, or for groups of a rule and a host",
    ),
    reads(
        "/detections/v1/queries/{kind}/{run}",
        || get(detections::one),
        Who::OfTenant,
        &[],
        answers::RUN,
        "How far it is",
    ),
    reads(
        "/detections/v1/queries/{kind}/{run}/results",
        || get(detections::results),
        Who::OfTenant,
        &[BY_NUMBER],
        answers::DETECTIONS,
        "What it found",
    ),
    reads(
        "/endpoint/v1/endpoints",
        || get(endpoints::list),
        Who::OfTenant,
        &[BY_KEY, ENDPOINT_FILTER, FIELDS],
        answers::ENDPOINTS,
        "Sensors",
    ),
    reads(
        "/endpoint/v1/endpoints/{id}",
        || get(endpoints::one),
        Who::OfTenant,
        &[FIELDS],
        answers::ENDPOINT,
        "A sensor",
    ),
    reads(
        "/accounts/v1/access-tokens",
        || get(access_tokens::list),
        Who::OfTenant,
        &[BY_NUMBER],
        answers::ACCESS_TOKENS,
        "Tokens that let sensors in",
    ),
    does(
        "/accounts/v1/access-tokens",
        "post",
        || post(access_tokens::create),
        &[NEW_TOKEN],
        (201, answers::ACCESS_TOKEN),
        "Makes a token",
    ),
    reads(
        "/accounts/v1/access-tokens/{id}",
        || get(access_tokens::one),
        Who::OfTenant,
        &[],
        answers::ACCESS_TOKEN,
        "A token",
    ),
    does(
        "/accounts/v1/access-tokens/{id}",
        "patch",
        || patch(access_tokens::change),
        &[LABEL],
        (200, answers::ACCESS_TOKEN),
        "Calls a token otherwise",
    ),
    does(
        "/accounts/v1/access-tokens/{id}",
        "delete",
        || delete(access_tokens::remove),
        &[],
        (200, answers::DELETED),
        "Takes a token back",
    ),
    reads("/siem/v1/alerts", || get(siem::alerts), Who::OfTenant, &[SIEM], answers::SIEM_ALERTS, "Alerts for a SIEM"),
    reads(
        "/siem/v1/events",
        || get(siem::events),
        Who::OfTenant,
        &[SIEM, WITHOUT],
        answers::SIEM_EVENTS,
        "Events for a SIEM",
    ),
    // Where clients with an API token of the old kind look.
    reads(
        "/gateway/siem/v1/alerts",
        || get(siem::alerts),
        Who::Legacy,
        &[SIEM],
        answers::SIEM_ALERTS,
        "Alerts for a SIEM",
    ),
    reads(
        "/gateway/siem/v1/events",
        || get(siem::events),
        Who::Legacy,
        &[SIEM, WITHOUT],
        answers::SIEM_EVENTS,
        "Events for a SIEM",
    ),
];
