//! How often programs crashed of late.

use std::collections::VecDeque;
use std::time::Duration;

use hashlink::LinkedHashMap;

use crate::event::Process;

/// Programs kept: those that crashed last. More at a time are many different ones, of which none crashes often.
const KEPT: usize = 256;
/// Crashes that are counted of one.
const MOST: usize = 100;
/// How long one counts.
const WINDOW: Duration = Duration::from_mins(10);

/// A program, by its path, and the container that it is in.
type Program = (Vec<u8>, Option<String>);

#[derive(Debug, Default)]
pub(super) struct Crashes(LinkedHashMap<Program, VecDeque<u64>, foldhash::fast::RandomState>);

impl Crashes {
    /// Counts a crash at this time, in nanoseconds. Tells how many of its program there were within the last ten minutes, this one
    /// among them.
    pub(super) fn count(&mut self, process: &Process, time: u64) -> u32 {
        let container = process.container.as_ref().map(|container| container.id.to_string());
        let program = (process.image.path.to_vec(), container);
        let mut times = self.0.remove(&program).unwrap_or_default();
        let oldest = time.saturating_sub(u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX));
        // The host's clock may have been set back.
        times.retain(|&before| (oldest..=time).contains(&before));
        if times.len() == MOST {
            times.pop_front();
        }
        times.push_back(time);
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        self.0.insert(program, times);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::Image;

    fn program(path: &str) -> Process {
        Process { image: Arc::new(Image { path: path.into(), ..Image::default() }), ..Process::default() }
    }

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn a_program_is_counted_by_itself_for_ten_minutes() {
        let mut crashes = Crashes::default();
        let (one, other) = (program("/bin/one"), program("/bin/other"));
        let now = 100 * MINUTE;
        assert_eq!(crashes.count(&one, now), 1);
        assert_eq!(crashes.count(&other, now), 1);
        assert_eq!(crashes.count(&one, now + 5 * MINUTE), 2);
        assert_eq!(crashes.count(&one, now + 10 * MINUTE), 3);
        assert_eq!(crashes.count(&one, now + 10 * MINUTE + 1), 3);
        assert_eq!(crashes.count(&one, now + 40 * MINUTE), 1);
        // Set back.
        assert_eq!(crashes.count(&one, now), 1);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut crashes = Crashes::default();
        let often = program("/bin/often");
        let counts: Vec<u32> = (0..150).map(|at| crashes.count(&often, MINUTE + at)).collect();
        assert_eq!((counts[0], counts[99], counts[149]), (1, 100, 100));
        for number in 0..KEPT {
            crashes.count(&program(&format!("/bin/{number}")), MINUTE);
        }
        assert_eq!(crashes.0.len(), KEPT);
        assert_eq!(crashes.count(&often, MINUTE), 1);
    }
}
