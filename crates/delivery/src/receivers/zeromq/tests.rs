//! The socket against receivers that this file makes of plain connections, as no library would behave. Receivers made
//! of libzmq are in the crate of tests.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use budget::{Budget, Part};

use super::{
    KNOWN, ZeromqEndpoint, ZeromqPattern, ZeromqSettings,
    parcel::Frames,
    sender::{Sender, reach},
    socket::{Address, Published, Socket},
    wire::{self, GREETING_LENGTH},
};
use crate::{
    ledger::Ledger,
    remote::{Message, Remote, Settled},
};

fn socket(path: &Path, pattern: ZeromqPattern, room: usize) -> Arc<Socket> {
    let address = Address { endpoint: ZeromqEndpoint::Ipc(path.to_owned()), pattern, bind: true };
    Socket::open(address, room).unwrap()
}

/// A receiver that has said who it is, and what it is told in reply.
fn receiver(path: &Path, socket_type: &str) -> UnixStream {
    let mut stream = UnixStream::connect(path).unwrap();
    let mut hello = wire::greeting().to_vec();
    wire::put_ready(&mut hello, socket_type);
    stream.write_all(&hello).unwrap();
    stream.read_exact(&mut [0; GREETING_LENGTH]).unwrap();
    let mut ready = Vec::new();
    wire::put_ready(&mut ready, "PUSH");
    ready.resize(ready.len() - if socket_type == "PULL" { 0 } else { 1 }, 0);
    stream.read_exact(&mut ready).unwrap();
    stream
}

fn frames(topic: &str, body: &[u8]) -> Frames {
    Frames::new(topic, body, Budget::unlimited())
}

fn ledger() -> Arc<Ledger> {
    Arc::new(Ledger::new("bus", "zeromq"))
}

/// What was lost with its receivers.
fn gone(ledger: &Ledger) -> u64 {
    ledger.status((0, None)).dropped.get("gone").copied().unwrap_or_default()
}

/// Publishes until it is as expected.
fn until(socket: &Socket, topic: &str, expected: impl Fn(Published) -> bool) -> Published {
    let begin = Instant::now();
    loop {
        let published = socket.publish(topic.as_bytes(), &frames(topic, b"x"), &ledger());
        if expected(published) {
            return published;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{published:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn subscriptions_come_and_go_in_either_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Pub, 1000);
    let mut stream = receiver(&path, "SUB");
    stream.write_all(b"\x00\x02\x01a").unwrap();
    until(&socket, "alerts", |published| published.taken == 1);
    assert_eq!(socket.publish(b"rows", &frames("rows", b"x"), &ledger()).taken, 0);
    let mut commands = Vec::new();
    wire::put_command(&mut commands, "SUBSCRIBE", b"rows");
    wire::put_command(&mut commands, "CANCEL", b"a");
    stream.write_all(&commands).unwrap();
    until(&socket, "rows", |published| published.taken == 1);
    until(&socket, "alerts", |published| published.taken == 0);
    let mut message = [0; 11];
    stream.read_exact(&mut message).unwrap();
    assert_eq!(message[..], *frames("alerts", b"x"));
}

#[test]
fn what_is_no_receiver_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Pub, 10);
    let mut curious = UnixStream::connect(&path).unwrap();
    curious.write_all(&[b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![b' '; 100]].concat()).unwrap();
    let mut told = Vec::new();
    // It is told who is here, and the connection ends.
    let _ = curious.read_to_end(&mut told);
    assert_eq!(told, wire::greeting());
    let mut puller = receiver(&path, "PULL!");
    let mut told = Vec::new();
    puller.read_to_end(&mut told).unwrap();
    assert!(told.windows(5).any(|word| word == b"ERROR"));
    let mut greedy = receiver(&path, "SUB");
    for _ in 0..5 {
        let mut command = Vec::new();
        wire::put_command(&mut command, "SUBSCRIBE", &[b'g'; 16_000]);
        // It may be gone already.
        let _ = greedy.write_all(&command);
    }
    let _ = greedy.read_to_end(&mut told);
    until(&socket, &"g".repeat(16_000), |published| published.taken == 0);
}

