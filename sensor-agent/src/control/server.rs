//! The sensor's end of the socket.
//!
//! One thread takes callers in; each one that may ask gets a thread for its one request. Their number, the length of a
//! request and the time for it are bounded, so that a slow or hostile client holds up nobody but itself. Those who look on
//! take as long as they like, and are few.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Inventory, Outcome, Query, Reload, RunDirectory, Stage, Status,
    peer::{Peer, own_uid},
    protocol::{CLIENT_TIME, MAX_CLIENTS, MAX_REQUEST, MAX_VIEWERS, Reply, Request, RequestLine},
    stream::{Stream, Update},
    timed::Timed,
};
use crate::live::Subject;

/// What the sensor does about requests. Called from threads of the server's, several at once; but never two of
/// `test_alert` and `reload`.
pub trait Handler: Send + Sync + 'static {
    /// How it is going.
    fn status(&self) -> Status;

    /// Runs the self check to its end and reports each stage as it is over. Bounded in time by the handler.
    fn test_alert(&self, report: &mut dyn FnMut(Stage));

    /// Reads the configuration again and says how that went.
    fn reload(&self) -> Reload;

    /// What is configured, and what came of it.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn inventory(&self) -> Result<Inventory, String>;

    /// Tells running processes, or events or alerts, those held and those to come, until all is told or `tell` says that nobody listens any more.
    ///
    /// # Errors
    /// Why the query is refused.
    fn show(&self, subject: Subject, query: &Query, tell: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String>;
}

