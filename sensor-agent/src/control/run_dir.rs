//! The run directory: claimed by one sensor at a time, with the control socket in it.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::FileTypeExt, net::UnixListener},
    },
    path::{Path, PathBuf},
};

use private_folder::{FolderError, make_private};
use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType},
};

use super::{LOCK_NAME, SOCKET_NAME, peer::Peer};
use crate::lock::{LockError, lock};

/// A run directory that is this sensor's alone, until this value is dropped.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    pub(super) listener: UnixListener,
    /// Holds the lock; the kernel releases it however the process ends.
    _lock: File,
}

/// Why a run directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error(
        "another sensor runs with the run directory {}{}; stop it, or give this one its own with -run-dir",
        path.display(), of_pid(*pid)
    )]
    Taken { path: PathBuf, pid: Option<u32> },

    #[error("{}: cannot make the run directory: {source}; make it, or name another with -run-dir", path.display())]
    Make { path: PathBuf, source: io::Error },

    #[error(
        "{}: as run directory it must belong to root or to the sensor's user; it belongs to uid {uid}, who could put a \
         socket of their own there. Change its owner, or name another with -run-dir",
        path.display()
    )]
    Owner { path: PathBuf, uid: u32 },

    #[error(
        "{}: as run directory it must not be writable for others, who could put a socket of their own there; its mode is \
         {mode:o}. Take that away with chmod go-w, or name another with -run-dir",
        path.display()
    )]
    Writable { path: PathBuf, mode: u32 },

    #[error("{}: the path is too long for a socket, at most 107 bytes; name a shorter run directory with -run-dir", path.display())]
    TooLong { path: PathBuf },

    #[error("{}: this is in the place of the control socket and is none; remove it", path.display())]
    InTheWay { path: PathBuf },

    #[error("{}: {what}: {source}", path.display())]
    Io { path: PathBuf, what: &'static str, source: io::Error },
}

impl RunDirectory {
    /// Takes the directory, making it if need be, and listens on its control socket. What a dead sensor left behind is
    /// replaced.
    ///
    /// # Errors
    /// Another sensor has it, others could tamper with it, or it cannot be written.
    pub fn claim(path: &Path) -> Result<Self, ClaimError> {
        make(path)?;
        let lock = take(path)?;
        let listener = listen(path, &path.join(SOCKET_NAME))?;
        Ok(Self { path: path.to_owned(), listener, _lock: lock })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        // Before the lock goes, so it can only be ours.
        let _ = fs::remove_file(self.path.join(SOCKET_NAME));
    }
}

fn make(path: &Path) -> Result<(), ClaimError> {
    make_private(path).map_err(|error| {
        let path = path.to_owned();
        match error {
            FolderError::Make(source) => ClaimError::Make { path, source },
            FolderError::Owner(uid) => ClaimError::Owner { path, uid },
            FolderError::Writable(mode) => ClaimError::Writable { path, mode },
        }
    })
}

fn take(run_dir: &Path) -> Result<File, ClaimError> {
    lock(run_dir, LOCK_NAME).map_err(|error| match error {
        LockError::Taken(pid) => ClaimError::Taken { path: run_dir.to_owned(), pid },
        LockError::Io(source) => ClaimError::Io { path: run_dir.join(LOCK_NAME), what: "cannot lock", source },
    })
}

fn listen(run_dir: &Path, path: &Path) -> Result<UnixListener, ClaimError> {
    let error = |what| move |source| ClaimError::Io { path: path.to_owned(), what, source };
    let address = SocketAddrUnix::new(path).map_err(|_| ClaimError::TooLong { path: path.to_owned() })?;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(ClaimError::InTheWay { path: path.to_owned() }),
        Ok(_) => {
            // The lock is ours, so this is a dead sensor's; unless someone removed the lock file of a living one.
            if let Some(pid) = living(&address) {
                return Err(ClaimError::Taken { path: run_dir.to_owned(), pid });
            }
            fs::remove_file(path).map_err(error("cannot remove the socket of a sensor that has died"))?;
        }
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(error("cannot look at the control socket")(source)),
    }
    let bind = || -> Result<OwnedFd, Errno> {
        let socket = stream_socket(SocketFlags::CLOEXEC)?;
        // The file gets the mode that the socket has when it is bound: there is no moment in which it is open to others.
        rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(0o600))?;
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, 16)?;
        Ok(socket)
    };
    bind().map(UnixListener::from).map_err(|source| error("cannot make the control socket")(source.into()))
}

/// A stream socket of the Unix family.
pub(super) fn stream_socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Whether someone listens there, and the pid if it can be told.
fn living(address: &SocketAddrUnix) -> Option<Option<u32>> {
    let socket = stream_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).ok()?;
    match rustix::net::connect(&socket, address) {
        Ok(()) => Some(Peer::of(socket.as_fd()).ok().and_then(|peer| peer.pid)),
        // It has more callers than it can take in: it lives.
        Err(Errno::AGAIN) => Some(None),
        Err(_) => None,
    }
}

fn of_pid(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn the_directory_and_what_is_in_it_are_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/run");
        let claimed = RunDirectory::claim(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(SOCKET_NAME)), 0o600);
        assert_eq!(mode(&path.join(LOCK_NAME)), 0o600);
        drop(claimed);
        assert!(!path.join(SOCKET_NAME).exists());
    }

    #[test]
    fn one_sensor_per_run_directory() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        let first = RunDirectory::claim(&one).unwrap();
        let _other = RunDirectory::claim(&two).unwrap();
        let error = RunDirectory::claim(&one).unwrap_err();
        assert!(matches!(error, ClaimError::Taken { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
        assert!(error.to_string().contains("-run-dir"), "{error}");
        drop(first);
        RunDirectory::claim(&one).unwrap();
    }

    #[test]
    fn a_dead_sensors_socket_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        // Dropping a listener leaves the file, as a killed sensor does.
        drop(UnixListener::bind(dir.path().join(SOCKET_NAME)).unwrap());
        fs::write(dir.path().join(LOCK_NAME), "4194304 and more\n").unwrap();
        RunDirectory::claim(dir.path()).unwrap();
    }

    #[test]
    fn a_living_sensor_without_its_lock_file_is_found_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let _living = RunDirectory::claim(dir.path()).unwrap();
        fs::remove_file(dir.path().join(LOCK_NAME)).unwrap();
        let error = RunDirectory::claim(dir.path()).unwrap_err();
        assert!(matches!(error, ClaimError::Taken { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
        assert!(dir.path().join(SOCKET_NAME).exists());
    }

    #[test]
    fn what_others_could_tamper_with_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(RunDirectory::claim(dir.path()), Err(ClaimError::Writable { mode: 0o777, .. })));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("elsewhere", dir.path().join(LOCK_NAME)).unwrap();
        assert!(matches!(RunDirectory::claim(dir.path()), Err(ClaimError::Io { what: "cannot lock", .. })));
        assert!(!dir.path().join("elsewhere").exists());
        fs::remove_file(dir.path().join(LOCK_NAME)).unwrap();
        fs::write(dir.path().join(SOCKET_NAME), "precious").unwrap();
        assert!(matches!(RunDirectory::claim(dir.path()), Err(ClaimError::InTheWay { .. })));
        assert_eq!(fs::read(dir.path().join(SOCKET_NAME)).unwrap(), b"precious");
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(RunDirectory::claim(&file), Err(ClaimError::Make { .. })));
        let long = dir.path().join("x".repeat(120));
        assert!(matches!(RunDirectory::claim(&long), Err(ClaimError::TooLong { .. })));
    }
}
