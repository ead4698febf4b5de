//! Raw and packet sockets: who may make up packets, and read those of others.

use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "raw_socket";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::RawSocket,
    word: "RAW_SOCKET_EVENT_TYPE_CREATE",
    activity: Some(Activity::Other),
    outcome: None,
    reach: Reach::Host,
    parts: &[&RAW_SOCKET_FAMILY, &RAW_SOCKET_TYPE, &RAW_SOCKET_PROTOCOL, &RAW_SOCKET_ERRNO],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "rawSocket", sees: &[EventType::RawSocket] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// What a raw socket is of.
    RawFamily {
        Ipv4 = "ipv4",
        Ipv6 = "ipv6",
        Packet = "packet",
        Xdp = "xdp",
    }
}

words! {
    /// What it takes and gives.
    RawType {
        Raw = "raw",
        Dgram = "dgram",
        Other = "other",
    }
}

fields! {
    RAW_SOCKET_FAMILY = event(
        Class::RawSocket,
        "rawSocketFamily",
        "raw_socket_family",
        Type::Word(RawFamily::WORDS),
        "What a raw socket is of: packets of `ipv4` or `ipv6` of one protocol, all that goes over a network device (`packet`), or what a program there hands over (`xdp`).",
    )
    .role(Role::Object);
    RAW_SOCKET_TYPE = event(
        Class::RawSocket,
        "rawSocketType",
        "raw_socket_type",
        Type::Word(RawType::WORDS),
        "Whether it takes and gives whole packets (`raw`), or those without the head of the network device (`dgram`).",
    );
    RAW_SOCKET_PROTOCOL = event(
        Class::RawSocket,
        "rawSocketProtocol",
        "raw_socket_protocol",
        Type::Number,
        "Which packets: of `ipv4` and `ipv6` the number of the protocol (1 is ICMP, 255 any that is sent), of `packet` that of Ethernet (3 is all there are; 0 is none until it is bound).",
    );
    RAW_SOCKET_ERRNO = event(
        Class::RawSocket,
        "rawSocketErrno",
        "raw_socket_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
}
