//! The thread that asks, and what it was asked for.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::runtime::Runtime;
use crate::sockets::{Settings, usual};
use crate::status::Status;
use crate::{Facts, is_id};

/// Longest time from a question to its answer, which may be that there is none. An engine that starts a container tells nothing of
/// it until it has done so, which takes seconds where much else goes on. Who waits for the answer has a bound of its own.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long a container is asked for anew that no runtime knows: one may be about to learn of it.
const LEARNS_WITHIN: Duration = Duration::from_millis(450);

/// How long a runtime has for its answer, however late it was asked.
const AT_LEAST: Duration = Duration::from_millis(100);

/// Questions that may wait; more are answered with nothing, and counted.
const WAITING: usize = 4096;
/// Containers asked for at a time.
const AT_A_TIME: usize = 32;
/// Containers without names that are asked for again; of more, the oldest are given up, and counted.
const UNNAMED: usize = 4096;
/// How often it is looked whom to ask for again, and how many at a time.
const LOOK: Duration = Duration::from_secs(1);
const AGAIN_AT_A_TIME: usize = 8;
/// Longest time until a container without names is asked for again.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often runtimes must have said that they do not know a container until it is not asked for any more: some 8 minutes.
const TRIES: u32 = 20;
/// How often a runtime that does not answer is greeted again.
const GREET: Duration = Duration::from_secs(10);

/// Where an answer goes.
pub trait Waiting: Send + 'static {
    /// What was said; none if nobody could say anything in time. Told again, with facts, when somebody can later.
    fn tell(&self, facts: Option<Facts>);
}

/// Asks runtimes for containers. Its thread ends with the last one of these.
#[derive(Debug)]
pub struct Lookups<W> {
    wanted: mpsc::Sender<Question<W>>,
    shared: Arc<Shared>,
}

impl<W> Clone for Lookups<W> {
    fn clone(&self) -> Self {
        Self { wanted: self.wanted.clone(), shared: Arc::clone(&self.shared) }
    }
}

#[derive(Debug)]
struct Question<W> {
    id: Box<str>,
    waiting: W,
    asked: Instant,
}

#[derive(Debug)]
struct Shared {
    settings: Mutex<Settings>,
    runtimes: Mutex<Vec<Arc<Runtime>>>,
    unnamed: AtomicU64,
    overflowed: AtomicU64,
}

impl<W: Waiting> Lookups<W> {
    /// Starts the thread.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let (wanted, questions) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            runtimes: Mutex::new(runtimes(&settings)),
            settings: Mutex::new(settings),
            unnamed: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
        });
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = Worker { shared: Arc::clone(&shared), unnamed: Vec::new() }.work(questions);
        std::thread::Builder::new().name("containers".into()).spawn(move || executor.block_on(work))?;
        Ok(Self { wanted, shared })
    }

    /// Has somebody told of a container, without waiting. What is no id of a runtime's is nobody's to ask for: nothing is told
    /// of it.
    pub fn ask(&self, id: &str, waiting: W) {
        if !is_id(id) {
            return waiting.tell(None);
        }
        let question = Question { id: id.into(), waiting, asked: Instant::now() };
        if let Err(error) = self.wanted.try_send(question) {
            self.shared.overflowed.fetch_add(1, Ordering::Relaxed);
            error.into_inner().waiting.tell(None);
        }
    }

    /// Goes on with other settings.
    pub fn set(&self, settings: Settings) {
        let mut before = self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if before.socket != settings.socket {
            *self.shared.runtimes.lock().unwrap_or_else(PoisonError::into_inner) = runtimes(&settings);
        }
        *before = settings;
    }

    /// How runtimes answer: those that are there, or were.
    #[must_use]
    pub fn status(&self) -> Status {
        let configured = self.shared.settings().socket.is_some();
        let runtimes = self.shared.runtimes();
        let told = runtimes.iter().filter(|runtime| configured || !runtime.is_silent() || runtime.socket.exists());
        Status {
            runtimes: told.map(|runtime| runtime.status()).collect(),
            unnamed: self.shared.unnamed.load(Ordering::Relaxed),
            overflowed: self.shared.overflowed.load(Ordering::Relaxed),
        }
    }
}

fn runtimes(settings: &Settings) -> Vec<Arc<Runtime>> {
    let new = |socket: std::path::PathBuf| {
        let kind = usual().iter().find(|(_, usual)| socket == std::path::Path::new(usual)).map(|(kind, _)| *kind);
        Arc::new(Runtime::new(socket, kind, settings.socket.is_some()))
    };
    match &settings.socket {
        Some(socket) => vec![new(socket.clone())],
        None => usual().iter().map(|(_, socket)| new(socket.into())).collect(),
    }
}

