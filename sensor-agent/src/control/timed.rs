//! Reading and writing a socket within one time limit.

use std::{
    borrow::Borrow,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// A stream with one time limit for all that is read or written, however few bytes come at a time.
#[derive(Debug)]
pub(super) struct Timed<S> {
    pub(super) stream: S,
    /// None: as long as it takes.
    deadline: Option<Instant>,
}

impl<S: Borrow<UnixStream>> Timed<S> {
    /// A stream whose time begins now.
    pub(super) fn new(stream: S, time: Duration) -> Self {
        Self { stream, deadline: Some(Instant::now() + time) }
    }

    /// Lets the time begin anew.
    pub(super) fn restart(&mut self, time: Duration) {
        self.deadline = Some(Instant::now() + time);
    }

    /// Lets it take as long as it takes.
    pub(super) fn endless(&mut self) {
        self.deadline = None;
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(time_is_up()),
            left => Ok(Some(left)),
        }
    }
}

fn time_is_up() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "time is up")
}

/// A socket whose time is up says "would block".
fn late(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { time_is_up() } else { error }
}

impl<S: Borrow<UnixStream>> Read for Timed<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut stream = self.stream.borrow();
        stream.set_read_timeout(self.left()?)?;
        stream.read(into).map_err(late)
    }
}

impl<S: Borrow<UnixStream>> Write for Timed<S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream.borrow();
        stream.set_write_timeout(self.left()?)?;
        stream.write(from).map_err(late)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
