//! Messages of one topic, for a program that keeps them itself until they are handed over.
//!
//! ZeroMQ confirms nothing. A message counts as handed over once the system has it for each receiver that kept up, so
//! that none is lost with this process; where nobody is there to get it, it has to wait.

use std::{
    io::{self, ErrorKind},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, LazyLock},
    thread,
    time::{Duration, Instant},
};

use budget::Budget;
use private_folder::look_for_file;
use settings::HostPort;

use super::{Frames, KNOWN, Port, SLOW, ZeromqEndpoint, ZeromqPattern, ZeromqSettings, bind, socket::Published};
use crate::{
    cause::Cause,
    ledger::Ledger,
    remote::{Answer, Message, Remote, Setback, Settled},
};

/// Receivers have so long to come once the socket is open.
const COME_WITHIN: Duration = Duration::from_secs(3);
/// What was handed over has so long to get into the connections, and at the end to be read.
const OUT_WITHIN: Duration = Duration::from_secs(10);
/// To find out whether somebody listens.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// A thirty-second of it is what may wait for one receiver.
static BUDGET: LazyLock<Budget> = LazyLock::new(|| Budget::of(512 << 20));

/// See the module.
pub struct Sender {
    port: Port,
    topic: String,
    place: String,
    ledger: Arc<Ledger>,
    opened: Instant,
    /// What is known to be lost, as it was last asked for.
    told: u64,
}

impl Sender {
    /// Opens the socket.
    ///
    /// # Errors
    /// It cannot listen there, or there can be no more threads.
    pub fn open(settings: &ZeromqSettings, topic: &str) -> io::Result<Self> {
        let place = settings.endpoint.to_string();
        let ledger = Arc::new(Ledger::new(&place, "zeromq").within(*BUDGET));
        let mut port = Port::open(settings)?;
        port.start(&ledger);
        port.socket.end_within(OUT_WITHIN);
        Ok(Self { port, topic: topic.to_owned(), place, ledger, opened: Instant::now(), told: 0 })
    }

    fn hand_over(&self, body: &[u8]) -> Result<(), String> {
        let frames = Frames::new(&self.topic, body, *BUDGET);
        loop {
            let reason = match self.port.try_send(&self.topic, &frames) {
                Ok(Published { taken, missed }) if taken > 0 => {
                    self.ledger.dropped(Cause::HighWater, missed, SLOW);
                    return Ok(());
                }
                Ok(Published { missed: 0, .. }) => format!("nobody has subscribed to `{}`", self.topic),
                Ok(_) => "the subscribers take nothing; are they at work?".to_owned(),
                Err(reason) => reason,
            };
            if self.opened.elapsed() > COME_WITHIN {
                return Err(reason);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Waits until the system has what was handed over.
    fn out(&self, lost_before: u64) -> Result<(), String> {
        let begin = Instant::now();
        while self.port.socket.waiting() > 0 && begin.elapsed() < OUT_WITHIN {
            thread::sleep(PAUSE);
        }
        match self.port.pattern {
            // What is left is for those that do not keep up, and counted when it is lost to them.
            ZeromqPattern::Pub if self.port.socket.receivers() > 0 || self.lost() == lost_before => Ok(()),
            ZeromqPattern::Push if self.port.socket.waiting() == 0 => Ok(()),
            _ => Err("the receivers left, or take nothing, before they got everything".to_owned()),
        }
    }

    fn lost(&self) -> u64 {
        self.ledger.status((0, None)).lost()
    }
}

impl Remote for Sender {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        let lost = self.lost();
        let mut settled = Vec::with_capacity(messages.len());
        let mut all = messages.iter().try_for_each(|message| {
            self.hand_over(message.body)?;
            settled.push(Settled::HandedOver(KNOWN));
            Ok(())
        });
        if all.is_ok() {
            all = self.out(lost);
        }
        let setback = all.err().map(|reason| Setback {
            reason: format!("cannot send to {}: {reason}", self.place),
            wait: None,
            lasting: false,
        });
        if setback.is_some() && settled.len() == messages.len() {
            settled.clear();
        }
        Answer { settled, setback }
    }

    fn confirms(&self) -> bool {
        false
    }

    fn bounds(&self) -> (usize, usize) {
        (1000, 8 << 20)
    }

    fn lost(&mut self) -> u64 {
        let lost = Self::lost(self);
        lost - std::mem::replace(&mut self.told, lost)
    }
}

/// Whether there can be a socket as this says, without sending anything or keeping others from the place.
///
/// # Errors
/// Nobody listens where it is to connect to, or it cannot listen itself. A place that is taken is no error: it may be by
/// the very program that this is asked for.
pub fn reach(settings: &ZeromqSettings) -> io::Result<()> {
    match (&settings.endpoint, settings.bind) {
        (ZeromqEndpoint::Ipc(path), true) => match path.parent().filter(|folder| folder.exists()) {
            Some(folder) => Ok(look_for_file(folder)?),
            // It is made.
            None => Ok(()),
        },
        (endpoint @ ZeromqEndpoint::Tcp(_), true) => match bind::listen(endpoint) {
            Err(error) if error.kind() != ErrorKind::AddrInUse => Err(error),
            _ => Ok(()),
        },
        (ZeromqEndpoint::Ipc(path), false) => connect(path),
        (ZeromqEndpoint::Tcp(HostPort { host, port }), false) => {
            let mut last = ErrorKind::AddrNotAvailable.into();
            for address in (host.as_str(), *port).to_socket_addrs()? {
                match TcpStream::connect_timeout(&address, PATIENCE) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

fn connect(path: &Path) -> io::Result<()> {
    UnixStream::connect(path).map(drop)
}
