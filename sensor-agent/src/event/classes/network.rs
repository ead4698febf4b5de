//! Sockets that connect, listen and take connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schema::classes::audit::Ending;
use schema::classes::network as facts;
use schema::classes::network::{Direction, Family, Protocol};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::network::{
    AcceptRecord, BindRecord, CONNECTED, ConnectAttemptRecord, ConnectResultRecord, Flow, INET, INET6, ListenRecord,
    SendToRecord, TCP, UDP,
};
use sensor_ebpf::record::Act as Record;

use super::{Class, Reader};
use crate::event::build::Draft;
use crate::event::decode::fixed;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, Own, Value};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: &[
        reader::<ConnectAttemptRecord>(EventType::ConnectAttempt),
        reader::<ConnectResultRecord>(EventType::ConnectResult),
        reader::<BindRecord>(EventType::Bind),
        reader::<ListenRecord>(EventType::Listen),
        reader::<AcceptRecord>(EventType::Accept),
        reader::<SendToRecord>(EventType::SendTo),
    ],
    detail: |_, draft| Detail::own(std::mem::take(draft.part::<Connection>())),
    sentence,
};

/// A connection, or what waits for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Connection {
    source: End,
    destination: End,
    family: Option<Family>,
    protocol: Option<Protocol>,
    direction: Option<Direction>,
    result: Option<Ending>,
    errno: Option<i32>,
    /// What is written down by hand may say this alone.
    is_cloud_metadata: Option<bool>,
}

/// One end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    address: Option<IpAddr>,
    port: Option<u16>,
}

impl Own for Connection {
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn outcome(&self) -> Outcome {
        match self.result {
            Some(Ending::Success) => Outcome::Success,
            Some(Ending::Failed) => Outcome::Failure,
            None => Outcome::Unknown,
        }
    }
}

/// What a kind of records tells.
trait ConnectionRecord: Record {
    fn connection(&self) -> Connection;
}

impl ConnectionRecord for ConnectAttemptRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Outbound)
    }
}

impl ConnectionRecord for ConnectResultRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Outbound).ended(self.error)
    }
}

impl ConnectionRecord for SendToRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Outbound).ended(self.error)
    }
}

impl ConnectionRecord for BindRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Inbound).ended(self.error)
    }
}

impl ConnectionRecord for ListenRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Inbound)
    }
}

impl ConnectionRecord for AcceptRecord {
    fn connection(&self) -> Connection {
        Connection::of(&self.flow, Direction::Inbound)
    }
}

const fn reader<T: ConnectionRecord>(event: EventType) -> Reader {
    Reader {
        record: T::KIND,
        event,
        size: size_of::<T>(),
        detail: |bytes| Ok(Detail::own(fixed::<T>(bytes)?.connection())),
    }
}

impl Connection {
    fn of(flow: &Flow, direction: Direction) -> Self {
        Self {
            source: End::of(flow.family, flow.source, flow.source_port),
            destination: End::of(flow.family, flow.destination, flow.destination_port),
            family: match flow.family {
                INET => Some(Family::Ipv4),
                INET6 => Some(Family::Ipv6),
                _ => None,
            },
            protocol: Some(match flow.protocol {
                TCP => Protocol::Tcp,
                UDP => Protocol::Udp,
                _ => Protocol::Other,
            }),
            direction: Some(direction),
            ..Self::default()
        }
        .without_any()
    }

    /// A source that is not chosen yet, and a destination that is not known, are none.
    fn without_any(mut self) -> Self {
        let is_any = |end: End| end.address.is_none_or(|address| address.is_unspecified());
        if is_any(self.source) {
            self.source.address = None;
        }
        if is_any(self.destination) && self.destination.port.is_none() {
            self.destination.address = None;
        }
        self
    }

    fn ended(self, error: i32) -> Self {
        let result = if error == CONNECTED { Ending::Success } else { Ending::Failed };
        Self { result: Some(result), errno: (error > 0).then_some(error), ..self }
    }

    fn is_cloud_metadata(&self) -> bool {
        self.is_cloud_metadata.unwrap_or_else(|| self.destination.address.is_some_and(facts::is_cloud_metadata))
    }
}

impl End {
    fn of(family: u16, address: [u8; 16], port: u16) -> Self {
        let [a, b, c, d, ..] = address;
        let address = match family {
            INET => Some(Ipv4Addr::new(a, b, c, d).into()),
            INET6 => Some(Ipv6Addr::from(address).to_canonical()),
            _ => None,
        };
        Self { address, port: (port != 0).then_some(port) }
    }

