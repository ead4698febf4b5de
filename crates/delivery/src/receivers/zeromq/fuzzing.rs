//! What a receiver says in ZeroMQ's protocol.

use super::wire::{self, GREETING_LENGTH, Said};

/// The bytes that come from a connection: a greeting, then frames.
///
/// # Panics
///
/// If a frame is read otherwise when it comes in pieces, or what is said back cannot be read.
pub fn zmtp(bytes: &[u8]) {
    let Some((greeting, mut rest)) = bytes.split_first_chunk::<GREETING_LENGTH>() else { return };
    let _ = wire::check_greeting(greeting).map_err(|violation| violation.to_string());
    loop {
        match wire::read(rest) {
            Ok(Some((said, length))) => {
                assert!((1..=rest.len()).contains(&length));
                assert_eq!(wire::read(&rest[..length - 1]), Ok(None));
                if let Said::Ping(context) = said {
                    let mut answer = Vec::new();
                    wire::put_command(&mut answer, "PONG", context);
                    assert_eq!(wire::read(&answer), Ok(Some((Said::Other, answer.len()))));
                }
                rest = &rest[length..];
            }
            Ok(None) => return,
            Err(violation) => return assert!(!violation.to_string().contains('\n')),
        }
    }
}
