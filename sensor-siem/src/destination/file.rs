//! A file that whole lines are appended to.
//!
//! What has been appended is on the disk (`fdatasync`) before [`Lines::append`] returns, so a cursor that is kept after it
//! never runs ahead of the file. The other way round, a crash between the two leaves lines of a page whose cursor was not
//! kept. Before each page the state therefore says how long the file is and how much is about to be appended ([`Mark`]),
//! and the next start cuts the file back to that length ([`recover`]). Only then, and no further than what was about to be
//! appended: lines that others wrote are not ours to cut.
//!
//! The state itself waits for no disk at each page, so a crash of the whole host can take along what it said last, and
//! leaves pages in the file that it knows nothing of. Lines that stand behind the length that it knows are therefore
//! looked at as the file is opened ([`Lines::resume`]), and are not appended again when their pages come again.
//!
//! Before each page it is looked whether the file is still the one at its path; if it was moved (logrotate), a new one is
//! made. New files have the mode 0600, new folders 0700.

use std::{
    borrow::Cow,
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{BuildHasher as _, RandomState},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use delivery::receivers::file::rotate;
use diagnostic::Report;
use serde::{Deserialize, Serialize};
use settings::{Key, Kind, Section, Size, Variant};

pub(super) const VARIANT: Variant = Variant {
    name: "file",
    keys: KEYS,
    doc: "Lines are appended. A file that was moved is left alone and a new one made.",
};

const KEYS: &[Key] = &[
    Key::new("path", Kind::Path, "", "The file. It is made if it is not there, mode 0600.").required(),
    Key::new(
        "max_size",
        Kind::Size(4096, 1 << 50),
        "",
        "A file that would grow beyond it is moved out of the way first: `PATH.1`, the next `PATH.2`, the highest number \
         being the newest. Without it, that is left to others, such as logrotate.",
    ),
    Key::new("max_backups", Kind::Count(0, 1 << 20), "", "Files that were moved to keep. Without it, all."),
];

/// A file, and how far it may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOutput {
    pub path: PathBuf,
    pub bound: Option<Bound>,
}

/// When a file is moved out of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Bytes.
    pub max_size: u64,
    /// Files that were moved to keep; all if it says nothing.
    pub max_backups: Option<u32>,
}

impl FileOutput {
    /// One that nobody moves but others.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, bound: None }
    }
}

/// Takes the file.
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> Option<FileOutput> {
    let max_backups = section.get::<u64>("max_backups").map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let bound = section.get::<Size>("max_size").map(|Size(max_size)| Bound { max_size, max_backups });
    if bound.is_none()
        && let Some(span) = section.span("max_backups")
    {
        report
            .error(span, "`max_backups` has no effect without `max_size`")
            .help("add the size at which the file is moved, or take this out");
    }
    Some(FileOutput { path: section.get("path")?, bound })
}

/// No more than this is looked at behind the length that is known. The state says it anew more often.
const MOST_BEHIND: u64 = 64 << 20;

/// Where a file ends that is about to be appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub path: PathBuf,
    pub device: u64,
    pub inode: u64,
    /// Bytes that are confirmed.
    pub length: u64,
    /// Bytes that are about to be appended.
    pub appending: u64,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// All that stands there is confirmed, or it is another file.
    Nothing,
    /// So many bytes of a page that was not confirmed were cut off.
    Cut(u64),
    /// More was appended than what was about to be, so others write to it. Lines of the last page may stand twice.
    Others,
}

/// Cuts the file back to the length that is confirmed.
///
/// # Errors
/// It cannot be opened or changed.
pub fn recover(mark: &Mark) -> io::Result<Recovered> {
    if mark.appending == 0 {
        return Ok(Recovered::Nothing);
    }
    let file = match OpenOptions::new().write(true).open(&mark.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Recovered::Nothing),
        Err(error) => return Err(error),
    };
    let there = file.metadata()?;
    if (there.dev(), there.ino()) != (mark.device, mark.inode) || there.len() <= mark.length {
        return Ok(Recovered::Nothing);
    }
    let more = there.len() - mark.length;
    if more > mark.appending {
        return Ok(Recovered::Others);
    }
    file.set_len(mark.length)?;
    file.sync_all()?;
    Ok(Recovered::Cut(more))
}

