//! Does something to a file other than opening it, by each call that there is.

use std::ffi::{CStr, CString, OsString};
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use super::Outcome;

const HERE: libc::c_long = libc::AT_FDCWD as libc::c_long;
const NAME: &CStr = c"user.marked";

/// The first word says how, the second which file, and the third which other one.
pub(super) fn change(words: &[OsString]) -> Outcome {
    let [way, path, more @ ..] = words else { return Err("a way and a path are missing".into()) };
    let path = Path::new(path);
    let other = Path::new(more.first().unwrap_or(&words[1]));
    let (old, new) = (text(path)?, text(other)?);
    let (one, two) = (old.as_ptr() as libc::c_long, new.as_ptr() as libc::c_long);
    match &*way.to_string_lossy() {
        "rename" => call(libc::SYS_rename, [one, two, 0, 0, 0])?,
        "renameat" => {
            let (from, name) = folder(path)?;
            let (to, new_name) = folder(other)?;
            let (from, to) = (from.as_raw_fd().into(), to.as_raw_fd().into());
            call(libc::SYS_renameat, [from, name.as_ptr() as _, to, new_name.as_ptr() as _, 0])?;
        }
        "chroot" => {
            nix::unistd::chroot(path.parent().ok_or("it has no folder")?)?;
            let inside = |path: &Path| text(&Path::new("/").join(path.file_name().unwrap_or_default()));
            let (from, to) = (inside(path)?, inside(other)?);
            call(libc::SYS_rename, [from.as_ptr() as _, to.as_ptr() as _, 0, 0, 0])?;
        }
        "renameat2" => call(libc::SYS_renameat2, [HERE, one, HERE, two, 0])?,
        "exchange" => call(libc::SYS_renameat2, [HERE, one, HERE, two, libc::RENAME_EXCHANGE.into()])?,
        "unlink" => call(libc::SYS_unlink, [one, 0, 0, 0, 0])?,
        "unlinkat" => {
            let (from, name) = folder(path)?;
            call(libc::SYS_unlinkat, [from.as_raw_fd().into(), name.as_ptr() as _, 0, 0, 0])?;
        }
        "rmdir" => call(libc::SYS_rmdir, [one, 0, 0, 0, 0])?,
        "link" => call(libc::SYS_link, [one, two, 0, 0, 0])?,
        "linkat" => {
            let (from, name) = folder(path)?;
            call(libc::SYS_linkat, [from.as_raw_fd().into(), name.as_ptr() as _, HERE, two, 0])?;
        }
        // A file without a name, which gets one by its descriptor.
        "tmpfile" => {
            let folder = text(path.parent().ok_or("it has no folder")?)?;
            let how = libc::O_TMPFILE | libc::O_WRONLY;
            // SAFETY: the path lives as long as the call.
            let file = unsafe { libc::open(folder.as_ptr(), how, 0o600) };
            if file < 0 {
                return Err(Error::last_os_error().into());
            }
            // SAFETY: it is nobody else's.
            let file = unsafe { OwnedFd::from_raw_fd(file) };
            let link = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
            call(libc::SYS_linkat, [HERE, link.as_ptr() as _, HERE, one, libc::AT_SYMLINK_FOLLOW.into()])?;
        }
        "symlink" => call(libc::SYS_symlink, [c"../elsewhere".as_ptr() as _, one, 0, 0, 0])?,
        "mkdir" => call(libc::SYS_mkdir, [one, 0o700, 0, 0, 0])?,
        "mkdirat" => {
            let (to, name) = folder(path)?;
            call(libc::SYS_mkdirat, [to.as_raw_fd().into(), name.as_ptr() as _, 0o700, 0, 0])?;
        }
        "mknod" => call(libc::SYS_mknod, [one, (libc::S_IFIFO | 0o600).into(), 0, 0, 0])?,
        "bind" => drop(std::os::unix::net::UnixListener::bind(path)?),
        "chmod" => call(libc::SYS_chmod, [one, 0o640, 0, 0, 0])?,
        "fchmod" => call(libc::SYS_fchmod, [File::open(path)?.as_raw_fd().into(), 0o604, 0, 0, 0])?,
        "fchmodat" => {
            let (of, name) = folder(path)?;
            call(libc::SYS_fchmodat, [of.as_raw_fd().into(), name.as_ptr() as _, 0o644, 0, 0])?;
        }
        "chown" => call(libc::SYS_chown, [one, 1234, 1234, 0, 0])?,
        "fchownat" => {
            let file = File::open(path)?;
            let empty = c"".as_ptr() as _;
            call(libc::SYS_fchownat, [file.as_raw_fd().into(), empty, 0, 0, libc::AT_EMPTY_PATH.into()])?;
        }
        "utimensat" => call(libc::SYS_utimensat, [HERE, one, 0, 0, 0])?,
        "futimens" => call(libc::SYS_utimensat, [File::open(path)?.as_raw_fd().into(), 0, 0, 0, 0])?,
        "setxattr" => call(libc::SYS_setxattr, [one, NAME.as_ptr() as _, one, 1, 0])?,
        "removexattr" => call(libc::SYS_removexattr, [one, NAME.as_ptr() as _, 0, 0, 0])?,
        "truncate" => call(libc::SYS_truncate, [one, 1000, 0, 0, 0])?,
        "ftruncate" => {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            call(libc::SYS_ftruncate, [file.as_raw_fd().into(), 10, 0, 0, 0])?;
        }
        _ => return Err("unknown; see src/bin/act/change.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn text(path: &Path) -> Outcome<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// A descriptor of the folder that it is in, and its name there.
fn folder(path: &Path) -> Outcome<(File, CString)> {
    let folder = File::open(path.parent().ok_or("it has no folder")?)?;
    Ok((folder, text(Path::new(path.file_name().ok_or("it has no name")?))?))
}

/// The system call itself.
fn call(number: libc::c_long, [first, second, third, fourth, fifth]: [libc::c_long; 5]) -> Outcome<()> {
    // SAFETY: the arguments are those of the call, and live as long as it.
    match unsafe { libc::syscall(number, first, second, third, fourth, fifth) } {
        -1 => Err(Error::last_os_error().into()),
        _ => Ok(()),
    }
}
