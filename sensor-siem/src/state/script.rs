//! The state of the vendor's public script (release 2): JSON, in which `tenants` has positions by tenant and `account`
//! those by API token. Tokens that it keeps there are not looked at.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{item::Stream, source::Stopped};

/// Where the streams of one tenant stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    events: Option<Stopped>,
    alerts: Option<Stopped>,
}

impl Positions {
    #[must_use]
    pub const fn of(&self, stream: Stream) -> Option<&Stopped> {
        match stream {
            Stream::Events => self.events.as_ref(),
            Stream::Alerts => self.alerts.as_ref(),
        }
    }
}

/// What of it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    tenants: BTreeMap<String, Positions>,
    /// By the base64 text of `token_info`.
    accounts: BTreeMap<String, Positions>,
}

impl Script {
    /// Reads the content of its file. What is not as expected is not there.
    ///
    /// # Errors
    /// It is no JSON, or none of its own: says why.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if !value["tenants"].is_object() && !value["account"].is_object() {
            return Err("it has neither `tenants` nor `account`".into());
        }
        Ok(Self { tenants: all(&value["tenants"]), accounts: all(&value["account"]) })
    }

    /// Where a tenant's streams stopped.
    #[must_use]
    pub fn tenant(&self, id: &str) -> Option<&Positions> {
        self.tenants.get(id)
    }

    /// Where the streams of an API token stopped, by what stands behind `Basic` in it.
    #[must_use]
    pub fn account(&self, token: &str) -> Option<&Positions> {
        self.accounts.get(token)
    }
}

fn all(by_name: &Value) -> BTreeMap<String, Positions> {
    let entries = by_name.as_object().into_iter().flatten();
    entries
        .map(|(name, entry)| {
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a time in seconds")]
            let at = entry["lastRunAt"].as_f64().map(|seconds| seconds as i64);
            let position = |key: &str| {
                let cursor = entry[key].as_str().filter(|cursor| !cursor.is_empty())?;
                Some(Stopped { cursor: cursor.into(), at, complete: None, known_from: None })
            };
            (name.clone(), Positions { events: position("eventsLastFetched"), alerts: position("alertsLastFetched") })
        })
        .filter(|(_, positions)| *positions != Positions::default())
        .collect()
}
