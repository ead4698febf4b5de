//! From the kernel's boot clock to the time of day.

use nix::sys::time::TimeValLike as _;
use nix::time::{ClockId, clock_gettime};

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

fn now(clock: ClockId) -> u64 {
    // Both clocks exist since Linux 2.6.39 and cannot fail.
    clock_gettime(clock).map_or(0, |time| time.num_nanoseconds().try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_agree() {
        let (before, converted, after) = (unix_now(), BootToUnix::now().unix(boot_now()), unix_now());
        // The time of day may be adjusted in between; a minute is far from any confusion of the two clocks.
        assert!(converted.abs_diff(before).min(converted.abs_diff(after)) < 60_000_000_000);
    }
}
