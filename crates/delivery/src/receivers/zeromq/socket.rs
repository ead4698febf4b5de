//! A ZeroMQ socket that sends: its thread, its receivers, and what becomes of a message.
//!
//! Who has messages puts them straight into the queues of the receivers; the socket's own thread empties these into
//! the connections. So one receiver that takes nothing fills its own queue and no other's.

use std::{
    collections::VecDeque,
    io,
    net::TcpListener,
    os::unix::net::UnixListener,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use settings::HostPort;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    runtime::{Builder, Handle},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    ZeromqEndpoint, ZeromqPattern,
    bind::{self, Listener, SocketFile},
    parcel::{Frames, Outgoing, Parcel},
    peer::{Broken, Link, Peer, Stop},
    room::within,
};
use crate::ledger::Ledger;

/// How long one waits for receivers whose queues are full: for all of them together. Then what they are to get is lost
/// to them, without waiting, until they have caught up by half.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long queues are emptied at the end, and receivers read what they were sent, unless more is given them.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The waits between two tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// More receivers than this are turned away.
const MOST_PEERS: usize = 1024;
/// A receiver whose host is gone without a word is given up after this.
const UNACKNOWLEDGED: u32 = 30_000;

/// What makes two sockets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) endpoint: ZeromqEndpoint,
    pub(super) pattern: ZeromqPattern,
    /// Whether to bind rather than connect.
    pub(super) bind: bool,
}

/// The sockets there are: outputs and sinks of the same address share one, and so does an output that a reload changes
/// with what it was before. The lock is held while one is opened or closed.
static OPEN: Mutex<Vec<(Address, Weak<Socket>)>> = Mutex::new(Vec::new());

/// See the module.
pub(super) struct Socket {
    shared: Arc<Shared>,
    runtime: Handle,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    file: Option<SocketFile>,
}

/// What the socket's thread and those who send have in common.
struct Shared {
    address: Address,
    /// Messages that wait for one receiver at most.
    high_water_mark: AtomicUsize,
    peers: Mutex<Vec<Arc<Peer>>>,
    /// Milliseconds that the end may take.
    last_words: AtomicU64,
    /// Whose turn it is (`push`).
    turn: AtomicUsize,
    /// Messages that their receiver did not live to get (`push`).
    returned: Mutex<VecDeque<Parcel>>,
    /// Of the outputs and sinks that share the socket.
    ledgers: Mutex<Vec<Weak<Ledger>>>,
    /// Of those who cannot be served and came before anyone could be told.
    unreported: Mutex<Option<String>>,
}

/// What became of a message to subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// To how many it is on its way.
    pub(super) taken: usize,
    /// How many wanted it and had no room.
    pub(super) missed: usize,
}

