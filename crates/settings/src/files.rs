//! Files that are trusted: read within a limit, and only if nobody else could have written them.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use diagnostic::{Report, SourceId, Span};
use secrecy::SecretString;

/// A configuration file is at most this long, bytes.
const CONFIGURATION_AT_MOST: u64 = 8 << 20;

/// A file with a secret is at most this long, bytes.
const SECRET_AT_MOST: u64 = 64 << 10;

/// A configuration file that was read.
pub struct Configuration {
    pub source: SourceId,
    /// Who can read it besides root and its owner.
    pub readers: Option<Readers>,
}

/// Who can read a file besides root and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    Everyone,
    /// The members of this group, which is neither root's nor the program's.
    Group(u32),
}

/// What to say when a file is not there.
pub enum Missing {
    /// Nothing: it may be missing.
    Fine,
    /// It was named, here or by an option of the command line.
    Named(Option<Span>),
}

/// Who may have written a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Root and the program's own user and group: whoever else could have is an error.
    Own,
    Any,
}

/// Reads a configuration file. What is wrong with it goes to the report; none if it could not be read.
#[must_use]
pub fn configuration(path: &Path, missing: Missing, writers: Writers, report: &mut Report) -> Option<Configuration> {
    let span = match &missing {
        Missing::Fine => None,
        Missing::Named(span) => span.clone(),
    };
    let shown = path.display();
    let (bytes, metadata) = match read(path, CONFIGURATION_AT_MOST) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound && matches!(missing, Missing::Fine) => return None,
        Err(error) => {
            report
                .error(span, format!("the configuration {shown} cannot be read: {}", reason(&error)))
                .help("check the path; a configuration is a text file of at most 8 MiB");
            return None;
        }
    };
    if writers == Writers::Own {
        trusted(path, &metadata, "configuration", span, report);
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let source = match std::str::from_utf8(bytes) {
        Ok(text) => report.add_source(shown.to_string(), text),
        Err(error) => {
            let offset = error.valid_up_to();
            // What comes before the wrong byte stays where it is.
            let source = report.add_source(shown.to_string(), String::from_utf8_lossy(bytes));
            let help = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                "this looks like UTF-16: save the file as UTF-8"
            } else {
                "save the file as UTF-8"
            };
            report
                .error(Span { source, bytes: offset..offset + 3 }, format!("{shown} is not UTF-8"))
                .label(format!("byte {offset} of the file"))
                .help(help);
            return None;
        }
    };
    Some(Configuration { source, readers: readers(&metadata) })
}

/// Reads a file that holds a secret and nothing else. What is wrong with it goes to the report, at `span`.
#[must_use]
pub fn secret(path: &Path, span: Option<Span>, report: &mut Report) -> Option<SecretString> {
    let shown = path.display();
    let (bytes, metadata) = match read(path, SECRET_AT_MOST) {
        Ok(read) => read,
        Err(error) => {
            report.error(span, format!("the secret {shown} cannot be read: {}", reason(&error)));
            return None;
        }
    };
    private(path, &metadata, span.clone(), report);
    let text = String::from_utf8(bytes).ok().map(|text| text.trim().to_owned());
    let Some(text) = text.filter(|text| !text.is_empty() && !text.contains(char::is_control)) else {
        report.error(span, format!("{shown} holds no secret")).help("it should hold one line of text and nothing else");
        return None;
    };
    Some(SecretString::from(text))
}

/// Checks that a file is there and can be read; one that is `secret` must be private too.
pub fn present(path: &Path, secret: bool, span: Option<Span>, report: &mut Report) {
    let opened =
        std::fs::metadata(path).and_then(|metadata| regular(&metadata, u64::MAX)).and_then(|()| File::open(path));
    match opened.and_then(|file| file.metadata()) {
        Ok(metadata) if secret => private(path, &metadata, span, report),
        Ok(_) => {}
        Err(error) => {
            report.error(span, format!("{} cannot be read: {}", path.display(), reason(&error)));
        }
    }
}

