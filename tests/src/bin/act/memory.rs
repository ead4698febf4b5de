//! Makes memory executable, files in memory, and handlers of faults, in each way that there is.

use std::ffi::{CString, OsString};
use std::io::{Error, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;
use std::ptr::null_mut;

use super::trace::compat;
use super::{Outcome, number};

const PAGE: usize = 4096;
const READ_WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
const READ_EXEC: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;
const OWN: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const SHARED: libc::c_int = libc::MAP_SHARED | libc::MAP_ANONYMOUS;

/// What the first word says; some take a number or a name.
pub(super) fn change(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    match &*way {
        "mmap" => _ = map(4, libc::PROT_EXEC | READ_WRITE, OWN, -1)?,
        "mprotect" => protect(map(2, READ_WRITE, OWN, -1)?, 2, READ_EXEC)?,
        "compat-mprotect" => {
            let memory = map(1, READ_WRITE, OWN | libc::MAP_32BIT, -1)?;
            compat(125, [memory as i64, PAGE as i64, READ_EXEC.into(), 0])?;
        }
        "stack" => {
            let local = 0_u8;
            protect(page_of((&raw const local).cast_mut().cast()), 1, READ_WRITE | libc::PROT_EXEC)?;
        }
        "heap" => {
            // SAFETY: the break is moved by this alone, and nothing is put there.
            let heap = unsafe { libc::sbrk(4 * PAGE as isize) };
            protect(page_of(heap), 1, READ_WRITE | libc::PROT_EXEC)?;
        }
        // The code of this program, to be written to.
        "text" => protect(page_of(change as *mut libc::c_void), 1, READ_WRITE | libc::PROT_EXEC)?,
        "shared" => protect(map(1, READ_WRITE, SHARED, -1)?, 1, READ_EXEC)?,
        "memfd" => {
            let file = memfd(c"some-memfd", 0)?;
            map(1, READ_EXEC, libc::MAP_PRIVATE, file.as_raw_fd())?;
        }
        "written" => {
            let file = std::fs::File::open(std::env::current_exe()?)?;
            let memory = map(1, READ_WRITE, libc::MAP_PRIVATE, file.as_raw_fd())?;
            // SAFETY: it is the first byte of what was just mapped.
            unsafe { memory.cast::<u8>().write_volatile(0) };
            protect(memory, 1, READ_EXEC)?;
        }
        // A file that is as it was, and memory that stays data.
        "unwritten" => {
            let file = std::fs::File::open(std::env::current_exe()?)?;
            protect(map(1, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd())?, 1, READ_EXEC)?;
            protect(map(1, READ_WRITE, OWN, -1)?, 1, libc::PROT_READ)?;
        }
        // Of which there is none there.
        "refused" => assert!(protect(null_mut(), 1, READ_EXEC).is_err(), "there is memory at zero"),
        "memfd_create" => {
            let name = words.get(1).ok_or("which name?")?.clone().into_vec();
            memfd(&CString::new(name)?, libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)?.write_all(b"x")?;
        }
        "memfd_create-refused" => {
            // In memory that was written to: the kernel reads no name before it refuses, and so brings in no page of the program's file.
            let name = std::ffi::CString::new("refused".to_owned())?;
            assert!(memfd(&name, 1 << 20).is_err(), "there is no such flag");
        }
        // `UFFD_USER_MODE_ONLY`, which Linux 5.10 refuses, as those do that have no such call.
        // SAFETY: a number; the descriptor ends with this process.
        "userfaultfd" => _ = call(unsafe { libc::syscall(libc::SYS_userfaultfd, 1) }),
        "many" => many(number(words, 1)?)?,
        "flood" => {
            let memory = map(1, READ_WRITE, OWN, -1)?;
            for _ in 0..number::<u32>(words, 1)? {
                protect(memory, 1, READ_EXEC)?;
                protect(memory, 1, READ_WRITE)?;
            }
        }
        _ => return Err("unknown; see src/bin/act/memory.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// So many parts of memory that lie beside each other and stay parts, made executable from the last to the first.
fn many(count: usize) -> Outcome<()> {
    let memory = map(2 * count, READ_WRITE, OWN, -1)?;
    let part = |at: usize| memory.wrapping_byte_add(2 * at * PAGE);
    for at in 0..count {
        protect(part(at), 1, libc::PROT_READ)?;
    }
    (0..count).rev().try_for_each(|at| protect(part(at), 1, READ_EXEC))
}

fn call(returned: libc::c_long) -> Outcome<()> {
    if returned < 0 { Err(Error::last_os_error().into()) } else { Ok(()) }
}

fn map(pages: usize, protection: libc::c_int, flags: libc::c_int, file: libc::c_int) -> Outcome<*mut libc::c_void> {
    // SAFETY: new memory, wherever the kernel wants it.
    let memory = unsafe { libc::mmap(null_mut(), pages * PAGE, protection, flags, file, 0) };
    if memory == libc::MAP_FAILED { Err(Error::last_os_error().into()) } else { Ok(memory) }
}

fn protect(memory: *mut libc::c_void, pages: usize, protection: libc::c_int) -> Outcome<()> {
    // SAFETY: what is read and written stays so, or is nobody else's.
    call(unsafe { libc::mprotect(memory, pages * PAGE, protection) }.into())
}

fn page_of(address: *mut libc::c_void) -> *mut libc::c_void {
    address.wrapping_byte_sub(address as usize % PAGE)
}

fn memfd(name: &std::ffi::CStr, flags: libc::c_uint) -> Outcome<std::fs::File> {
    // SAFETY: a text that ends in zero; what it opens is this file's alone.
    unsafe {
        let file = libc::memfd_create(name.as_ptr(), flags);
        call(file.into())?;
        Ok(std::fs::File::from_raw_fd(file))
    }
}