/// An open file.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: File,
    /// Lines that stand there and that the state knows nothing of, by their hashes.
    known: HashSet<u64>,
    hashes: RandomState,
}

impl Lines {
    /// Opens it, and makes it and the folders above it if they are missing.
    ///
    /// # Errors
    /// That fails, or something else than a regular file is there.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let (known, hashes) = (HashSet::new(), RandomState::new());
        Ok(Self { path: path.to_owned(), file: open(path)?, known, hashes })
    }

    /// The same where a state says how far it was written. What it does not know of stays, and is not appended again; a
    /// last line of that without an end is cut off.
    ///
    /// # Errors
    /// As for [`Self::open`], or it cannot be read.
    pub fn resume(path: &Path, mark: &Mark) -> io::Result<Self> {
        let mut lines = Self::open(path)?;
        let there = lines.file.metadata()?;
        // Another file than the one that it knows has nothing that it knows.
        let is_same = mark.path == path && (there.dev(), there.ino()) == (mark.device, mark.inode);
        let from = if is_same { mark.length } else { 0 };
        let mut at = from.max(there.len().saturating_sub(MOST_BEHIND));
        let mut reader = BufReader::new(&lines.file);
        reader.seek(SeekFrom::Start(at))?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !line.ends_with(b"\n") {
                lines.file.set_len(at)?;
                break;
            }
            lines.known.insert(lines.hashes.hash_one(&line[..]));
            at += line.len() as u64;
            line.clear();
        }
        Ok(lines)
    }

    /// How many lines there are that the state knew nothing of.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// What of a page does not stand there already.
    #[must_use]
    pub fn missing<'a>(&self, page: &'a [u8]) -> Cow<'a, [u8]> {
        if self.known.is_empty() {
            return page.into();
        }
        let lines = page.split_inclusive(|byte| *byte == b'\n');
        lines.filter(|line| !self.known.contains(&self.hashes.hash_one(line))).flatten().copied().collect()
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file that the next page goes to ends, and what will be appended to it.
    ///
    /// # Errors
    /// It cannot be looked at or opened anew.
    pub fn mark(&mut self, page: &[u8]) -> io::Result<Mark> {
        let held = self.file.metadata()?;
        let is_held =
            fs::metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino()));
        if !is_held {
            self.file = open(&self.path)?;
        }
        let there = self.file.metadata()?;
        let mut appending = page.len() as u64;
        if ends_within_line(&self.file, there.len())? {
            appending += 1;
        }
        Ok(Mark { path: self.path.clone(), device: there.dev(), inode: there.ino(), length: there.len(), appending })
    }

    /// Whether these would make it larger than it may be. An empty file takes any.
    #[must_use]
    pub fn is_full(&self, page: &[u8], bound: &Bound) -> bool {
        let there = fs::metadata(&self.path).map_or(0, |there| there.len());
        !page.is_empty() && there > 0 && there + page.len() as u64 > bound.max_size
    }

    /// Moves it out of the way. The next page goes to a new one.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn rotate(&mut self, bound: &Bound) -> io::Result<()> {
        rotate(&self.path, bound.max_backups)
    }

    /// Appends the lines, behind a line end if somebody left the last line without one, and waits until the disk has them.
    ///
    /// # Errors
    /// They cannot be written whole. What was written of them is cut off again, as far as that can be done.
    pub fn append(&mut self, mark: &Mark, page: &[u8]) -> io::Result<()> {
        let is_mended = mark.appending > page.len() as u64;
        let begin: &[u8] = if is_mended { b"\n" } else { b"" };
        let written = self.file.write_all(begin).and_then(|()| self.file.write_all(page));
        written.and_then(|()| self.file.sync_data()).inspect_err(|_| {
            // If this fails too, the next start does it.
            let _ = self.file.set_len(mark.length);
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe that nobody reads would wait for ever.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let is_new = !path.exists();
    let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
    if is_new && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

fn ends_within_line(file: &File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn pages_are_appended_to_whatever_stands_at_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/deep/result.txt");
        let mut lines = Lines::open(&path).unwrap();
        let mut page = |text: &str| {
            let mark = lines.mark(text.as_bytes()).unwrap();
            lines.append(&mark, text.as_bytes()).unwrap();
            mark
        };
        assert_eq!(page("a\n").length, 0);
        assert_eq!(page("b\nc\n").length, 2);
        fs::rename(&path, folder.path().join("old")).unwrap();
        assert_eq!(page("d\n").length, 0);
        fs::write(&path, "").unwrap();
        assert_eq!(page("e\n").length, 0);
        fs::write(&path, "e\nx").unwrap();
        assert_eq!(page("f\n").appending, 3);
        assert_eq!(read(&path), "e\nx\nf\n");
        assert_eq!(read(&folder.path().join("old")), "a\nb\nc\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_page_that_was_not_confirmed_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.txt");
        fs::write(&path, "old\n").unwrap();
        let page = b"one\ntwo\n";
        for kept in 0..=page.len() {
            let mark = Lines::open(&path).unwrap().mark(page).unwrap();
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(&page[..kept]).unwrap();
            let wanted = if kept == 0 { Recovered::Nothing } else { Recovered::Cut(kept as u64) };
            assert_eq!(recover(&mark).unwrap(), wanted);
            assert_eq!(read(&path), "old\n");
        }
    }

    #[test]
    fn lines_that_the_state_knows_nothing_of_are_not_appended_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.txt");
        fs::write(&path, "old\n").unwrap();
        let mark = Lines::open(&path).unwrap().mark(b"").unwrap();
        for (there, kept) in [("old\n", 0), ("old\none\ntw", 1), ("old\none\ntwo\n", 2)] {
            fs::write(&path, there).unwrap();
            let mut lines = Lines::resume(&path, &mark).unwrap();
            assert_eq!(lines.known(), kept);
            let missing = lines.missing(b"one\ntwo\nthree\n").into_owned();
            let next = lines.mark(&missing).unwrap();
            lines.append(&next, &missing).unwrap();
            assert_eq!(read(&path), "old\none\ntwo\nthree\n");
        }
        // One that was moved away, and another made.
        let lines = Lines::resume(&path, &Mark { inode: mark.inode + 1, ..mark }).unwrap();
        assert_eq!((lines.known(), lines.missing(b"old\nnew\n").as_ref()), (4, &b"new\n"[..]));
    }

    #[test]
    fn a_file_that_would_be_too_large_is_moved_out_of_the_way_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("items");
        let bound = Bound { max_size: 10, max_backups: Some(2) };
        let mut lines = Lines::open(&path).unwrap();
        for page in ["aaaaaaaaaaaaaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n"] {
            if lines.is_full(page.as_bytes(), &bound) {
                lines.rotate(&bound).unwrap();
            }
            let mark = lines.mark(page.as_bytes()).unwrap();
            lines.append(&mark, page.as_bytes()).unwrap();
        }
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
        assert_eq!(text("items").as_deref(), Some("ffff\n"));
        assert_eq!(text("items.3").as_deref(), Some("dddd\neeee\n"));
        assert_eq!(text("items.2").as_deref(), Some("bbbb\ncccc\n"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_others_wrote_is_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.txt");
        fs::write(&path, "old\n").unwrap();
        let mark = Lines::open(&path).unwrap().mark(b"new\n").unwrap();
        fs::write(&path, "old\nnew\nother\n").unwrap();
        assert_eq!(recover(&mark).unwrap(), Recovered::Others);
        // All was confirmed; another file, a shorter one, none.
        assert_eq!(recover(&Mark { appending: 0, ..mark.clone() }).unwrap(), Recovered::Nothing);
        assert_eq!(recover(&Mark { inode: mark.inode + 1, ..mark.clone() }).unwrap(), Recovered::Nothing);
        fs::write(&path, "").unwrap();
        assert_eq!(recover(&mark).unwrap(), Recovered::Nothing);
        fs::remove_file(&path).unwrap();
        assert_eq!(recover(&mark).unwrap(), Recovered::Nothing);
        fs::create_dir(&path).unwrap();
        assert!(Lines::open(&path).is_err());
    }
}
