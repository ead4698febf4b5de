//! What is known a moment later: the login name of a user, the names of a container.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// A value that is being asked for: all who hold this have it from the moment there is an answer. None, if nobody was asked.
#[derive(Debug)]
pub struct Late<T: ?Sized>(Option<Arc<Answer<T>>>);

/// The login name of a user.
pub type UserName = Late<str>;

#[derive(Debug)]
struct Answer<T: ?Sized> {
    value: OnceLock<Box<T>>,
    state: AtomicU8,
}

/// Nobody has answered yet; somebody has, perhaps that there is none; it is to be asked for anew.
const PENDING: u8 = 0;
const ANSWERED: u8 = 1;
const OUTDATED: u8 = 2;

impl<T: ?Sized> Late<T> {
    /// One that is being asked for.
    #[must_use]
    pub fn awaited() -> Self {
        Self(Some(Arc::new(Answer { value: OnceLock::new(), state: AtomicU8::new(PENDING) })))
    }

    /// The value, if it is known by now.
    #[must_use]
    pub fn as_deref(&self) -> Option<&T> {
        self.0.as_ref()?.value.get().map(|value| &**value)
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

    /// The answer; none for that there is none, or that nobody could say. A value once told stays.
    pub fn tell(&self, value: Option<Box<T>>) {
        let Some(answer) = &self.0 else { return };
        if let Some(value) = value {
            let _ = answer.value.set(value);
        }
        answer.state.store(ANSWERED, Ordering::Release);
    }

    /// It may be another by now.
    pub fn outdate(&self) {
        if let Some(answer) = &self.0 {
            answer.state.store(OUTDATED, Ordering::Release);
        }
    }

    fn state(&self) -> u8 {
        self.0.as_ref().map_or(ANSWERED, |answer| answer.state.load(Ordering::Acquire))
    }
}

impl<T: ?Sized> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Late<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: ?Sized> From<Box<T>> for Late<T> {
    fn from(value: Box<T>) -> Self {
        let answer = Answer { value: OnceLock::from(value), state: AtomicU8::new(ANSWERED) };
        Self(Some(Arc::new(answer)))
    }
}

impl From<&str> for UserName {
    fn from(name: &str) -> Self {
        Box::<str>::from(name).into()
    }
}

impl From<String> for UserName {
    fn from(name: String) -> Self {
        name.into_boxed_str().into()
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
        name.tell(Some("deploy".into()));
        assert_eq!(held.as_deref(), Some("deploy"));
        name.outdate();
        assert_eq!((held.as_deref(), held.is_outdated()), (Some("deploy"), true));
    }
}
