//! A request's body: read within its limits, decompressed within its limits.

use std::{
    io::{self, Read},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, Version, header, request::Parts},
};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sensor_proto::MEDIA_TYPE;

use super::{Failure, Ingest, blocking};

/// Largest window of a zstd stream, as a power of two: 8 MiB, what RFC 8878 asks every reader to take.
const ZSTD_WINDOW: u32 = 23;

/// How much of a body is still taken, and thrown away, once it was refused: bytes, and time.
const LINGER: (usize, Duration) = (32 << 20, Duration::from_secs(10));

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Zstd,
    Gzip,
}

/// Reads a body and decompresses it.
pub(super) async fn read(ingest: &Ingest, headers: &HeaderMap, body: &mut Body) -> Result<Bytes, Failure> {
    check_type(headers)?;
    let encoding = encoding(headers)?;
    let limits = ingest.limits;
    let too_large = || Failure::TooLarge { limit: limits.body_bytes, stage: "as sent" };
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(too_large());
    }
    let collected = tokio::time::timeout(limits.body_time, Limited::new(body, limits.body_bytes).collect()).await;
    let sent = match collected {
        Err(_) => return Err(Failure::Slow),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(Failure::BrokenOff),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    ingest.metrics.body_bytes.inc_by(sent.len() as u64);
    let decoded = match encoding {
        Encoding::Plain if sent.len() > limits.decoded_bytes => {
            return Err(Failure::TooLarge { limit: limits.decoded_bytes, stage: "uncompressed" });
        }
        Encoding::Plain => sent,
        encoding => blocking(move || decompress(encoding, &sent, limits.decoded_bytes)).await?,
    };
    ingest.metrics.decoded_bytes.inc_by(decoded.len() as u64);
    Ok(decoded)
}

/// Takes the rest of a body that was refused. In HTTP/1.1 a connection that is closed while the client still sends
/// is all that many clients see: they would take the refusal for a fault of the network, and send the same again.
pub async fn linger(head: &Parts, body: &mut Body) {
    if head.version >= Version::HTTP_2 {
        return;
    }
    let (mut left, time) = LINGER;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(time, rest).await;
}

fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let known = [MEDIA_TYPE, "application/protobuf"];
    if known.iter().any(|known| media_type.eq_ignore_ascii_case(known)) { Ok(()) } else { Err(Failure::MediaType) }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Failure> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(Encoding::Plain),
        (Some(value), None) => value.to_str().unwrap_or_default().trim().to_ascii_lowercase(),
        _ => return Err(Failure::Encoding),
    };
    match value.as_str() {
        "" | "identity" => Ok(Encoding::Plain),
        "zstd" => Ok(Encoding::Zstd),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        _ => Err(Failure::Encoding),
    }
}

pub(super) fn decompress(encoding: Encoding, sent: &[u8], limit: usize) -> Result<Bytes, Failure> {
    match encoding {
        Encoding::Plain => read_up_to(sent, limit, "plain"),
        Encoding::Gzip => read_up_to(MultiGzDecoder::new(sent), limit, "gzip"),
        Encoding::Zstd => {
            let open = || {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(sent)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Ok(decoder)
            };
            let decoder = open().map_err(|fault: io::Error| malformed("zstd", &fault))?;
            read_up_to(decoder, limit, "zstd")
        }
    }
}

/// Stops at the limit, whatever the compressed data would grow to.
fn read_up_to(from: impl Read, limit: usize, format: &'static str) -> Result<Bytes, Failure> {
    let mut out = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut out).map_err(|fault| malformed(format, &fault))?;
    if out.len() > limit {
        return Err(Failure::TooLarge { limit, stage: "after decompression" });
    }
    Ok(out.into())
}

fn malformed(format: &'static str, fault: &io::Error) -> Failure {
    Failure::Malformed { format, fault: fault.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_small_body_that_grows_past_the_limit_is_stopped() {
        let plain = vec![7; 1 << 20];
        for (encoding, sent) in
            [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd::encode_all(&plain[..], 3).unwrap())]
        {
            assert!(sent.len() < plain.len() / 100);
            let result = decompress(encoding, &sent, plain.len() - 1);
            assert!(matches!(result, Err(Failure::TooLarge { .. })), "{encoding:?}: {result:?}");
            assert_eq!(decompress(encoding, &sent, plain.len()).unwrap(), plain);
        }
    }

    #[test]
    fn a_body_cut_short_is_malformed() {
        let plain: Vec<u8> = (0..4000_u32).flat_map(|number| (number * number).to_le_bytes()).collect();
        for (encoding, sent) in
            [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd::encode_all(&plain[..], 3).unwrap())]
        {
            let result = decompress(encoding, &sent[..sent.len() - 9], 1 << 20);
            assert!(matches!(result, Err(Failure::Malformed { .. })), "{encoding:?}: {result:?}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_exceeds_the_limit(bytes: Vec<u8>) {
            for encoding in [Encoding::Gzip, Encoding::Zstd] {
                if let Ok(out) = decompress(encoding, &bytes, 100) {
                    prop_assert!(out.len() <= 100);
                }
            }
        }
    }
}
