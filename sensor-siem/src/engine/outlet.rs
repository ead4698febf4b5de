//! An output at work: takes pages, and keeps the cursor behind each once it has it.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use delivery::remote::Message;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
    time::timeout,
};

use super::{Engine, PATIENCE, dead_letters::DeadLetter, now, page::End};
use crate::{
    config::Output,
    destination::{
        Destination, FileOutput,
        file::{self, Lines, Mark, Recovered},
        sender::{Sender, Watch},
        stdout,
    },
    item::Stream,
    state::{Change, Failed, FaultRecord, Moved, StateError},
};

/// Why a page was not handed over. The cursor stays where it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("cannot write to {what}: {source}; the cursor stays where it was, nothing is lost")]
    Destination { what: String, source: io::Error },
    #[error("{0}; the cursor stays where it was, nothing is lost")]
    Receiver(String),
    #[error(transparent)]
    State(#[from] StateError),
    /// It failed with another page, or went on from another place meanwhile.
    #[error("it has not taken what it was given before; it goes on later")]
    Behind,
    /// It has not been waited for any longer.
    #[error("it is slow; it goes on without the others")]
    Slow,
}

/// A page for one output.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) lines: Vec<u8>,
    /// Of messages, where each ends.
    pub(super) ends: Vec<End>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) moved: Moved,
    /// Items that are new, and those that it had before.
    pub(super) counts: [u64; 2],
    /// The cursor that it goes on from; none if the stream is new to the output.
    pub(super) from: Option<String>,
}

pub(super) struct Outlet {
    pub(super) output: Output,
    is_dry: bool,
    /// Whoever holds it writes. None until it is opened.
    receiver: Arc<Mutex<Option<Opened>>>,
    has_failed: AtomicBool,
    /// It failed or was slow the last time that it was given something: none of the others waits for it.
    is_doubtful: AtomicBool,
    /// The streams of tenants that it reads without the others.
    alone: std::sync::Mutex<HashSet<(String, Stream)>>,
    /// Whoever holds it may read a page without the others: no more than one of these is in memory.
    turn: Arc<Mutex<()>>,
}

enum Opened {
    File(Lines),
    Stdout,
    Remote(Sender),
}

impl Outlet {
    pub(super) fn new(output: Output, is_dry: bool) -> Self {
        let (receiver, alone, turn) = (Arc::default(), std::sync::Mutex::default(), Arc::default());
        let [has_failed, is_doubtful] = [false, false].map(AtomicBool::new);
        Self { output, is_dry, receiver, has_failed, is_doubtful, alone, turn }
    }

