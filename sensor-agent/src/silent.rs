//! A sensor that can alert on nothing, or to nobody: the same words wherever it is told.

/// No policy is in force.
pub const NO_POLICY: &str = "no policy is on: there will be no alerts";
/// Alerts have nowhere to go.
pub const NO_OUTPUT: &str = "no output is enabled: alerts go nowhere";

/// Which of them hold, in the order in which they are told.
pub fn sentences(policies: usize, outputs: usize) -> impl Iterator<Item = &'static str> {
    [(policies == 0).then_some(NO_POLICY), (outputs == 0).then_some(NO_OUTPUT)].into_iter().flatten()
}
