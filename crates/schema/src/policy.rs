//! The types of policies: what a detection watches.

use crate::{EventType, Seen, classes};

/// A type of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyType {
    /// The word of the configuration.
    pub word: &'static str,
    /// The kinds of events that its rules see, of one class. None while nothing serves it: then its policies are read and
    /// checked, and not in force.
    pub sees: &'static [EventType],
}

/// Every type that a configuration may name, those that are served first.
pub static POLICY_TYPES: [PolicyType; crate::total(classes::POLICY_TYPES) + classes::PLANNED_POLICY_TYPES.len()] = {
    let parts: [&[PolicyType]; classes::POLICY_TYPES.len() + 1] =
        crate::concat(&[classes::POLICY_TYPES, &[classes::PLANNED_POLICY_TYPES]], classes::PLANNED_POLICY_TYPES);
    crate::concat(&parts, classes::PLANNED_POLICY_TYPES[0])
};

impl PolicyType {
    /// The words of all.
    pub const WORDS: &[&str] = &{
        let mut words = [""; POLICY_TYPES.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = POLICY_TYPES[at].word;
            at += 1;
        }
        words
    };

    /// The type of a word, in any letter case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<&'static Self> {
        POLICY_TYPES.iter().find(|known| known.word.eq_ignore_ascii_case(word))
    }

    /// The events that its rules see; none if nothing serves it.
    #[must_use]
    pub const fn seen(&self) -> Option<Seen> {
        if self.is_served() { Some(Seen::these(self.sees)) } else { None }
    }

    /// The rule that all its policies begin with, whatever they say.
    #[must_use]
    pub fn first_rule(&self) -> Option<&'static str> {
        (self.word == classes::network::CLOUD_METADATA).then_some(classes::network::CLOUD_METADATA_RULE)
    }

    #[must_use]
    pub const fn is_served(&self) -> bool {
        !self.sees.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_stand_once() {
        for (policy_type, word) in POLICY_TYPES.iter().zip(PolicyType::WORDS) {
            assert_eq!(PolicyType::from_word(&word.to_uppercase()), Some(policy_type));
        }
        assert_eq!(PolicyType::from_word("programs"), None);
    }

    /// Rules are compiled for a class, and a mistake here would show when a configuration is read.
    #[test]
    fn a_type_sees_events_of_one_class() {
        for policy_type in POLICY_TYPES {
            assert_eq!(policy_type.seen().is_some(), policy_type.is_served(), "{}", policy_type.word);
        }
    }
}
