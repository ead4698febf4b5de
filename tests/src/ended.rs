//! A child that does not outlive its test, whatever comes of it. One that did would hold the test's standard output, and who
//! reads that to its end would wait for ever.

use std::process::Child;

/// Killed when it is dropped, if it has not ended by then.
#[derive(Debug)]
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
