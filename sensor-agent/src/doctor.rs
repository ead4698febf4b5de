//! What keeps a sensor from working on this host, and what to do about each: for `doctor` and the support bundle.
//!
//! It looks at what the sensor needs without changing anything; what only the running sensor knows is asked of it.

mod configuration;
mod delivery;
mod folders;
mod host;
mod running;

use diagnostic::Report;
pub use diagnostic::finding::{Finding, Level, is_fit, render};
use settings::Environment;

use crate::config::Paths;
use crate::sensor::configure;

/// Looks everywhere. Takes some seconds when receivers do not answer.
#[must_use]
pub fn examine(paths: &Paths, environment: &Environment) -> Vec<Finding> {
    let mut report = Report::default();
    let (config, plan) = configure(paths, environment, &mut report);
    let mut found = host::examine();
    found.extend(configuration::examine(&config, &plan, &report));
    found.extend(delivery::examine(&config, environment));
    // What the configuration says already the sensor need not say again.
    let said = found.clone();
    let is_new =
        |finding: &Finding| finding.level == Level::Fine || !said.iter().any(|said| said.text.contains(&finding.text));
    found.extend(running::examine(&config).into_iter().filter(is_new));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_a_fix() {
        let found = examine(&Paths::default(), &Environment::default());
        for finding in &found {
            assert_eq!(finding.fix.is_empty(), finding.level == Level::Fine, "{finding:?}");
        }
        for area in ["kernel", "capabilities", "clock", "configuration", "disk", "sensor"] {
            assert!(found.iter().any(|finding| finding.area == area), "{area}");
        }
    }
}