    /// Whether it failed in this round.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Whether the others are not to wait for it.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful.load(Ordering::Relaxed)
    }

    /// A new round: that it failed in the last is forgotten.
    pub(super) fn try_again(&self) {
        self.has_failed.store(false, Ordering::Relaxed);
    }

    /// Whether it reads the stream without the others.
    pub(super) fn is_alone(&self, tenant: &str, stream: Stream) -> bool {
        self.alone().contains(&(tenant.to_owned(), stream))
    }

    /// Says whether it was otherwise before.
    pub(super) fn set_alone(&self, tenant: &str, stream: Stream, is_alone: bool) -> bool {
        let place = (tenant.to_owned(), stream);
        if is_alone { self.alone().insert(place) } else { self.alone().remove(&place) }
    }

    fn alone(&self) -> std::sync::MutexGuard<'_, HashSet<(String, Stream)>> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it may read a page without the others.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Waits until it has taken, or refused, what it was given.
    pub(super) async fn is_free(&self) {
        drop(self.receiver.lock().await);
    }

    /// Opens it if it is not open, and brings it to where the state says that it is.
    pub(super) async fn open(self: &Arc<Self>, engine: &Arc<Engine>) -> Result<(), Refusal> {
        // Whoever writes has opened it.
        let Ok(mut held) = Arc::clone(&self.receiver).try_lock_owned() else { return Ok(()) };
        let (this, engine_there) = (Arc::clone(self), Arc::clone(engine));
        let opened = spawn_blocking(move || match this.receiver(&engine_there, &mut held)? {
            Opened::Remote(sender) => sender.may_try().map_err(Refusal::Receiver),
            Opened::File(_) | Opened::Stdout => Ok(()),
        })
        .await;
        let opened = opened.unwrap_or_else(|error| Err(self.refusal(io::Error::other(error))));
        self.settle(engine, opened)
    }

    /// Hands a page over and keeps the cursor. How many of its items were set aside. It is waited for as long as said.
    pub(super) async fn take(
        self: Arc<Self>,
        engine: Arc<Engine>,
        page: Handover,
        patience: Option<Duration>,
    ) -> Result<u64, Refusal> {
        let lock = Arc::clone(&self.receiver).lock_owned();
        // A page that it can take at once is given to it all the same.
        let patience = patience.map(|patience| if self.is_doubtful() { Duration::ZERO } else { patience });
        let Some(held) = within(patience, lock).await else { return Err(self.slow()) };
        if self.has_failed() {
            return Err(Refusal::Behind);
        }
        // It goes on even if it is not waited for any longer: then it moves its position by itself.
        let this = Arc::clone(&self);
        let writing = tokio::spawn(async move {
            let (moved, [new, known]) = (page.moved.clone(), page.counts);
            let begun = Instant::now();
            let written = Arc::clone(&this).write_there(&engine, held, page).await;
            let letters = this.settle(&engine, written)?;
            this.is_doubtful.store(begun.elapsed() >= engine.patience.unwrap_or(PATIENCE), Ordering::Relaxed);
            let name = &this.output.name;
            engine.metrics.handed(name, moved.stream, [new - letters, known, letters]);
            let complete = (!moved.reached.more).then_some(moved.reached.at);
            engine.metrics.reached(name, &moved.tenant, moved.stream, complete);
            Ok(letters)
        });
        match within(patience, writing).await {
            Some(written) => written.unwrap_or_else(|error| Err(self.refusal(io::Error::other(error)))),
            None => Err(self.slow()),
        }
    }

    fn slow(&self) -> Refusal {
        if !self.is_doubtful.swap(true, Ordering::Relaxed) {
            tracing::info!("output {}: {}", self.output.name, Refusal::Slow);
        }
        Refusal::Slow
    }

    /// Writes on a thread that may wait.
    async fn write_there(
        self: Arc<Self>,
        engine: &Arc<Engine>,
        mut held: OwnedMutexGuard<Option<Opened>>,
        page: Handover,
    ) -> Result<u64, Refusal> {
        let (this, engine) = (Arc::clone(&self), Arc::clone(engine));
        let written = spawn_blocking(move || {
            let written = this.write(&engine, &mut held, page);
            if written.is_err() && !matches!(*held, Some(Opened::Remote(_))) {
                // It is opened anew, and cut back to what is confirmed.
                *held = None;
            }
            written
        });
        written.await.unwrap_or_else(|error| Err(self.refusal(io::Error::other(error))))
    }

    fn write(&self, engine: &Engine, held: &mut Option<Opened>, page: Handover) -> Result<u64, Refusal> {
        let (output, stream) = (self.output.name.as_str(), page.moved.stream);
        let at = engine.store().position(output, &page.moved.tenant, stream).map(|at| at.reached.cursor.clone());
        let moves = engine.options.replay.is_none();
        if moves && at != page.from {
            return Err(Refusal::Behind);
        }
        let whole = |file, moved| Change { output: output.to_owned(), file, moved: Some(moved), ..Change::default() };
        let mut letters = page.letters.len() as u64;
        if self.is_dry && !moves {
            return Ok(letters);
        }
        if self.is_dry {
            engine.store().record(whole(None, page.moved))?;
            return Ok(letters);
        }
        let mut file = None;
        if !page.lines.is_empty() {
            match self.receiver(engine, held)? {
                Opened::Stdout => stdout::write(&page.lines).map_err(|source| self.refusal(source))?,
                Opened::File(lines) => {
                    let missing = match engine.options.begin() {
                        None => lines.missing(&page.lines),
                        Some(_) => page.lines.as_slice().into(),
                    };
                    if let Destination::File(FileOutput { bound: Some(bound), .. }) = &self.output.destination
                        && lines.is_full(&missing, bound)
                    {
                        // What the state does not know yet would stand in a file that nobody looks at any more.
                        engine.store().settle()?;
                        lines.rotate(bound).map_err(|source| self.refusal(source))?;
                    }
                    let mut mark = lines.mark(&missing).map_err(|source| self.refusal(source))?;
                    if !missing.is_empty() {
                        let about = Change { output: output.to_owned(), file: Some(mark.clone()), ..Change::default() };
                        engine.store().note(about)?;
                        lines.append(&mark, &missing).map_err(|source| self.refusal(source))?;
                        // What is appended is confirmed by this.
                        mark.length += std::mem::take(&mut mark.appending);
                        file = Some(mark);
                    }
                }
                Opened::Remote(sender) => {
                    let mut way = Way { outlet: self, engine, moved: &page.moved, letters: 0 };
                    let sent = sender.hand_over(&page.messages(), &mut way);
                    letters += way.letters;
                    sent.map_err(Refusal::Receiver)?;
                }
            }
        }
        // Once a page: what is not handed over comes again, and its letters with it.
        engine.dead_letters.write(&page.letters).map_err(|source| self.refusal(source))?;
        if !moves {
            if file.is_some() {
                engine.store().note(Change { output: output.to_owned(), file, ..Change::default() })?;
            }
            return Ok(letters);
        }
        // A page waits for the disk once: a file has done so, and what stands in it is not written again in any case.
        let needs_disk = !page.lines.is_empty() && !matches!(held, Some(Opened::File(_)));
        let whole = whole(file, page.moved);
        if needs_disk {
            engine.store().record(whole)?
        } else {
            engine.store().note(whole)?
        }
        Ok(letters)
    }

    fn receiver<'a>(&self, engine: &Engine, held: &'a mut Option<Opened>) -> Result<&'a mut Opened, Refusal> {
        let receiver = match held.take() {
            Some(receiver) => receiver,
            None => match &self.output.destination {
                _ if self.is_dry => Opened::Stdout,
                Destination::Stdout => Opened::Stdout,
                Destination::File(FileOutput { path, .. }) => {
                    let mark = engine.store().output(&self.output.name).and_then(|output| output.file.clone());
                    if let Some(mark) = &mark {
                        match recover(mark) {
                            Err(source) if mark.path == *path => return Err(self.refusal(source)),
                            Err(error) => {
                                tracing::warn!("{}, which was written before: {error}", mark.path.display());
                            }
                            Ok(()) => {}
                        }
                    }
                    let opened = mark.map_or_else(|| Lines::open(path), |mark| Lines::resume(path, &mark));
                    let lines = opened.map_err(|source| self.refusal(source))?;
                    if lines.known() > 0 {
                        let (path, known) = (path.display(), lines.known());
                        tracing::info!("{path}: {known} lines stand there that the state knows nothing of; they stay");
                    }
                    Opened::File(lines)
                }
                Destination::Receiver(receiver) => {
                    Opened::Remote(Sender::new(receiver.remote().map_err(|source| self.refusal(source))?))
                }
            },
        };
        Ok(held.insert(receiver))
    }

    fn refusal(&self, source: io::Error) -> Refusal {
        Refusal::Destination { what: self.output.destination.to_string(), source }
    }

    /// Tells what it was refused for, once a round.
    fn settle<T>(&self, engine: &Engine, done: Result<T, Refusal>) -> Result<T, Refusal> {
        if matches!(&done, Err(Refusal::Destination { .. } | Refusal::Receiver(_))) {
            self.is_doubtful.store(true, Ordering::Relaxed);
        }
        match &done {
            Ok(_) | Err(Refusal::Behind | Refusal::Slow) => {}
            Err(refusal) if !self.has_failed.swap(true, Ordering::Relaxed) => {
                tracing::error!("output {}: {refusal}", self.output.name);
                engine.metrics.failed(&self.output.name);
                if !matches!(refusal, Refusal::State(_)) {
                    let told = FaultRecord { at: now(), reason: refusal.to_string() };
                    let fault = Some(Failed { stream: None, told });
                    let change = Change { output: self.output.name.clone(), fault, ..Change::default() };
                    if let Err(error) = engine.store().record(change) {
                        tracing::error!("{error}");
                    }
                    engine.tell_health();
                }
            }
            Err(_) => {}
        }
        done
    }
}

