//! A partner of many tenants.

use std::process::Command;

use sensor_tests::{Central, Said, programs};
use uuid::Uuid;

const PARTNER: &str = "22222222-2222-4333-8444-555555555555";

/// What an exporter needs to read all of them.
pub(crate) struct Partner {
    pub(crate) tenants: Vec<Uuid>,
    /// An id and its secret.
    pub(crate) credentials: (String, String),
}

impl Partner {
    /// At this Central, with so many tenants that have nothing yet.
    pub(crate) fn new(central: &Central, tenants: u128) -> Self {
        let tenants: Vec<Uuid> = (1..=tenants).map(Uuid::from_u128).collect();
        for tenant in &tenants {
            let id = tenant.to_string();
            administer(central, &["set-tenant", "--tenant", &id, "--name", &id, "--partner", PARTNER]);
        }
        let said = administer(central, &["create-client", "--partner", PARTNER, "--label", "export"]);
        let word = |key: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("no {key} in {said}")).to_owned()
        };
        Self { tenants, credentials: (word("client_id"), word("client_secret")) }
    }
}

/// Runs a command of Central on its database.
fn administer(central: &Central, arguments: &[&str]) -> String {
    let said = Said::of(Command::new(programs::central()).args(arguments).arg("--data-dir").arg(central.path()));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    said.stdout
}
