//! What was found about a program and its host: how bad it is, and what to do.

use serde::Serialize;

use crate::{printable, terminal::counted};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Fine,
    /// The host offers less than others do: the program works, and does less.
    LowerRung,
    /// Something is lost or may fail.
    Warning,
    /// The program does not do what it is for.
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
    pub fn fine(area: &'static str, text: impl Into<String>) -> Self {
        Self { area, level: Level::Fine, text: text.into(), fix: String::new() }
    }

    pub fn lower_rung(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::LowerRung, text: text.into(), fix: fix.into() }
    }

    pub fn warning(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Warning, text: text.into(), fix: fix.into() }
    }

    pub fn failure(area: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Failure, text: text.into(), fix: fix.into() }
    }
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
        let _ = writeln!(out, "{word:<10} {:<14} {}", finding.area, printable(first));
        for line in lines {
            let _ = writeln!(out, "{:26}{}", "", printable(line));
        }
        if !finding.fix.is_empty() {
            let _ = writeln!(out, "{:26}Fix: {}", "", printable(&finding.fix));
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let failures = counted(count(Level::Failure), "failure", "failures");
    let _ = writeln!(out, "\n{failures}, {}", counted(count(Level::Warning), "warning", "warnings"));
    out
}

/// Whether the program can do what it is for.
#[must_use]
pub fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Failure)
}

#[cfg(test)]
mod tests {
    use super::*;

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
