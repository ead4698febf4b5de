//! Login names of user ids, looked up off the hot path.
//!
//! [`Users::name`] reads a map and never waits. The names of `/etc/passwd` are there before the first event, and changes of
//! that file are noticed as they happen. An id that is not in there is asked of the name service by a thread of its own,
//! which may take as long as a directory server takes; who holds the [`UserName`] has it once it is known.
//!
//! That nobody could say, or that there is no such user, is no answer for good: a directory may not be reachable yet, a user
//! may be made later. It is asked again, at first soon and then every [`RETRY_MAX`], as long as the id was seen within the
//! last [`ASKED_FOR`]. What a directory said is asked again after [`KNOWN_FOR`].

mod asked;
mod passwd;

#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing {
    /// The names in the text of `/etc/passwd`.
    pub(in crate::process) fn passwd(text: &str) -> Vec<String> {
        super::passwd::parse(text).into_values().filter_map(|name| Some(name.as_deref()?.to_owned())).collect()
    }
}

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use foldhash::{HashMap, HashMapExt as _};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;

use self::asked::Asked;
use self::passwd::{Names, Passwd};
use crate::event::UserName;
use crate::name_service::user_names;

/// Ids waiting for the name service; more are asked for again when they are next seen.
const WAITING: usize = 256;
/// Ids beside those of `/etc/passwd` that are known or being asked for; beyond, all of them begin anew.
const LIMIT: usize = 65_536;
/// Longest time until an id that has no name is asked for again.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long an id without a name is asked for after it was last seen.
const ASKED_FOR: Duration = Duration::from_secs(3600);
/// How long a directory's word is taken.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// The names known so far.
#[derive(Debug)]
pub struct Users {
    passwd: Arc<ArcSwap<Names>>,
    /// Those that are in no file.
    others: HashMap<u32, UserName>,
    wanted: SyncSender<(u32, UserName)>,
    wake: Arc<OwnedFd>,
}

impl Users {
    /// Reads `/etc/passwd` and starts the thread that asks for the rest. The thread ends with this value.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start() -> io::Result<Self> {
        let file = Passwd::open();
        let passwd = Arc::new(ArcSwap::from_pointee(file.read().unwrap_or_default()));
        let (wanted, requests) = sync_channel(WAITING);
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let thread =
            Thread { file, passwd: Arc::clone(&passwd), requests, wake: Arc::clone(&wake), asked: Asked::default() };
        std::thread::Builder::new().name("users".into()).spawn(move || thread.run())?;
        Ok(Self { passwd, others: HashMap::new(), wanted, wake })
    }

    /// The login name: known, or one that will be.
    #[must_use]
    pub fn name(&mut self, uid: u32) -> UserName {
        if let Some(name) = self.passwd.load().get(&uid) {
            return name.clone();
        }
        if let Some(name) = self.others.get(&uid).filter(|name| !name.is_outdated()) {
            return name.clone();
        }
        let name = UserName::awaited();
        // A full queue is no loss: the id is asked for again with its next event.
        if self.wanted.try_send((uid, name.clone())).is_err() {
            return UserName::default();
        }
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        if self.others.len() >= LIMIT {
            self.others.clear();
        }
        self.others.insert(uid, name.clone());
        name
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        // The thread looks whether there is still somebody to ask.
        let (closed, _) = sync_channel(0);
        self.wanted = closed;
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

struct Thread {
    file: Passwd,
    passwd: Arc<ArcSwap<Names>>,
    requests: Receiver<(u32, UserName)>,
    wake: Arc<OwnedFd>,
    asked: Asked,
}

impl Thread {
    fn run(mut self) {
        loop {
            self.wait();
            if self.file.has_changed()
                && let Some(names) = self.file.read()
            {
                self.passwd.store(Arc::new(names));
            }
            loop {
                match self.requests.try_recv() {
                    Ok((uid, name)) => self.asked.add(uid, name, Instant::now()),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            let due = self.asked.due(Instant::now());
            if !due.is_empty() {
                let answers = user_names(&due);
                self.asked.answer(&due, &answers, Instant::now());
            }
        }
    }

    /// Until there is a request, the file changes, or an id is to be asked for again.
    fn wait(&self) {
        let timeout = self.asked.next().map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = timeout.or(self.file.look_again()).map(|wait| Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        let mut waited = vec![PollFd::new(&*self.wake, PollFlags::IN)];
        waited.extend(self.file.watch().map(|watch| PollFd::from_borrowed_fd(watch, PollFlags::IN)));
        // Interrupted, or not: what there is to do is looked for either way.
        let _ = poll(&mut waited, timeout.as_ref());
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_at_once() {
        assert_eq!(Users::start().unwrap().name(0).as_deref(), Some("root"));
    }

    #[test]
    fn who_is_nobody_is_asked_for_once_at_a_time() {
        let mut users = Users::start().unwrap();
        let first = users.name(4_294_967_000);
        while first.is_pending() {
            std::thread::yield_now();
        }
        assert_eq!(first.as_deref(), None);
        assert!(!users.name(4_294_967_000).is_pending(), "the same answer");
    }
}