impl Shared {
    fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn runtimes(&self) -> Vec<Arc<Runtime>> {
        self.runtimes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those who can be asked: of the usual sockets, the ones that are there.
    fn present(&self) -> Vec<Arc<Runtime>> {
        let configured = self.settings().socket.is_some();
        self.runtimes().into_iter().filter(|runtime| configured || runtime.socket.exists()).collect()
    }
}

/// What came of a question.
enum Outcome {
    Named(Box<Facts>),
    /// Everyone answered, and nobody knows it; or there is nobody.
    Unknown,
    /// Somebody who may know it did not answer.
    Unanswered,
}

/// A container that is asked for again.
struct Unnamed<W> {
    id: Box<str>,
    waiting: W,
    next: Instant,
    pause: Duration,
    tries: u32,
}

struct Worker<W> {
    shared: Arc<Shared>,
    unnamed: Vec<Unnamed<W>>,
}

impl<W: Waiting> Worker<W> {
    async fn work(mut self, mut questions: mpsc::Receiver<Question<W>>) {
        let mut running: JoinSet<(Unnamed<W>, Outcome)> = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        let mut greeted = None;
        loop {
            tokio::select! {
                question = questions.recv(), if running.len() < AT_A_TIME => {
                    let Some(question) = question else { return };
                    running.spawn(first(Arc::clone(&self.shared), question));
                }
                Some(ended) = running.join_next() => {
                    if let Ok((container, outcome)) = ended {
                        self.take(container, outcome);
                    }
                }
                _ = look.tick() => {
                    for container in self.due(Instant::now()) {
                        running.spawn(again(Arc::clone(&self.shared), container));
                    }
                    if greeted.is_none_or(|at: Instant| at.elapsed() >= GREET) {
                        greeted = Some(Instant::now());
                        for runtime in self.shared.present().into_iter().filter(|runtime| runtime.is_silent()) {
                            tokio::spawn(async move { runtime.greet().await });
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, mut container: Unnamed<W>, outcome: Outcome) {
        container.waiting.tell(match outcome {
            Outcome::Named(facts) => Some(*facts),
            Outcome::Unknown | Outcome::Unanswered if container.tries >= TRIES => None,
            Outcome::Unknown | Outcome::Unanswered => {
                container.waiting.tell(None);
                container.tries += u32::from(matches!(outcome, Outcome::Unknown));
                container.next = Instant::now() + container.pause;
                container.pause = (container.pause * 2).min(PAUSE_MAX);
                if self.unnamed.len() >= UNNAMED {
                    self.unnamed.remove(0);
                    self.shared.overflowed.fetch_add(1, Ordering::Relaxed);
                }
                self.unnamed.push(container);
                self.count();
                return;
            }
        });
        self.count();
    }

    /// Those to ask for now.
    fn due(&mut self, now: Instant) -> Vec<Unnamed<W>> {
        let mut left = AGAIN_AT_A_TIME;
        self.unnamed
            .extract_if(.., |container| {
                let is_due = left > 0 && container.next <= now;
                left -= usize::from(is_due);
                is_due
            })
            .collect()
    }

    fn count(&self) {
        self.shared.unnamed.store(self.unnamed.len() as u64, Ordering::Relaxed);
    }
}

/// Asks until somebody knows the container, or time is up.
async fn first<W: Waiting>(shared: Arc<Shared>, question: Question<W>) -> (Unnamed<W>, Outcome) {
    let Question { id, waiting, asked } = question;
    // However long it has waited for its turn.
    let until = (asked + PATIENCE).max(Instant::now() + AT_LEAST);
    let again = shared.settings().again.max(Duration::from_millis(10));
    let outcome = loop {
        let outcome = ask(&shared, &id, until).await;
        let is_over = matches!(outcome, Outcome::Named(_)) || shared.present().is_empty();
        if is_over || Instant::now() + again >= asked + LEARNS_WITHIN {
            break outcome;
        }
        tokio::time::sleep(again).await;
    };
    let container = Unnamed { id, waiting, next: asked, pause: LOOK, tries: 0 };
    (container, outcome)
}

async fn again<W: Waiting>(shared: Arc<Shared>, container: Unnamed<W>) -> (Unnamed<W>, Outcome) {
    let outcome = ask(&shared, &container.id, Instant::now() + PATIENCE).await;
    (container, outcome)
}

/// Asks all at once; who knows it first is taken at its word.
async fn ask(shared: &Shared, id: &str, until: Instant) -> Outcome {
    let present = shared.present();
    let mut answers: FuturesUnordered<_> = present.iter().map(|runtime| runtime.ask(id, until)).collect();
    let mut outcome = Outcome::Unknown;
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(Some(facts)) => return Outcome::Named(Box::new(facts)),
            Ok(None) => {}
            Err(_) => outcome = Outcome::Unanswered,
        }
    }
    outcome
}
