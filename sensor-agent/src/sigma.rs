//! Rules of Sigma as policies, for `rules import sigma`.
//!
//! ```text
//! file ─documents─▶ YAML ─rule─▶ title, level, detection ─translate─▶ condition ─policy─▶ text of a policy
//!                                                             ▲
//!                         sources: which logs and fields the sensor has, under which of its names
//! ```
//!
//! The meaning is that of the Sigma specification, version 2.1 (2025-08-02): values hold in any letter case, `*` and `?`
//! are wildcards, a comparison with a field that the event does not have is false. What the sensor cannot judge is not
//! guessed at: the rule is not taken, or a part of it is left out, and both are said with the place.
//!
//! There are crates that read Sigma; none tells where in its file a construct stands, and what is taken is to be told by
//! its place. So this reads the tree that the configuration's own reader makes.

mod compare;
mod condition;
mod documents;
mod expr;
mod modifiers;
mod policy;
mod regex;
mod rule;
mod sources;
mod translate;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;

use diagnostic::{Report, Span, Spanned};
use foldhash::{HashMap, HashSet};

use crate::rules::{Chain, ListSource, Lists, MissingDefault, compile};
use documents::{Document, documents};
use policy::Policy;
pub(crate) use policy::yaml as yaml_text;
use rule::Rule;

/// How rules are taken.
#[derive(Debug, Default)]
pub struct Options {
    /// Alerts have the priority of the rule's own level.
    pub keep_level: bool,
    /// Names that policies cannot have, since others have them.
    pub names: HashSet<String>,
}

/// What came of some files.
#[derive(Debug)]
pub struct Imported {
    /// The policies, as a file of rules.
    pub text: String,
    /// What is to be said of each file, in order.
    pub told: Vec<Remark>,
    /// How many rules there were, and of these how many were taken.
    pub rules: usize,
    pub taken: usize,
}

/// What is to be said of a rule that was not taken whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub file: String,
    pub what: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Why.
    NotTaken(String),
    /// What is left out.
    WithLoss(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Outcome::NotTaken(why) => write!(out, "{}: not taken: {why}", self.file),
            Outcome::WithLoss(what) => write!(out, "{}: taken with a loss: {what}", self.file),
        }
    }
}

/// Why a rule is not taken, or what of it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    /// Of the file, from 1; none if it is about the whole.
    line: Option<usize>,
    message: String,
}

impl Fault {
    fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    fn whole(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// Takes in the rules of some files, each with its name and its text, or why that could not be read.
#[must_use]
pub fn import(files: &[(String, Result<String, String>)], options: &Options) -> Imported {
    let mut import = Import::default();
    for (file, text) in files {
        match text {
            Ok(text) => import.file(file, text, options),
            Err(why) => import.refuse(file, &Fault::whole(why)),
        }
    }
    policy::name(&mut import.policies, &options.names);
    Imported {
        text: policy::file(&import.policies),
        taken: import.policies.len(),
        rules: import.rules,
        told: import.told,
    }
}

#[derive(Default)]
struct Import {
    policies: Vec<Policy>,
    told: Vec<Remark>,
    rules: usize,
    /// The file of each id.
    ids: HashMap<String, String>,
}

impl Import {
    fn file(&mut self, file: &str, text: &str, options: &Options) {
        let mut refused = None;
        for document in documents(text) {
            // Rules behind one that is a part of all of them are not whole.
            let taken = refused.clone().map_or_else(|| self.document(file, &document, options), Err);
            match taken {
                Ok(None) => {}
                Ok(Some((policy, losses))) => {
                    self.rules += 1;
                    self.policies.push(policy);
                    for loss in losses {
                        self.told.push(Remark { file: file.to_owned(), what: Outcome::WithLoss(loss.to_string()) });
                    }
                }
                Err(fault) => {
                    if fault.message == rule::COLLECTION {
                        refused = Some(fault.clone());
                    }
                    self.refuse(file, &fault);
                }
            }
        }
    }

    fn refuse(&mut self, file: &str, fault: &Fault) {
        self.rules += 1;
        self.told.push(Remark { file: file.to_owned(), what: Outcome::NotTaken(fault.to_string()) });
    }

    /// The policy of a document; none if nothing stands in it.
    fn document(
        &mut self,
        file: &str,
        document: &Document<'_>,
        options: &Options,
    ) -> Result<Option<(Policy, Vec<Fault>)>, Fault> {
        let Some(root) = document.read()? else { return Ok(None) };
        let rule = Rule::read(&root, document)?;
        if let Some(before) = rule.id.as_ref().and_then(|id| self.ids.get(id)) {
            return Err(Fault::whole(format!("a rule with its id was taken from {before}")));
        }
        let (mut condition, losses) = translate::translate(&rule, document)?;
        condition.name_lists(self.policies.len() + 1);
        let policy = Policy::new(&rule, condition, options.keep_level);
        check(&policy)?;
        if let Some(id) = rule.id {
            self.ids.insert(id, file.to_owned());
        }
        Ok(Some((policy, losses)))
    }
}

/// Has the rules of a policy compiled: what is refused there, or never holds, is not taken.
fn check(policy: &Policy) -> Result<(), Fault> {
    let mut report = Report::default();
    let source = report.add_source("policy", "");
    let span = Span { source, bytes: 0..0 };
    let spanned = |text: &str| Spanned { value: text.to_owned(), span: span.clone(), verbatim: false };
    let sources: Vec<_> = policy
        .lists()
        .map(|(name, values)| ListSource {
            name: spanned(name),
            kind: Some(spanned(policy::LIST_TYPE)),
            values: Some(values.iter().map(|value| spanned(value)).collect()),
            add: Vec::new(),
            remove: Vec::new(),
        })
        .collect();
    let lists = Lists::merge(&sources, &mut report);
    let rules: Vec<_> = policy.rules().iter().map(|rule| spanned(rule)).collect();
    let chain = Chain { name: "policy", rules: &rules, span: &span, on_missing_default: MissingDefault::Error };
    let _ = compile(policy.seen(), &[chain], &lists, &mut report);
    match report.diagnostics().first() {
        None => Ok(()),
        Some(found) => {
            let help = found.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
            Err(Fault::whole(format!("as a policy it would be refused: {}{help}", found.message)))
        }
    }
}
