//! The classes of events, and what tells them: the one table of names, numbers, rings and budgets, for both sides.
//!
//! A class is switched on and off as one, and what is lost of it is told under its name. Whatever tells one sort of thing
//! about it, at whichever hook, is one [`Source`], with counters of its own. A new class is a line in [`Class`], one for each
//! of its sources, a record in `record/`, its programs in `kernel/`, and its hooks in the agent's `capture/hooks.rs`.

use crate::budget::Budget;
use crate::rings::Ring;

/// A class of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Programs that start, fail to, fork and end.
    Process,
    /// Messages to the kernel's audit.
    Audit,
    /// Modules of the kernel.
    Module,
    /// BPF programs.
    Bpf,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Process, Self::Audit, Self::Module, Self::Bpf];

    /// The name under which its losses are told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Audit => "audit",
            Self::Module => "module",
            Self::Bpf => "bpf",
        }
    }

    /// Those without which the sensor knows no process and no login: they are told whoever asks for what.
    pub const ALWAYS: Classes = Classes::NONE.with(Self::Process).with(Self::Audit);

    /// Whether records of any class go into this ring.
    #[must_use]
    pub fn any_in(ring: Ring) -> bool {
        Self::ALL.iter().any(|class| class.ring() == ring)
    }

    /// Where its records go.
    #[must_use]
    pub const fn ring(self) -> Ring {
        match self {
            Self::Process => Ring::Lifecycle,
            Self::Audit => Ring::Audit,
            Self::Module | Self::Bpf => Ring::Rare,
        }
    }
}

/// Some of the classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u32);

impl Classes {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn with(self, class: Class) -> Self {
        Self(self.0 | 1 << class as u32)
    }

    #[must_use]
    pub const fn has(self, class: Class) -> bool {
        self.0 >> class as u32 & 1 != 0
    }
}

macro_rules! sources {
    ($($(#[$doc:meta])* $source:ident = $number:literal, $name:literal, $class:ident $(, $budget:expr)?;)+) => {
        /// What tells one sort of thing. Its number is its place in the map of counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Source {
            $($(#[$doc])* $source = $number,)+
        }

        impl Source {
            pub const ALL: &[Self] = &[$(Self::$source),+];

            /// The name of its hooks, in `status` and in the metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$source => $name,)+
                }
            }

            /// What it tells of.
            #[must_use]
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$source => Class::$class,)+
                }
            }

            /// How much it tells of what anybody can repeat at will.
            #[must_use]
            pub const fn budget(self) -> Option<Budget> {
                match self {
                    $(Self::$source => sources!(@budget $($budget)?),)+
                }
            }
        }
    };
    (@budget) => { None };
    (@budget $budget:expr) => { Some($budget) };
}

sources! {
    Exec = 0, "exec", Process;
    Fork = 1, "fork", Process;
    Exit = 2, "exit", Process;
    /// A program that tries each folder of its path fails some times for each start; a loop fails a hundred thousand times
    /// a second.
    ExecFailed = 3, "exec_failed", Process, Budget::per_second(10_000);
    /// What was running before.
    Baseline = 4, "baseline", Process;
    /// The failed execs whose file could not even be opened.
    ExecNotOpened = 5, "exec_not_opened", Process, Budget::per_second(10_000);
    /// Messages sent to the kernel's audit, whichever hook tells them. The budget is for those that it refuses: what is beyond
    /// is counted as filtered, as a forged message more is no loss.
    Audit = 6, "audit", Audit, Budget::per_second(1_000);
    /// The kernel's own verdicts on audit messages.
    AuditVerdict = 7, "audit_verdict", Audit;
    ModuleLoad = 8, "module_load", Module;
    /// Some kernels let anybody load programs.
    BpfLoad = 9, "bpf_load", Bpf, Budget::per_second(1_000);
}

impl Source {
    /// How many there are.
    pub const COUNT: u32 = Self::ALL.len() as u32;

    /// Where its records go.
    #[must_use]
    pub const fn ring(self) -> Ring {
        self.class().ring()
    }
}

/// Most programs of the same code at one place, of which one tells an event: see `kernel/replicas.rs`.
pub const REPLICAS: u32 = 4;

/// Slots in the map of counters.
pub const SLOTS: u32 = Source::COUNT * REPLICAS;

/// Where the n-th replica at a place counts, from zero.
#[must_use]
pub const fn slot(source: Source, replica: u32) -> u32 {
    replica * Source::COUNT + source as u32
}

const _: () = {
    let mut n = 0;
    while n < Source::ALL.len() {
        assert!(Source::ALL[n] as usize == n);
        n += 1;
    }
    let mut n = 0;
    while n < Class::ALL.len() {
        assert!(Class::ALL[n] as usize == n);
        n += 1;
    }
};
