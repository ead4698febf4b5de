//! Against sockets of the test, which behave as receivers do when messages are too large, or nobody is there.

use std::{
    io::{BufRead as _, Read as _},
    net::TcpListener,
    os::unix::net::UnixDatagram,
    thread,
};

use settings::HostPort;

use super::*;

fn syslog(address: SyslogAddress, framing: Framing) -> Syslog {
    Syslog::new(SyslogReceiver { address, framing: Some(framing), tls: TlsSettings::default(), server_name: None })
}

fn message(number: u128, body: &[u8]) -> Message<'_> {
    Message::new(Uuid::from_u128(number), body)
}

fn at(port: u16) -> HostPort {
    HostPort { host: "127.0.0.1".into(), port }
}

fn sizes(settled: &[Settled]) -> Vec<bool> {
    settled.iter().map(|settled| matches!(settled, Settled::TooLarge(_))).collect()
}

#[test]
fn what_ends_a_message_stands_at_its_end_alone() {
    for (framing, expected) in [
        (Some(Framing::Octets), &b"5 a\nb\0c"[..]),
        (Some(Framing::Lf), b"a\\nb\0c\n"),
        (Some(Framing::Nul), b"a\nbc\0"),
        (None, b"a\nb\0c"),
    ] {
        let mut out = Vec::new();
        put_frame(&mut out, framing, b"a\nb\0c");
        assert_eq!(out, expected, "{framing:?}");
    }
}

#[test]
fn a_datagram_that_is_too_large_holds_up_none_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let logger = UnixDatagram::bind(&path).unwrap();
    let mut syslog = syslog(SyslogAddress::Unix(path), Framing::Nul);
    let answer = syslog.send(&[message(1, &vec![b'x'; 4 << 20]), message(2, b"small")]);
    assert_eq!((sizes(&answer.settled), answer.setback), (vec![true, false], None));
    let mut got = [0; 10];
    assert_eq!(logger.recv(&mut got).unwrap(), 5);

    let receiver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = receiver.local_addr().unwrap().port();
    let mut syslog = self::syslog(SyslogAddress::Udp(at(port)), Framing::Octets);
    let answer = syslog.send(&[message(1, &[b'x'; 65_508]), message(2, b"small")]);
    assert_eq!((sizes(&answer.settled), answer.setback), (vec![true, false], None));
    assert_eq!(receiver.recv(&mut got).unwrap(), 5);
}

#[test]
fn udp_to_a_port_without_a_listener_is_not_handed_over() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut syslog = syslog(SyslogAddress::Udp(at(free)), Framing::Octets);
    for _ in 0..2 {
        let answer = syslog.send(&[message(1, b"one"), message(2, b"two")]);
        assert_eq!(answer.settled, []);
        assert!(answer.setback.unwrap().reason.contains("refused"));
    }
}

#[test]
fn a_stream_that_is_closed_at_a_long_message_gets_it_shorter_and_what_is_behind_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // As a receiver with a bound for messages does.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = io::BufReader::new(stream.unwrap());
            loop {
                let mut length = Vec::new();
                if stream.read_until(b' ', &mut length).unwrap_or(0) == 0 {
                    break;
                }
                let length: usize = String::from_utf8(length).unwrap().trim().parse().unwrap();
                if length > 10_000 || stream.read_exact(&mut vec![0; length]).is_err() {
                    break;
                }
            }
        }
    });
    let mut syslog = syslog(SyslogAddress::Tcp(at(port)), Framing::Octets);
    let (long, short) = (vec![b'x'; 20_000], vec![b'x'; 8_000]);
    let mut settled = Vec::new();
    let mut forms = [&long, &long, &short, &short];
    for _ in 0..10 {
        let messages: Vec<_> =
            forms.iter().zip(1..).skip(settled.len()).map(|(body, number)| message(number, body)).collect();
        let answer = syslog.send(&messages);
        for one in answer.settled {
            if matches!(one, Settled::TooLarge(_)) {
                // The spool sends it again, shorter.
                forms[settled.len()] = &short;
                break;
            }
            settled.push(one);
        }
    }
    let known = "acknowledged by the receiver's host (syslog itself confirms nothing)";
    assert_eq!(settled, vec![Settled::HandedOver(known); 4]);
}
