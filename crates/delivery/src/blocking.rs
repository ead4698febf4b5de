//! Futures that a thread of its own waits for: receivers are spoken to on the output's thread, by clients that are async.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime for one owner, who may end anywhere, also on a thread of another one.
pub(crate) struct Blocking {
    /// None once it ends.
    runtime: Option<Runtime>,
}

impl Blocking {
    /// # Errors
    ///
    /// If there can be no more descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { runtime: Some(Builder::new_current_thread().enable_all().build()?) })
    }

    /// Waits for what comes of it.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it is there until the end").block_on(future)
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // One that is dropped waits for its threads, such as one that looks up a name and cannot be called off; within another
        // runtime that is a panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
