//! Raw and packet sockets: who may make up packets, and read those of others.

use schema::classes::raw_socket as facts;
use schema::classes::raw_socket::{RawFamily, RawType};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::raw_socket::{INET, INET6, PACKET, RawSocketRecord, XDP};

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::{Own, Value};

pub(super) const CLASS: Class = Class::of_act::<RawSocket>(FIELDS);

/// A raw socket that was made, or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RawSocket {
    family: Option<RawFamily>,
    socket_type: Option<RawType>,
    protocol: u32,
    errno: i32,
}

impl Own for RawSocket {
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

impl Act for RawSocket {
    type Record = RawSocketRecord;
    const EVENT: EventType = EventType::RawSocket;

    fn read(record: &RawSocketRecord) -> Self {
        /// `SOCK_DGRAM` and `SOCK_RAW` of Linux.
        const DGRAM: u32 = 2;
        const RAW: u32 = 3;
        let family = match record.family {
            INET => Some(RawFamily::Ipv4),
            INET6 => Some(RawFamily::Ipv6),
            PACKET => Some(RawFamily::Packet),
            XDP => Some(RawFamily::Xdp),
            _ => None,
        };
        let protocol = if record.family == PACKET {
            // The kernel looks at 16 bits, as they go over the network.
            u32::from(u16::from_be((record.protocol & 0xffff) as u16))
        } else {
            record.protocol
        };
        let socket_type = Some(match record.socket_type {
            RAW => RawType::Raw,
            DGRAM => RawType::Dgram,
            _ => RawType::Other,
        });
        Self { family, socket_type, protocol, errno: record.error.saturating_abs() }
    }

    fn sentence(&self, program: &str) -> String {
        let family = self.family.map(|family| format!(" of {}", family.word())).unwrap_or_default();
        let refused = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        format!("Program {program} made a raw socket{family} (protocol {}){refused}", self.protocol)
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::RAW_SOCKET_FAMILY,
        |event, _| event.own(|raw: &RawSocket| raw.family.map_or(Value::Absent, |family| Value::Word(family.word()))),
        |d, v| v.put_word(&mut d.act::<RawSocket>().family),
    ),
    of_event(
        &facts::RAW_SOCKET_TYPE,
        |event, _| event.own(|raw: &RawSocket| raw.socket_type.map_or(Value::Absent, |kind| Value::Word(kind.word()))),
        |d, v| v.put_word(&mut d.act::<RawSocket>().socket_type),
    ),
    of_event(
        &facts::RAW_SOCKET_PROTOCOL,
        |event, _| event.own(|raw: &RawSocket| Value::Int(raw.protocol.into())),
        |d, v| v.put(&mut d.act::<RawSocket>().protocol),
    ),
    of_event(
        &facts::RAW_SOCKET_ERRNO,
        |event, _| {
            event.own(|raw: &RawSocket| if raw.errno == 0 { Value::Absent } else { Value::Int(raw.errno.into()) })
        },
        |d, v| v.put(&mut d.act::<RawSocket>().errno),
    ),
];
