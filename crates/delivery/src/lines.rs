//! Places that take lines of text: what `stdout` and `file` have in common.

use crate::worker::queue::Failure;

/// A place that takes bytes, given whole lines.
pub trait Lines: Send {
    /// Writes as much as it can.
    fn write(&mut self, bytes: &[u8]) -> Written;

    /// What is known of bytes that were written, for people.
    fn known(&self) -> &'static str;
}

/// How far a write came.
#[derive(Debug)]
pub struct Written {
    pub bytes: usize,
    /// Why not everything was written.
    pub failure: Option<Failure>,
}

/// Whole lines on their way out.
#[derive(Debug, Default)]
pub struct Pending {
    pub bytes: Vec<u8>,
    out: usize,
}

impl Pending {
    /// Writes what is left. After a failure it goes on where it was, so that a line is never torn for good.
    pub fn flush(&mut self, lines: &mut dyn Lines) -> Result<(), Failure> {
        let Written { bytes, failure } = lines.write(&self.bytes[self.out..]);
        self.out += bytes;
        match failure {
            Some(failure) => Err(failure),
            None => {
                self.clear();
                Ok(())
            }
        }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.out = 0;
        // One huge line is no reason to hold on to its memory.
        self.bytes.shrink_to(1 << 20);
    }
}
