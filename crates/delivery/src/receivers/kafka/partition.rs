//! Which partition a key goes to, as Kafka's own producers have it: MurmurHash2 with their seed.

const SEED: u32 = 0x9747_b28c;
const FACTOR: u32 = 0x5bd1_e995;

/// The place of the partition among so many.
#[cfg_attr(not(any(feature = "kafka", test)), expect(dead_code, reason = "of the client alone"))]
pub(super) fn of(key: &[u8], count: usize) -> usize {
    // Positive, as they make it.
    (hash(key) & 0x7fff_ffff) as usize % count.max(1)
}

fn hash(key: &[u8]) -> u32 {
    let mut hash = SEED ^ u32::try_from(key.len()).unwrap_or(u32::MAX);
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ word.wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_kafka_s_producers_have_them() {
        for (key, expected) in [("21", -973_932_308_i32), ("foobar", -790_332_482), ("abc", 479_470_107)] {
            assert_eq!(hash(key.as_bytes()).cast_signed(), expected, "{key}");
        }
        assert!((0..100_u8).all(|byte| of(&[byte], 7) < 7));
    }
}
