//! The body of a reply, as it comes: plain, or compressed with gzip.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};

/// What replies may be compressed with.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

/// A reply is not read beyond this. A page has a thousand items at most.
const MOST: usize = 64 << 20;
/// Room that is made at once for what a reply says that it has.
const ROOM: usize = 2 << 20;
/// So much is unpacked at once: a thousand times as much may come of it.
const STEP: usize = 8 << 10;

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("replied more than {} MiB", MOST >> 20)]
    TooLarge,
    #[error("{0}")]
    Damaged(String),
}

/// What has come so far.
pub(super) enum Body {
    Plain(Vec<u8>),
    /// And whether anything has come.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>, bool),
}

impl Body {
    /// One that begins, by the headers before it.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unreadable> {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        // What is said is not taken for granted.
        let room = length.unwrap_or_default().min(ROOM);
        let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
        match encoding.to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Plain(Vec::with_capacity(room))),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())), false)),
            other => {
                let other = String::from_utf8_lossy(other);
                let other = diagnostic::printable(&other);
                Err(Unreadable::Damaged(format!("replied in the encoding {other}, which nobody asked for")))
            }
        }
    }

    /// Goes on by this.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), Unreadable> {
        for step in chunk.chunks(STEP) {
            let length = match self {
                Self::Plain(body) => {
                    body.extend_from_slice(step);
                    body.len()
                }
                Self::Gzip(decoder, has_begun) => {
                    *has_begun = true;
                    decoder.write_all(step).map_err(|error| damaged(&error))?;
                    decoder.get_ref().len()
                }
            };
            if length > MOST {
                return Err(Unreadable::TooLarge);
            }
        }
        Ok(())
    }

    /// All of it.
    pub(super) fn end(self) -> Result<Vec<u8>, Unreadable> {
        match self {
            Self::Plain(body) => Ok(body),
            Self::Gzip(_, false) => Ok(Vec::new()),
            Self::Gzip(decoder, true) => decoder.finish().map_err(|error| damaged(&error)),
        }
    }
}

fn damaged(error: &io::Error) -> Unreadable {
    Unreadable::Damaged(format!("replied what is no whole gzip: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn read(encoding: &'static str, sent: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
        let mut body = Body::of(&headers)?;
        for chunk in sent.chunks(7) {
            body.take(chunk)?;
        }
        body.end()
    }

    /// In gzip.
    pub(in super::super) fn packed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_read_as_what_it_was() {
        let plain = "a page of items ".repeat(5000).into_bytes();
        let gzip = packed(&plain);
        assert!(gzip.len() < plain.len() / 10);
        for encoding in ["gzip", "X-GZIP"] {
            assert_eq!(read(encoding, &gzip).unwrap(), plain);
        }
        assert_eq!(read("gzip", &[&gzip[..], &gzip].concat()).unwrap().len(), 2 * plain.len(), "two members");
        assert_eq!(read("identity", &plain).unwrap(), plain);
        assert_eq!(read("gzip", b"").unwrap(), b"");
        for (sent, encoding) in [(&gzip[..gzip.len() - 1], "gzip"), (&plain, "gzip"), (&gzip, "br")] {
            assert!(read(encoding, sent).is_err());
        }
    }

    #[test]
    fn no_more_is_unpacked_than_is_said() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let megabyte = vec![b' '; 1 << 20];
        (0..=MOST >> 20).for_each(|_| encoder.write_all(&megabyte).unwrap());
        let bomb = encoder.finish().unwrap();
        let mut body = Body::of(&HeaderMap::from_iter([(CONTENT_ENCODING, ACCEPTED)])).unwrap();
        assert_eq!(body.take(&bomb).unwrap_err(), Unreadable::TooLarge);
        let Body::Gzip(decoder, _) = body else { panic!() };
        assert!(decoder.get_ref().len() <= MOST + 2048 * STEP, "{}", decoder.get_ref().len());
    }
}
