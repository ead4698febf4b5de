//! A container: the id from the control group, the rest from its runtime, perhaps a moment later.

use containers::Facts;
use schema::process::Runtime;

use super::{Arguments, Late};

/// A container, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Container {
    pub id: String,
    /// As the control group tells; none only in an event that is written down by hand.
    pub runtime: Option<Runtime>,
    /// What the runtime says.
    pub told: Late<FromRuntime>,
}

/// What a runtime said.
#[derive(Clone, Debug, Default)]
pub struct FromRuntime {
    pub facts: Facts,
    /// The labels once more, for rules: each as `KEY=VALUE`.
    pub labels: Arguments,
    /// The same of the kinds of namespaces, and of the mounts.
    pub host_namespaces: Arguments,
    pub mounts: Arguments,
}

static NOTHING: Facts = Facts::none();

impl Container {
    /// What is known by now; all of it empty if nothing is.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        self.told.as_deref().map_or(&NOTHING, |told| &told.facts)
    }

    /// What people call it: its name, else the first digits of its id.
    #[must_use]
    pub fn shown(&self) -> &str {
        let name = &self.facts().name;
        if name.is_empty() { self.id.get(..12).unwrap_or(&self.id) } else { name }
    }

    /// What runs it: as the control group tells, else as whoever knew it.
    #[must_use]
    pub fn runtime(&self) -> Option<Runtime> {
        match self.runtime {
            None | Some(Runtime::Unknown) => self.facts().runtime.or(self.runtime),
            named => named,
        }
    }
}

impl FromRuntime {
    /// What was said, with its labels as texts.
    pub(super) fn new(facts: Facts, labels: &[String]) -> Self {
        let (labels, mounts) = (texts(labels), texts(&facts.mounts));
        Self { labels, host_namespaces: texts(&facts.host_namespaces), mounts, facts }
    }
}

fn texts(texts: &[String]) -> Arguments {
    // A byte of zero ends each; a text that has one of its own is two to rules.
    let bytes: Vec<u8> = texts.iter().flat_map(|text| text.bytes().chain([0])).collect();
    let mut texts = Arguments::default();
    texts.set(&bytes, &[], bytes.len() as u64, false);
    texts
}

impl From<Facts> for FromRuntime {
    fn from(facts: Facts) -> Self {
        let labels: Vec<String> = facts.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Self::new(facts, &labels)
    }
}

impl From<Facts> for Late<FromRuntime> {
    fn from(facts: Facts) -> Self {
        Box::<FromRuntime>::new(facts.into()).into()
    }
}

impl containers::Waiting for Late<FromRuntime> {
    fn tell(&self, facts: Option<Facts>) {
        Self::tell(self, facts.map(|facts| Box::new(facts.into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_late_is_there_for_all_who_hold_the_container() {
        let container = Container { runtime: Some(Runtime::Unknown), told: Late::awaited(), ..Container::default() };
        let held = container.clone();
        assert_eq!((held.facts(), held.runtime()), (&NOTHING, Some(Runtime::Unknown)));
        let facts = Facts {
            name: "web".into(),
            runtime: Some(Runtime::Podman),
            labels: vec![("app".into(), "web".into()), ("empty".into(), String::new())],
            ..Facts::default()
        };
        containers::Waiting::tell(&container.told, Some(facts));
        assert_eq!((held.facts().name.as_str(), held.runtime()), ("web", Some(Runtime::Podman)));
        let labels: Vec<&[u8]> = held.told.as_deref().unwrap().labels.iter().collect();
        assert_eq!(labels, [&b"app=web"[..], b"empty="]);
    }
}
