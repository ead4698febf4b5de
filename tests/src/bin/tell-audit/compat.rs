//! System calls as 32-bit programs make them: another table of numbers, pointers of four bytes.

use std::arch::asm;
use std::io;
use std::ptr::null_mut;

use super::{HEADER, calls};

/// Numbers of the i386 table.
const WRITE: u32 = 4;
const SENDTO: u32 = 369;
const SENDMSG: u32 = 370;

/// `struct msghdr` with pointers of four bytes.
#[repr(C)]
struct Header {
    name: u32,
    name_len: u32,
    parts: u32,
    count: u32,
    control: u32,
    control_len: u32,
    flags: u32,
}

pub(super) fn write(fd: i32, message: &[u8]) -> io::Result<()> {
    calls::connect(fd)?;
    let mut low = Low::new()?;
    let text = low.put(message);
    call(WRITE, [fd.cast_unsigned(), text, len(message), 0, 0, 0])
}

pub(super) fn sendto(fd: i32, message: &[u8]) -> io::Result<()> {
    let mut low = Low::new()?;
    let text = low.put(message);
    let address = low.put_value(calls::kernel());
    call(SENDTO, [fd.cast_unsigned(), text, len(message), 0, address, 12])
}

pub(super) fn sendmsg(fd: i32, message: &[u8]) -> io::Result<()> {
    let mut low = Low::new()?;
    let (head, rest) = message.split_at(HEADER);
    let parts = [low.put(head), len(head), low.put(rest), len(rest)];
    let header = Header {
        name: low.put_value(calls::kernel()),
        name_len: 12,
        parts: low.put_value(parts),
        count: 2,
        control: 0,
        control_len: 0,
        flags: 0,
    };
    let header = low.put_value(header);
    call(SENDMSG, [fd.cast_unsigned(), header, 0, 0, 0, 0])
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Memory that four bytes can point to.
struct Low {
    start: *mut u8,
    used: usize,
}

impl Low {
    const SIZE: usize = 64 * 1024;

    fn new() -> io::Result<Self> {
        // SAFETY: a new mapping at a place of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                null_mut(),
                Self::SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            Err(io::Error::last_os_error())
        } else {
            Ok(Self { start: start.cast(), used: 0 })
        }
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        assert!(self.used + bytes.len() + 8 <= Self::SIZE, "the message is too long");
        // SAFETY: within the mapping.
        let place = unsafe {
            let place = self.start.add(self.used);
            place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            place
        };
        self.used += bytes.len().next_multiple_of(8);
        u32::try_from(place.addr()).expect("MAP_32BIT gives a low address")
    }

    fn put_value<T>(&mut self, value: T) -> u32 {
        // SAFETY: plain values without padding, read as bytes.
        self.put(unsafe { std::slice::from_raw_parts((&raw const value).cast(), size_of::<T>()) })
    }
}

fn call(number: u32, arguments: [u32; 6]) -> io::Result<()> {
    let [first, second, third, fourth, fifth, sixth] = arguments.map(u64::from);
    let mut returned = u64::from(number);
    // SAFETY: the calls made here read what they are given. rbx and rbp are the compiler's own, hence the detour.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "mov rbx, {first}",
            "mov rbp, {sixth}",
            "int 0x80",
            "pop rbp",
            "pop rbx",
            first = in(reg) first,
            sixth = in(reg) sixth,
            inout("rax") returned,
            in("rcx") second,
            in("rdx") third,
            in("rsi") fourth,
            in("rdi") fifth,
            out("r8") _,
            out("r9") _,
            out("r10") _,
            out("r11") _,
        );
    }
    let returned = returned as u32 as i32;
    if returned < 0 { Err(io::Error::from_raw_os_error(-returned)) } else { Ok(()) }
}