impl Socket {
    /// Opens the socket, or joins those who have it open.
    ///
    /// # Errors
    ///
    /// If it cannot listen there, or there can be no more threads.
    pub(super) fn open(address: Address, high_water_mark: usize) -> io::Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, socket)| socket.strong_count() > 0);
        if let Some(socket) = open.iter().find(|(known, _)| *known == address).and_then(|(_, socket)| socket.upgrade())
        {
            socket.shared.high_water_mark.store(high_water_mark, Relaxed);
            return Ok(socket);
        }
        let (listener, file) = if address.bind {
            let (listener, file) = bind::listen(&address.endpoint)?;
            (Some(listener), file)
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared {
            address: address.clone(),
            high_water_mark: AtomicUsize::new(high_water_mark),
            peers: Mutex::default(),
            last_words: AtomicU64::new(LAST_WORDS.as_millis() as u64),
            turn: AtomicUsize::new(0),
            returned: Mutex::default(),
            ledgers: Mutex::default(),
            unreported: Mutex::default(),
        });
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::Builder::new().name("zeromq".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                runtime.block_on(shared.run(listener, Stop(stopped)));
                // A name that is being looked up cannot be called off; nobody waits for it.
                runtime.shutdown_background();
            }
        })?;
        let socket = Arc::new(Self { shared, runtime: handle, stop, thread: Some(thread), file });
        open.push((address, Arc::downgrade(&socket)));
        Ok(socket)
    }

    /// Tells this one too of those who connect and cannot be served.
    pub(super) fn account(&self, ledger: &Arc<Ledger>) {
        let mut ledgers = self.shared.ledgers();
        ledgers.retain(|known| known.upgrade().is_some_and(|known| !Arc::ptr_eq(&known, ledger)));
        ledgers.push(Arc::downgrade(ledger));
        if let Some(reason) = self.shared.unreported().take() {
            ledger.turned_away(&reason, !self.shared.peers().is_empty());
        }
    }

    /// Gives receivers so long at the end.
    pub(super) fn end_within(&self, time: Duration) {
        self.shared.last_words.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Hands a message to every subscriber of its topic. What is lost later, with its subscriber, the ledger is told.
    pub(super) fn publish(&self, topic: &[u8], frames: &Frames, ledger: &Arc<Ledger>) -> Published {
        let peers = self.shared.peers().clone();
        let mut published = Published { taken: 0, missed: 0 };
        // Those that have room do not wait for those that have none.
        let mut slow = Vec::new();
        for peer in peers.iter().filter(|peer| peer.wants(topic)) {
            match peer.try_send(frames, ledger) {
                true => published.taken += 1,
                false if peer.stalled.load(Relaxed) => published.missed += 1,
                false => slow.push(peer),
            }
        }
        if !slow.is_empty() {
            let until = within(PATIENCE);
            self.runtime.block_on(async {
                for peer in slow {
                    match peer.try_send_until(until, frames, ledger).await {
                        true => published.taken += 1,
                        false => published.missed += 1,
                    }
                }
            });
        }
        published
    }

    /// Hands a message to one of the receivers; whether one has it. Those that lost their receiver go first.
    pub(super) fn push(&self, frames: &Frames, ledger: &Arc<Ledger>) -> Result<(), &'static str> {
        loop {
            let Some(returned) = self.shared.returned().pop_front() else { break };
            if let Err(reason) = self.push_one(returned.frames(), returned.ledger()) {
                self.shared.returned().push_front(returned);
                return Err(reason);
            }
            returned.hand_over();
        }
        self.push_one(frames, ledger)
    }

    /// Messages that the system has not got yet for all of their receivers.
    pub(super) fn waiting(&self) -> usize {
        let peers = self.shared.peers().clone();
        peers.iter().map(|peer| peer.waiting()).sum::<usize>() + self.shared.returned().len()
    }

    pub(super) fn receivers(&self) -> usize {
        self.shared.peers().len()
    }

    fn push_one(&self, frames: &Frames, ledger: &Arc<Ledger>) -> Result<(), &'static str> {
        let peers = self.shared.peers().clone();
        if peers.is_empty() {
            return Err("no receiver is connected");
        }
        let first = self.shared.turn.fetch_add(1, Relaxed);
        let in_turn = || (0..peers.len()).map(|step| &peers[first.wrapping_add(step) % peers.len()]);
        if in_turn().any(|peer| peer.try_send(frames, ledger)) {
            return Ok(());
        }
        let until = within(PATIENCE);
        let mut slow = in_turn().filter(|peer| !peer.stalled.load(Relaxed));
        if slow.any(|peer| self.runtime.block_on(peer.try_send_until(until, frames, ledger))) {
            return Ok(());
        }
        Err("the receivers take nothing; are they at work?")
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Whoever opens the same address waits until it is free.
        let _open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.file = None;
    }
}

impl Shared {
    /// The socket's thread.
    async fn run(self: Arc<Self>, listener: Option<Listener>, stop: Stop) {
        match listener {
            Some(Listener::Tcp(listener)) => self.accept_tcp(listener, stop).await,
            Some(Listener::Ipc(listener)) => self.accept_ipc(listener, stop).await,
            None => self.connect(stop).await,
        }
    }

