//! What one filling may use up.

use crate::functions::Failure;

/// Bytes that are moved for the price of a step.
const BYTES_A_STEP: usize = 32;

/// Bounds for one filling. A step is a part of the template that is looked at, a turn of a loop, or 32 bytes that are
/// moved, so they bound the time as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub steps: u64,
    /// Bytes of the text that comes out, and of each text on the way.
    pub text: usize,
    /// Bytes of all texts and variables on the way together.
    pub memory: usize,
    /// Templates, blocks and parentheses within each other, while it is filled.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, text: 1 << 20, memory: 16 << 20, depth: 200 }
    }
}

/// What is left of the bounds.
#[derive(Debug)]
pub struct Budget<'a> {
    limits: &'a Limits,
    steps: u64,
    memory: usize,
}

impl<'a> Budget<'a> {
    /// All of it.
    #[must_use]
    pub const fn new(limits: &'a Limits) -> Self {
        Self { limits, steps: limits.steps, memory: limits.memory }
    }

    pub(crate) const fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Work that is to be done: so many steps.
    ///
    /// # Errors
    ///
    /// If there are not so many left.
    pub fn steps(&mut self, count: usize) -> Result<(), Failure> {
        match self.steps.checked_sub(count as u64) {
            Some(left) => self.steps = left,
            None => return Err(Failure::limit(format!("it takes more than {} steps", self.limits.steps))),
        }
        Ok(())
    }

    /// So many bytes that are to be read.
    ///
    /// # Errors
    ///
    /// As [`Budget::steps`].
    pub fn read(&mut self, bytes: usize) -> Result<(), Failure> {
        self.steps(bytes / BYTES_A_STEP)
    }

    /// So many bytes that are to be kept.
    ///
    /// # Errors
    ///
    /// If that is more than there may be.
    pub fn keep(&mut self, bytes: usize) -> Result<(), Failure> {
        self.read(bytes)?;
        match self.memory.checked_sub(bytes) {
            Some(left) => self.memory = left,
            None => return Err(Failure::limit(format!("it makes more than {} bytes of text", self.limits.memory))),
        }
        Ok(())
    }

    /// Appends to a text, as far as it may grow.
    ///
    /// # Errors
    ///
    /// If it may not.
    pub fn append(&mut self, text: &mut Vec<u8>, more: &[u8]) -> Result<(), Failure> {
        self.grow(text.len(), more.len())?;
        text.extend_from_slice(more);
        Ok(())
    }

    /// As [`Budget::append`], before so many bytes are added by another way.
    ///
    /// # Errors
    ///
    /// If the text may not grow so far.
    pub fn grow(&mut self, len: usize, more: usize) -> Result<(), Failure> {
        if len.saturating_add(more) > self.limits.text {
            return Err(Failure::limit(format!("it makes a text of more than {} bytes", self.limits.text)));
        }
        self.keep(more)
    }
}
