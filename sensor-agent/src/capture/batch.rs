//! Records on their way, many in one piece.

/// Records back to back, as the kernel side wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each record ends in `bytes`.
    ends: Vec<u32>,
}

impl Batch {
    /// An empty batch with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(bytes / 256) }
    }

    /// Appends one record. What would not fit the index is refused: batches are far smaller than 4 GiB.
    pub fn push(&mut self, record: &[u8]) -> bool {
        let Some(end) = u32::try_from(self.bytes.len() + record.len()).ok() else {
            return false;
        };
        self.bytes.extend_from_slice(record);
        self.ends.push(end);
        true
    }

    /// The records, in the order in which the kernel submitted them.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records { batch: self, next: 0, start: 0 }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all records.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Empties the batch, and keeps its memory for the next use.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Iterator over the records of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    batch: &'a Batch,
    next: usize,
    start: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = usize::try_from(*self.batch.ends.get(self.next)?).ok()?;
        let record = self.batch.bytes.get(self.start..end)?;
        self.next += 1;
        self.start = end;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.ends.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Records<'_> {}

impl<R: AsRef<[u8]>> FromIterator<R> for Batch {
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Self {
        let mut batch = Self::default();
        for record in records {
            batch.push(record.as_ref());
        }
        batch
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = &'a [u8];
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.records()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_as_they_went_in() {
        let mut batch = Batch::with_capacity(16);
        for record in [&b"one"[..], b"", b"three"] {
            assert!(batch.push(record));
        }
        assert_eq!(batch.records().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!((batch.len(), batch.size()), (3, 8));
        batch.clear();
        assert!(batch.is_empty() && batch.records().next().is_none());
    }
}
