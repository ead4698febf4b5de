//! What runtimes say of containers, by id: asked when an id is first seen, and held for whoever sees it next.

use hashlink::LruCache;

use crate::event::{FromRuntime, Late};

/// Containers that are remembered; the ones that were seen longest ago are forgotten first, and asked for anew.
const CONTAINERS: usize = 4096;

/// Who is asked for containers.
pub type Lookups = containers::Lookups<Late<FromRuntime>>;

/// The containers that were asked for.
#[derive(Debug)]
pub(super) struct ContainerNames {
    /// None asks nobody.
    lookups: Option<Lookups>,
    known: LruCache<Box<str>, Late<FromRuntime>>,
}

impl ContainerNames {
    pub(super) fn new(lookups: Option<Lookups>) -> Self {
        Self { lookups, known: LruCache::new(CONTAINERS) }
    }

    /// What is said of a container, or will be.
    pub(super) fn of(&mut self, id: &str) -> Late<FromRuntime> {
        let Some(lookups) = self.lookups.as_ref().filter(|_| containers::is_id(id)) else { return Late::default() };
        if let Some(told) = self.known.get(id) {
            return told.clone();
        }
        let told = Late::awaited();
        lookups.ask(id, told.clone());
        self.known.insert(id.into(), told.clone());
        told
    }
}
