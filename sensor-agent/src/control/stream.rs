//! To somebody who looks on: lines as long as there is somebody to read them.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Line, protocol::Reply, server::line, top::Top};

/// So much is gathered before it is sent, bytes.
const PIECE: usize = 64 << 10;

/// What is told to somebody who looks on.
#[derive(Debug)]
pub enum Update<'a> {
    /// What is to be known of what follows, in sentences.
    Notes(Vec<String>),
    Line(Line),
    /// A round of what keeps the sensor busy.
    Top(Top),
    /// An event or alert as JSON, with a newline.
    Json(&'a [u8]),
    /// So many are missing here.
    Lost(u64),
    /// All that was asked for has been told.
    End,
    /// Nothing for the moment: what was told is to be sent.
    Pause,
}

/// Lines on their way to a client. Waits for it as long as it takes.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    client: &'a UnixStream,
    gathered: Vec<u8>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(client: &'a UnixStream) -> Self {
        // A socket that does not let its time be set has gone: the first write tells.
        let _ = client.set_write_timeout(None);
        Self { client, gathered: Vec::new() }
    }

    /// Tells this; whether the client is still there.
    pub(super) fn tell(&mut self, told: Update<'_>) -> bool {
        let reply = match told {
            Update::Json(json) => {
                self.gathered.extend_from_slice(json);
                return self.gathered.len() < PIECE || self.send();
            }
            Update::Pause => return self.send() && !self.has_gone(),
            Update::Notes(notes) => Reply::Notes { notes },
            Update::Line(line) => Reply::Line(Box::new(line)),
            Update::Top(top) => {
                self.gathered.extend_from_slice(&line(&Reply::Top(Box::new(top))));
                return self.send();
            }
            Update::Lost(count) => Reply::Lost { count },
            Update::End => Reply::End,
        };
        self.gathered.extend_from_slice(&line(&reply));
        self.gathered.len() < PIECE || self.send()
    }

    fn send(&mut self) -> bool {
        let sent = self.client.write_all(&self.gathered).is_ok();
        self.gathered.clear();
        // One event with very long arguments is no reason to keep as much for ever.
        self.gathered.shrink_to(2 * PIECE);
        sent
    }

    /// Whether the client has closed its end: it has nothing more to say, so there is nothing else to be read of it.
    fn has_gone(&self) -> bool {
        let mut ends = [PollFd::from_borrowed_fd(self.client.as_fd(), PollFlags::RDHUP)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut ends, Some(&now)).is_ok_and(|count| count > 0)
    }
}
