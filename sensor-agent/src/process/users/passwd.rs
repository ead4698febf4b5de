//! `/etc/passwd`, and when it changes.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use foldhash::{HashMap, HashMapExt as _};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::event::UserName;

pub(super) type Names = HashMap<u32, UserName>;

const PASSWD: &str = "/etc/passwd";
/// How often the file is looked at where the kernel does not tell of changes.
const LOOK: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Passwd {
    path: PathBuf,
    /// Tells that something in its folder has changed: the file is replaced rather than written.
    watch: Option<OwnedFd>,
    /// As it was when it was read last: inode, size, and time of its change.
    seen: std::cell::Cell<Option<Version>>,
}

type Version = (u64, u64, i64, i64);

impl Passwd {
    pub(super) fn open() -> Self {
        Self::at(Path::new(PASSWD))
    }

    fn at(path: &Path) -> Self {
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok().filter(|watch| {
            let flags = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::ATTRIB;
            path.parent().is_some_and(|folder| inotify::add_watch(watch, folder, flags).is_ok())
        });
        Self { path: path.to_owned(), watch, seen: std::cell::Cell::new(None) }
    }

    /// Its names; none if it cannot be read, which is no reason to forget what was in it.
    pub(super) fn read(&self) -> Option<Names> {
        let version = self.version();
        let text = fs::read(&self.path).ok()?;
        self.seen.set(version);
        Some(parse(&String::from_utf8_lossy(&text)))
    }

    /// Whether it is another than was read last. Empties the watch.
    pub(super) fn has_changed(&self) -> bool {
        if let Some(watch) = &self.watch {
            while rustix::io::read(watch, &mut [0u8; 4096]).is_ok_and(|read| read > 0) {}
        }
        let version = self.version();
        version.is_some() && version != self.seen.get()
    }

    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(|watch| watch.as_fd())
    }

    /// How long not to look, where nothing tells of changes.
    pub(super) fn look_again(&self) -> Option<Duration> {
        (self.watch.is_none() || self.seen.get().is_none()).then_some(LOOK)
    }

    fn version(&self) -> Option<Version> {
        let file = fs::metadata(&self.path).ok()?;
        Some((file.ino(), file.size(), file.ctime(), file.ctime_nsec()))
    }
}

pub(super) fn parse(text: &str) -> Names {
    let mut names = Names::new();
    for line in text.lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(_), Some(Ok(uid))) = (parts.next(), parts.next(), parts.next().map(str::parse)) {
            // The first line of a uid is the one that the name service gives.
            names.entry(uid).or_insert_with(|| name.into());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    #[test]
    fn passwd_lines() {
        let names = parse("root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n\n+nis\nweb:x:33:33::/:\n");
        assert_eq!(names.get(&0).unwrap().as_deref(), Some("root"));
        assert_eq!(names.get(&33).unwrap().as_deref(), Some("web"));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn a_file_that_was_replaced_is_read_anew_and_one_that_is_gone_leaves_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwd");
        fs::write(&path, "bob:x:1001:1001::/:\n").unwrap();
        let passwd = Passwd::at(&path);
        assert_eq!(passwd.read().unwrap()[&1001].as_deref(), Some("bob"));
        assert!(!passwd.has_changed());
        // As userdel and useradd do it.
        fs::write(folder.path().join("passwd+"), "eve:x:1001:1001::/:\n").unwrap();
        fs::rename(folder.path().join("passwd+"), &path).unwrap();
        let watch = passwd.watch().expect("a watch");
        poll(&mut [PollFd::from_borrowed_fd(watch, PollFlags::IN)], None).unwrap();
        assert!(passwd.has_changed());
        assert_eq!(passwd.read().unwrap()[&1001].as_deref(), Some("eve"));
        fs::remove_file(&path).unwrap();
        assert!(!passwd.has_changed() && passwd.read().is_none());
    }
}