#[test]
fn what_waits_is_sent_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Push, 5_000);
    let mut stream = receiver(&path, "PULL");
    let ledger = ledger();
    let begin = Instant::now();
    while socket.push(&frames("t", b"first"), &ledger).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    for _ in 1..2_000 {
        socket.push(&frames("t", &[b'x'; 100]), &ledger).unwrap();
    }
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.len()
    });
    drop(socket);
    assert_eq!(reader.join().unwrap(), frames("t", b"first").len() + 1_999 * frames("t", &[b'x'; 100]).len());
    assert!(!path.exists());
    assert_eq!(gone(&ledger), 0);
}

#[test]
fn one_that_takes_nothing_misses_what_it_has_no_room_for_and_each_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Pub, 40);
    let mut stuck = receiver(&path, "SUB");
    stuck.write_all(b"\x00\x01\x01").unwrap();
    until(&socket, "t", |published| published.taken == 1);
    let (ledger, big) = (ledger(), frames("t", &[b'x'; 100_000]));
    let mut taken = 0;
    loop {
        let published = socket.publish(b"t", &big, &ledger);
        taken += published.taken as u64;
        if published.missed > 0 {
            break;
        }
    }
    drop(stuck);
    // The system has room for a few; each of the others is lost with the connection, also those it was just about to
    // write.
    let begin = Instant::now();
    while gone(&ledger) + 4 < taken {
        assert!(begin.elapsed() < Duration::from_secs(60), "{} of {taken}", gone(&ledger));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(gone(&ledger) < taken, "{} of {taken}", gone(&ledger));
}

#[test]
fn what_waits_for_one_is_bounded_in_bytes_and_delays_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Pub, 1_000_000);
    let budget = Budget::of(16 << 20);
    let ledger = Arc::new(Ledger::new("bus", "zeromq").within(budget));
    let mut stuck: Vec<UnixStream> = (0..8).map(|_| receiver(&path, "SUB")).collect();
    stuck.iter_mut().for_each(|stream| stream.write_all(b"\x00\x01\x01").unwrap());
    until(&socket, "t", |published| published.taken == 8);
    let mut reading = receiver(&path, "SUB");
    reading.write_all(b"\x00\x01\x01").unwrap();
    until(&socket, "t", |published| published.taken == 9);
    let end = [b'e'; 100_000];
    let reader = std::thread::spawn(move || {
        let (mut all, mut piece) = (0_u64, vec![0; 1 << 20]);
        loop {
            let count = reading.read(&mut piece).unwrap();
            all += count as u64;
            if count == 0 || piece[..count].ends_with(&[b'e'; 1000]) {
                return all;
            }
        }
    });
    let message = |byte: u8| Frames::new("t", &[byte; 100_000], budget);
    let mut most = 0;
    // Far more than the budget: who reads gets each of them.
    for _ in 0..1_000 {
        let published = socket.publish(b"t", &message(b'x'), &ledger);
        assert!(published.taken >= 1, "{published:?}");
        most = most.max(budget.charged(Part::Network));
    }
    assert!(most <= budget.limit(), "{most}");
    socket.publish(b"t", &message(end[0]), &ledger);
    assert!(reader.join().unwrap() > 100_000 * 1_000);
}

#[test]
fn what_a_puller_leaves_behind_goes_to_the_next_or_is_counted_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Push, 40);
    let ledger = ledger();
    let stuck = receiver(&path, "PULL");
    let message = |number: u32| frames("t", &[&number.to_be_bytes()[..], &[b'x'; 100_000]].concat());
    let mut pushed = 0;
    let begin = Instant::now();
    while pushed < 40 {
        assert!(begin.elapsed() < Duration::from_secs(60));
        if socket.push(&message(pushed), &ledger).is_ok() {
            pushed += 1;
        }
    }
    drop(stuck);
    // Another one gets what the system had not taken yet.
    let mut next = receiver(&path, "PULL");
    while socket.push(&message(pushed), &ledger).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    let mut numbers = BTreeSet::new();
    let mut bytes = vec![0; message(0).len()];
    while numbers.len() < 37 {
        next.read_exact(&mut bytes).unwrap();
        let number = u32::from_be_bytes(bytes[bytes.len() - 100_004..bytes.len() - 100_000].try_into().unwrap());
        assert!(numbers.insert(number), "{number} came twice");
    }
    assert_eq!(gone(&ledger), 0);
    // And what the last one leaves has nowhere to go.
    for number in 0..40 {
        let _ = socket.push(&message(number), &ledger);
    }
    drop(next);
    drop(socket);
    assert!(gone(&ledger) >= 36, "{}", gone(&ledger));
}

