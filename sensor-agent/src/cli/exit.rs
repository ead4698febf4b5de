//! What the process says to whoever started it.

use std::process::ExitCode;

/// The exit codes, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It worked.
    Fine = 0,
    /// It did not: the sensor could not start or go on, a stage of the self check failed, no sensor answered.
    Failure = 1,
    /// The command line is wrong; nothing was tried.
    Usage = 2,
    /// The configuration was refused (`EX_CONFIG` of sysexits.h); nothing was started or changed.
    Config = 78,
}

impl Exit {
    pub const ALL: [Self; 4] = [Self::Fine, Self::Failure, Self::Usage, Self::Config];

    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// One line for the manual.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Fine => "Fine.",
            Self::Failure => "It failed while running: the sensor, a stage of the self check, or a request.",
            Self::Usage => "The command line is wrong. Nothing was tried.",
            Self::Config => "The configuration was refused. Nothing was started or changed.",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
