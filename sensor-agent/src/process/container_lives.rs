//! What became of each container last: its control groups tell it, and not each of them tells something new.
//!
//! With version 1 hierarchies a container has a group in each, which are made one after the other with processes moved in between.

use hashlink::LruCache;
use schema::EventType;

/// Containers that are remembered.
const CONTAINERS: usize = 4096;

#[derive(Debug)]
pub(super) struct ContainerLives(LruCache<Box<str>, EventType>);

impl Default for ContainerLives {
    fn default() -> Self {
        Self(LruCache::new(CONTAINERS))
    }
}

impl ContainerLives {
    /// Takes in what became of a group of the container. Whether that is new, and so told.
    pub(super) fn is_news(&mut self, id: &str, kind: EventType) -> bool {
        let last = self.0.get(id).copied();
        let is_news = match (last, kind) {
            // Of one that was there before the sensor, or was forgotten, all is.
            (None, _) => true,
            // It is another of that name, even if nobody told that the one before was taken away.
            (Some(last), EventType::ContainerCreated) => {
                matches!(last, EventType::ContainerDestroyed | EventType::ContainerExited)
            }
            // The first of its groups is gone: it ends.
            (Some(last), EventType::ContainerRunning | EventType::ContainerExited) => {
                last != kind && last != EventType::ContainerDestroyed
            }
            (Some(last), _) => last != kind,
        };
        if is_news {
            self.0.insert(id.into(), kind);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use EventType::{
        ContainerCreated as Created, ContainerDestroyed, ContainerExited as Exited, ContainerRunning as Running,
    };

    use super::*;

    fn told(changes: &[EventType]) -> Vec<EventType> {
        let mut lives = ContainerLives::default();
        changes.iter().copied().filter(|&kind| lives.is_news("web", kind)).collect()
    }

    #[test]
    fn each_thing_is_told_once_and_in_order() {
        let life = [Created, Running, Exited, ContainerDestroyed];
        assert_eq!(told(&life), life);
        let again = [Created, Running, Exited, Running, Exited, ContainerDestroyed, Created, Running];
        assert_eq!(told(&again), again);
        // Of two hierarchies.
        let twice = [Created, Running, Created, Running, Exited, Exited, ContainerDestroyed, ContainerDestroyed];
        assert_eq!(told(&twice), life);
        // It is left in one hierarchy after the other.
        let apart = [Created, Running, Exited, ContainerDestroyed, Exited, ContainerDestroyed];
        assert_eq!(told(&apart), life);
        // What came between is lost.
        assert_eq!(told(&[Created, Running, Exited, Created, Running]), [Created, Running, Exited, Created, Running]);
        // It was there before.
        assert_eq!(told(&[Exited, ContainerDestroyed]), [Exited, ContainerDestroyed]);
    }

    #[test]
    fn containers_are_apart_and_bounded() {
        let mut lives = ContainerLives::default();
        assert!(lives.is_news("one", Created) && lives.is_news("other", Created) && !lives.is_news("one", Created));
        for number in 0..CONTAINERS {
            assert!(lives.is_news(&number.to_string(), Created));
        }
        assert_eq!(lives.0.len(), CONTAINERS);
    }
}
