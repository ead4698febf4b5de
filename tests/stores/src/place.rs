//! Where the stores lie while they are measured, and what kind of machine that is.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Instant;

use rustix::fs::{FsWord, statfs};
use rustix::system::uname;
use tempfile::TempDir;

use crate::store::{BODY, Failure};
use crate::table::{Sample, number, range};

/// A folder beside this program: on a disk, which the system's folder for temporary files need not be.
pub(crate) struct Place {
    folder: TempDir,
    /// At the beginning. It depends on what else the machine does.
    sync: Sample,
}

impl Place {
    pub(crate) fn new() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let folder = tempfile::tempdir_in(program.parent().unwrap_or(Path::new(".")))?;
        let sync = sync(folder.path())?;
        Ok(Self { folder, sync })
    }

    /// A new folder, gone when it is dropped.
    pub(crate) fn folder(&self) -> io::Result<TempDir> {
        tempfile::tempdir_in(self.folder.path())
    }

    /// What the numbers depend on: versions, processors, kernel, file system, and how long its sync takes.
    pub(crate) fn description(&self) -> Result<String, Failure> {
        let [redb, fjall, rusqlite] = ["redb", "fjall", "rusqlite"].map(version);
        let syncs = [&self.sync, &sync(self.folder.path())?];
        let sync = |part| range(&syncs.map(|sync| sync.at(part)), number);
        Ok(format!(
            "redb {redb}, fjall {fjall}, SQLite {} (rusqlite {rusqlite}) on {} CPUs, Linux {}, {}.\nWriting {BODY} bytes to the \
             end of a plain file with a sync takes {} ms ({}) there.",
            rusqlite::version(),
            available_parallelism()?,
            uname().release().to_string_lossy(),
            file_system(self.folder.path())?,
            sync(0.5),
            sync(0.99),
        ))
    }
}

/// How long a plain write takes: what the times of the stores are to be held against.
fn sync(folder: &Path) -> io::Result<Sample> {
    let mut file = File::create(folder.join("plain"))?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let begin = Instant::now();
        file.write_all(&[b'x'; BODY])?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    Ok(Sample::new(times))
}

/// The version that the lock file has.
fn version(package: &str) -> &'static str {
    include_str!("../Cargo.lock")
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("of unknown version")
}

fn file_system(folder: &Path) -> io::Result<String> {
    const KNOWN: [(FsWord, &str); 4] =
        [(0xef53, "ext4"), (0x5846_5342, "XFS"), (0x9123_683e, "Btrfs"), (0x794c_7630, "overlayfs")];
    let kind = statfs(folder)?.f_type;
    Ok(KNOWN
        .iter()
        .find(|known| known.0 == kind)
        .map_or_else(|| format!("file system {kind:#x}"), |it| it.1.to_owned()))
}

/// A value in kB of this process, from /proc/self/status; or the number of its threads.
pub(crate) fn of_this_process(key: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("/proc/self/status has no {key}"))?.parse()?)
}
