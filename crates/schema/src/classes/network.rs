//! Sockets: who connects where, who listens, who takes connections, who sends where.
//!
//! Whoever opens a connection is its source, whoever waits for it its destination; what listens has a destination alone, its own.

use std::net::IpAddr;

use super::audit::Ending;
use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::process as subject;
use crate::table::column;
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Field, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "network";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::ConnectAttempt,
        word: "NETWORK_EVENT_TYPE_CONNECT_ATTEMPT",
        activity: Some(Activity::ConnectionAttempt),
        outcome: Some(Outcome::Unknown),
        reach: Reach::Process,
        parts: &CONNECTION,
    },
    Kind {
        is: EventType::ConnectResult,
        word: "NETWORK_EVENT_TYPE_CONNECT_RESULT",
        activity: Some(Activity::ConnectionResult),
        outcome: None,
        reach: Reach::Process,
        parts: &ENDED,
    },
    Kind {
        is: EventType::Bind,
        word: "NETWORK_EVENT_TYPE_BIND",
        activity: Some(Activity::Bind),
        outcome: None,
        reach: Reach::Process,
        parts: &[&DST_ADDR, &DST_PORT, &FAMILY, &PROTOCOL, &DIRECTION, &NETWORK_RESULT, &NETWORK_ERRNO],
    },
    Kind {
        is: EventType::Listen,
        word: "NETWORK_EVENT_TYPE_LISTEN",
        activity: Some(Activity::Listen),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: &[&DST_ADDR, &DST_PORT, &FAMILY, &PROTOCOL, &DIRECTION],
    },
    Kind {
        is: EventType::Accept,
        word: "NETWORK_EVENT_TYPE_ACCEPT",
        activity: Some(Activity::ConnectionAccepted),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: &CONNECTION,
    },
    Kind {
        is: EventType::SendTo,
        word: "NETWORK_EVENT_TYPE_SENDTO",
        activity: Some(Activity::Datagram),
        outcome: None,
        reach: Reach::Process,
        parts: &ENDED,
    },
];

const ENDED: [&Field; CONNECTION.len() + 2] =
    crate::concat(&[&CONNECTION, &[&NETWORK_RESULT, &NETWORK_ERRNO]], CONNECTION[0]);

const CONNECTION: [&Field; 7] = [&SRC_ADDR, &SRC_PORT, &DST_ADDR, &DST_PORT, &FAMILY, &PROTOCOL, &DIRECTION];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "connect", sees: &[EventType::ConnectAttempt] },
    PolicyType { word: "connectResult", sees: &[EventType::ConnectResult] },
    PolicyType { word: "sendto", sees: &[EventType::SendTo] },
    PolicyType { word: CLOUD_METADATA, sees: &[EventType::ConnectAttempt, EventType::SendTo] },
    PolicyType { word: "networkService", sees: &[EventType::Bind, EventType::Listen, EventType::Accept] },
];

/// The type of policies that see nothing but what goes to where a cloud tells its machines about themselves, and gives them keys.
pub(crate) const CLOUD_METADATA: &str = "cloudMetadata";
pub(crate) const CLOUD_METADATA_RULE: &str = "ignore isCloudMetadata == false";

/// Whether a cloud tells its machines there about themselves: Amazon's, Google's, Microsoft's and many others', of which most
/// have the first one.
#[must_use]
pub fn is_cloud_metadata(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => matches!(
            address.octets(),
            [169, 254, 169, 254]
                // Of Amazon's containers.
                | [169, 254, 170, 2 | 23]
                | [168, 63, 129, 16]
                | [100, 100, 100, 200]
                | [192, 0, 0, 192]
        ),
        IpAddr::V6(address) => matches!(
            address.segments(),
            [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
        ),
    }
}

pub(super) static TABLES: &[&Table] = &[&CONNECTIONS];

