//! A login name that may come late.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// The login name of a user. While a name service is asked for it, all who hold this have it from the moment it answers.
#[derive(Clone, Debug, Default)]
pub struct UserName(Option<Arc<Answer>>);

#[derive(Debug, Default)]
struct Answer {
    name: OnceLock<Box<str>>,
    state: AtomicU8,
}

/// Nobody has answered yet; somebody has, perhaps that there is none; it is to be asked for anew.
const PENDING: u8 = 0;
const ANSWERED: u8 = 1;
const OUTDATED: u8 = 2;

impl UserName {
    /// One that is being asked for.
    #[must_use]
    pub fn awaited() -> Self {
        Self(Some(Arc::default()))
    }

    /// The name, if it is known by now.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_ref()?.name.get().map(|name| &**name)
    }

    /// Whether it is being asked for and there was no answer yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state() == PENDING
    }

    /// Whether who holds it has to ask anew.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.state() == OUTDATED
    }

    /// The answer; none for no such user, or that nobody could say. A name once told stays.
    pub fn tell(&self, name: Option<&str>) {
        let Some(answer) = &self.0 else { return };
        if let Some(name) = name {
            let _ = answer.name.set(name.into());
        }
        answer.state.store(ANSWERED, Ordering::Release);
    }

    /// The user may be called otherwise by now.
    pub fn outdate(&self) {
        if let Some(answer) = &self.0 {
            answer.state.store(OUTDATED, Ordering::Release);
        }
    }

    fn state(&self) -> u8 {
        self.0.as_ref().map_or(ANSWERED, |answer| answer.state.load(Ordering::Acquire))
    }
}

impl<T: Into<Box<str>>> From<T> for UserName {
    fn from(name: T) -> Self {
        let answer = Answer { name: OnceLock::from(name.into()), state: AtomicU8::new(ANSWERED) };
        Self(Some(Arc::new(answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_name_has_it_once_it_is_told() {
        let (name, none) = (UserName::awaited(), UserName::default());
        let held = name.clone();
        assert_eq!((held.as_deref(), held.is_pending(), none.is_pending()), (None, true, false));
        name.tell(None);
        assert_eq!((held.as_deref(), held.is_pending()), (None, false));
        name.tell(Some("deploy"));
        assert_eq!(held.as_deref(), Some("deploy"));
        name.outdate();
        assert_eq!((held.as_deref(), held.is_outdated()), (Some("deploy"), true));
    }
}
