//! Login names of user ids, looked up off the hot path.
//!
//! [`Users::name`] reads a map and never waits. The names of `/etc/passwd` are there before the first event; an id
//! that is not is asked of the name service by a thread of its own, which may take as long as a directory server
//! takes. Until then the name is absent, which `userName` rules see as no match.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use foldhash::{HashMap, HashMapExt as _};

use crate::name_service::user_name;

type Names = HashMap<u32, Option<Arc<str>>>;

const PASSWD: &str = "/etc/passwd";
/// How often a changed `/etc/passwd` is noticed.
const REFRESH: Duration = Duration::from_secs(60);
/// Ids waiting for the name service; more are asked for again when they are next seen.
const WAITING: usize = 256;
/// Names kept; beyond, the map starts anew from `/etc/passwd`.
const LIMIT: usize = 65_536;

/// The names known so far.
#[derive(Debug)]
pub struct Users {
    names: Arc<ArcSwap<Names>>,
    wanted: SyncSender<u32>,
}

impl Users {
    /// Reads `/etc/passwd` and starts the thread that asks for the rest. The thread ends with this value.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start() -> io::Result<Self> {
        let names = Arc::new(ArcSwap::from_pointee(read_passwd()));
        let (wanted, requests) = sync_channel(WAITING);
        let shared = Arc::clone(&names);
        std::thread::Builder::new().name("users".into()).spawn(move || resolve(&shared, &requests))?;
        Ok(Self { names, wanted })
    }

    /// The login name, if it is known already.
    #[must_use]
    pub fn name(&self, uid: u32) -> Option<Arc<str>> {
        match self.names.load().get(&uid) {
            Some(name) => name.clone(),
            None => {
                // A full queue is no loss: the id is asked for again with its next event.
                let _ = self.wanted.try_send(uid);
                None
            }
        }
    }
}

fn resolve(names: &ArcSwap<Names>, requests: &Receiver<u32>) {
    let mut read_at = modified();
    loop {
        match requests.recv_timeout(REFRESH) {
            Ok(uid) => {
                if names.load().contains_key(&uid) {
                    continue;
                }
                let name = user_name(uid).map(Arc::from);
                let mut next = if names.load().len() < LIMIT { Names::clone(&names.load()) } else { read_passwd() };
                next.insert(uid, name);
                names.store(Arc::new(next));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = modified();
                if now != read_at {
                    read_at = now;
                    names.store(Arc::new(read_passwd()));
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn modified() -> Option<SystemTime> {
    std::fs::metadata(PASSWD).and_then(|metadata| metadata.modified()).ok()
}

fn read_passwd() -> Names {
    let text = std::fs::read(PASSWD).unwrap_or_default();
    parse_passwd(&String::from_utf8_lossy(&text))
}

fn parse_passwd(text: &str) -> Names {
    let mut names = Names::new();
    for line in text.lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(_), Some(Ok(uid))) = (parts.next(), parts.next(), parts.next().map(str::parse)) {
            // The first line of a uid is the one that the name service gives.
            names.entry(uid).or_insert_with(|| Some(Arc::from(name)));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_lines() {
        let names = parse_passwd("root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n\n+nis\nweb:x:33:33::/:\n");
        assert_eq!(names.get(&0).unwrap().as_deref(), Some("root"));
        assert_eq!(names.get(&33).unwrap().as_deref(), Some("web"));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn root_is_known_at_once() {
        assert_eq!(Users::start().unwrap().name(0).as_deref(), Some("root"));
    }
}
