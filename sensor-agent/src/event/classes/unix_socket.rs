//! Sockets of this host that are connected to others.

use schema::classes::unix_socket as facts;
use schema::classes::unix_socket::SocketType;
use schema::{EventType, Outcome};
use sensor_ebpf::classes::unix_socket::UnixConnectRecord;

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Connected>(FIELDS);

/// A socket that was connected, or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Connected {
    path: Vec<u8>,
    is_abstract: bool,
    socket_type: Option<SocketType>,
    errno: i32,
}

impl Own for Connected {
    fn size(&self) -> usize {
        size_of::<Self>() + self.path.capacity()
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

impl Act for Connected {
    type Record = UnixConnectRecord;
    const EVENT: EventType = EventType::UnixConnect;

    fn read(record: &UnixConnectRecord) -> Self {
        /// `SOCK_STREAM`, `SOCK_DGRAM` and `SOCK_SEQPACKET` of Linux.
        const STREAM: u32 = 1;
        const DGRAM: u32 = 2;
        const SEQPACKET: u32 = 5;
        let name = &record.name[..record.name.len().min(record.len as usize)];
        let (path, is_abstract) = match name {
            // All of it is the name, zeroes too.
            [0, name @ ..] => (name, true),
            _ => (until_zero(name), false),
        };
        let socket_type = match record.socket_type {
            STREAM => Some(SocketType::Stream),
            DGRAM => Some(SocketType::Dgram),
            SEQPACKET => Some(SocketType::Seqpacket),
            _ => None,
        };
        Self { path: path.to_vec(), is_abstract, socket_type, errno: record.error.saturating_abs() }
    }

    fn sentence(&self, program: &str) -> String {
        let refused = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        let to = match (self.path.is_empty(), self.is_abstract) {
            (true, _) => "a socket without a name".to_owned(),
            (_, true) => format!("the socket @{}", lossless(&self.path)),
            (_, false) => format!("the socket {}", lossless(&self.path)),
        };
        format!("Program {program} connected to {to}{refused}")
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::SOCKET_PATH,
        |event, _| event.own(|socket: &Connected| Value::text(&socket.path)),
        |d, v| v.put(&mut d.act::<Connected>().path),
    ),
    of_event(
        &facts::IS_ABSTRACT_SOCKET,
        |event, _| event.own(|socket: &Connected| Value::Bool(socket.is_abstract)),
        |d, v| v.put(&mut d.act::<Connected>().is_abstract),
    ),
    of_event(
        &facts::SOCKET_TYPE,
        |event, _| {
            event.own(|socket: &Connected| socket.socket_type.map_or(Value::Absent, |kind| Value::Word(kind.word())))
        },
        |d, v| v.put_word(&mut d.act::<Connected>().socket_type),
    ),
    of_event(
        &facts::SOCKET_ERRNO,
        |event, _| {
            event.own(
                |socket: &Connected| if socket.errno == 0 { Value::Absent } else { Value::Int(socket.errno.into()) },
            )
        },
        |d, v| v.put(&mut d.act::<Connected>().errno),
    ),
];

#[cfg(test)]
mod tests {
    use sensor_ebpf::classes::unix_socket::NAME_LEN;

    use super::*;
    use crate::event::decode::fixed;

    fn read(len: u32, name: &[u8]) -> Connected {
        let mut record: UnixConnectRecord = fixed(&[0; size_of::<UnixConnectRecord>()]).expect("a record");
        record.name[..name.len()].copy_from_slice(name);
        record.len = len;
        Connected::read(&record)
    }

    #[test]
    fn names_end_where_they_do() {
        for (len, name, path, is_abstract) in [
            (0, &b"old"[..], &b""[..], false),
            (14, b"/run/a\0garbage", b"/run/a", false),
            (4, b"\0a\0b", b"a\0b", true),
            (108, &[b'x'; 108], &[b'x'; 108], false),
            (u32::MAX, &[b'y'; NAME_LEN], &[b'y'; NAME_LEN], false),
        ] {
            let found = read(len, name);
            assert_eq!((&*found.path, found.is_abstract), (path, is_abstract), "{len} {name:?}");
        }
    }
}
