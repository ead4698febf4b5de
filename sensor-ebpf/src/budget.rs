//! How much is told of what anybody can repeat at will: so many a second on each CPU, and as many at once after a rest.
//!
//! A loop of calls that fail costs its maker next to nothing. What is told of it must not fill the tables, nor take the CPU
//! of what counts; what is beyond is counted, and told as lost.
//!
//! Nor must it take what is told of others. So each user has a lane: a [`SURE`]th part of the budget that nobody else can spend, and
//! the host's own root the whole of it once more. Who has spent that draws on what all have together.

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// A budget. Spent by the clock: each event moves the time at which all is spent forward by one share of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Nanoseconds for each event.
    share: u64,
}

impl Budget {
    /// So many in a second.
    #[must_use]
    pub const fn per_second(events: u64) -> Self {
        assert!(events > 0 && events <= SECOND);
        Self { share: SECOND / events }
    }

    /// What is sure to one user of it.
    #[must_use]
    #[inline(always)]
    pub const fn of_user(self) -> Self {
        Self { share: self.share * SURE }
    }

    /// The new state if there is room for another event now, by any clock that does not go back. The state before the first
    /// one is zero.
    #[must_use]
    #[inline(always)]
    pub const fn spend(self, state: u64, now: u64) -> Option<u64> {
        let from = if state > now { state } else { now };
        let spent = from + self.share;
        if spent - now > SECOND { None } else { Some(spent) }
    }
}

/// Which part of a budget is sure to each user.
pub const SURE: u64 = 16;
/// Lanes that users have, by their ids: whoever meets another there shares it.
const USERS: u32 = 64;
/// Lanes of a source on one CPU.
pub const LANES: u32 = USERS + 2;

/// Whose budget it is.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u32);

impl Lane {
    /// What all have together.
    pub const TOGETHER: Self = Self(0);
    /// The host's own root, which no user can be for nothing.
    pub const ROOT: Self = Self(1);

    /// Of a user by id; or of whatever else has a number.
    #[must_use]
    #[inline(always)]
    pub const fn of(user: u32) -> Self {
        if user == 0 { Self::ROOT } else { Self(2 + user.wrapping_mul(0x9e37_79b1) / (u32::MAX / USERS + 1)) }
    }

    /// The one at this place.
    #[must_use]
    #[inline(always)]
    pub const fn at(place: u32) -> Self {
        Self(place)
    }

    /// What of a source's budget is this lane's alone.
    #[must_use]
    #[inline(always)]
    pub const fn part(self, budget: Budget) -> Budget {
        if self.0 > Self::ROOT.0 { budget.of_user() } else { budget }
    }

    /// Its place among those of a source.
    #[must_use]
    #[inline(always)]
    pub const fn place(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the events at these times have room.
    fn granted(budget: Budget, times: impl Iterator<Item = u64>) -> usize {
        let mut state = 0;
        times
            .filter(|&now| {
                let spent = budget.spend(state, now);
                state = spent.unwrap_or(state);
                spent.is_some()
            })
            .count()
    }

    #[test]
    fn a_burst_and_a_rate_have_room_and_no_more() {
        let budget = Budget::per_second(1000);
        let begin = 5 * SECOND;
        assert_eq!(granted(budget, (0..5000).map(|_| begin)), 1000, "at once");
        // A hundred thousand a second for three seconds: the burst, and what three seconds bring.
        assert_eq!(granted(budget, (0..300_000).map(|n| begin + n * 10_000)), 3999);
        assert_eq!(granted(budget, (0..10_000).map(|n| begin + n * SECOND / 1000)), 10_000, "as many as it allows");
    }

    #[test]
    fn a_rest_fills_it_again() {
        let budget = Budget::per_second(10);
        let times =
            (0..20).map(|_| SECOND).chain((0..20).map(|_| 2 * SECOND)).chain((0..20).map(|_| 3 * SECOND / 2 + SECOND));
        assert_eq!(granted(budget, times), 10 + 10 + 5);
    }

    #[test]
    fn users_have_lanes_of_their_own_and_root_has_the_whole_budget() {
        assert_eq!(Lane::of(0), Lane::ROOT);
        let budget = Budget::per_second(1000);
        assert_eq!((Lane::ROOT.part(budget), Lane::TOGETHER.part(budget)), (budget, budget));
        let lanes = (1000..1032).fold(0_u128, |lanes, user| lanes | 1 << Lane::of(user).place());
        assert!(lanes.count_ones() >= 28, "users of one host hardly ever meet: {lanes:b}");
        for user in (1..100_000).chain([u32::MAX, u32::MAX - 1, 1 << 31]) {
            let lane = Lane::of(user);
            assert!(lane != Lane::ROOT && lane != Lane::TOGETHER && lane.place() < LANES, "{user}");
            assert_eq!(granted(lane.part(budget), (0..1000).map(|_| SECOND)), 62, "a sixteenth at once");
        }
    }
}