    /// As one writes it: `10.0.0.1:80`, `[::1]:80`.
    fn words(&self) -> String {
        match (self.address, self.port) {
            (Some(IpAddr::V6(address)), Some(port)) => format!("[{address}]:{port}"),
            (Some(address), Some(port)) => format!("{address}:{port}"),
            (Some(address), None) => address.to_string(),
            (None, Some(port)) => format!("port {port}"),
            (None, None) => "an address that is not known".to_owned(),
        }
    }
}

fn sentence(event: &Event, policy: &str) -> String {
    let program = lossless(&event.process.image.path);
    let Some(connection) = event.detail.as_own::<Connection>() else {
        return format!("Program {program} violated policy {policy}");
    };
    let (from, to) = (connection.source.words(), connection.destination.words());
    let protocol = connection.protocol.map(|protocol| format!(" by {}", protocol.word())).unwrap_or_default();
    let what = match (event.kind, connection.result, connection.errno) {
        (EventType::Bind, _, None) => format!("has a socket at {to}{protocol}"),
        (EventType::Bind, _, Some(errno)) => {
            format!("could not have a socket at {to}{protocol}: {}", std::io::Error::from_raw_os_error(errno))
        }
        (EventType::Listen, ..) => format!("listens at {to}{protocol}"),
        (EventType::Accept, ..) => format!("took a connection from {from} at {to}{protocol}"),
        (EventType::ConnectResult, Some(Ending::Failed), None) => format!("gave up connecting to {to}{protocol}"),
        (EventType::ConnectResult, Some(Ending::Failed), Some(errno)) => {
            format!("could not connect to {to}{protocol}: {}", std::io::Error::from_raw_os_error(errno))
        }
        (EventType::SendTo, _, None) => format!("sends to {to}{protocol}"),
        (EventType::SendTo, _, Some(errno)) => {
            format!("could not send to {to}{protocol}: {}", std::io::Error::from_raw_os_error(errno))
        }
        (EventType::ConnectResult, ..) => format!("is connected to {to}{protocol}"),
        _ => format!("connects to {to}{protocol}"),
    };
    format!("Program {program} {what}; policy {policy}")
}

/// What the event has, of one that is likely to be an attempt to connect.
fn written(draft: &mut Draft) -> &mut Connection {
    draft.likely(EventType::ConnectAttempt);
    draft.part()
}

/// The same, of one that is likely to be the result of one.
fn ended(draft: &mut Draft) -> &mut Connection {
    draft.likeliest(EventType::ConnectResult);
    draft.part()
}

fn word(word: Option<&'static str>) -> Value<'static> {
    word.map_or(Value::Absent, Value::Word)
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::SRC_ADDR,
        |event, _| event.own(|own: &Connection| own.source.address.map_or(Value::Absent, Value::Addr)),
        |d, v| v.put(&mut written(d).source.address),
    ),
    of_event(
        &facts::SRC_PORT,
        |event, _| event.own(|own: &Connection| own.source.port.map_or(Value::Absent, |port| Value::Int(port.into()))),
        |d, v| v.put(&mut written(d).source.port),
    ),
    of_event(
        &facts::DST_ADDR,
        |event, _| event.own(|own: &Connection| own.destination.address.map_or(Value::Absent, Value::Addr)),
        |d, v| v.put(&mut written(d).destination.address),
    ),
    of_event(
        &facts::DST_PORT,
        |event, _| {
            event.own(|own: &Connection| own.destination.port.map_or(Value::Absent, |port| Value::Int(port.into())))
        },
        |d, v| v.put(&mut written(d).destination.port),
    ),
    of_event(
        &facts::FAMILY,
        |event, _| event.own(|own: &Connection| word(own.family.map(Family::word))),
        |d, v| v.put_word(&mut written(d).family),
    ),
    of_event(
        &facts::PROTOCOL,
        |event, _| event.own(|own: &Connection| word(own.protocol.map(Protocol::word))),
        |d, v| v.put_word(&mut written(d).protocol),
    ),
    of_event(
        &facts::DIRECTION,
        |event, _| event.own(|own: &Connection| word(own.direction.map(Direction::word))),
        |d, v| v.put_word(&mut written(d).direction),
    ),
    of_event(
        &facts::NETWORK_RESULT,
        |event, _| event.own(|own: &Connection| word(own.result.map(Ending::word))),
        |d, v| v.put_word(&mut ended(d).result),
    ),
    of_event(
        &facts::NETWORK_ERRNO,
        |event, _| event.own(|own: &Connection| own.errno.map_or(Value::Absent, |errno| Value::Int(errno.into()))),
        |d, v| v.put(&mut ended(d).errno),
    ),
    of_event(
        &facts::IS_CLOUD_METADATA,
        |event, _| event.own(|own: &Connection| Value::Bool(own.is_cloud_metadata())),
        |d, v| v.put(&mut written(d).is_cloud_metadata),
    ),
];