/// Answers requests until it is dropped.
#[derive(Debug)]
pub struct Server {
    run_dir: RunDirectory,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins to answer. Start it after capabilities were dropped: its threads have what the calling one has.
    ///
    /// # Errors
    /// The system gives no more threads or file descriptors.
    pub fn start(run_dir: RunDirectory, handler: Arc<dyn Handler>) -> io::Result<Self> {
        let listener = run_dir.listener.try_clone()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let desk = Arc::new(Desk {
            handler,
            clients: AtomicUsize::new(0),
            viewers: AtomicUsize::new(0),
            changing: Mutex::new(()),
        });
        let stop = Arc::clone(&stopping);
        let thread =
            thread::Builder::new().name("control".to_owned()).spawn(move || take_in(&listener, &desk, &stop))?;
        Ok(Self { run_dir, stopping, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the thread out of its wait for callers.
        if rustix::net::shutdown(&self.run_dir.listener, rustix::net::Shutdown::Both).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// What the threads share.
struct Desk {
    handler: Arc<dyn Handler>,
    /// Threads that serve a client now.
    clients: AtomicUsize,
    /// Threads that serve somebody who looks on.
    viewers: AtomicUsize,
    /// Held by the one request that changes something.
    changing: Mutex<()>,
}

fn take_in(listener: &UnixListener, desk: &Arc<Desk>, stopping: &AtomicBool) {
    let own = own_uid();
    while !stopping.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((client, _)) => admit(client, own, desk),
            Err(_) if stopping.load(Ordering::Acquire) => return,
            // Out of file descriptors, most likely: callers wait in the backlog meanwhile.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Checks a caller, and hands it to a thread of its own. Never waits for it.
fn admit(client: UnixStream, own: u32, desk: &Arc<Desk>) {
    let refusal = match Peer::of(client.as_fd()) {
        Ok(peer) if peer.is_trusted(own) => match Seat::take(desk, |desk| &desk.clients, MAX_CLIENTS) {
            Some(seat) => {
                // If there is no thread to be had, the client sees the connection end.
                let _ = thread::Builder::new().name("control-client".to_owned()).spawn(move || seat.serve(&client));
                return;
            }
            None => "the sensor is busy with other requests; try again in a few seconds",
        },
        Ok(_) => "only root and the sensor's own user may ask",
        Err(_) => "the sensor cannot tell who is asking",
    };
    // A fresh socket has room for this; one that has not is not waited for.
    if client.set_nonblocking(true).is_ok() {
        let _ = (&client).write_all(&line(&error(refusal)));
    }
}

/// The right to be served, one of so many.
struct Seat {
    desk: Arc<Desk>,
    taken: fn(&Desk) -> &AtomicUsize,
}

impl Seat {
    fn take(desk: &Arc<Desk>, taken: fn(&Desk) -> &AtomicUsize, most: usize) -> Option<Self> {
        let seat = |count| (count < most).then_some(count + 1);
        taken(desk).fetch_update(Ordering::AcqRel, Ordering::Acquire, seat).ok()?;
        Some(Self { desk: Arc::clone(desk), taken })
    }

    fn serve(self, client: &UnixStream) {
        let RequestLine { request, query } = match read_request(client) {
            Ok(line) => line,
            Err(message) => return send(client, &error(message)),
        };
        match request {
            Request::Status => send(client, &Reply::Status { status: Box::new(self.desk.handler.status()) }),
            Request::Inventory => {
                let reply = self.desk.handler.inventory().map(Box::new).map(Reply::Inventory);
                send(client, &reply.unwrap_or_else(error));
            }
            Request::TestAlert | Request::Reload => send(client, &self.change(request, client)),
            Request::Events => self.show(Subject::Events, query, client),
            Request::Alerts => self.show(Subject::Alerts, query, client),
            Request::Processes => self.show(Subject::Processes, query, client),
            Request::Top => self.show(Subject::Top, query, client),
        }
    }

    /// Serves somebody who looks on, on a seat of that kind.
    fn show(self, subject: Subject, query: Option<Query>, client: &UnixStream) {
        let Some(seat) = Self::take(&self.desk, |desk| &desk.viewers, MAX_VIEWERS) else {
            let many = format!("{MAX_VIEWERS} others look on already; try again when one of them has ended");
            return send(client, &error(many));
        };
        drop(self);
        let mut stream = Stream::new(client);
        let shown = seat.desk.handler.show(subject, &query.unwrap_or_default(), &mut |told| stream.tell(told));
        match shown {
            Ok(()) => drop(stream.tell(Update::Pause)),
            Err(message) => send(client, &error(message)),
        }
    }

    /// Does what only one at a time may do, and tells its last reply: whoever has that may ask for the next change.
    fn change(&self, request: Request, client: &UnixStream) -> Reply {
        let _changing = match self.desk.changing.try_lock() {
            Ok(guard) => guard,
            // An earlier change went wrong, which does not mean that this one will.
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => {
                return error("another self check or reload is under way; try again when it is over");
            }
        };
        if request == Request::Reload {
            return Reply::Reloaded(self.desk.handler.reload());
        }
        let (mut stages, mut failures) = (0, 0);
        self.desk.handler.test_alert(&mut |stage| {
            stages += 1;
            failures += usize::from(stage.outcome == Outcome::Failed);
            send(client, &Reply::Stage(stage));
        });
        Reply::Tested { passed: stages > 0 && failures == 0 }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        (self.taken)(&self.desk).fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) fn read_request(client: &UnixStream) -> Result<RequestLine, String> {
    let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    BufReader::new(Timed::new(client, CLIENT_TIME).take(limit))
        .read_until(b'\n', &mut bytes)
        .map_err(|error| format!("no request came: {error}"))?;
    if bytes.len() > MAX_REQUEST {
        return Err(format!("a request has at most {MAX_REQUEST} bytes"));
    }
    let line: RequestLine = serde_json::from_slice(&bytes).map_err(|error| {
        format!("not a request: {error}; write {{\"request\":NAME}}, NAME being one of {}", Request::NAMES.join(", "))
    })?;
    match line.request {
        Request::Status | Request::TestAlert | Request::Reload | Request::Inventory if line.query.is_some() => {
            Err("not a request: a query goes with events, alerts, processes and top".to_owned())
        }
        _ => Ok(line),
    }
}

/// Sends a reply. A client that does not take it in time gets no more: its socket is shut.
fn send(client: &UnixStream, reply: &Reply) {
    if Timed::new(client, CLIENT_TIME).write_all(&line(reply)).is_err() {
        let _ = client.shutdown(std::net::Shutdown::Both);
    }
}

pub(super) fn line(reply: &Reply) -> Vec<u8> {
    // Replies are structs of text and numbers, which always have a JSON form.
    let mut line = serde_json::to_vec(reply).unwrap_or_default();
    line.push(b'\n');
    line
}

fn error(message: impl Into<String>) -> Reply {
    Reply::Error { message: message.into() }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
