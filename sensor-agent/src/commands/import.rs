//! `rules import sigma`: the rules of others as policies.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use diagnostic::{Report, printable};
use settings::Environment;

use super::{fail, paths, print};
use crate::cli::{Exit, Options};
use crate::config::Paths;
use crate::sigma;

/// Bytes of a file of rules at most; those of SigmaHQ have less than 20,000.
const LARGEST: u64 = 4 << 20;

/// Reads the rules, says what becomes of each, and writes the policies.
pub(super) fn sigma(options: &Options, given: &[PathBuf], output: Option<&Path>, keep_level: bool) -> Exit {
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for path in given {
        if let Err(error) = find(path, &mut files) {
            faults.push((shown(path), Err(error)));
        }
    }
    let mut seen = BTreeSet::new();
    // A file that is named twice, or is in a folder that is named as well, is read once.
    files.retain(|file| seen.insert(fs::canonicalize(file).unwrap_or_else(|_| file.clone())));
    let mut texts: Vec<_> = files.iter().map(|file| (shown(file), read(file))).collect();
    let is_any_read = texts.iter().any(|(_, text)| text.is_ok());
    texts.extend(faults);
    let names = names(options);
    let imported = sigma::import(&texts, &sigma::Options { keep_level, names });
    for told in &imported.told {
        eprintln!("{}", printable(&told.to_string()));
    }
    let exit = match output {
        _ if !is_any_read => fail(&"no rules could be read, so nothing is written"),
        None => print(&imported.text),
        Some(file) => match write(file, &imported.text) {
            Ok(()) => Exit::Fine,
            Err(error) => fail(&format!("{}: {error}; nothing is written", file.display())),
        },
    };
    let sigma::Imported { rules, taken, .. } = imported;
    eprintln!("{rules} rules, {taken} imported, {} not taken", rules - taken);
    exit
}

/// The files of rules at a path, in order of their names. Hidden ones in folders are left out.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries =
        fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|error| error.to_string())?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // Folders behind links would be gone through twice, or for ever.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_rules = path.extension().is_some_and(|end| end == OsStr::new("yml") || end == OsStr::new("yaml"));
        if !is_hidden && (is_folder || is_rules && !path.is_dir()) {
            find(&path, files).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|opened| opened.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..error.utf8_error().valid_up_to()]).count();
        format!("line {line}: this is not UTF-8")
    })
}

/// The names of the shipped policies: one of these would be changed by another policy of its name.
fn names(options: &Options) -> foldhash::HashSet<String> {
    let nothing = tempfile::NamedTempFile::new().ok();
    let Some(main) = nothing.as_ref().map(|file| file.path().to_owned()) else { return Default::default() };
    let paths = Paths { main: Some(main), content: paths(options).content, ..Paths::default() };
    let config = crate::config::load(&paths, &Environment::default(), &mut Report::default());
    let keys = crate::config::top_level_keys().map(str::to_owned);
    config.policies.iter().map(|policy| policy.name.value.clone()).chain(keys).collect()
}

/// Writes a file whole or not at all.
fn write(file: &Path, text: &str) -> Result<(), String> {
    let said = |error: io::Error| error.to_string();
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err("this is no file that could be replaced".into());
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // What the caller's mask leaves of this: policies are no secret.
    let permissions = fs::Permissions::from_mode(0o666);
    let mut written = tempfile::Builder::new().permissions(permissions).tempfile_in(folder).map_err(said)?;
    written.write_all(text.as_bytes()).map_err(said)?;
    written.as_file().sync_all().map_err(said)?;
    written.persist(file).map_err(|error| said(error.error)).map(drop)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
