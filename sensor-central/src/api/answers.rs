//! What the end points tell, member by member.

use super::shape::{
    Member,
    Shape::{self, Any, Flag, Id, List, Number, Object, Text, Time, Word},
};

const OF_ID: Shape = Object(&[("id", Id, "Its id")]);

const PAGES_BY_NUMBER: Member = (
    "pages",
    Object(&[
        ("current", Number, "The number of this page, from 1"),
        ("size", Number, "Items in a page"),
        ("maxSize", Number, "Most that may be asked for"),
        ("total", Number, "How many pages there are"),
        ("items", Number, "How many items there are on all of them"),
    ]),
    "Which page this is",
);

const PAGES_BY_KEY: Member = (
    "pages",
    Object(&[
        ("size", Number, "Items in a page"),
        ("maxSize", Number, "Most that may be asked for"),
        ("fromKey", Text, "The key that this page was asked for with"),
        ("nextKey", Text, "Give it back as pageFromKey for the next page; there is none on the last"),
        ("total", Number, "How many pages there are, if pageTotal was asked for"),
        ("items", Number, "How many items there are on all of them, if pageTotal was asked for"),
    ]),
    "Which page this is",
);

pub(super) const TOKEN: &[Member] = &[
    ("access_token", Text, "To be sent as Authorization: Bearer"),
    ("refresh_token", Text, "For another access token, once, within a day"),
    ("token_type", Word(&["bearer"]), "What it is"),
    ("expires_in", Number, "Seconds until the access token ends"),
    ("message", Text, "OK"),
    ("errorCode", Word(&["success"]), "That it went well"),
    ("trackingId", Id, "Of this answer"),
];

pub(super) const TOKEN_ERROR: &[Member] = &[
    ("errorCode", Text, "The word for programs"),
    ("message", Text, "What is wrong and what to do"),
    ("trackingId", Id, "Of this answer"),
];

pub(super) const ERROR: &[Member] = &[
    ("error", Text, "The word for programs"),
    ("message", Text, "What is wrong and what to do"),
    ("correlationId", Id, "Of this answer"),
    ("requestId", Id, "Of this request"),
    ("createdAt", Time, "When it was answered"),
];

pub(super) const WHOAMI: &[Member] = &[
    ("id", Id, "The tenant, partner or organization"),
    ("idType", Word(&["tenant", "partner", "organization"]), "Which of them it is"),
    (
        "apiHosts",
        Object(&[
            ("global", Text, "Where it was asked"),
            ("dataRegion", Text, "Where a tenant's data is: the same; not of partners and organizations"),
        ]),
        "Where to ask further",
    ),
];

pub(super) const TENANT: &[Member] = &[
    ("id", Id, "Its id"),
    ("showAs", Text, "Its name"),
    ("name", Text, "Its name"),
    ("dataGeography", Text, "Always EU"),
    ("dataRegion", Text, "Always eu02"),
    ("billingType", Text, "Always term"),
    ("partner", OF_ID, "Its partner, if it has one"),
    ("organization", OF_ID, "Its organization, if it has one"),
    ("apiHost", Text, "Where its data is"),
    ("status", Word(&["active"]), "Always active"),
    ("contact", Object(&[]), "Always empty"),
    ("externalIds", List(&Text), "Always empty"),
    ("products", List(&Object(&[("code", Text, "Always server")])), "What it has"),
];

pub(super) const TENANTS: &[Member] = &[("items", List(&Object(TENANT)), "Those on this page"), PAGES_BY_NUMBER];

pub(super) const ALERT: &[Member] = &[
    ("id", Id, "Its id, which never changes"),
    ("allowedActions", List(&Text), "What can be done about it"),
    ("category", Text, "Always runtimeDetections"),
    ("description", Text, "What happened"),
    ("groupKey", Text, "The same for all of a policy"),
    (
        "managedAgent",
        Object(&[("id", Id, "Of the endpoint"), ("type", Word(&["server"]), "What it is"), ("name", Text, "The host")]),
        "Where it happened",
    ),
    ("product", Text, "Always server"),
    ("raisedAt", Time, "When it came in"),
    ("severity", Word(&["high", "medium", "low"]), "How bad it is"),
    ("tenant", Object(&[("id", Id, "Its id"), ("name", Text, "Its name")]), "Whose it is"),
    ("type", Text, "Always Event::Endpoint::CoreDetection"),
];

pub(super) const ALERTS: &[Member] = &[("items", List(&Object(ALERT)), "Those on this page"), PAGES_BY_KEY];

