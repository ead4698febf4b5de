//! Processes: what they run, what they fork, how they end.

use crate::field::{Integer, Type, Values, event, fields};
use crate::process as subject;
use crate::table::column;
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "process";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::Fork,
        word: "PROCESS_EVENT_TYPE_FORK",
        activity: Some(Activity::ProcessStart),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: &[],
    },
    Kind {
        is: EventType::Exec,
        word: "PROCESS_EVENT_TYPE_EXEC",
        activity: Some(Activity::ProcessStart),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: &[],
    },
    Kind {
        is: EventType::Exit,
        word: "PROCESS_EVENT_TYPE_EXIT",
        activity: Some(Activity::ProcessEnd),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: &[&EXIT_CODE, &EXIT_SIGNAL],
    },
    // One that was running when the sensor started.
    Kind {
        is: EventType::Baseline,
        word: "BASELINE_TASK",
        activity: Some(Activity::ProcessFound),
        outcome: Some(Outcome::Unknown),
        reach: Reach::Process,
        parts: &[],
    },
    Kind {
        is: EventType::ExecFailed,
        word: "PROCESS_EVENT_TYPE_EXEC_FAILED",
        activity: Some(Activity::ProcessStart),
        outcome: Some(Outcome::Failure),
        reach: Reach::Process,
        parts: &[&subject::FILE_PATH, &ERRNO],
    },
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "program", sees: &[EventType::Exec] }];

pub(super) static TABLES: &[&Table] = &[&PROCESS_EVENTS];

pub static PROCESS_EVENTS: Table = Table {
    name: "process_events",
    aliases: &[],
    kinds: &[EventType::Exec, EventType::Fork, EventType::Exit, EventType::Baseline, EventType::ExecFailed],
    mcs: true,
    default_on: true,
    number: 1,
    message: "ProcessEvent",
    columns: &[
        column(&subject::SENSOR_ID, 1),
        column(&subject::TIME, 2),
        column(&subject::EVENT_TYPE, 3),
        column(&subject::PROCESS_UUID, 4),
        column(&subject::SOPHOS_PID, 5),
        column(&subject::PROCESS_PID, 6),
        column(&subject::PARENT_PID, 7),
        column(&subject::PARENT_PROCESS_UUID, 8),
        column(&subject::UID, 9),
        column(&subject::GID, 10),
        column(&subject::EUID, 11),
        column(&subject::EGID, 12),
        column(&subject::USER_NAME, 13),
        column(&subject::LOGIN_UID, 14),
        column(&subject::SESSION_ID, 15),
        column(&subject::TTY, 16),
        column(&subject::NAME, 17),
        column(&subject::PROGRAM_NAME, 18),
        column(&subject::SCRIPT_PATH, 19),
        column(&subject::COMMAND_LINE, 20),
        column(&subject::ARGS, 21),
        column(&subject::ARGS_BYTES, 22),
        column(&subject::ARGS_TRUNCATED, 23),
        column(&subject::CWD, 24),
        column(&subject::PARENTS, 25),
        column(&subject::IS_MEMFD, 26),
        column(&subject::IS_DELETED, 27),
        column(&subject::IS_UPPER_LAYER, 28),
        column(&subject::CONTAINER_ID, 29),
        column(&subject::CONTAINER_NAME, 30),
        column(&subject::IMAGE_ID, 31),
        column(&subject::IMAGE_NAME, 32),
        column(&EXIT_CODE, 33),
        column(&EXIT_SIGNAL, 34),
        column(&ERRNO, 35),
        column(&subject::INCIDENT_ID, 36),
        column(&subject::FILE_PATH, 37),
        column(&subject::HOST_PATH, 38),
        column(&subject::IS_HOST_MOUNTS, 39),
        column(&subject::IS_USER_MOUNTS, 40),
        column(&subject::PATH_TRUNCATED, 41),
        column(&subject::ARGS_READ_LATE, 42),
        column(&subject::CWD_TRUNCATED, 43),
        column(&subject::LINEAGE_TRUNCATED, 44),
    ],
    doc: "Programs started, forked and ended, and those that were running when the sensor started.",
};

fields! {
    EXIT_CODE = event(
        Class::Process,
        "exitCode",
        "exit_code",
        Type::Number,
        "What the process returned; absent when a signal ended it, or when how it ended was lost.",
    )
    .values(Values::Within(&[0..=255]))
    .only_in(&[EventType::Exit]);
    EXIT_SIGNAL = event(
        Class::Process,
        "exitSignal",
        "exit_signal",
        Type::Number,
        "The signal that ended the process.",
    )
    .values(Values::Within(&[1..=127]))
    .only_in(&[EventType::Exit]);
    ERRNO = event(Class::Process, "errno", "errno", Type::Number, "Why an exec failed (errno(3)).")
        .values(Values::Within(&[1..=4095]))
        .only_in(&[EventType::ExecFailed])
        .integers(Integer::Int32);
}
