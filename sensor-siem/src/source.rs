//! Central's API: who we are there, which tenants there are, and their streams page by page.
//!
//! ```text
//! POST auth_url                                     a token, good for an hour (OAuth2 client credentials)
//! GET  api_host/whoami/v1                           a tenant, a partner or an organization, and where its data are
//! GET  global/{partner,organization}/v1/tenants     theirs
//! GET  host/siem/v1/{events,alerts}                 limit, cursor or from_date, exclude_types
//! ```
//!
//! Tokens are in memory alone. Every request has a time-out. What may pass by itself (no connection, a reply that breaks off
//! or is no JSON, 408, 425, 429, 5xx) is tried again in the same pass, later each time, as late as `Retry-After` asks; a
//! token that is refused is fetched anew once.

mod accounts;
mod body;
mod client;
mod connection;
mod pace;
mod pages;
mod rate;
mod session;
mod window;
mod words;

use std::{path::PathBuf, time::Duration};

use reqwest::Url;
use secrecy::SecretString;

pub use accounts::{Tenant, Tenants};
pub use client::Fault;
pub use pace::Pace;
pub use pages::{LIGHT, Page, Pages};
pub use rate::Rates;
pub use session::Session;
pub use window::{Begin, Begun, FIRST, Gap, LONGEST, Start, Stopped, begin, earliest, shown};

/// What a request is authorized by.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// API credentials of a tenant, a partner or an organization.
    Client {
        id: String,
        secret: SecretString,
        /// The only tenants that are wanted; all that there are if none is named.
        tenants: Vec<String>,
        auth_url: Url,
        api_host: Url,
    },
    /// The API access of before, of one tenant.
    Legacy {
        /// Ends in `/gateway`.
        url: Url,
        api_key: SecretString,
        /// The whole value of the header.
        authorization: SecretString,
    },
}

/// How Central is reached.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whom to trust in place of the system's authorities.
    pub ca_file: Option<PathBuf>,
    /// In place of that of the environment.
    pub proxy: Option<Url>,
    /// A request with its reply, all in all.
    pub timeout: Duration,
    pub rates: Rates,
    /// Replies that are held in memory at the same time.
    pub replies: usize,
}

#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;