/// Warns of a secret in a file that others can read.
pub fn readable_secret(path: &Path, readers: Readers, span: Option<Span>, report: &mut Report) {
    let shown = path.display();
    let (who, right) = match readers {
        Readers::Everyone => ("every user of this host".to_owned(), "o-r"),
        Readers::Group(group) => (format!("group {group}"), "g-r"),
    };
    report
        .warning(span, format!("{shown} holds a secret that {who} can read"))
        .help(format!("take the right away: chmod {right} {shown}"));
}

fn private(path: &Path, metadata: &Metadata, span: Option<Span>, report: &mut Report) {
    trusted(path, metadata, "secret", span.clone(), report);
    if let Some(readers) = readers(metadata) {
        readable_secret(path, readers, span, report);
    }
}

fn readers(metadata: &Metadata) -> Option<Readers> {
    readers_of(metadata.mode(), metadata.gid(), rustix::process::getegid().as_raw())
}

fn readers_of(mode: u32, group: u32, own_group: u32) -> Option<Readers> {
    match mode {
        _ if mode & 0o004 != 0 => Some(Readers::Everyone),
        _ if mode & 0o040 != 0 && group != 0 && group != own_group => Some(Readers::Group(group)),
        _ => None,
    }
}

/// Refuses what somebody else could have written: its owner can, whatever its mode says.
fn trusted(path: &Path, metadata: &Metadata, what: &str, span: Option<Span>, report: &mut Report) {
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (who, remedy) = match writer(metadata.mode(), (metadata.uid(), metadata.gid()), own) {
        None => return,
        Some(Writer::Everyone) => ("every user of this host".to_owned(), "chmod o-w"),
        Some(Writer::Group(group)) => (format!("group {group}"), "chmod g-w"),
        Some(Writer::Owner(user)) => (format!("user {user}, to whom it belongs"), "chown root"),
    };
    let shown = path.display();
    report
        .error(span, format!("the {what} {shown} can be written by {who}"))
        .help(format!("whoever can write it decides what the program does: {remedy} {shown}"));
}

/// Somebody who can write a file and must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Everyone,
    Group(u32),
    Owner(u32),
}

/// Who can write a file of this owner and group, besides root and the program's own user and group.
fn writer(mode: u32, (user, group): (u32, u32), (own_user, own_group): (u32, u32)) -> Option<Writer> {
    match mode {
        _ if mode & 0o002 != 0 => Some(Writer::Everyone),
        _ if mode & 0o020 != 0 && group != 0 && group != own_group => Some(Writer::Group(group)),
        _ if user != 0 && user != own_user => Some(Writer::Owner(user)),
        _ => None,
    }
}

/// Reads a file that is not longer than this.
fn read(path: &Path, at_most: u64) -> io::Result<(Vec<u8>, Metadata)> {
    // Asked before it is opened: opening a pipe would wait for its writer.
    regular(&std::fs::metadata(path)?, at_most)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata, at_most)?;
    let mut bytes = Vec::new();
    file.take(at_most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > at_most {
        return Err(too_long(at_most));
    }
    Ok((bytes, metadata))
}

fn regular(metadata: &Metadata, at_most: u64) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > at_most { Err(too_long(at_most)) } else { Ok(()) }
}

fn too_long(at_most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {} KiB", at_most >> 10))
}

/// The error in words, without the number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: (u32, u32) = (500, 600);

    #[test]
    fn whoever_else_can_write_a_file_is_found() {
        for (mode, owner, expected) in [
            (0o644, (0, 0), None),
            (0o664, (0, 0), None),
            (0o660, (500, 600), None),
            (0o400, (1000, 0), Some(Writer::Owner(1000))),
            (0o644, (1000, 1000), Some(Writer::Owner(1000))),
            (0o660, (0, 1000), Some(Writer::Group(1000))),
            (0o646, (0, 0), Some(Writer::Everyone)),
        ] {
            assert_eq!(writer(mode, owner, OWN), expected, "{mode:o} {owner:?}");
        }
    }

    #[test]
    fn whoever_else_can_read_a_file_is_found() {
        for (mode, group, expected) in [
            (0o600, 1000, None),
            (0o640, 0, None),
            (0o640, 600, None),
            (0o640, 1000, Some(Readers::Group(1000))),
            (0o604, 0, Some(Readers::Everyone)),
        ] {
            assert_eq!(readers_of(mode, group, OWN.1), expected, "{mode:o} {group}");
        }
    }
}
