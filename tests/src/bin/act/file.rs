//! Opens files to change them, by each way that there is.

use std::ffi::{CString, OsString};
use std::fs::{self, OpenOptions};
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::Outcome;

const MAKE: i32 = libc::O_CREAT | libc::O_WRONLY;

/// The first word says how, the second which file.
pub(super) fn open(words: &[OsString]) -> Outcome {
    let [way, path, ..] = words else { return Err("a way and a path are missing".into()) };
    let path = Path::new(path);
    let text = CString::new(path.as_os_str().as_bytes())?;
    let (folder, name) = (path.parent().ok_or("it has no folder")?, path.file_name().ok_or("it has no name")?);
    let name = CString::new(name.as_bytes())?;
    match &*way.to_string_lossy() {
        "open" => opened(libc::SYS_open, [text.as_ptr() as _, MAKE.into(), 0o600, 0])?,
        "made-to-read" => {
            opened(libc::SYS_open, [text.as_ptr() as _, (libc::O_RDONLY | libc::O_CREAT).into(), 0o600, 0])?
        }
        "creat" => opened(libc::SYS_creat, [text.as_ptr() as _, 0o600, 0, 0])?,
        "openat" => {
            let folder = fs::File::open(folder)?;
            opened(libc::SYS_openat, [folder.as_raw_fd().into(), name.as_ptr() as _, MAKE.into(), 0o600])?;
        }
        "openat2" => {
            // `struct open_how`: flags, mode, resolve.
            let how = [u64::from(MAKE.unsigned_abs()), 0o600, 0];
            let here = libc::c_long::from(libc::AT_FDCWD);
            opened(libc::SYS_openat2, [here, text.as_ptr() as _, how.as_ptr() as _, size_of_val(&how) as _])?;
        }
        "append" => drop(OpenOptions::new().append(true).open(path)?),
        "both" => drop(OpenOptions::new().read(true).write(true).open(path)?),
        "truncate" => drop(fs::File::create(path)?),
        "empty" => opened(libc::SYS_open, [text.as_ptr() as _, (libc::O_RDONLY | libc::O_TRUNC).into(), 0, 0])?,
        "descriptor" => {
            let file = fs::File::open(path)?;
            let again = format!("/proc/self/fd/{}", file.as_raw_fd());
            drop(OpenOptions::new().write(true).open(again)?);
        }
        "root" => drop(fs::File::create(Path::new("/proc/self/root").join(path.strip_prefix("/")?))?),
        "thread" => {
            let path = path.to_owned();
            std::thread::spawn(move || fs::File::create(path).map(drop)).join().map_err(|_| "it panicked")??;
        }
        "link" => {
            let link = folder.join("another-name");
            std::os::unix::fs::symlink(path, &link)?;
            drop(fs::File::create(link)?);
        }
        "chroot" => {
            nix::unistd::chroot(folder)?;
            drop(fs::File::create(Path::new("/").join(path.file_name().ok_or("it has no name")?))?);
        }
        // In a mount namespace of its own, by the mounts of the host's.
        "namespace" => {
            unshare(CloneFlags::CLONE_NEWNS)?;
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
            drop(fs::File::create(path)?);
        }
        "compat" => compat(&name, folder)?,
        "read" => drop(fs::File::open(path)?),
        "flood" => {
            for _ in 0..super::number::<u32>(words, 2)? {
                drop(OpenOptions::new().append(true).open(path)?);
            }
        }
        _ => return Err("unknown; see src/bin/act/file.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The system call itself, which is to give a descriptor.
fn opened(number: libc::c_long, [first, second, third, fourth]: [libc::c_long; 4]) -> Outcome<()> {
    // SAFETY: the arguments are those of the call, and live as long as it.
    match unsafe { libc::syscall(number, first, second, third, fourth) } {
        -1 => Err(Error::last_os_error().into()),
        descriptor => {
            let descriptor = i32::try_from(descriptor)?;
            // SAFETY: it is nobody else's.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
            Ok(())
        }
    }
}

/// `openat` by the interface of 32 bits, whose pointers are as long.
#[cfg(target_arch = "x86_64")]
fn compat(name: &std::ffi::CStr, folder: &Path) -> Outcome<()> {
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

    const OPENAT: u64 = 295;
    let folder = fs::File::open(folder)?;
    let (rights, kind) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE | MapFlags::MAP_32BIT);
    let length = std::num::NonZeroUsize::new(4096).ok_or("no page")?;
    let mut result = OPENAT;
    // SAFETY: the page is as long as a name may be; the first argument of such a call is in `rbx`, which is put back.
    unsafe {
        let page = mmap_anonymous(None, length, rights, kind)?;
        page.as_ptr().cast::<u8>().copy_from_nonoverlapping(name.as_ptr().cast(), name.to_bytes_with_nul().len());
        std::arch::asm!(
            "xchg rbx, {folder}",
            "int 0x80",
            "xchg rbx, {folder}",
            folder = inout(reg) u64::try_from(folder.as_raw_fd())? => _,
            in("rcx") page.as_ptr(),
            in("rdx") u64::try_from(MAKE)?,
            in("rsi") 0o600_u64,
            inout("rax") result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result < 4096 { Ok(()) } else { Err("the kernel takes no such calls".into()) }
}

#[cfg(not(target_arch = "x86_64"))]
fn compat(_: &std::ffi::CStr, _: &Path) -> Outcome<()> {
    Err("not on this machine".into())
}
