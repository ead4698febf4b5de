//! Who is at the other end of a socket.

use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
};

/// The process at the other end, as it was when it connected (or, seen from the client, began to listen).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) uid: u32,
    /// None for a process outside our pid namespace.
    pub(super) pid: Option<u32>,
}

impl Peer {
    /// Asks the kernel.
    ///
    /// Not `rustix::net::sockopt::socket_peercred`: its pid is a type without zero, and zero is what the kernel says
    /// of a process outside our pid namespace.
    pub(super) fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let size = mem::size_of::<libc::ucred>();
        let mut length = libc::socklen_t::try_from(size).map_err(io::Error::other)?;
        // SAFETY: `peer` and `length` live through the call, and `length` is the size of `peer`.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        if length as usize != size {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { uid: peer.uid, pid: u32::try_from(peer.pid).ok().filter(|pid| *pid != 0) })
    }

    /// Whether this peer may ask a sensor that runs as `own`, or be the sensor that `own` asks.
    pub(super) fn is_trusted(self, own: u32) -> bool {
        self.uid == 0 || self.uid == own
    }
}

/// The user that this process acts as.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::os::{fd::AsFd, unix::net::UnixStream};

    use super::*;

    #[test]
    fn the_other_end_of_a_pair_is_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = Peer::of(one.as_fd()).unwrap();
        assert_eq!(peer, Peer { uid: own_uid(), pid: Some(std::process::id()) });
    }

    #[test]
    fn only_root_and_the_own_user_are_trusted() {
        let trusted = |uid, own| Peer { uid, pid: None }.is_trusted(own);
        assert!(trusted(0, 0) && trusted(0, 1000) && trusted(1000, 1000));
        assert!(!trusted(1000, 0) && !trusted(1001, 1000) && !trusted(u32::MAX, 0));
    }
}
