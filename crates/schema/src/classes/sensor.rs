//! What the sensor tells of itself: that it started, and what it lost. Every place that counts a loss has the words for
//! where, of what and why from here.

use crate::field::{Integer, PIDS, Type, event, fields};
use crate::process;
use crate::table::column;
use crate::words::{Word, words};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, TABLES as ALL_TABLES, Table};

pub(super) const NAME: &str = "sensor";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::LostRecords,
        word: "LOST_RECORDS",
        activity: Some(Activity::Sensor),
        outcome: Some(Outcome::Unknown),
        // What the sensor did not see can have been anything on the host.
        reach: Reach::Host,
        parts: &[&STAGE, &EVENT_CLASS, &CAUSE, &COUNT],
    },
    Kind {
        is: EventType::SensorStarted,
        word: "SENSOR_STARTED",
        activity: Some(Activity::Sensor),
        outcome: Some(Outcome::Unknown),
        reach: Reach::Other,
        parts: &[],
    },
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[];

pub(super) static TABLES: &[&Table] = &[&SENSORS, &LOST_RECORDS];

pub static SENSORS: Table = Table {
    name: "sensors",
    aliases: &[],
    kinds: &[EventType::SensorStarted],
    mcs: false,
    default_on: true,
    number: 4,
    message: "SensorStart",
    columns: &[
        column(&process::TIME, 1),
        column(&process::SENSOR_ID, 2),
        column(&SENSOR_PID, 3),
        column(&process::HOSTNAME, 4),
    ],
    doc: "The sensor itself: one row at each start.",
};

pub static LOST_RECORDS: Table = Table {
    name: "lost_records",
    aliases: &[],
    kinds: &[EventType::LostRecords],
    mcs: false,
    default_on: true,
    number: 3,
    message: "LostRecords",
    columns: &[
        column(&process::TIME, 1),
        column(&process::SENSOR_ID, 2),
        column(&STAGE, 3),
        column(&EVENT_CLASS, 4),
        column(&CAUSE, 5),
        column(&COUNT, 6),
    ],
    doc: "What the sensor lost, where and why.",
};

words! {
    /// Where records can be lost, in the order in which they pass.
    Stage {
        Hook = "hook",
        Ring = "ring",
        Decode = "decode",
        Table = "table",
        Output = "output",
        Spool = "spool",
    }
}

impl Stage {
    /// Whether what is lost there is an event of the kernel, which then went unseen.
    #[must_use]
    pub const fn is_before_rules(self) -> bool {
        matches!(self, Self::Hook | Self::Ring | Self::Decode)
    }
}

words! {
    /// Why records can be lost.
    Cause {
        // In the kernel and on the way from there.
        FailedRead = "failed_read",
        Recursion = "recursion",
        RingFull = "ring_full",
        /// More than the budget of its kind.
        OverBudget = "over_budget",
        Undecodable = "undecodable",
        // In the process table and the recorder.
        Evicted = "evicted",
        Overwritten = "overwritten",
        Memory = "memory",
        // In an output's queue, and of receivers that confirm nothing.
        /// The output is slower than what comes in.
        QueueFull = "queue_full",
        /// Nobody reads at the other end any more.
        Gone = "gone",
        /// The sensor was stopped before it could be sent.
        Stopped = "stopped",
        /// A receiver does not take what is sent to it.
        HighWater = "high_water",
        /// It was published while nobody had subscribed to it.
        NoReceiver = "no_receiver",
        /// It cannot be said in the receiver's terms.
        Unfit = "unfit",
        // On disk, waiting for a receiver.
        SpoolFull = "spool_full",
        Expired = "expired",
        TooLarge = "too_large",
        Disk = "disk",
        Damaged = "damaged",
        Rejected = "rejected",
        /// Someone took the file away in which it waited.
        TakenAway = "taken_away",
    }
}

/// Of what records can be lost: events of a class, alerts, rows on their way to a sink, rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(&'static str);

impl Subject {
    pub const ALERTS: Self = Self("alerts");
    /// Rows of any tables.
    pub const ROWS: Self = Self("rows");

    #[must_use]
    pub const fn events(class: Class) -> Self {
        Self(class.name())
    }

    #[must_use]
    pub const fn rows_of(table: &Table) -> Self {
        Self(table.name)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        self.0
    }
}

/// How many classes and filled tables there are, and two.
const SUBJECTS: usize = {
    let (mut count, mut at) = (Class::ALL.len() + 2, 0);
    while at < ALL_TABLES.len() {
        count += ALL_TABLES[at].is_filled() as usize;
        at += 1;
    }
    count
};

impl Word for Subject {
    const WORDS: &'static [&'static str] = &{
        let mut words = [""; SUBJECTS];
        let mut at = 0;
        while at < Class::ALL.len() {
            words[at] = Class::ALL[at].name();
            at += 1;
        }
        (words[at], words[at + 1]) = (Self::ALERTS.0, Self::ROWS.0);
        at += 2;
        let mut table = 0;
        while table < ALL_TABLES.len() {
            if ALL_TABLES[table].is_filled() {
                words[at] = ALL_TABLES[table].name;
                at += 1;
            }
            table += 1;
        }
        words
    };

    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|word| Self(word))
    }
}

fields! {
    SENSOR_PID = event(Class::Sensor, "sensorPid", "sensor_pid", Type::Number, "The sensor's own process id.")
        .values(PIDS);
    STAGE = event(Class::Sensor, "stage", "stage", Type::Word(Stage::WORDS), "Where records were lost.")
        .only_in(&[EventType::LostRecords]);
    EVENT_CLASS = event(
        Class::Sensor,
        "eventClass",
        "event_class",
        Type::Word(Subject::WORDS),
        "What was lost: events of a class, alerts, rows, or rows of a table.",
    )
    .only_in(&[EventType::LostRecords]);
    CAUSE = event(Class::Sensor, "cause", "cause", Type::Word(Cause::WORDS), "Why records were lost.")
        .only_in(&[EventType::LostRecords]);
    COUNT = event(
        Class::Sensor,
        "count",
        "count",
        Type::Number,
        "How many records were lost since the last such event.",
    )
    .only_in(&[EventType::LostRecords])
    .integers(Integer::Uint64);
}
