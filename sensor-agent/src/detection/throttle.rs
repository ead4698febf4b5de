//! Not more than so many alerts of a policy in so much time, told apart by fields.
//!
//! What is held back is told by the next alert that passes, whatever comes between: a combination of values that is
//! forgotten, a reload that changes the throttle. Then it is the next alert of the policy, of any combination.
//!
//! Windows are measured by the boot clock, which only goes forward: a time of day that is set back would hold a window
//! open until it is where it was. Combinations are told apart by hashes under keys of this run's own, since it is the
//! watched programs that decide how long the values are.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use hashlink::LruCache;

use crate::event::fields::Field;
use crate::event::json::write_value;
use crate::event::{Event, Host};

/// Combinations of field values told apart; beyond, the one unseen for longest is forgotten.
const GROUPS: usize = 4096;

/// `throttle:` of a policy.
#[derive(Clone, Debug)]
pub struct ThrottleSettings {
    /// Alerts let through …
    pub count: u32,
    /// … in this time.
    pub per: Duration,
    /// Fields whose values are counted apart.
    pub by: Vec<&'static Field>,
}

impl PartialEq for ThrottleSettings {
    fn eq(&self, other: &Self) -> bool {
        let names = |settings: &Self| settings.by.iter().map(|field| field.name).collect::<Vec<_>>();
        (self.count, self.per) == (other.count, other.per) && names(self) == names(other)
    }
}

#[derive(Debug)]
pub(super) struct Throttle {
    settings: ThrottleSettings,
    keys: [RandomState; 2],
    groups: LruCache<[u64; 2], Window>,
    /// Scratch for the values of a combination.
    values: Vec<u8>,
    /// Held back in windows that were forgotten, and not told yet.
    forgotten: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Pass {
        /// Held back since the last that passed.
        held_back: u64,
    },
    Hold,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// By the boot clock, nanoseconds.
    began: u64,
    passed: u32,
    held: u64,
}

impl Throttle {
    pub(super) fn new(settings: ThrottleSettings) -> Self {
        Self { settings, keys: Default::default(), groups: LruCache::new(GROUPS), values: Vec::new(), forgotten: 0 }
    }

    /// Whether it tells events apart by one of these fields.
    pub(super) fn asks_for(&self, fields: &[&str]) -> bool {
        self.settings.by.iter().any(|field| fields.contains(&field.name))
    }

    /// Goes on where the throttle of the same policy was before a reload.
    pub(super) fn go_on(&mut self, before: Self) {
        if self.settings == before.settings {
            *self = before;
        } else {
            self.owe(before.unreported());
        }
    }

    /// Held back and not told yet.
    pub(super) fn unreported(&self) -> u64 {
        self.forgotten + self.groups.iter().map(|(_, window)| window.held).sum::<u64>()
    }

    /// So many were held back before and are still to be told.
    pub(super) fn owe(&mut self, held_back: u64) {
        self.forgotten += held_back;
    }

