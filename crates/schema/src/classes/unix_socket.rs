//! Sockets of this host (`AF_UNIX`) that are connected to others.

use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "unix_socket";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::UnixConnect,
    word: "UNIX_SOCKET_EVENT_TYPE_CONNECT",
    activity: Some(Activity::Other),
    outcome: None,
    reach: Reach::Process,
    parts: &[&SOCKET_PATH, &IS_ABSTRACT_SOCKET, &SOCKET_TYPE, &SOCKET_ERRNO],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "unixConnect", sees: &[EventType::UnixConnect] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// What such a socket takes and gives.
    SocketType {
        Stream = "stream",
        Dgram = "dgram",
        Seqpacket = "seqpacket",
    }
}

fields! {
    SOCKET_PATH = event(
        Class::UnixSocket,
        "socketPath",
        "socket_path",
        Type::Path,
        "Where a socket of this host is connected to: the name that the other one was given, as whoever gave it wrote it, and so of the mount namespace of that one; of what was refused as it was asked for. Absent if the other one has none.",
    )
    .role(Role::Object);
    IS_ABSTRACT_SOCKET = event(
        Class::UnixSocket,
        "isAbstractSocket",
        "is_abstract_socket",
        Type::Bool,
        "Whether that is a name of the network namespace, and of no file.",
    );
    SOCKET_TYPE = event(
        Class::UnixSocket,
        "socketType",
        "socket_type",
        Type::Word(SocketType::WORDS),
        "What the socket takes and gives: a `stream`, or messages (`dgram`; `seqpacket` in their order).",
    );
    SOCKET_ERRNO = event(
        Class::UnixSocket,
        "socketErrno",
        "socket_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)): nobody listens there (111), there is no such file (2) or it is not allowed (13). Absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
}
