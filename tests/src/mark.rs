//! A word that tells a test's own processes from all others.

use std::sync::atomic::{AtomicU32, Ordering};

/// A word that no other process on the host has in its arguments or its path.
#[derive(Clone, Debug)]
pub struct Mark {
    word: String,
}

impl Mark {
    /// A new one; `topic` is for whoever reads the rows.
    #[must_use]
    pub fn new(topic: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Ends in a letter, so that no mark is the beginning of another.
        Self { word: format!("mark-{topic}-{}-{count}z", std::process::id()) }
    }

    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Holds for processes with the mark in an argument or in the name of their program.
    #[must_use]
    pub fn rule(&self) -> String {
        let word = &self.word;
        format!(r#"(commandLine contains "{word}" or programName == "*{word}*" or filePath == "*{word}*")"#)
    }

    /// A configuration that records the processes with this mark, and those alone, raises the alert
    /// *Marked Program* for each program that they run, and writes both to files of the sensor's home.
    #[must_use]
    pub fn config(&self) -> String {
        self.config_with("")
    }

    /// The same, with further top-level keys.
    #[must_use]
    pub fn config_with(&self, more: &str) -> String {
        Self::config_for(&self.rule(), more)
    }

    /// Holds for audit messages with the mark in their text.
    #[must_use]
    pub fn rule_of_message(&self) -> String {
        format!(r#"message contains "{}""#, self.word)
    }

    /// A configuration that records the audit messages with this mark, and those alone, raises the alert *Marked
    /// Message* for each, and *Forged Message* for each that the kernel did not take.
    #[must_use]
    pub fn audit_config(&self, more: &str) -> String {
        let rule = self.rule_of_message();
        format!(
            r#"
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
investigations:
  reporting_interval: 200ms
  sinks:
    - {{backend: file, name: "@HOME@/rows.jsonl"}}
  flight_recorder:
    enabled: true
    tables:
      - name: audit_user_msg
        rows: 20000
        filter:
          - 'match {rule}'
          - default ignore
      - name: lost_records
Marked Message:
  policy: auditUserMessage
  rules:
    - 'match {rule}'
    - default ignore
Forged Message:
  policy: auditUserMessageRefused
  rules:
    - 'match {rule}'
    - default ignore
{more}
"#
        )
    }

    /// Holds for runs of `tiny` with the mark: what a storm consists of, without who started it.
    #[must_use]
    pub fn rule_of_storm(&self) -> String {
        format!(r#"(programName == "tiny" and args == "{}")"#, self.word)
    }

    /// The same for what this rule selects.
    #[must_use]
    pub fn config_for(rule: &str, more: &str) -> String {
        format!(
            r#"
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
investigations:
  reporting_interval: 200ms
  sinks:
    - {{backend: file, name: "@HOME@/rows.jsonl"}}
  flight_recorder:
    enabled: true
    tables:
      - name: process_events
        rows: 20000
        filter:
          - 'match {rule}'
          - default ignore
      - name: sensors
      - name: lost_records
Marked Program:
  policy: program
  priority: High
  alertMessage: A marked program was run.
  alertLabels: {{team: tests}}
  rules:
    - 'match {rule}'
    - default ignore
{more}
"#
        )
    }
}
