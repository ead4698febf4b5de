//! One receiver at the other end of a connection.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::{mpsc, watch},
    time::{Instant, timeout},
};

use super::{
    parcel::{Frames, Outgoing, Parcel},
    room::Room,
    wire::{self, GREETING_LENGTH, GREETING_PARTS, Said, Violation},
};
use crate::ledger::Ledger;

/// A receiver has this long to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Messages written together.
const BATCH: usize = 64;
/// What one receiver may subscribe to, bytes with a little for each subscription.
const MOST_SUBSCRIPTIONS: usize = 64 * 1024;

/// Tells a connection when it is to end.
#[derive(Clone)]
pub(super) struct Stop(pub(super) watch::Receiver<bool>);

impl Stop {
    /// Waits until it is to end.
    pub(super) async fn called(&mut self) {
        // Whoever could call has gone without a word: that is a call too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Violation(#[from] Violation),
    #[error("{0}")]
    Network(#[from] io::Error),
    #[error("it did not say who it is within {} s", HANDSHAKE.as_secs())]
    Silent,
    #[error("it left while both said who they are: does it want encryption, which this socket has not?")]
    Left,
    #[error("it subscribes to more than anyone needs")]
    Greedy,
}

/// Why one is gone that has not said who it is.
fn left(error: io::Error, has_spoken: bool) -> Broken {
    let ended = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    if has_spoken && ended.contains(&error.kind()) { Broken::Left } else { Broken::Network(error) }
}

/// A receiver that is connected.
pub(super) struct Peer {
    queue: mpsc::UnboundedSender<Parcel>,
    /// What bounds the queue.
    room: Room,
    subscriptions: Mutex<Vec<Vec<u8>>>,
    /// It took nothing for as long as one waits for it, and has not caught up by half since.
    pub(super) stalled: AtomicBool,
}

impl Peer {
    /// One with room for so many messages, and the end of the queue that its connection empties.
    pub(super) fn new(most: usize) -> (Self, mpsc::UnboundedReceiver<Parcel>) {
        let (queue, messages) = mpsc::unbounded_channel();
        let (room, stalled) = (Room::new(most), AtomicBool::new(false));
        (Self { queue, room, subscriptions: Mutex::default(), stalled }, messages)
    }

    /// Whether it wants messages of this topic.
    pub(super) fn wants(&self, topic: &[u8]) -> bool {
        self.subscriptions().iter().any(|prefix| topic.starts_with(prefix))
    }

    /// Messages on their way to it.
    pub(super) fn waiting(&self) -> usize {
        self.room.messages()
    }

    /// Puts a message into its queue, if there is room.
    pub(super) fn try_send(&self, frames: &Frames, ledger: &Arc<Ledger>) -> bool {
        let Some(place) = self.room.take(frames.len(), ledger.budget()) else { return false };
        if let Err(left) = self.queue.send(Parcel::new(frames.clone(), Arc::clone(ledger), place)) {
            // The connection has ended; the message is still the sender's.
            left.0.hand_over();
            return false;
        }
        if self.stalled.load(Relaxed) && self.room.is_half_free(ledger.budget()) {
            self.stalled.store(false, Relaxed);
        }
        true
    }

    /// Puts a message into its queue once there is room; whether there was in time. One that takes nothing is not waited
    /// for again before it has caught up.
    pub(super) async fn try_send_until(&self, until: Instant, frames: &Frames, ledger: &Arc<Ledger>) -> bool {
        loop {
            if self.try_send(frames, ledger) {
                return true;
            }
            if self.queue.is_closed() {
                return false;
            }
            if !self.room.freed(until).await {
                self.stalled.store(true, Relaxed);
                return self.try_send(frames, ledger);
            }
        }
    }

    fn subscribe(&self, topic: &[u8]) -> Result<(), Broken> {
        let mut subscriptions = self.subscriptions();
        let size: usize = subscriptions.iter().map(|topic| topic.len() + 32).sum();
        if size + topic.len() > MOST_SUBSCRIPTIONS {
            return Err(Broken::Greedy);
        }
        subscriptions.push(topic.to_vec());
        Ok(())
    }

    /// Takes back one subscription; there may be several to the same.
    fn cancel(&self, topic: &[u8]) {
        let mut subscriptions = self.subscriptions();
        if let Some(at) = subscriptions.iter().position(|known| known == topic) {
            subscriptions.swap_remove(at);
        }
    }

    fn subscriptions(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection whose ends have told each other who they are.
pub(super) struct Link<S> {
    read: Reader<S>,
    write: WriteHalf<S>,
}

impl<S: AsyncRead + AsyncWrite> Link<S> {
    /// Introduces both ends to each other. The other one has to be of one of these types.
    pub(super) async fn shake_hands(stream: S, ours: &'static str, theirs: &[&str]) -> Result<Self, Broken> {
        timeout(HANDSHAKE, Self::introduce(stream, ours, theirs)).await.map_err(|_| Broken::Silent)?
    }

    async fn introduce(stream: S, ours: &'static str, theirs: &[&str]) -> Result<Self, Broken> {
        let (mut read, mut write) = tokio::io::split(stream);
        write.write_all(&wire::greeting()).await?;
        let mut greeting = [0; GREETING_LENGTH];
        let mut known = 0;
        for end in GREETING_PARTS {
            // One that comes and goes without a word may only have looked whether somebody listens.
            read.read_exact(&mut greeting[known..end]).await.map_err(|error| left(error, known > 0))?;
            wire::check_greeting(&greeting[..end])?;
            known = end;
        }
        let mut ready = Vec::new();
        wire::put_ready(&mut ready, ours);
        write.write_all(&ready).await.map_err(|error| left(error, true))?;
        let mut read = Reader { half: read, buffer: Vec::new() };
        let found = loop {
            let said = read.next(|said| match said {
                Said::Ready { socket_type } => Some(socket_type.escape_ascii().to_string()),
                _ => None,
            });
            let said = said.await.map_err(|error| match error {
                Broken::Network(error) => left(error, true),
                error => error,
            });
            if let Some(found) = said? {
                break found;
            }
        };
        if !theirs.contains(&found.as_str()) {
            let mut error = Vec::new();
            wire::put_error(&mut error, "these socket types do not go together");
            write.write_all(&error).await?;
            return Err(Violation::Type { theirs: found, ours }.into());
        }
        Ok(Self { read, write })
    }

    /// Sends what comes into the queue and listens to what the receiver wants, until one end has enough. Once stopped,
    /// what is in the queue is sent first, and the receiver is to close. What was taken from the queue and not sent is left in `outgoing`.
    pub(super) async fn run(
        self,
        peer: &Peer,
        messages: &mut mpsc::UnboundedReceiver<Parcel>,
        outgoing: &mut Outgoing,
        stop: Stop,
    ) -> Result<(), Broken> {
        let (pong, pongs) = mpsc::channel(8);
        tokio::select! {
            ended = listen(self.read, peer, pong) => ended,
            ended = send(self.write, messages, outgoing, pongs, stop) => ended,
        }
    }
}

async fn listen<S: AsyncRead>(mut read: Reader<S>, peer: &Peer, pong: mpsc::Sender<Vec<u8>>) -> Result<(), Broken> {
    loop {
        read.next(|said| match said {
            Said::Subscribe(topic) => peer.subscribe(topic),
            Said::Cancel(topic) => {
                peer.cancel(topic);
                Ok(())
            }
            Said::Ping(context) => {
                let mut answer = Vec::new();
                wire::put_command(&mut answer, "PONG", context);
                // One that asks faster than it reads gets fewer answers.
                let _ = pong.try_send(answer);
                Ok(())
            }
            Said::Ready { .. } | Said::Other => Ok(()),
        })
        .await??;
    }
}

async fn send<S: AsyncWrite>(
    mut write: WriteHalf<S>,
    messages: &mut mpsc::UnboundedReceiver<Parcel>,
    outgoing: &mut Outgoing,
    mut pongs: mpsc::Receiver<Vec<u8>>,
    mut stop: Stop,
) -> Result<(), Broken> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut stopped = false;
    loop {
        tokio::select! {
            count = messages.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    // A receiver that is not through with it must not find the connection closed as it says something:
                    // libzmq then lets go of what it has not read. It reads up to the end and closes itself, which whoever
                    // listens to it sees.
                    write.shutdown().await?;
                    return std::future::pending().await;
                }
                batch.drain(..).for_each(|parcel| outgoing.put(parcel));
            }
            Some(pong) = pongs.recv() => outgoing.put_bytes(pong),
            () = stop.called(), if !stopped => {
                // Nothing more comes in; what is there is still handed out.
                stopped = true;
                messages.close();
            }
        }
        outgoing.write(&mut write).await?;
    }
}

struct Reader<S> {
    half: ReadHalf<S>,
    buffer: Vec<u8>,
}

impl<S: AsyncRead> Reader<S> {
    /// Waits for what the receiver says next and hands it on.
    async fn next<T>(&mut self, hear: impl FnOnce(Said<'_>) -> T) -> Result<T, Broken> {
        loop {
            if let Some((said, length)) = wire::read(&self.buffer)? {
                let heard = hear(said);
                self.buffer.drain(..length);
                return Ok(heard);
            }
            if self.half.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}
