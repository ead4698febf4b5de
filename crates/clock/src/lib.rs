//! From the kernel's boot clock to the time of day.

use std::time::Duration;

use nix::sys::time::TimeValLike as _;
use nix::time::{ClockId, clock_gettime};
use uuid::Uuid;

/// Nanoseconds of the boot clock, which records carry and which goes on while the host sleeps.
#[must_use]
pub fn boot_now() -> u64 {
    now(ClockId::CLOCK_BOOTTIME)
}

/// Nanoseconds since the Unix epoch.
#[must_use]
pub fn unix_now() -> u64 {
    now(ClockId::CLOCK_REALTIME)
}

/// The difference between the two clocks at one moment. The time of day can be set, so it is taken anew for each batch.
#[derive(Clone, Copy, Debug)]
pub struct BootToUnix(i128);

impl BootToUnix {
    #[must_use]
    pub fn now() -> Self {
        Self(i128::from(unix_now()) - i128::from(boot_now()))
    }

    /// The time of day at a boot clock's time.
    #[must_use]
    pub fn unix(self, boot: u64) -> u64 {
        u64::try_from(i128::from(boot) + self.0).unwrap_or(0)
    }
}

/// A time of day that no setting of the clock changes: as it was when this was made, carried on by the boot clock. For
/// ages, and whatever else is the difference of two times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SteadyTime {
    unix: u64,
    boot: u64,
}

impl SteadyTime {
    #[must_use]
    pub fn now() -> Self {
        Self::at(unix_now(), boot_now())
    }

    /// One for these two readings of the clocks.
    #[must_use]
    pub const fn at(unix: u64, boot: u64) -> Self {
        Self { unix, boot }
    }

    /// The time of day at a boot clock's time.
    #[must_use]
    pub const fn unix(self, boot: u64) -> u64 {
        self.unix.saturating_add(boot.saturating_sub(self.boot))
    }

    /// The boot clock's time of this reading.
    #[must_use]
    pub const fn boot(self) -> u64 {
        self.boot
    }

    /// The difference of the two clocks, nanoseconds.
    #[must_use]
    pub fn offset(self) -> i64 {
        i64::try_from(i128::from(self.unix) - i128::from(self.boot)).unwrap_or(0)
    }

    /// How long ago a time is.
    #[must_use]
    pub fn age(self, time: u64) -> Duration {
        Duration::from_nanos(self.unix(boot_now()).saturating_sub(time))
    }

    /// By how much the clock has been set since, nanoseconds; 0 for less than [`STEP`], by which clocks are kept right.
    #[must_use]
    pub fn stepped(self, other: Self) -> i64 {
        let difference =
            i128::from(other.unix) - i128::from(self.unix) - i128::from(other.boot) + i128::from(self.boot);
        if difference.unsigned_abs() < STEP.as_nanos() { 0 } else { i64::try_from(difference).unwrap_or(0) }
    }
}

/// The boot that is running.
#[must_use]
pub fn boot_id() -> u128 {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().parse().map_or(0, |id: Uuid| id.as_u128())
}

/// A time before this (2025-01-01) was told by a clock that was never set: it says nothing of an age.
pub const WAS_SET: u64 = 1_735_689_600_000_000_000;
/// Less than this is how clocks are kept right, no step.
pub const STEP: Duration = Duration::from_secs(60);
/// How long a step is told in the status.
const TOLD_FOR: Duration = Duration::from_secs(24 * 3600);

/// Notices that the time of day was set.
#[derive(Debug)]
pub struct StepWatch {
    steady: SteadyTime,
    /// The last step, nanoseconds, and when by the boot clock.
    last: Option<(i64, u64)>,
}

impl StepWatch {
    #[must_use]
    pub const fn new(now: SteadyTime) -> Self {
        Self { steady: now, last: None }
    }

    /// Looks at these readings of the clocks. A sentence if the clock was set since the last look.
    pub fn look(&mut self, now: SteadyTime) -> Option<String> {
        let step = self.steady.stepped(now);
        self.steady = now;
        if step == 0 {
            return None;
        }
        self.last = Some((step, now.boot));
        Some(describe(step))
    }

    /// The last step, if it was not long ago.
    #[must_use]
    pub fn recent(&self) -> Option<String> {
        let (step, at) = self.last?;
        (self.steady.boot.saturating_sub(at) < TOLD_FOR.as_nanos() as u64).then(|| describe(step))
    }
}

fn describe(step: i64) -> String {
    let way = if step < 0 { "back" } else { "forward" };
    let seconds = step.unsigned_abs() / 1_000_000_000;
    format!("the clock was set {way} by {seconds} s: times of rows and alerts before and after that do not compare")
}

fn now(clock: ClockId) -> u64 {
    // Both clocks exist since Linux 2.6.39 and cannot fail.
    clock_gettime(clock).map_or(0, |time| time.num_nanoseconds().try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_once_and_ages_nothing() {
        let second = 1_000_000_000;
        let mut watch = StepWatch::new(SteadyTime::at(10_000 * second, 50 * second));
        assert_eq!(watch.look(SteadyTime::at(10_010 * second, 61 * second)), None, "kept right, not set");
        let told = watch.look(SteadyTime::at(6_411 * second, 62 * second)).unwrap();
        assert!(told.contains("set back by 3600 s"), "{told}");
        assert_eq!(watch.look(SteadyTime::at(6_412 * second, 63 * second)), None);
        assert_eq!(watch.recent(), Some(told));
        assert_eq!(watch.look(SteadyTime::at(92_812 * second, 86_463 * second)), None);
        assert_eq!(watch.recent(), None);
        let steady = SteadyTime::at(10_000 * second, 50 * second);
        assert_eq!(steady.unix(60 * second), 10_010 * second);
    }

    #[test]
    fn the_clocks_agree() {
        let (before, converted, after) = (unix_now(), BootToUnix::now().unix(boot_now()), unix_now());
        // The time of day may be adjusted in between; a minute is far from any confusion of the two clocks.
        assert!(converted.abs_diff(before).min(converted.abs_diff(after)) < 60_000_000_000);
    }
}
