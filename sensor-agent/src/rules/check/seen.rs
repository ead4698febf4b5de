//! What the events that the rules see have: their fields, and their types.

use std::ops::Range;

use diagnostic::nearest;
use schema::{EventType, Owner, Seen};

use super::super::Problem;
use super::super::ast::{Scope, Term};
use super::Checker;
use crate::event::fields::{self, Field, foreign};

impl Checker<'_> {
    pub(super) fn field(&mut self, term: &Term) -> Option<&'static Field> {
        let subject = &term.subject;
        let range = subject.field_range.clone();
        let Some(field) = fields::by_name(&subject.field) else {
            let known = fields::FIELDS.iter().filter(|field| field.applies_to(self.seen)).map(|field| field.name);
            let problem =
                Problem::error(range, format!("there is no field `{}`", subject.field)).label("unknown field");
            let problem = match fields::by_column(&subject.field) {
                Some(field) => {
                    problem.help(format!("the column `{}` is called `{}` in rules", field.column, field.name))
                }
                None => match (foreign::advice(&subject.field), nearest(&subject.field, known)) {
                    (Some(advice), _) => problem.help(advice),
                    (None, None) => problem.help(foreign::ALL_FIELDS),
                    (None, near) => problem.did_you_mean(near),
                },
            };
            return self.fail(problem);
        };
        match field.owner {
            Owner::Class(class) if class != self.seen.class() => {
                let (has, here) = (class.name(), self.seen.class().name());
                self.fail(
                    Problem::error(range, format!("`{}` is a field of {has} events", field.name))
                        .label(format!("these rules are about {here} events")),
                )
            }
            Owner::Class(_) | Owner::Any if subject.scope != Scope::Event => self.fail(
                Problem::error(range, format!("`{}` is a field of the event, not of a process", field.name))
                    .label("an ancestor has no such field"),
            ),
            _ if !field.applies_to(self.seen) => {
                let has = Seen::these(field.only_in).name();
                self.fail(
                    Problem::error(range, format!("`{}` has a value in {has} events alone", field.name))
                        .label(format!("these rules see {} events", self.seen.name()))
                        .help("a policy of this type never sees the others: take the comparison out, or filter a table by it"),
                )
            }
            _ => Some(field),
        }
    }

    /// Speaks up if no event that these rules see has any of these words for its type: an error if the rules see one
    /// kind alone, since a policy that was meant for another would be silent for ever.
    pub(super) fn seen_word(&mut self, field: &Field, words: &[&str], range: Range<usize>) -> Option<()> {
        let is_seen = |kind: &EventType| self.seen.contains(*kind) && words.contains(&kind.word());
        if field.name != "eventType" || words.is_empty() || EventType::ALL.iter().any(is_seen) {
            return Some(());
        }
        let name = self.seen.name();
        let problem = if self.seen.is_narrow() {
            Problem::error(range, "these rules never see events of this type")
                .label(format!("they see {name} events alone"))
                .help("the policy's type says which events it sees: take the comparison out, or filter a table by it")
        } else {
            Problem::warning(range, format!("this never holds: no {name} event is of this type"))
                .label(format!("these rules are about {name} events"))
        };
        let is_error = self.seen.is_narrow();
        self.problems.push(problem);
        (!is_error).then_some(())
    }
}