/// What comes of it within a time; none if nothing does.
async fn within<T>(patience: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match patience {
        Some(patience) => timeout(patience, future).await.ok(),
        None => Some(future.await),
    }
}

impl Handover {
    fn messages(&self) -> Vec<Message<'_>> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|end| end.at));
        let message = |(begin, end): (usize, &End)| Message {
            key: &self.lines[begin..end.body],
            ..Message::new(end.uuid, &self.lines[end.body..end.at])
        };
        begins.zip(&self.ends).map(message).collect()
    }
}

/// A page on its way to a receiver.
struct Way<'a> {
    outlet: &'a Outlet,
    engine: &'a Engine,
    moved: &'a Moved,
    letters: u64,
}

impl Watch for Way<'_> {
    fn refused(&mut self, message: &Message<'_>, reason: String) -> Result<(), String> {
        let (output, tenant) = (self.outlet.output.name.clone(), self.moved.tenant.clone());
        let stream = self.moved.stream;
        tracing::warn!("output {output}: an {} is set aside: {reason}", stream.word());
        let item = String::from_utf8_lossy(message.body).into_owned();
        let letter = DeadLetter { at: now(), output, tenant, stream, reason, item };
        self.engine.dead_letters.write(&[letter]).map_err(|error| error.to_string())?;
        self.letters += 1;
        Ok(())
    }

    fn known(&mut self, what: &'static str) {
        tracing::info!(
            "output {}: {}: what goes there is {what}",
            self.outlet.output.name,
            self.outlet.output.destination
        );
    }

    fn lost(&mut self, count: u64) {
        let name = &self.outlet.output.name;
        tracing::warn!("output {name}: {count} messages did not come to one of its receivers: it is too slow, or left");
        self.engine.metrics.lost(name, count);
    }

    fn stops(&self) -> bool {
        *self.engine.stop.borrow()
    }
}

fn recover(mark: &Mark) -> io::Result<()> {
    let what = mark.path.display();
    match file::recover(mark)? {
        Recovered::Nothing => {}
        Recovered::Cut(bytes) => {
            tracing::info!("{what}: cut off {bytes} bytes of a page that was not confirmed; it is read again");
        }
        Recovered::Others => tracing::warn!(
            "{what}: others have written to it since a page was not confirmed; its items can stand there twice"
        ),
    }
    Ok(())
}