pub(super) const ACTION: &[Member] = &[
    ("id", Id, "Of what was done"),
    ("alertId", Id, "The alert"),
    ("action", Text, "What was done"),
    ("status", Word(&["completed"]), "How far it is"),
    ("requestedAt", Time, "When it was asked for"),
    ("startedAt", Time, "When it began"),
    ("completedAt", Time, "When it was done"),
    ("result", Word(&["success"]), "What came of it"),
];

pub(super) const RUN: &[Member] = &[
    ("id", Id, "Of the run"),
    ("createdAt", Time, "When it was started"),
    ("expiresAt", Time, "Until when it is kept"),
    ("finishedAt", Time, "When it was done"),
    ("resultCount", Number, "How many items it found"),
    ("status", Word(&["finished"]), "How far it is"),
    ("result", Word(&["succeeded"]), "What came of it"),
];

const DETECTION: Shape = Object(&[
    ("detectionRule", Text, "Made of the policy's name"),
    ("severity", Number, "0 to 10"),
    ("type", Text, "Always Threat"),
    ("time", Time, "When it came in"),
    (
        "sensor",
        Object(&[
            ("id", Id, "Of the endpoint"),
            ("type", Text, "Always endpoint"),
            ("source", Text, "Always Sophos"),
            ("version", Text, "Of the sensor"),
        ]),
        "Who saw it",
    ),
    (
        "device",
        Object(&[("id", Id, "Of the endpoint"), ("type", Text, "Always server"), ("entity", Text, "The host")]),
        "Where it happened",
    ),
    (
        "mitreAttacks",
        List(&Object(&[(
            "tactic",
            Object(&[
                ("id", Text, "Of MITRE"),
                ("name", Text, "Its name"),
                (
                    "techniques",
                    List(&Object(&[("id", Text, "Of MITRE"), ("name", Text, "Its name")])),
                    "What was done of it",
                ),
            ]),
            "A tactic of ATT&CK",
        )])),
        "What of ATT&CK it is",
    ),
    ("id", Id, "Of the alert; not of a group"),
    ("attackType", Text, "The type of the policy; not of a group"),
    ("detectionAttack", Text, "The first tactic; not of a group"),
    ("ruleDescription", Text, "What happened; not of a group"),
    ("sensorGeneratedAt", Time, "When it happened, by the sensor's clock; not of a group"),
    ("suppressed", Text, "Always false; not of a group"),
    (
        "rawData",
        Object(&[
            ("meta_hostname", Text, "The host"),
            ("process_path", Any, "The program; null if it is not known, as the next three"),
            ("process_cmd_line", Any, "Its arguments"),
            ("sophos_pid", Any, "The process, as PID:START"),
            ("username", Any, "Who ran it"),
            ("alert", Any, "The sensor's alert whole"),
        ]),
        "What the sensor told; not of a group",
    ),
    ("count", Number, "How many there are; of a group alone"),
]);

pub(super) const DETECTIONS: &[Member] = &[("items", List(&DETECTION), "Those on this page"), PAGES_BY_NUMBER];

pub(super) const ENDPOINT: &[Member] = &[
    ("id", Id, "Of the sensor, or made of its id"),
    ("type", Word(&["server"]), "What it is"),
    ("tenant", OF_ID, "Whose it is"),
    ("hostname", Text, "Of the host"),
    (
        "health",
        Object(&[
            ("overall", Word(&["good", "suspicious", "bad", "unknown"]), "How it does"),
            ("threats", Object(&[("status", Word(&["unknown"]), "Alerts tell of them")]), "Always unknown"),
            (
                "services",
                Object(&[
                    ("status", Word(&["good", "suspicious", "bad", "unknown"]), "How it does"),
                    (
                        "serviceDetails",
                        List(&Object(&[
                            ("name", Text, "Always sophoslinuxsensor"),
                            ("status", Word(&["running", "stopped"]), "Whether it was heard of within two hours"),
                        ])),
                        "The sensor",
                    ),
                ]),
                "What runs there",
            ),
        ]),
        "How it does",
    ),
    (
        "os",
        Object(&[
            ("isServer", Flag, "Always true"),
            ("platform", Text, "Always linux"),
            ("name", Text, "Name and version"),
            ("majorVersion", Number, "The first part of the version"),
            ("minorVersion", Number, "The second part of the version"),
        ]),
        "What the host runs",
    ),
    ("ipv4Addresses", List(&Text), "Of the host"),
    ("ipv6Addresses", List(&Text), "Of the host"),
    ("macAddresses", List(&Text), "Always empty"),
    (
        "assignedProducts",
        List(&Object(&[
            ("code", Text, "Always coreAgent"),
            ("version", Text, "Of the sensor"),
            ("status", Text, "Always installed"),
        ])),
        "The sensor",
    ),
    ("tamperProtectionEnabled", Flag, "Always false"),
    ("lastSeenAt", Time, "When something came from it last"),
    ("online", Flag, "Whether that was within two hours"),
    ("isolation", Object(&[("status", Text, "Always notIsolated")]), "Whether it is cut off"),
    ("lockdown", Object(&[("status", Text, "Always notInstalled")]), "Whether it is locked"),
];

