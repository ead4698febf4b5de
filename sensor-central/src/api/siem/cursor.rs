//! Where a client has got to. Opaque to it: letters, digits, `-` and `_`, since not every client encodes it.
//!
//! It holds the place itself, so that it outlives restarts and new versions of the program, and needs no record here.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | version: 1 |
//! | 1 | `a` alerts, `e` events |
//! | 8 | when it was given, milliseconds since the Unix epoch, as all numbers the greatest byte first |
//! | 8, 8 | the place: moment of arrival, row |

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::Place;

const VERSION: u8 = 1;

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Stream {
    Alerts = b'a' as isize,
    Events = b'e' as isize,
}

/// A cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Cursor {
    pub(super) stream: Stream,
    /// When it was given, milliseconds since the Unix epoch.
    pub(super) given: i64,
    /// Behind this comes what the client has not seen.
    pub(super) after: Place,
}

impl Cursor {
    pub(in crate::api) fn write(self) -> String {
        let mut bytes = vec![VERSION, self.stream as u8];
        for number in [self.given, self.after.raised, self.after.row] {
            bytes.extend(number.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Nothing if it is none of this stream.
    pub(in crate::api) fn read(text: &str, stream: Stream) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, numbers) = bytes.split_first_chunk::<2>()?;
        let (numbers, rest) = numbers.as_chunks::<8>();
        match (numbers, rest) {
            (&[given, raised, row], []) if *head == [VERSION, stream as u8] => {
                let [given, raised, row] = [given, raised, row].map(i64::from_be_bytes);
                Some(Self { stream, given, after: Place { raised, row } })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_of_this_version_stays_readable() {
        let text = "AWEAAAGh_5GXgAAAAaH_kZd_AAAAAAAAAAc";
        let cursor = Cursor {
            stream: Stream::Alerts,
            given: 1_795_289_094_016,
            after: Place { raised: 1_795_289_094_015, row: 7 },
        };
        assert_eq!(cursor.write(), text);
        assert_eq!(Cursor::read(text, Stream::Alerts), Some(cursor));
        assert_eq!(Cursor::read(text, Stream::Events), None);
        for wrong in ["", "x", "AWEA", &format!("{text}AA"), &text.replace('A', "/")] {
            assert_eq!(Cursor::read(wrong, Stream::Alerts), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(given: i64, raised: i64, row: i64) {
            let cursor = Cursor { stream: Stream::Events, given, after: Place { raised, row } };
            let text = cursor.write();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(Cursor::read(&text, Stream::Events), Some(cursor));
        }

        #[test]
        fn nothing_that_comes_stops_it(text: String) {
            Cursor::read(&text, Stream::Alerts);
        }
    }
}
