//! BPF programs that are attached, and who gets at those of the sensor.

use super::bpf::{AttachType, ProgramType};
use crate::field::{Field, Integer, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "bpf_calls";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::BpfAttach,
        word: "BPF_EVENT_TYPE_ATTACH",
        activity: Some(Activity::KernelExtension),
        outcome: None,
        reach: Reach::Host,
        parts: &[
            &BPF_CALL,
            &BPF_PROGRAM_NAME,
            &BPF_PROGRAM_ID,
            &BPF_PROGRAM_TYPE,
            &BPF_ATTACH_POINT,
            &BPF_FUNCTION,
            &BPF_CALL_ERRNO,
        ],
    },
    Kind {
        is: EventType::SensorObject,
        word: "BPF_EVENT_TYPE_SENSOR_OBJECT",
        activity: Some(Activity::ConfigurationChange),
        outcome: None,
        reach: Reach::Host,
        parts: &[&BPF_CALL, &SENSOR_OBJECT, &SENSOR_OBJECT_NAME, &SENSOR_OBJECT_ID, &BPF_CALL_ERRNO],
    },
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "bpfAttach", sees: &[EventType::BpfAttach] },
    PolicyType { word: "sensorTampering", sees: &[EventType::SensorObject] },
];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// What is done.
    BpfCall {
        ProgAttach = "prog_attach",
        LinkCreate = "link_create",
        RawTracepointOpen = "raw_tracepoint_open",
        LinkUpdate = "link_update",
        /// `PERF_EVENT_IOC_SET_BPF`.
        PerfSetBpf = "perf_event_set_bpf",
        GetFdById = "get_fd_by_id",
        MapUpdate = "map_update",
        MapDelete = "map_delete",
        MapFreeze = "map_freeze",
        LinkDetach = "link_detach",
    }
}

words! {
    /// What it is done to.
    SensorObject {
        Program = "program",
        Map = "map",
        /// An attachment.
        Link = "link",
    }
}

const OF_ATTACHED: &[EventType] = &[EventType::BpfAttach];
const OF_SENSOR: &[EventType] = &[EventType::SensorObject];

const fn own(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    event(Class::BpfCalls, name, column, ty, doc)
}

fields! {
    BPF_CALL = own(
        "bpfCall",
        "bpf_call",
        Type::Word(BpfCall::WORDS),
        "What is done: a BPF program is attached by `prog_attach`, `link_create`, `raw_tracepoint_open`, `link_update` (in the place of another) or `perf_event_set_bpf` (to a probe); of what is the sensor's, `get_fd_by_id` takes a descriptor of it, `map_update`, `map_delete` and `map_freeze` change a map, `link_update` and `link_detach` what is attached.",
    )
    .role(Role::Operation);
    BPF_CALL_ERRNO = own(
        "bpfCallErrno",
        "bpf_call_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
    BPF_PROGRAM_NAME = own(
        "bpfProgramName",
        "bpf_program_name",
        Type::Text,
        "What the maker of the BPF program that is attached calls it, up to 15 bytes; absent if it has no name, as are this and the next ones where there is no such program.",
    )
    .only_in(OF_ATTACHED)
    .role(Role::Object);
    BPF_PROGRAM_ID = own(
        "bpfProgramId",
        "bpf_program_id",
        Type::Number,
        "The kernel's id of the BPF program that is attached.",
    )
    .only_in(OF_ATTACHED);
    BPF_PROGRAM_TYPE = own(
        "bpfProgramType",
        "bpf_program_type",
        Type::Word(ProgramType::WORDS),
        "What the BPF program is for that is attached (`enum bpf_prog_type`, as bpftool writes it).",
    )
    .only_in(OF_ATTACHED);
    BPF_ATTACH_POINT = own(
        "bpfAttachPoint",
        "bpf_attach_point",
        Type::Word(AttachType::WORDS),
        "Where it is attached, of those types that can be at several places.",
    )
    .only_in(OF_ATTACHED);
    BPF_FUNCTION = own(
        "bpfFunction",
        "bpf_function",
        Type::Text,
        "The kernel function or tracepoint that it is attached to, of those types that tell.",
    )
    .only_in(OF_ATTACHED);
    SENSOR_OBJECT = own(
        "sensorObject",
        "sensor_object",
        Type::Word(SensorObject::WORDS),
        "What of the sensor's it is done to: a `program`, a `map`, or a `link`, by which a program is attached.",
    )
    .only_in(OF_SENSOR);
    SENSOR_OBJECT_NAME = own(
        "sensorObjectName",
        "sensor_object_name",
        Type::Text,
        "Its name, up to 15 bytes; absent of links, and where the kernel refused it.",
    )
    .only_in(OF_SENSOR)
    .role(Role::Object);
    SENSOR_OBJECT_ID = own("sensorObjectId", "sensor_object_id", Type::Number, "The kernel's id of it.").only_in(OF_SENSOR);
}