    async fn accept_tcp(self: &Arc<Self>, listener: TcpListener, mut stop: Stop) {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener).inspect_err(cannot_listen) else {
            return;
        };
        let (mut links, for_links) = (JoinSet::new(), stop.clone());
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        tune(&stream);
                        self.welcome(&mut links, stream, &for_links);
                    }
                    Err(error) => breathe(&error).await,
                },
                Some(_) = links.join_next() => {}
                () = stop.called() => break,
            }
        }
        drop(listener);
        let _ = timeout(self.last_words(), links.join_all()).await;
    }

    async fn accept_ipc(self: &Arc<Self>, listener: UnixListener, mut stop: Stop) {
        let Ok(listener) = tokio::net::UnixListener::from_std(listener).inspect_err(cannot_listen) else {
            return;
        };
        let (mut links, for_links) = (JoinSet::new(), stop.clone());
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.welcome(&mut links, stream, &for_links),
                    Err(error) => breathe(&error).await,
                },
                Some(_) = links.join_next() => {}
                () = stop.called() => break,
            }
        }
        drop(listener);
        let _ = timeout(self.last_words(), links.join_all()).await;
    }

    fn welcome<S: AsyncRead + AsyncWrite + Send + 'static>(
        self: &Arc<Self>,
        links: &mut JoinSet<()>,
        stream: S,
        stop: &Stop,
    ) {
        if links.len() >= MOST_PEERS {
            tracing::warn!(endpoint = %self.address.endpoint, "a ZeroMQ receiver is turned away: there are {MOST_PEERS}");
            return;
        }
        let (shared, stop) = (Arc::clone(self), stop.clone());
        links.spawn(async move {
            let why = shared.serve(stream, stop).await;
            tracing::debug!(endpoint = %shared.address.endpoint, why, "a ZeroMQ receiver is gone");
        });
    }

    /// Keeps one connection, made again and again.
    async fn connect(self: &Arc<Self>, mut stop: Stop) {
        let mut pause = FIRST_PAUSE;
        let stopping = stop.clone();
        let link = async {
            loop {
                let why = match self.dial(&stopping).await {
                    Ok(why) => {
                        pause = FIRST_PAUSE;
                        why
                    }
                    Err(error) => error.to_string(),
                };
                tracing::debug!(endpoint = %self.address.endpoint, why, "no connection to the ZeroMQ receiver");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let stopped = async {
            stop.called().await;
            // The connection sends what is in its queue.
            let empty = async {
                while !self.peers().is_empty() {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            let _ = timeout(self.last_words(), empty).await;
        };
        tokio::select! {
            () = link => {}
            () = stopped => {}
        }
    }

    /// Connects, and returns why the connection ended.
    async fn dial(&self, stop: &Stop) -> io::Result<String> {
        match &self.address.endpoint {
            ZeromqEndpoint::Tcp(HostPort { host, port }) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                tune(&stream);
                Ok(self.serve(stream, stop.clone()).await)
            }
            ZeromqEndpoint::Ipc(path) => Ok(self.serve(UnixStream::connect(path).await?, stop.clone()).await),
        }
    }

    /// Keeps a receiver up to its end, and returns why that came.
    async fn serve<S: AsyncRead + AsyncWrite>(&self, stream: S, stop: Stop) -> String {
        let (ours, theirs): (_, &[_]) = match self.address.pattern {
            ZeromqPattern::Pub => ("PUB", &["SUB", "XSUB"]),
            ZeromqPattern::Push => ("PUSH", &["PULL"]),
        };
        let link = match Link::shake_hands(stream, ours, theirs).await {
            Ok(link) => link,
            Err(error) => return self.describe(&error),
        };
        let (peer, mut messages) = Peer::new(self.high_water_mark.load(Relaxed));
        let peer = Arc::new(peer);
        self.peers().push(Arc::clone(&peer));
        self.hand_on();
        let mut outgoing = Outgoing::default();
        let ended = link.run(&peer, &mut messages, &mut outgoing, stop).await;
        self.peers().retain(|other| !Arc::ptr_eq(other, &peer));
        messages.close();
        // Of subscribers it is lost with the connection, and counted when it goes out of hand here.
        let left = outgoing.into_parcels().chain(std::iter::from_fn(|| messages.try_recv().ok()));
        if self.address.pattern == ZeromqPattern::Push {
            self.returned().extend(left);
            self.hand_on();
        }
        ended.err().map_or_else(|| "it was closed".to_owned(), |error| self.describe(&error))
    }

    /// Gives what lost its receiver to others, as far as there is room.
    fn hand_on(&self) {
        let peers = self.peers().clone();
        let mut returned = self.returned();
        while let Some(parcel) = returned.pop_front() {
            if !peers.iter().any(|peer| peer.try_send(parcel.frames(), parcel.ledger())) {
                return returned.push_front(parcel);
            }
            parcel.hand_over();
        }
    }

    /// Says in the status and the log if the receiver cannot be one. That one comes and goes is nothing to speak of.
    fn describe(&self, error: &Broken) -> String {
        let told = error.to_string();
        if !matches!(error, Broken::Network(_)) {
            let reason = format!("a receiver at {} cannot be served: {told}", self.address.endpoint);
            let others = !self.peers().is_empty();
            let ledgers = self.ledgers();
            if ledgers.is_empty() {
                *self.unreported() = Some(reason);
            } else {
                ledgers.iter().filter_map(Weak::upgrade).for_each(|ledger| ledger.turned_away(&reason, others));
            }
        }
        told
    }

    fn last_words(&self) -> Duration {
        Duration::from_millis(self.last_words.load(Relaxed))
    }

    fn unreported(&self) -> MutexGuard<'_, Option<String>> {
        self.unreported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledgers(&self) -> MutexGuard<'_, Vec<Weak<Ledger>>> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn peers(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn returned(&self) -> MutexGuard<'_, VecDeque<Parcel>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tune(stream: &TcpStream) {
    // Without these it is slower to send, and to notice that nobody is there.
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED);
}

/// Too many open files, say: it will not be better at once.
async fn breathe(error: &io::Error) {
    tracing::warn!(%error, "a ZeroMQ receiver could not be let in");
    sleep(Duration::from_secs(1)).await;
}

fn cannot_listen(error: &io::Error) {
    tracing::error!(%error, "a ZeroMQ socket does not listen");
}
