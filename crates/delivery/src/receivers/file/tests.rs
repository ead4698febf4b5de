use std::{fs::read_to_string, path::PathBuf};

use tempfile::TempDir;

use super::*;

const MEGABYTE: usize = 1_000_000;

struct Place {
    directory: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("deep/er/alerts.json");
        Self { directory, path }
    }

    fn open(&self) -> FileLines {
        FileLines::open(&FileSettings { max_bytes: 1_000_000.try_into().unwrap(), ..FileSettings::new(&self.path) })
            .unwrap()
    }

    fn old(&self, number: u32) -> PathBuf {
        format!("{}.{number}", self.path.display()).into()
    }
}

fn write(lines: &mut FileLines, line: &str) {
    let written = lines.write(line.as_bytes());
    assert!(written.failure.is_none(), "{:?}", written.failure);
    assert_eq!(written.bytes, line.len());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn directories_and_file_are_private() {
    let place = Place::new();
    write(&mut place.open(), "one\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "one\n");
    assert_eq!(mode(&place.path), 0o600);
    assert_eq!(mode(place.path.parent().unwrap()), 0o700);
    assert_eq!(mode(&place.directory.path().join("deep")), 0o700);
}

#[test]
fn what_is_there_is_appended_to() {
    let place = Place::new();
    write(&mut place.open(), "one\n");
    write(&mut place.open(), "two\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "one\ntwo\n");
}

#[test]
fn a_torn_last_line_is_ended() {
    let place = Place::new();
    write(&mut place.open(), "tor");
    write(&mut place.open(), "two\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "tor\ntwo\n");
}

#[test]
fn a_full_file_is_moved_away() {
    let place = Place::new();
    let mut lines = place.open();
    let long = "x".repeat(MEGABYTE - 1) + "\n";
    write(&mut lines, &long);
    write(&mut lines, "two\n");
    write(&mut lines, &long);
    write(&mut lines, "four\n");
    assert_eq!(fs::metadata(place.old(1)).unwrap().len(), MEGABYTE as u64);
    assert_eq!(read_to_string(place.old(2)).unwrap(), "two\n");
    assert_eq!(fs::metadata(place.old(3)).unwrap().len(), MEGABYTE as u64);
    assert_eq!(read_to_string(&place.path).unwrap(), "four\n");
    assert_eq!(mode(&place.path), 0o600);
}

#[test]
fn old_files_are_never_overwritten_and_the_oldest_go() {
    let place = Place::new();
    let settings = FileSettings {
        max_bytes: 1_000_000.try_into().unwrap(),
        max_backups: Some(2),
        ..FileSettings::new(&place.path)
    };
    let mut lines = FileLines::open(&settings).unwrap();
    for (name, text) in [(place.old(7), "seven"), (place.old(9), "nine")] {
        fs::write(name, text).unwrap();
    }
    let bystander = place.path.with_extension("json.1a");
    fs::write(&bystander, "not ours").unwrap();
    write(&mut lines, &("x".repeat(MEGABYTE - 1) + "\n"));
    write(&mut lines, "two\n");
    assert!(!place.old(7).exists());
    assert_eq!(read_to_string(place.old(9)).unwrap(), "nine");
    assert_eq!(fs::metadata(place.old(10)).unwrap().len(), MEGABYTE as u64);
    assert!(bystander.exists());
}

#[test]
fn a_line_is_never_parted() {
    let place = Place::new();
    let mut lines = place.open();
    write(&mut lines, &"x".repeat(MEGABYTE));
    write(&mut lines, "rest\n");
    write(&mut lines, "two\n");
    assert_eq!(fs::metadata(place.old(1)).unwrap().len(), MEGABYTE as u64 + 5);
    assert_eq!(read_to_string(&place.path).unwrap(), "two\n");
}

#[test]
fn a_file_moved_by_others_is_followed_by_a_new_one_like_it() {
    let place = Place::new();
    let mut lines = place.open();
    write(&mut lines, "one\n");
    fs::set_permissions(&place.path, Permissions::from_mode(0o640)).unwrap();
    fs::rename(&place.path, place.path.with_extension("moved")).unwrap();
    write(&mut lines, "two\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "two\n");
    assert_eq!(mode(&place.path), 0o640);

    // logrotate's `create`: the new file is there already.
    fs::rename(&place.path, place.path.with_extension("moved")).unwrap();
    fs::write(&place.path, "").unwrap();
    write(&mut lines, "three\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "three\n");

    // logrotate's `copytruncate`.
    fs::write(&place.path, "").unwrap();
    write(&mut lines, "four\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "four\n");
}

#[test]
fn a_failed_write_can_be_tried_again() {
    let place = Place::new();
    let mut lines = place.open();
    fs::remove_dir_all(place.path.parent().unwrap()).unwrap();
    let Written { bytes: 0, failure: Some(Failure::Retry(reason)) } = lines.write(b"one\n") else { panic!("written") };
    assert!(reason.contains(&*place.path.to_string_lossy()), "{reason}");
    fs::create_dir(place.path.parent().unwrap()).unwrap();
    write(&mut lines, "one\n");
    assert_eq!(read_to_string(&place.path).unwrap(), "one\n");
}

/// Whoever can write to the folder can put another file in the place of this one; not so in one like `/tmp`.
#[test]
fn others_may_not_write_to_the_folder() {
    let place = Place::new();
    drop(place.open());
    let folder = place.path.parent().unwrap();
    for (mode, is_fine) in [(0o775, false), (0o1777, true), (0o755, true)] {
        fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        let opened = FileLines::open(&FileSettings::new(&place.path)).map(drop);
        let checked = [&place.path, &folder.join("new")].map(|path| check(path));
        for result in std::iter::once(&opened).chain(&checked) {
            match result {
                Ok(()) => assert!(is_fine, "{mode:o}"),
                Err(error) => assert!(!is_fine && error.to_string().contains("chmod go-w"), "{mode:o}: {error}"),
            }
        }
    }
}

#[test]
fn only_regular_files_will_do() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for path in [&pipe, directory.path(), Path::new("/dev/null"), Path::new("/dev/null/file")] {
        let settings = FileSettings::new(path);
        let error = FileLines::open(&settings).map(drop).unwrap_err();
        assert_eq!(check(path).unwrap_err().kind(), error.kind(), "{}", path.display());
    }
    check(&directory.path().join("new/dir/file")).unwrap();
    assert!(!directory.path().join("new").exists());
}
