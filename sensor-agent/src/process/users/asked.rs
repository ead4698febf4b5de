//! Which ids the name service was asked for, and when it is asked again.

use std::time::{Duration, Instant};

use foldhash::HashMap;

use super::{ASKED_FOR, KNOWN_FOR, LIMIT, RETRY_MAX};
use crate::event::UserName;

const RETRY_MIN: Duration = Duration::from_secs(1);
/// Ids that are due so soon are asked for along with those that are due.
const ALONG: Duration = Duration::from_secs(5);
/// Most ids asked for at a time.
const AT_A_TIME: usize = 256;

/// What the name service said of some ids; none of one that it could not say anything of.
pub(super) type Answers = HashMap<u32, Option<String>>;

#[derive(Debug, Default)]
pub(super) struct Asked(HashMap<u32, Id>);

#[derive(Debug)]
struct Id {
    /// All who wait for it, or have it.
    name: UserName,
    next: Instant,
    /// How long until it is asked again once more.
    pause: Duration,
    until: Instant,
}

impl Asked {
    /// An id that somebody wants to know.
    pub(super) fn add(&mut self, uid: u32, name: UserName, now: Instant) {
        if self.0.len() >= LIMIT {
            self.0.values().for_each(|id| id.name.outdate());
            self.0.clear();
        }
        let before = self.0.insert(uid, Id { name, next: now, pause: RETRY_MIN, until: now + ASKED_FOR });
        if let Some(before) = before {
            before.name.outdate();
        }
    }

    /// When the next one is to be asked for.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|id| id.next).min()
    }

    /// The ids to ask for now; those that nobody has asked for yet come first.
    pub(super) fn due(&self, now: Instant) -> Vec<u32> {
        let is_due = self.0.values().any(|id| id.next <= now);
        let mut due: Vec<_> = self.0.iter().filter(|(_, id)| is_due && id.next <= now + ALONG).collect();
        due.sort_by_key(|(_, id)| (!id.name.is_pending(), id.next));
        due.into_iter().map(|(uid, _)| *uid).take(AT_A_TIME).collect()
    }

    /// Takes in what the name service says of these ids.
    pub(super) fn answer(&mut self, due: &[u32], answers: &Answers, now: Instant) {
        for uid in due {
            let Some(id) = self.0.get_mut(uid) else { continue };
            let known = id.name.as_deref().map(str::to_owned);
            match (answers.get(uid), known) {
                (Some(Some(name)), None) => {
                    id.name.tell(Some(name.as_str().into()));
                    id.next = now + KNOWN_FOR;
                }
                // As before, or nobody can say at the moment.
                (Some(Some(name)), Some(known)) if *name == known => id.next = now + KNOWN_FOR,
                (None, Some(_)) => id.next = now + KNOWN_FOR,
                // Called otherwise by now, or gone.
                (Some(_), Some(_)) => self.forget(*uid),
                (Some(None) | None, None) => {
                    id.name.tell(None);
                    id.next = now + id.pause;
                    id.pause = (id.pause * 2).min(RETRY_MAX);
                    // Whoever sees it next asks anew.
                    if now >= id.until {
                        self.forget(*uid);
                    }
                }
            }
        }
    }

    fn forget(&mut self, uid: u32) {
        if let Some(id) = self.0.remove(&uid) {
            id.name.outdate();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(answers: &[(u32, Option<&str>)]) -> Answers {
        answers.iter().map(|(uid, name)| (*uid, name.map(str::to_owned))).collect()
    }

    #[test]
    fn what_could_not_be_told_is_asked_again_within_half_a_minute() {
        let (mut asked, mut now) = (Asked::default(), Instant::now());
        let name = UserName::awaited();
        asked.add(7, name.clone(), now);
        let mut pauses = Vec::new();
        for answer in [answers(&[]), answers(&[(7, None)])].iter().cycle().take(8) {
            assert_eq!(asked.due(now), [7]);
            asked.answer(&[7], answer, now);
            let next = asked.next().unwrap();
            pauses.push((next - now).as_secs());
            now = next;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert!(!name.is_pending());
        asked.answer(&[7], &answers(&[(7, Some("late"))]), now);
        assert_eq!(name.as_deref(), Some("late"));
    }

    #[test]
    fn an_id_that_nobody_uses_any_more_is_forgotten() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        let name = UserName::awaited();
        asked.add(7, name.clone(), now);
        asked.answer(&[7], &answers(&[]), now + ASKED_FOR);
        assert!(name.is_outdated() && asked.next().is_none());
    }

    #[test]
    fn a_name_that_changed_is_asked_for_anew_and_one_that_cannot_be_told_stays() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        let name = UserName::awaited();
        asked.add(7, name.clone(), now);
        asked.answer(&[7], &answers(&[(7, Some("bob"))]), now);
        asked.answer(&[7], &answers(&[]), now + KNOWN_FOR);
        assert!(!name.is_outdated());
        asked.answer(&[7], &answers(&[(7, Some("eve"))]), now + KNOWN_FOR * 2);
        assert!(name.is_outdated());
        assert_eq!(name.as_deref(), Some("bob"), "of what was then, it is right");
    }

    #[test]
    fn new_ids_come_first_and_others_come_along() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        asked.add(1, UserName::awaited(), now);
        asked.answer(&[1], &answers(&[]), now);
        assert!(asked.due(now).is_empty());
        asked.add(2, UserName::awaited(), now);
        assert_eq!(asked.due(now), [2, 1]);
    }
}
