//! What a class of events and its sources are: names, rings, budgets, and the numbers that both sides count by.

use crate::budget::Budget;
use crate::classes::{self, Class, Source};
use crate::hooks::Hook;
use crate::offsets::Fact;
use crate::rings::Ring;

/// What is to be known of a class.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The name under which its losses are told.
    pub name: &'static str,
    /// Where its records go.
    pub ring: Ring,
    /// What tells of it, in the order of the list.
    pub sources: &'static [SourceSpec],
    /// In the order of attaching.
    pub hooks: &'static [Hook],
    /// What its programs alone read of the kernel's structures.
    pub facts: &'static [Fact],
    /// The kinds of its records.
    pub records: &'static [u16],
}

/// What is to be known of a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceSpec {
    /// The name of its hooks, in `status` and in the metrics.
    pub name: &'static str,
    /// How much it tells of what anybody can repeat at will.
    pub budget: Option<Budget>,
}

impl SourceSpec {
    /// What nobody can make at will, or what is told however often.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, budget: None }
    }

    pub(crate) const fn budget(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }
}

/// Declares the classes and their sources: the enums, and what is read off the file of each class.
///
/// A class's file has `CLASS` and the `Offsets` of its facts.
macro_rules! declare {
    ($($(#[$doc:meta])* $class:ident = $module:ident { $($source:ident)* })*) => {
        /// A class of events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Class {
            $($(#[$doc])* $class,)*
        }

        impl Class {
            pub const ALL: [Self; [$(stringify!($class)),*].len()] = [$(Self::$class),*];

            #[must_use]
            pub const fn described(self) -> &'static $crate::class::Described {
                match self {
                    $(Self::$class => &$module::CLASS,)*
                }
            }
        }

        /// What tells one sort of thing. Its number is its place in the map of counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Source {
            $($($source,)*)*
        }

        impl Source {
            pub const ALL: &[Self] = &[$($(Self::$source),*),*];

            /// What it tells of.
            #[must_use]
            pub const fn class(self) -> Class {
                match self {
                    $($(Self::$source)|* => Class::$class,)*
                }
            }
        }

        /// The answers to the facts of each class, in the order of the list.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Offsets {
            $(pub $module: $module::Offsets,)*
        }

        impl Offsets {
            /// Nothing known.
            pub const NONE: Self = Self { $($module: $module::Offsets::NONE,)* };
        }

        pub(crate) const FACTS: &[&[$crate::offsets::Fact]] = &[$($module::CLASS.facts),*];
        pub(crate) const HOOKS: &[&[$crate::hooks::Hook]] = &[$($module::CLASS.hooks),*];
        pub(crate) const SOURCES: &[&[$crate::class::SourceSpec]] = &[$($module::CLASS.sources),*];
        pub(crate) const RECORDS: &[&[u16]] = &[$($module::CLASS.records),*];
    };
}
pub(crate) use declare;

impl Class {
    /// Those without which the sensor knows no process and no login: they are told whoever asks for what.
    pub const ALWAYS: Classes = Classes::NONE.with(Self::Process).with(Self::Audit);

    /// The name under which its losses are told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.described().name
    }

    /// Where its records go.
    #[must_use]
    pub const fn ring(self) -> Ring {
        self.described().ring
    }

    /// Whether records of any class go into this ring.
    #[must_use]
    pub fn any_in(ring: Ring) -> bool {
        Self::ALL.iter().any(|class| class.ring() == ring)
    }
}

impl Source {
    /// How many there are.
    pub const COUNT: u32 = Self::ALL.len() as u32;

    const SPECS: [SourceSpec; Self::ALL.len()] = crate::concat(classes::SOURCES, SourceSpec::new(""));

    /// The name of its hooks, in `status` and in the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::SPECS[self as usize].name
    }

    /// How much it tells of what anybody can repeat at will.
    #[must_use]
    #[inline(always)]
    pub const fn budget(self) -> Option<Budget> {
        Self::SPECS[self as usize].budget
    }

    /// Where its records go.
    #[must_use]
    #[inline(always)]
    pub const fn ring(self) -> Ring {
        self.class().ring()
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
    let mut at = 0;
    while at < Class::ALL.len() {
        let class = Class::ALL[at];
        let mut sources = 0;
        let mut source = 0;
        while source < Source::ALL.len() {
            if Source::ALL[source].class() as usize == class as usize {
                sources += 1;
            }
            source += 1;
        }
        assert!(class.described().sources.len() == sources, "a class describes its sources in the order of the list");
        let mut hook = 0;
        while hook < class.described().hooks.len() {
            let told = class.described().hooks[hook].source.class();
            assert!(told as usize == class as usize, "a hook tells of its own class");
            hook += 1;
        }
        at += 1;
    }
    let kinds: [u16; crate::total(classes::RECORDS)] = crate::concat(classes::RECORDS, 0);
    let mut one = 0;
    while one < kinds.len() {
        let mut other = one + 1;
        while other < kinds.len() {
            assert!(kinds[one] != kinds[other], "two records of one kind");
            other += 1;
        }
        one += 1;
    }
};
