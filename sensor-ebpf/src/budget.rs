//! How much is told of what anybody can repeat at will: so many a second on each CPU, and as many at once after a rest.
//!
//! A loop of calls that fail costs its maker next to nothing. What is told of it must not fill the tables, nor take the CPU
//! of what counts; what is beyond is counted, and told as lost.

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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the events at these times have room.
    fn told(budget: Budget, times: impl Iterator<Item = u64>) -> usize {
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
        assert_eq!(told(budget, (0..5000).map(|_| begin)), 1000, "at once");
        // A hundred thousand a second for three seconds: the burst, and what three seconds bring.
        assert_eq!(told(budget, (0..300_000).map(|n| begin + n * 10_000)), 3999);
        assert_eq!(told(budget, (0..10_000).map(|n| begin + n * SECOND / 1000)), 10_000, "as many as it allows");
    }

    #[test]
    fn a_rest_fills_it_again() {
        let budget = Budget::per_second(10);
        let times =
            (0..20).map(|_| SECOND).chain((0..20).map(|_| 2 * SECOND)).chain((0..20).map(|_| 3 * SECOND / 2 + SECOND));
        assert_eq!(told(budget, times), 10 + 10 + 5);
    }
}
