//! Names and values: of an address behind its question mark, of a form, of cookies.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

/// Names and values in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Fields {
    pub(super) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The last value of a name, without blanks around it; nothing if it is empty.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.exact(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether there are names without a value.
    pub(super) fn has_empty(&self) -> bool {
        self.0.iter().any(|(_, value)| value.is_empty())
    }

    /// The last value of a name as it is.
    pub(super) fn exact(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}
