//! What a request asks for, behind the question mark. Parameters that are not known are let pass.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde_json::Value;

use super::{ApiError, times};

/// How far ahead of this clock a client's may be, milliseconds.
const AHEAD: i64 = 5 * 60 * 1000;

/// A query string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The same of an object: a list stands for a parameter that is given more than once.
    pub(super) fn of_object(body: &[u8]) -> Result<Self, ApiError> {
        let fault = |fault| ApiError::bad_request(format!("the body must be a JSON object: {fault}"));
        let object: BTreeMap<String, Value> = serde_json::from_slice(body).map_err(fault)?;
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        let values = object.into_iter().flat_map(|(name, value)| {
            let values = if let Value::Array(values) = value { values } else { vec![value] };
            values.into_iter().filter_map(text).map(move |value| (name.clone(), value))
        });
        Ok(Self(values.collect()))
    }

    /// A parameter's value, the last one if it is there more than once; nothing if that is empty.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        values.next_back().map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A parameter's values, separated by commas, or given one by one.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(found, _)| found == name);
        let values = values.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }

    /// A number, 1 at least; what is more than `most` is `most`.
    pub(super) fn number(&self, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.one(name) else { return Ok(None) };
        match text.parse::<u64>() {
            Ok(number) if number > 0 => Ok(Some(number.min(most))),
            _ => Err(ApiError::bad_request(format!("{name} must be a number from 1 to {most}"))),
        }
    }

    /// A point in time, milliseconds since the Unix epoch.
    pub(super) fn time(&self, name: &str, now: i64) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let fault = || ApiError::bad_request(format!("{name} must be a time such as 2026-11-29T08:00:00.000Z, or P7D"));
        times::read(text, now).map(Some).ok_or_else(fault)
    }

    /// Where a time to search begins, as [`Query::time`]: not ahead of this clock.
    pub(super) fn from(&self, now: i64) -> Result<Option<i64>, ApiError> {
        match self.time("from", now)? {
            Some(from) if from > now / 1_000_000 + AHEAD => Err(ApiError::bad_request("from is in the future")),
            from => Ok(from),
        }
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> Result<bool, ApiError> {
        match self.one(name) {
            None => Ok(false),
            Some(word) if word.eq_ignore_ascii_case("true") || word == "1" => Ok(true),
            Some(word) if word.eq_ignore_ascii_case("false") || word == "0" => Ok(false),
            Some(_) => Err(ApiError::bad_request(format!("{name} must be true or false"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_read_however_clients_write_them() {
        let query = Query::parse("limit=5&limit=7&ids=a,b&ids=c&pageTotal=True&empty=&x=%2B+y&sort");
        assert_eq!(query.one("limit"), Some("7"));
        assert_eq!(query.list("ids"), ["a", "b", "c"]);
        assert!(query.is_on("pageTotal").unwrap());
        assert_eq!((query.one("empty"), query.one("sort"), query.one("x")), (None, None, Some("+ y")));
        assert_eq!(query.number("limit", 6).unwrap(), Some(6));
        let body =
            br#"{"ids": ["a", "b,c"], "limit": 7, "pageTotal": true, "sort": null, "deep": {"a": 1}, "x": "+ y"}"#;
        let object = Query::of_object(body).unwrap();
        assert_eq!((object.one("limit"), object.one("x"), object.one("deep")), (Some("7"), Some("+ y"), None));
        assert_eq!((object.list("ids"), object.list("sort")), (query.list("ids"), vec![]));
        assert!(object.is_on("pageTotal").unwrap() && Query::of_object(b"[]").is_err());
        for wrong in ["limit=0", "limit=-1", "limit=x", "limit=1.5"] {
            assert!(Query::parse(wrong).number("limit", 6).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_stops_it(text: String) {
            let _ = Query::of_object(text.as_bytes());
            let query = Query::parse(&text);
            let _ = (query.list("a"), query.number("a", 9), query.time("a", 0), query.is_on("a"));
        }
    }
}