#[test]
fn who_opens_the_same_address_shares_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let first = socket(&path, ZeromqPattern::Pub, 10);
    let second = socket(&path, ZeromqPattern::Pub, 10);
    assert!(Arc::ptr_eq(&first, &second));
    let other = Address { endpoint: ZeromqEndpoint::Ipc(path), pattern: ZeromqPattern::Push, bind: true };
    assert!(Socket::open(other.clone(), 10).is_err());
    drop((first, second));
    let _other = Socket::open(other, 10).unwrap();
}

fn sender(path: &Path, pattern: ZeromqPattern) -> Sender {
    let endpoint = ZeromqEndpoint::Ipc(path.to_owned());
    Sender::open(&ZeromqSettings { endpoint, pattern, bind: true, high_water_mark: 100 }, "items").unwrap()
}

/// So many messages, and what becomes of them.
fn send(sender: &mut Sender, count: u128) -> (usize, Option<String>) {
    let bodies: Vec<Vec<u8>> = (0..count).map(|number| number.to_string().into_bytes()).collect();
    let messages: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| Message::new(uuid::Uuid::from_u128(number as u128), body))
        .collect();
    let answer = sender.send(&messages);
    assert!(answer.settled.iter().all(|settled| *settled == Settled::HandedOver(KNOWN)), "{:?}", answer.settled);
    (answer.settled.len(), answer.setback.map(|setback| setback.reason))
}

#[test]
fn what_a_program_keeps_itself_waits_for_who_subscribes_and_is_out_when_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let mut sender = sender(&path, ZeromqPattern::Pub);
    let (settled, reason) = send(&mut sender, 3);
    assert_eq!(settled, 0);
    assert!(reason.as_ref().is_some_and(|reason| reason.contains("nobody has subscribed to `items`")), "{reason:?}");
    let mut stream = receiver(&path, "SUB");
    stream.write_all(b"\x00\x01\x01").unwrap();
    let begin = Instant::now();
    while send(&mut sender, 1).0 == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    // More than fit its queue.
    assert_eq!(send(&mut sender, 300), (300, None));
    drop(sender);
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(&frames("items", b"299")), "{}", all.len());
}

#[test]
fn what_nobody_pulls_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let mut sender = sender(&path, ZeromqPattern::Push);
    let (settled, reason) = send(&mut sender, 3);
    assert_eq!(settled, 0);
    assert!(reason.as_ref().is_some_and(|reason| reason.contains("no receiver is connected")), "{reason:?}");
    let mut stream = receiver(&path, "PULL");
    let begin = Instant::now();
    while send(&mut sender, 1).0 == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    let mut first = vec![0; frames("items", b"0").len()];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(first[..], *frames("items", b"0"));
    assert_eq!(Remote::lost(&mut sender), 0);
}

#[test]
fn whether_there_can_be_a_socket_is_found_out_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let settings = |bind| ZeromqSettings {
        endpoint: ZeromqEndpoint::Ipc(path.clone()),
        pattern: ZeromqPattern::Pub,
        bind,
        high_water_mark: 1,
    };
    assert!(reach(&settings(false)).is_err());
    reach(&settings(true)).unwrap();
    assert!(!path.exists());
    let _socket = socket(&path, ZeromqPattern::Pub, 1);
    reach(&settings(true)).unwrap();
    reach(&settings(false)).unwrap();
}

#[test]
fn at_the_end_a_receiver_may_speak_until_it_has_read_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = socket(&path, ZeromqPattern::Push, 10);
    socket.end_within(Duration::from_secs(60));
    let mut stream = receiver(&path, "PULL");
    let begin = Instant::now();
    while socket.push(&frames("t", b"x"), &ledger()).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    let ending = std::thread::spawn(move || drop(socket));
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, *frames("t", b"x"));
    // As it asks for a sign of life.
    let mut ping = Vec::new();
    wire::put_command(&mut ping, "PING", b"\0\x05me");
    stream.write_all(&ping).unwrap();
    drop(stream);
    ending.join().unwrap();
}