pub(super) const ENDPOINTS: &[Member] = &[("items", List(&Object(ENDPOINT)), "Those on this page"), PAGES_BY_KEY];

pub(super) const ACCESS_TOKEN: &[Member] = &[
    ("id", Id, "Its id"),
    ("token", Text, "The token when it is made, masked ever after"),
    ("type", Word(&["sophosLinuxSensor"]), "What it is for"),
    ("label", Text, "What people call it"),
    ("createdAt", Time, "When it was made"),
    ("expiresAt", Time, "When it ends, if it does"),
    ("url", Text, "Where sensors deliver with it"),
    (
        "createdBy",
        Object(&[("id", Id, "The client"), ("type", Text, "Always service")]),
        "Who made it, if a client of this API did",
    ),
];

pub(super) const ACCESS_TOKENS: &[Member] =
    &[("items", List(&Object(ACCESS_TOKEN)), "Those on this page"), PAGES_BY_NUMBER];

pub(super) const DELETED: &[Member] = &[("deleted", Flag, "Always true")];

const SOURCE_INFO: Member = ("source_info", Object(&[("ip", Text, "An address")]), "Where it came from");

pub(super) const SIEM_ALERTS: &[Member] = &[
    (
        "items",
        List(&Object(&[
            ("customer_id", Id, "The tenant"),
            ("endpoint_id", Id, "The endpoint"),
            ("endpoint_type", Text, "Always server"),
            ("id", Id, "Its id, which never changes"),
            ("event_service_event_id", Id, "The same"),
            ("created_at", Time, "When it came in, never going back"),
            ("when", Time, "When it happened, by the sensor's clock"),
            ("severity", Word(&["high", "medium", "low", "none"]), "How bad it is"),
            ("type", Text, "Always Event::Endpoint::CoreDetection"),
            ("group", Text, "Always RUNTIME_DETECTIONS"),
            ("name", Text, "The policy"),
            ("description", Text, "What happened"),
            ("location", Text, "The host"),
            ("source", Text, "The user, or n/a"),
            ("user_id", Text, "The user's number"),
            SOURCE_INFO,
            (
                "data",
                Object(&[
                    ("uuid", Id, "The sensor's own id of the alert"),
                    ("policy", Text, "Its name"),
                    ("policy_type", Text, "Its type"),
                    ("priority", Text, "High, Medium, Low or Info"),
                    ("confidence", Text, "High, Medium or Low"),
                    ("matched_rule", Text, "The rule that matched"),
                    ("categories", List(&Text), "Those of MITRE ATT&CK among them"),
                    ("endpoint_platform", Text, "Always linux"),
                    (
                        "process",
                        Object(&[
                            ("path", Text, "The program"),
                            ("cmdline", Text, "Its arguments"),
                            ("pid", Number, "Its thread id"),
                            ("sophos_pid", Text, "The process, as PID:START"),
                            ("user", Text, "Who ran it"),
                        ]),
                        "Who did it",
                    ),
                    ("container_id", Text, "The container"),
                ]),
                "What the sensor told",
            ),
        ])),
        "In order of arrival",
    ),
    ("has_more", Flag, "Whether there are more now"),
    ("next_cursor", Text, "Give it back as cursor"),
];

pub(super) const SIEM_EVENTS: &[Member] = &[
    (
        "items",
        List(&Object(&[
            ("customer_id", Id, "The tenant"),
            ("endpoint_id", Id, "The endpoint"),
            ("endpoint_type", Text, "Always server"),
            ("id", Id, "Its id, which never changes"),
            ("created_at", Time, "When it came in, never going back"),
            ("when", Time, "When it happened, by the sensor's clock"),
            ("severity", Word(&["high", "medium", "low", "none"]), "How bad it is"),
            ("type", Text, "Event::Endpoint::…"),
            ("group", Word(&["PROTECTION", "AUTHENTICATION"]), "What it belongs to"),
            ("name", Text, "What happened"),
            ("location", Text, "The host"),
            ("source", Text, "The account, or n/a"),
            ("user_id", Text, "Its number"),
            SOURCE_INFO,
        ])),
        "In order of arrival",
    ),
    ("has_more", Flag, "Whether there are more now"),
    ("next_cursor", Text, "Give it back as cursor"),
];
