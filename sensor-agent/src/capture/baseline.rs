//! The tasks that were running before the sensor started.

use std::io::Read;

use rustix::time::{ClockId, clock_gettime};
use sensor_ebpf::record::Header;

use super::programs::Loaded;
use super::{Batch, CaptureError};

/// Records of the running tasks, and when they were read.
#[derive(Clone, Debug)]
pub struct Baseline {
    pub tasks: Batch,
    /// Nanoseconds of the boot clock, as in records, before the first and after the last task was visited. A process
    /// that an event of this time contradicts is as the event says.
    pub started: u64,
    pub finished: u64,
}

pub(super) fn read(loaded: &mut Loaded) -> Result<Baseline, CaptureError> {
    let refused = |error: &dyn std::error::Error| CaptureError::Baseline(error.to_string());
    let program = loaded.iterator()?;
    let link = program.attach().map_err(|error| refused(&error))?;
    let link = program.take_link(link).map_err(|error| refused(&error))?;
    let mut file = link.into_file().map_err(|error| refused(&error))?;
    let started = boot_time();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(CaptureError::system("reading the running tasks"))?;
    let finished = boot_time();
    Ok(Baseline { tasks: split(&bytes)?, started, finished })
}

/// Cuts the stream into records by the length that each header tells.
fn split(mut bytes: &[u8]) -> Result<Batch, CaptureError> {
    const LEN: usize = std::mem::offset_of!(Header, len);
    let mut batch = Batch::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let len = bytes
            .get(LEN..)
            .and_then(|rest| rest.first_chunk())
            .map(|len| u32::from_ne_bytes(*len))
            .and_then(|len| usize::try_from(len).ok())
            .filter(|&len| len >= size_of::<Header>() && len <= bytes.len())
            .ok_or_else(|| CaptureError::Baseline("the kernel's list ends in the middle of a record".to_owned()))?;
        let (record, rest) = bytes.split_at(len);
        if !batch.push(record) {
            return Err(CaptureError::Baseline("the kernel's list is too long".to_owned()));
        }
        bytes = rest;
    }
    Ok(batch)
}

/// The clock of the records.
fn boot_time() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(len: u32, filler: usize) -> Vec<u8> {
        let mut bytes = vec![0; size_of::<Header>() + filler];
        bytes[4..8].copy_from_slice(&len.to_ne_bytes());
        bytes
    }

    #[test]
    fn records_are_cut_by_their_length() {
        let stream = [record(16, 0), record(19, 3)].concat();
        let batch = split(&stream).unwrap();
        assert_eq!(batch.records().map(<[u8]>::len).collect::<Vec<_>>(), [16, 19]);
        assert!(split(&[]).unwrap().is_empty());
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for broken in [record(0, 0), record(15, 0), record(17, 0), record(u32::MAX, 0), vec![0; 7]] {
            assert!(split(&broken).is_err());
        }
    }
}
