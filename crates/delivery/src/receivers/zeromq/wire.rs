//! The bytes of ZMTP 3.1, the protocol of ZeroMQ, as far as one who only sends needs them: RFC 37, without encryption.

/// A greeting has this length, bytes.
pub(super) const GREETING_LENGTH: usize = 64;
/// The longest frame that is taken in: receivers send nothing but subscriptions and heartbeats.
const LONGEST: u64 = 16 * 1024;

const MORE: u8 = 0b001;
const LONG: u8 = 0b010;
const COMMAND: u8 = 0b100;

/// Why a peer is not spoken with any longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("it does not speak ZeroMQ, or only that from before ZeroMQ 3.0")]
    NotZeromq,
    #[error("it speaks an older version of the protocol (revision {0}), from before ZeroMQ 4.0")]
    Old(u8),
    #[error("it wants the security mechanism {0}; this socket has none")]
    Mechanism(String),
    #[error("its socket is of type {theirs}, which does not go with {ours}")]
    Type { theirs: String, ours: &'static str },
    #[error("it reports: {0}")]
    Reported(String),
    #[error("it sent a frame of {0} bytes")]
    TooLong(u64),
    #[error("it sent what the protocol does not know")]
    Malformed,
}

/// What this end says first.
pub(super) fn greeting() -> [u8; GREETING_LENGTH] {
    let mut bytes = [0; GREETING_LENGTH];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10..12].copy_from_slice(&[3, 1]);
    bytes[12..16].copy_from_slice(b"NULL");
    bytes
}

/// Where parts of a greeting end after which more is known of the other end: one of an older version says no more until
/// it has an answer in its own.
pub(super) const GREETING_PARTS: [usize; 4] = [1, 10, 11, GREETING_LENGTH];

/// Looks at what the other end says first, as far as it is there: up to one of [`GREETING_PARTS`].
pub(super) fn check_greeting(bytes: &[u8]) -> Result<(), Violation> {
    // A first byte that tells a length is that of version 1, whose messages nothing else looks like for sure.
    if bytes.first().is_some_and(|first| *first != 0xff) || bytes.get(9).is_some_and(|last| last & 1 == 0) {
        return Err(Violation::NotZeromq);
    }
    if let Some(&version) = bytes.get(10).filter(|version| **version < 3) {
        return Err(Violation::Old(version));
    }
    let Some(mechanism) = bytes.get(12..32) else { return Ok(()) };
    let name = mechanism.split(|&byte| byte == 0).next().unwrap_or_default();
    if name == b"NULL" { Ok(()) } else { Err(Violation::Mechanism(name.escape_ascii().to_string())) }
}

/// Appends a message of two frames.
pub(super) fn put_message(out: &mut Vec<u8>, topic: &[u8], body: &[u8]) {
    put_frame(out, MORE, topic);
    put_frame(out, 0, body);
}

/// Appends a command.
pub(super) fn put_command(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = Vec::with_capacity(1 + name.len() + data.len());
    put_short(&mut body, name.as_bytes());
    body.extend_from_slice(data);
    put_frame(out, COMMAND, &body);
}

/// Appends the command that ends the greeting: what socket this is.
pub(super) fn put_ready(out: &mut Vec<u8>, socket_type: &str) {
    let mut properties = Vec::new();
    put_short(&mut properties, b"Socket-Type");
    properties.extend_from_slice(&u32::try_from(socket_type.len()).unwrap_or_default().to_be_bytes());
    properties.extend_from_slice(socket_type.as_bytes());
    put_command(out, "READY", &properties);
}

/// Appends the command that tells the other end why it is left.
pub(super) fn put_error(out: &mut Vec<u8>, reason: &str) {
    let mut data = Vec::new();
    put_short(&mut data, &reason.as_bytes()[..reason.len().min(255)]);
    put_command(out, "ERROR", &data);
}

