//! The thread that moves files to the store.

use std::{
    io,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use delivery::{backoff::Backoff, cause::TAKEN_AWAY, ledger::Ledger, receivers::s3::Store, remote::Setback};

use super::{
    StoreSettings,
    outbox::{Outbox, Waiting},
};

/// Moves files until it is dropped, which waits for the one in hand.
pub(super) struct Uploader {
    outbox: Arc<Outbox>,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    /// Starts with what an earlier run has left in the folder.
    ///
    /// # Errors
    ///
    /// If there can be no such bucket, or no more threads or descriptors.
    pub(super) fn start(folder: &Path, settings: &StoreSettings, ledger: &Arc<Ledger>) -> io::Result<Self> {
        let outbox = Arc::new(Outbox::new(folder, settings.waiting.max_bytes, settings.waiting.max_age));
        let store = Store::new(&settings.s3)?;
        let backoff = Backoff::new(settings.s3.http.pace());
        let mut upload = Upload { outbox: Arc::clone(&outbox), store, backoff, ledger: Arc::clone(ledger) };
        let thread = thread::Builder::new().name(format!("to {}", settings.s3.bucket)).spawn(move || upload.run())?;
        Ok(Self { outbox, thread: Some(thread) })
    }

    pub(super) fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.outbox)
    }

    /// Sends what waits as long as that works, at most for so long. A store that hangs is left to the end of the
    /// process: what it was to get stays in the folder.
    pub(super) fn finish(mut self, within: Duration) {
        self.outbox.end(Instant::now() + within);
        self.outbox.wait_ended(within);
        self.thread = None;
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.outbox.end(Instant::now());
            // A panic there was told of by its own thread.
            let _ = thread.join();
        }
    }
}

struct Upload {
    outbox: Arc<Outbox>,
    store: Store,
    backoff: Backoff,
    ledger: Arc<Ledger>,
}

impl Upload {
    fn run(&mut self) {
        self.outbox.find(&self.ledger);
        while let Some(file) = self.outbox.next(&self.ledger) {
            match self.send(&file) {
                Ok(()) => self.backoff.reset(),
                Err(setback) => {
                    self.ledger.failed(&setback.reason);
                    if !self.outbox.put_back(&self.ledger) {
                        break;
                    }
                    self.pause(&setback);
                }
            }
        }
        self.outbox.ended();
    }

    fn send(&mut self, file: &Waiting) -> Result<(), Setback> {
        let body = match self.outbox.read(file) {
            Ok(body) => body,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let reason = format!("{}: someone took it away before the store had it", file.key);
                self.ledger.gave_up_files(TAKEN_AWAY, file.rows, &reason);
                let _ = self.outbox.done(file, &self.ledger);
                return Ok(());
            }
            Err(error) => {
                let reason = format!("{} cannot be read: {error}", file.key);
                return Err(Setback { reason, wait: None, lasting: false });
            }
        };
        self.store.put(&file.key, body)?;
        self.ledger.confirmed(usize::try_from(file.rows).unwrap_or(usize::MAX));
        if let Err(error) = self.outbox.done(file, &self.ledger) {
            // At the next start it is put there again, which changes nothing.
            self.ledger.failed(&format!("{} is in the store and cannot be deleted here: {error}", file.key));
        }
        Ok(())
    }

    fn pause(&mut self, setback: &Setback) {
        let wait = match setback.lasting {
            true => self.backoff.wait_after_refusal(setback.wait),
            false => self.backoff.wait_after_fault(setback.wait),
        };
        self.backoff.count();
        self.outbox.pause(wait);
    }
}
