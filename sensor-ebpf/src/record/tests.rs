//! Both sides compile the layouts; here they are held against a reader that knows bytes only.

use super::*;

#[test]
fn fields_are_where_the_bytes_are() {
    let mut exec = ExecRecord {
        header: Header { layout: LAYOUT_VERSION, kind: kind::EXEC, len: 0x0102_0304, time: 5 },
        process: ProcessKey::new(7, 6),
        ..ExecRecord::default()
    };
    exec.ids.cap_effective = 8;
    exec.args_tail_len = 9;
    exec.comm = *b"sixteen bytes ok";
    // SAFETY: `repr(C)` without padding, as the constants in `record` prove.
    let bytes = unsafe { core::slice::from_raw_parts((&raw const exec).cast::<u8>(), size_of::<ExecRecord>()) };
    assert_eq!(bytes[..2], LAYOUT_VERSION.to_ne_bytes());
    assert_eq!(bytes[2..4], kind::EXEC.to_ne_bytes());
    assert_eq!(bytes[4..8], 0x0102_0304_u32.to_ne_bytes());
    assert_eq!(bytes[8..16], 5_u64.to_ne_bytes());
    assert_eq!(bytes[16..24], 6_u64.to_ne_bytes());
    assert_eq!(bytes[24..28], 7_u32.to_ne_bytes());
    assert_eq!(bytes[72..80], 8_u64.to_ne_bytes());
    assert_eq!(bytes[bytes.len() - 16..], *b"sixteen bytes ok");
    assert_eq!(bytes[bytes.len() - 52..bytes.len() - 50], 9_u16.to_ne_bytes());
}
