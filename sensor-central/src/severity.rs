//! How bad it is: the priority of a policy in the words of each part of the public API.

/// One degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Severity {
    /// The policy's.
    pub priority: &'static str,
    /// Of a detection, 0 to 10.
    pub number: u8,
    /// Of an alert in `common`, where clients know these three words alone.
    pub common: &'static str,
    /// Of an item in `siem`.
    pub siem: &'static str,
}

const HIGH: Severity = Severity { priority: "High", number: 8, common: "high", siem: "high" };

/// Every degree, the worst first.
pub const DEGREES: [Severity; 4] = [
    HIGH,
    Severity { priority: "Medium", number: 5, common: "medium", siem: "medium" },
    Severity { priority: "Low", number: 2, common: "low", siem: "low" },
    Severity { priority: "Info", number: 0, common: "low", siem: "none" },
];

impl Severity {
    /// A word that is not known, of a newer sensor perhaps, counts as the worst.
    #[must_use]
    pub fn of_priority(word: &str) -> Self {
        DEGREES.into_iter().find(|degree| degree.priority.eq_ignore_ascii_case(word)).unwrap_or(HIGH)
    }

    /// By its number, as it is kept.
    #[must_use]
    pub fn of_number(number: u8) -> Self {
        DEGREES.into_iter().find(|degree| degree.number == number).unwrap_or(HIGH)
    }
}
