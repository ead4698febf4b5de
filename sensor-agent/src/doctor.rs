//! What keeps a sensor from working on this host, and what to do about each: for `doctor` and the support bundle.
//!
//! It looks at what the sensor needs without changing anything; what only the running sensor knows is asked of it.

mod configuration;
mod delivery;
mod folders;
mod host;
mod running;

use diagnostic::Report;
use diagnostic::terminal::counted;
use serde::Serialize;
use settings::Environment;

use crate::config::Paths;
use crate::sensor::configure;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Fine,
    /// The kernel offers less than others do: the sensor works, and knows less.
    LowerRung,
    /// Something is lost or may fail.
    Warning,
    /// The sensor does not do what it is for.
    Failure,
}

/// What was found in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where it was looked: `kernel`, `disk`.
    pub area: &'static str,
    pub level: Level,
    /// What is there, or what is wrong.
    pub text: String,
    /// What to do; empty where nothing needs doing.
    pub fix: String,
}

impl Finding {
    fn fine(area: &'static str, text: impl Into<String>) -> Self {
        Self { area, level: Level::Fine, text: text.into(), fix: String::new() }
    }

    fn lower_rung(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::LowerRung, text: text.into(), fix: fix.into() }
    }

    fn warning(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Warning, text: text.into(), fix: fix.into() }
    }

    fn failure(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Failure, text: text.into(), fix: fix.into() }
    }
}

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

/// The findings for people: what is wrong with its fix, and what is fine in a word.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for finding in findings {
        let word = match finding.level {
            Level::Fine => "ok",
            Level::LowerRung => "lower rung",
            Level::Warning => "WARNING",
            Level::Failure => "FAILURE",
        };
        let mut lines = finding.text.lines();
        let first = lines.next().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(out, "{word:<10} {:<14} {}", finding.area, diagnostic::printable(first));
        for line in lines {
            let _ = writeln!(out, "{:26}{}", "", diagnostic::printable(line));
        }
        if !finding.fix.is_empty() {
            let _ = writeln!(out, "{:26}Fix: {}", "", diagnostic::printable(&finding.fix));
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let failures = counted(count(Level::Failure), "failure", "failures");
    let _ = writeln!(out, "\n{failures}, {}", counted(count(Level::Warning), "warning", "warnings"));
    out
}

/// Whether the sensor can do what it is for.
#[must_use]
pub fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Failure)
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

    #[test]
    fn a_page_shows_the_fix_below() {
        let page = render(&[
            Finding::fine("kernel", "6.1"),
            Finding::lower_rung("hooks", "no", "another kernel"),
            Finding::failure("disk", "full\nvery", "make room"),
        ]);
        insta::assert_snapshot!(page, @r"
        ok         kernel         6.1
        lower rung hooks          no
                                  Fix: another kernel
        FAILURE    disk           full
                                  very
                                  Fix: make room

        1 failure, 0 warnings
        ");
    }
}
