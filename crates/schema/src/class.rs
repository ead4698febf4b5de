//! What a class and a kind of events are, and which of them somebody looks at.

use std::borrow::Cow;

use crate::{Activity, Class, EventType, Field, Outcome, Reach};

/// What is to be known of one kind of event.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub is: EventType,
    /// The word that rules compare with and rows carry.
    pub word: &'static str,
    /// What it tells of; none if that is in the event.
    pub activity: Option<Activity>,
    /// How that ended; none if that is in the event.
    pub outcome: Option<Outcome>,
    /// How far its harm can reach.
    pub reach: Reach,
    /// What an alert tells of the event by name beside its sentence (`message_fields`).
    pub parts: &'static [&'static Field],
}

/// Declares the classes and their kinds: the two enums, and what is read off the file of each class.
///
/// A class's file has `NAME`, `KINDS` (in the same order), `FIELDS`, `TABLES` and `POLICY_TYPES`.
macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident = $module:ident { $($kind:ident)* })*) => {
        /// Families of events: each has its kernel programs, its tables and its policy types.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class {
            $($(#[$doc])* $class,)*
        }

        impl Class {
            pub const ALL: [Self; [$(stringify!($class)),*].len()] = [$(Self::$class),*];

            /// The name used in `lost_records`, metrics and the manual.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$class => $module::NAME,)*
                }
            }

            /// The kinds of its events.
            #[must_use]
            pub const fn kinds(self) -> &'static [EventType] {
                match self {
                    $(Self::$class => &[$(EventType::$kind),*],)*
                }
            }
        }

        /// The `eventType` of an event. What each is stands in the file of its class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($($kind,)*)*
        }

        impl EventType {
            pub const ALL: [Self; [$($(stringify!($kind)),*),*].len()] = [$($(Self::$kind),*),*];

            #[must_use]
            pub const fn class(self) -> Class {
                match self {
                    $($(Self::$kind)|* => Class::$class,)*
                }
            }

            /// This kind alone.
            pub(crate) const fn alone(self) -> &'static [Self] {
                match self {
                    $($(Self::$kind => &[Self::$kind],)*)*
                }
            }
        }

        // Not constants: those are looked through to the end, and fields have words that are made of kinds and tables.
        static KINDS: &[&[$crate::Kind]] = &[$($module::KINDS),*];
        pub(crate) static FIELDS: &[&[&$crate::Field]] = &[$crate::process::FIELDS, $($module::FIELDS),*];
        pub(crate) static TABLES: &[&[&$crate::Table]] = &[$($module::TABLES),*];
        pub(crate) const POLICY_TYPES: &[&[$crate::PolicyType]] = &[$($module::POLICY_TYPES),*];
    };
}

pub(crate) use classes;

/// Which events somebody looks at: all of a class, or some kinds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    class: Class,
    kinds: &'static [EventType],
    /// The same, one bit each.
    bits: u64,
}

impl Seen {
    /// Events of these kinds, of one class.
    ///
    /// # Panics
    ///
    /// If there are none, or not of one class. Those who declare them do so at compile time.
    #[must_use]
    pub const fn these(kinds: &'static [EventType]) -> Self {
        let class = kinds[0].class();
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            assert!(kinds[at].class() as u8 == class as u8, "kinds of several classes");
            bits |= 1 << kinds[at] as u32;
            at += 1;
        }
        Self { class, kinds, bits }
    }

    /// Events of one kind.
    #[must_use]
    pub const fn only(kind: EventType) -> Self {
        Self::these(kind.alone())
    }

    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    #[must_use]
    pub const fn contains(self, kind: EventType) -> bool {
        self.bits & 1 << kind as u32 != 0
    }

    /// What the events are called: `audit`, or the kinds' own words.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self.kinds {
            _ if !self.is_narrow() => self.class.name().into(),
            [kind] => kind.word().into(),
            kinds => kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ").into(),
        }
    }

    /// Whether it is less than a class.
    #[must_use]
    pub const fn is_narrow(self) -> bool {
        self.kinds.len() < self.class.kinds().len()
    }
}

impl From<Class> for Seen {
    fn from(class: Class) -> Self {
        Self::these(class.kinds())
    }
}
