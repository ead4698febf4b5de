//! Receivers made of libzmq, as Python programs use it, and as C programs do.

use std::path::Path;
use std::process::Command;

use super::receiver::Receiver;

/// A socket of pyzmq.
pub(crate) fn receiver(pattern: &str, how: &str, endpoint: &str, topics: &[&str]) -> Receiver {
    receiver_of("zeromq.py", pattern, how, endpoint, topics)
}

/// A socket of libzmq's C interface.
pub(crate) fn plain_receiver(pattern: &str, how: &str, endpoint: &str, topics: &[&str]) -> Receiver {
    receiver_of("libzmq.py", pattern, how, endpoint, topics)
}

fn receiver_of(script: &str, pattern: &str, how: &str, endpoint: &str, topics: &[&str]) -> Receiver {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs").join(script);
    Receiver::start(Command::new("/usr/bin/python3").arg(script).args([pattern, how, endpoint]).args(topics))
}

/// The messages: topics and bodies.
pub(crate) fn messages(receiver: &Receiver) -> Vec<(String, Vec<u8>)> {
    let bytes = |text: &str| base64(text);
    let message = |line: String| match line.split(' ').collect::<Vec<_>>()[..] {
        [topic, body] => (String::from_utf8(bytes(topic)).expect("a topic"), bytes(body)),
        _ => panic!("a message has two frames: {line}"),
    };
    receiver.lines().into_iter().map(message).collect()
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|byte| *byte != b'=').map(|byte| digit(byte).into()).collect();
    let of = |four: &[u32]| {
        let number = four.iter().enumerate().fold(0, |sum, (at, digit)| sum | digit << (18 - 6 * at));
        number.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).filter(|four| four.len() > 1).flat_map(of).collect()
}