    /// Decides on an event that happened at this time of the boot clock, nanoseconds.
    pub(super) fn decide(&mut self, event: &Event, at: u64, host: &Host) -> Decision {
        self.values.clear();
        for field in &self.settings.by {
            write_value(&mut self.values, field.of(event, host));
            self.values.push(b',');
        }
        let key = self.keys.each_ref().map(|keys| keys.hash_one(&self.values));
        let per = u64::try_from(self.settings.per.as_nanos()).unwrap_or(u64::MAX);
        let new = Window { began: at, passed: 0, held: 0 };
        if !self.groups.contains_key(&key)
            && self.groups.len() >= self.groups.capacity()
            && let Some((_, unseen)) = self.groups.remove_lru()
        {
            self.forgotten += unseen.held;
        }
        let window = self.groups.entry(key).or_insert_with(|| new);
        if at.saturating_sub(window.began) >= per {
            // What the last window held back is told by the first alert of this one.
            *window = Window { held: window.held, ..new };
        }
        if window.passed >= self.settings.count {
            window.held += 1;
            return Decision::Hold;
        }
        window.passed += 1;
        Decision::Pass { held_back: std::mem::take(&mut window.held) + std::mem::take(&mut self.forgotten) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::EventType;

    use super::*;
    use crate::event::{Detail, Process, ProcessKey, fields};

    fn event(pid: u32) -> Event {
        let process = Arc::new(Process { key: ProcessKey::new(pid, 0), ..Process::default() });
        Event { kind: EventType::Exec, time: 0, process, detail: Detail::None }
    }

    fn decide(throttle: &mut Throttle, pid: u32, seconds: u64) -> Decision {
        throttle.decide(&event(pid), seconds * 1_000_000_000, &Host::default())
    }

    #[test]
    fn what_was_held_back_is_told_later() {
        let by = vec![fields::by_name("processPid").unwrap()];
        let mut throttle = Throttle::new(ThrottleSettings { count: 2, per: Duration::from_secs(60), by });
        let mut decide = |pid, seconds| decide(&mut throttle, pid, seconds);
        assert_eq!(decide(1, 0), Decision::Pass { held_back: 0 });
        assert_eq!(decide(1, 1), Decision::Pass { held_back: 0 });
        assert_eq!(decide(1, 2), Decision::Hold);
        assert_eq!(decide(1, 59), Decision::Hold);
        assert_eq!(decide(2, 59), Decision::Pass { held_back: 0 });
        assert_eq!(decide(1, 60), Decision::Pass { held_back: 2 });
        assert_eq!(decide(1, 61), Decision::Pass { held_back: 0 });
        assert_eq!(decide(1, 62), Decision::Hold);
    }

    fn one_a_minute(count: u32) -> ThrottleSettings {
        let by = vec![fields::by_name("processPid").unwrap()];
        ThrottleSettings { count, per: Duration::from_secs(60), by }
    }

    #[test]
    fn what_a_forgotten_group_held_back_is_told_by_the_next_alert() {
        let mut throttle = Throttle::new(one_a_minute(1));
        let mut decide = |pid, seconds| decide(&mut throttle, pid, seconds);
        assert_eq!(decide(1, 0), Decision::Pass { held_back: 0 });
        for _ in 0..3 {
            assert_eq!(decide(1, 0), Decision::Hold);
        }
        let groups = u32::try_from(GROUPS).unwrap();
        for pid in 2..=groups {
            assert_eq!(decide(pid, 1), Decision::Pass { held_back: 0 });
        }
        // One combination too many: that of process 1 is forgotten.
        assert_eq!(decide(groups + 1, 1), Decision::Pass { held_back: 3 });
        assert_eq!(decide(1, 2), Decision::Pass { held_back: 0 });
    }

    #[test]
    fn a_reload_keeps_what_was_held_back() {
        let held = || {
            let mut throttle = Throttle::new(one_a_minute(1));
            let decided = [0, 1, 2].map(|seconds| decide(&mut throttle, 1, seconds));
            assert_eq!(decided, [Decision::Pass { held_back: 0 }, Decision::Hold, Decision::Hold]);
            throttle
        };
        let mut same = Throttle::new(one_a_minute(1));
        same.go_on(held());
        assert_eq!(decide(&mut same, 1, 59), Decision::Hold, "the window goes on");
        assert_eq!(decide(&mut same, 1, 60), Decision::Pass { held_back: 3 });
        let mut other = Throttle::new(one_a_minute(2));
        other.go_on(held());
        assert_eq!(decide(&mut other, 7, 3), Decision::Pass { held_back: 2 });
    }
    #[test]
    fn a_time_of_day_that_is_set_back_opens_windows_all_the_same() {
        let mut throttle = Throttle::new(ThrottleSettings { count: 1, per: Duration::from_secs(5), by: Vec::new() });
        let hour = 3600 * 1_000_000_000;
        // (boot clock, time of day): an hour back after the first.
        let seconds = [(100, 2 * hour), (108, hour), (109, hour), (116, hour)];
        let decided = seconds.map(|(boot, time)| {
            let event = Event { time, ..event(1) };
            throttle.decide(&event, boot * 1_000_000_000, &Host::default())
        });
        let passed = |held_back| Decision::Pass { held_back };
        assert_eq!(decided, [passed(0), passed(0), Decision::Hold, passed(1)]);
    }
}