static CONNECTIONS: Table = Table {
    name: "connections",
    aliases: &[],
    kinds: &[
        EventType::ConnectAttempt,
        EventType::ConnectResult,
        EventType::Bind,
        EventType::Listen,
        EventType::Accept,
        EventType::SendTo,
    ],
    mcs: false,
    default_on: false,
    number: 6,
    message: "Connection",
    columns: &[
        column(&subject::SENSOR_ID, 1),
        column(&subject::TIME, 2),
        column(&subject::EVENT_TYPE, 3),
        column(&subject::PROCESS_UUID, 4),
        column(&subject::INCIDENT_ID, 5),
        column(&SRC_ADDR, 6),
        column(&SRC_PORT, 7),
        column(&DST_ADDR, 8),
        column(&DST_PORT, 9),
        column(&PROTOCOL, 10),
        column(&FAMILY, 11),
        column(&DIRECTION, 12),
        column(&NETWORK_RESULT, 13),
        column(&NETWORK_ERRNO, 14),
        column(&subject::PROGRAM_NAME, 15),
        column(&subject::COMMAND_LINE, 16),
        column(&subject::SOPHOS_PID, 17),
        column(&subject::PROCESS_PID, 18),
        column(&subject::UID, 19),
        column(&subject::EUID, 20),
        column(&subject::LOGIN_UID, 21),
        column(&subject::SESSION_ID, 22),
        column(&subject::CONTAINER_ID, 23),
        column(&IS_CLOUD_METADATA, 24),
    ],
    doc: "Connections that were asked for, came about or failed, and were taken; what listens for them; and where datagrams are sent, \
          once for each process and address.",
};

words! {
    /// What sort of addresses a socket has, as they go over the wire: IPv4 within IPv6 is IPv4.
    Family {
        Ipv4 = "ipv4",
        Ipv6 = "ipv6",
    }
}

words! {
    /// What a socket speaks.
    Protocol {
        Tcp = "tcp",
        Udp = "udp",
        Sctp = "sctp",
        /// One that came after this sensor.
        Other = "other",
    }
}

words! {
    /// Who opens a connection.
    Direction {
        /// The other side.
        Inbound = "inbound",
        /// The process.
        Outbound = "outbound",
    }
}

const PORTS: Values = Values::Within(&[0..=65535]);

fields! {
    SRC_ADDR = event(
        Class::Network,
        "srcAddr",
        "src_addr",
        Type::Address,
        "The address of whoever opens a connection. IPv4 within IPv6 is told as IPv4.",
    )
    .role(Role::SourceAddress);
    SRC_PORT = event(
        Class::Network,
        "srcPort",
        "src_port",
        Type::Number,
        "The port of whoever opens a connection; absent while it has none yet.",
    )
    .values(PORTS)
    .role(Role::SourcePort);
    DST_ADDR = event(
        Class::Network,
        "dstAddr",
        "dst_addr",
        Type::Address,
        "The address that a connection goes to, of what listens its own: 0.0.0.0 or :: for all. IPv4 within IPv6 is told as IPv4.",
    )
    .role(Role::DestinationAddress);
    DST_PORT = event(
        Class::Network,
        "dstPort",
        "dst_port",
        Type::Number,
        "The port that a connection goes to, of what listens its own.",
    )
    .values(PORTS)
    .role(Role::DestinationPort);
    FAMILY = event(
        Class::Network,
        "family",
        "family",
        Type::Word(Family::WORDS),
        "What sort of addresses these are, as they go over the wire: IPv4 within IPv6 is `ipv4`.",
    )
    .role(Role::AddressFamily);
    PROTOCOL = event(
        Class::Network,
        "protocol",
        "protocol",
        Type::Word(Protocol::WORDS),
        "What the socket speaks; Multipath TCP is `tcp`.",
    )
    .role(Role::Transport);
    DIRECTION = event(
        Class::Network,
        "direction",
        "direction",
        Type::Word(Direction::WORDS),
        "Who opens a connection: the process (`outbound`), or the other side (`inbound`).",
    )
    .role(Role::Direction);
    NETWORK_RESULT = event(
        Class::Network,
        "networkResult",
        "network_result",
        Type::Word(Ending::WORDS),
        "Whether a connection came about, a datagram was sent, a socket got its address.",
    )
    .only_in(&[EventType::ConnectResult, EventType::Bind, EventType::SendTo]);
    NETWORK_ERRNO = event(
        Class::Network,
        "networkErrno",
        "network_errno",
        Type::Number,
        "Why that failed (errno(3)); absent where the process gave it up.",
    )
    .values(Values::Within(&[1..=4095]))
    .only_in(&[EventType::ConnectResult, EventType::Bind, EventType::SendTo])
    .integers(Integer::Int32);
    IS_CLOUD_METADATA = event(
        Class::Network,
        "isCloudMetadata",
        "is_cloud_metadata",
        Type::Bool,
        "Whether it goes to an address where a cloud tells its machines about themselves, and gives them keys: 169.254.169.254, fd00:ec2::254 and others.",
    );
}
