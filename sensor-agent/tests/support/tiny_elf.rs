//! A program of a few instructions, so that starting it measures starting.

/// An ELF executable that exits with status 0.
pub(crate) const PROGRAM: &[u8] = &image();

/// `exit(0)`.
#[cfg(target_arch = "x86_64")]
const CODE: [u8; 12] = [0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, 0x90, 0x90, 0x90];
#[cfg(target_arch = "x86_64")]
const MACHINE: u8 = 62;
#[cfg(target_arch = "aarch64")]
const CODE: [u8; 12] = [0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4];
#[cfg(target_arch = "aarch64")]
const MACHINE: u8 = 183;

const HEADERS: usize = 64 + 56;
const BASE: u64 = 0x40_0000;

/// An ELF header, one loadable segment, the code.
const fn image() -> [u8; HEADERS + CODE.len()] {
    let mut image = [0; HEADERS + CODE.len()];
    // Magic, 64 bits, little endian, version.
    image = put(image, 0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    // Executable, machine, version.
    image = put(image, 16, &[2, 0, MACHINE, 0, 1]);
    image = put(image, 24, &(BASE + HEADERS as u64).to_le_bytes());
    // Program headers: at 64; this header 64 bytes, each of those 56, one of them.
    image = put(image, 32, &[64]);
    image = put(image, 52, &[64, 0, 56, 0, 1]);
    // Loadable, readable and executable, the whole file at BASE.
    image = put(image, 64, &[1, 0, 0, 0, 5]);
    image = put(image, 64 + 16, &BASE.to_le_bytes());
    image = put(image, 64 + 24, &BASE.to_le_bytes());
    image = put(image, 64 + 32, &[image.len() as u8]);
    image = put(image, 64 + 40, &[image.len() as u8]);
    image = put(image, 64 + 49, &[0x10]);
    put(image, HEADERS, &CODE)
}

const fn put<const N: usize>(mut image: [u8; N], at: usize, bytes: &[u8]) -> [u8; N] {
    let mut index = 0;
    while index < bytes.len() {
        image[at + index] = bytes[index];
        index += 1;
    }
    image
}