fn put_frame(out: &mut Vec<u8>, flags: u8, body: &[u8]) {
    match u8::try_from(body.len()) {
        Ok(length) => out.extend_from_slice(&[flags, length]),
        Err(_) => {
            out.push(flags | LONG);
            out.extend_from_slice(&(body.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
}

/// Puts a text of at most 255 bytes, its length first.
fn put_short(out: &mut Vec<u8>, text: &[u8]) {
    out.push(u8::try_from(text.len()).unwrap_or_default());
    out.extend_from_slice(text);
}

/// What a receiver has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// What socket it is.
    Ready {
        socket_type: &'a [u8],
    },
    Subscribe(&'a [u8]),
    Cancel(&'a [u8]),
    /// It asks for a sign of life, with this context.
    Ping(&'a [u8]),
    /// Nothing that matters to one who sends.
    Other,
}

/// Takes the first whole frame off a buffer: what it says and its length. None if it is not all there yet.
pub(super) fn read(buffer: &[u8]) -> Result<Option<(Said<'_>, usize)>, Violation> {
    let Some((&flags, rest)) = buffer.split_first() else { return Ok(None) };
    if flags & !(MORE | LONG | COMMAND) != 0 || flags & (MORE | COMMAND) == MORE | COMMAND {
        return Err(Violation::Malformed);
    }
    let (length, head) = if flags & LONG == 0 {
        let Some(&length) = rest.first() else { return Ok(None) };
        (u64::from(length), 2)
    } else {
        let Some(length) = rest.first_chunk() else { return Ok(None) };
        (u64::from_be_bytes(*length), 9)
    };
    let length =
        usize::try_from(length).ok().filter(|length| *length as u64 <= LONGEST).ok_or(Violation::TooLong(length))?;
    let Some(body) = buffer[head..].get(..length) else { return Ok(None) };
    let said = if flags & COMMAND == 0 { message(body) } else { command(body)? };
    Ok(Some((said, head + length)))
}

/// Before version 3.1 a subscription is a message.
fn message(body: &[u8]) -> Said<'_> {
    match body.split_first() {
        Some((1, topic)) => Said::Subscribe(topic),
        Some((0, topic)) => Said::Cancel(topic),
        _ => Said::Other,
    }
}

fn command(body: &[u8]) -> Result<Said<'_>, Violation> {
    let (name, data) = take_short(body).ok_or(Violation::Malformed)?;
    Ok(match name {
        b"READY" => Said::Ready { socket_type: socket_type(data).ok_or(Violation::Malformed)? },
        b"ERROR" => {
            let reason = take_short(data).map_or(&[][..], |(reason, _)| reason);
            return Err(Violation::Reported(reason.escape_ascii().to_string()));
        }
        b"SUBSCRIBE" => Said::Subscribe(data),
        b"CANCEL" => Said::Cancel(data),
        // Two bytes tell how long to wait for the answer.
        b"PING" => Said::Ping(data.get(2..).unwrap_or_default()),
        _ => Said::Other,
    })
}

/// The property of this name among those of READY. Names are in any letter case.
fn socket_type(mut data: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    while !data.is_empty() {
        let (name, rest) = take_short(data)?;
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let value = rest.get(4..)?.get(..length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            found = Some(value);
        }
        data = &rest[4 + length..];
    }
    found
}

fn take_short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(length.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_and_long_frames() {
        let mut out = Vec::new();
        put_message(&mut out, b"alerts", &[b'x'; 300]);
        assert_eq!(out[..8], *b"\x01\x06alerts");
        assert_eq!(out[8..17], [2, 0, 0, 0, 0, 0, 0, 1, 44]);
        assert_eq!(out.len(), 17 + 300);
    }

    #[test]
    fn what_receivers_say_is_understood() {
        let mut out = Vec::new();
        put_ready(&mut out, "SUB");
        assert_eq!(read(&out), Ok(Some((Said::Ready { socket_type: b"SUB" }, out.len()))));
        assert_eq!(read(b"\x00\x03\x01ab"), Ok(Some((Said::Subscribe(b"ab"), 5))));
        assert_eq!(read(b"\x00\x01\x00rest"), Ok(Some((Said::Cancel(b""), 3))));
        let of = |name, data: &[u8]| {
            let mut out = Vec::new();
            put_command(&mut out, name, data);
            out
        };
        assert_eq!(read(&of("SUBSCRIBE", b"ab")).unwrap().unwrap().0, Said::Subscribe(b"ab"));
        assert_eq!(read(&of("CANCEL", b"ab")).unwrap().unwrap().0, Said::Cancel(b"ab"));
        assert_eq!(read(&of("PING", b"\0\x05me")).unwrap().unwrap().0, Said::Ping(b"me"));
        assert_eq!(read(&of("PONG", b"me")).unwrap().unwrap().0, Said::Other);
        let mut out = Vec::new();
        put_error(&mut out, "no");
        assert_eq!(read(&out), Err(Violation::Reported("no".into())));
    }

    #[test]
    fn what_is_no_zeromq_is_left() {
        assert_eq!(check_greeting(&greeting()), Ok(()));
        assert_eq!(check_greeting(&[b'G'; GREETING_LENGTH]), Err(Violation::NotZeromq));
        let mut old = greeting();
        old[10] = 2;
        assert_eq!(check_greeting(&old), Err(Violation::Old(2)));
        let mut curve = greeting();
        curve[12..17].copy_from_slice(b"CURVE");
        assert_eq!(check_greeting(&curve), Err(Violation::Mechanism("CURVE".into())));
        assert_eq!(read(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff"), Err(Violation::TooLong(u64::MAX)));
        assert_eq!(read(b"\x08\x00"), Err(Violation::Malformed));
        assert_eq!(read(b"\x04\x01\x05"), Err(Violation::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(Some((_, length))) = read(&bytes) {
                prop_assert!(length <= bytes.len());
            }
        }

        #[test]
        fn what_is_cut_off_is_waited_for(topic in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut whole = Vec::new();
            put_command(&mut whole, "SUBSCRIBE", &topic);
            for end in 0..whole.len() {
                prop_assert_eq!(read(&whole[..end]), Ok(None));
            }
            prop_assert_eq!(read(&whole), Ok(Some((Said::Subscribe(&topic), whole.len()))));
        }
    }
}
