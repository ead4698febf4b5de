//! Old files of an output: `alerts.json` becomes `alerts.json.1`, the next time `alerts.json.2` and so on, the
//! highest number being the newest. Numbers rather than times, because clocks are set back; and rising, because with
//! thousands of files kept not every one is to be renamed each time.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

/// Moves the file out of the way, and deletes the oldest of the old ones if only so many are to be kept.
///
/// # Errors
///
/// If it cannot be renamed. What cannot be deleted is left.
pub fn rotate(path: &Path, max_backups: Option<u32>) -> io::Result<()> {
    let mut kept = backups(path)?;
    kept.sort_unstable();
    let mut next = kept.last().map_or(1, |last| last.saturating_add(1));
    // Someone else may take a number meanwhile: nothing is ever overwritten.
    loop {
        match renameat_with(CWD, path, CWD, backup(path, next), RenameFlags::NOREPLACE) {
            Ok(()) => break,
            Err(Errno::EXIST) => next = next.saturating_add(1),
            // Some network file systems know no such flag.
            Err(Errno::INVAL | Errno::NOSYS) if !backup(path, next).try_exists()? => {
                fs::rename(path, backup(path, next))?;
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    kept.push(next);
    if let Some(max) = max_backups {
        let surplus = kept.len().saturating_sub(max as usize);
        for number in &kept[..surplus] {
            if let Err(error) = fs::remove_file(backup(path, *number)) {
                let file = backup(path, *number);
                tracing::warn!(file = %file.display(), %error, "cannot delete an old file of an output");
            }
        }
    }
    Ok(())
}

fn backup(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The numbers of the old files there are.
fn backups(path: &Path) -> io::Result<Vec<u64>> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned().into_vec();
    prefix.push(b'.');
    let prefix = OsString::from_vec(prefix);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory(path))? {
        numbers.extend(number(&entry?.file_name(), &prefix));
    }
    Ok(numbers)
}

fn number(name: &OsStr, prefix: &OsStr) -> Option<u64> {
    let digits = name.as_bytes().strip_prefix(prefix.as_bytes())?;
    let plain = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    if plain { str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// The directory that a file is in.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
