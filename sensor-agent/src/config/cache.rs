//! The merged configuration written back, for people to see what is in force. Secrets are masked.

use std::io::Write;
use std::path::{Path, PathBuf};

use diagnostic::Spanned;
use foldhash::{HashMap, HashSet};
use serde::ser::{Serialize, SerializeMap, Serializer};
use settings::secrets::masked;
use settings::{Entry, Masked};

use super::keys::SCHEMA;
use super::lists::ListConfig;
use super::words::ListType;

/// The file's name in the run directory.
pub(crate) const FILE_NAME: &str = "cache_analytics.yaml";

const HEAD: &str = "\
# What the sensor runs with: its files and the environment merged. Written at each start and reload;
# changes here have no effect.
";

/// Why the merged configuration could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the merged configuration cannot be written to {}: {source}", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: std::io::Error,
}

/// Writes the merged configuration into the run directory: readable by its owner alone, and there as a whole or not
/// at all. Returns its path.
///
/// # Errors
/// The directory is missing or cannot be written.
pub(crate) fn write(text: &str, run_dir: &Path) -> Result<PathBuf, CacheError> {
    let path = run_dir.join(FILE_NAME);
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(run_dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    };
    match write() {
        Ok(_) => Ok(path),
        Err(source) => Err(CacheError { path, source }),
    }
}

/// The merged configuration as YAML, secrets masked.
pub(crate) fn render(entries: &[Entry], layers: &[Vec<ListConfig>]) -> String {
    let lists = fold(layers);
    match serde_saphyr::to_string(&Merged { entries, lists: &lists }) {
        Ok(yaml) => format!("{HEAD}{yaml}"),
        Err(error) => format!("{HEAD}# It could not be written: {error}\n"),
    }
}

struct Merged<'a> {
    entries: &'a [Entry],
    lists: &'a [FoldedList],
}

/// A list as all files together have it.
struct FoldedList {
    name: String,
    list_type: Option<ListType>,
    values: Option<Vec<String>>,
    add: Vec<String>,
    remove: Vec<String>,
}

fn fold(layers: &[Vec<ListConfig>]) -> Vec<FoldedList> {
    let texts = |values: &[Spanned<String>]| values.iter().map(|text| masked(&text.value, &SCHEMA)).collect::<Vec<_>>();
    let mut folded: Vec<FoldedList> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::default();
    for list in layers.iter().flatten() {
        let position = *index.entry(&list.name.value).or_insert_with(|| {
            let name = masked(&list.name.value, &SCHEMA);
            folded.push(FoldedList { name, list_type: None, values: None, add: Vec::new(), remove: Vec::new() });
            folded.len() - 1
        });
        let known = &mut folded[position];
        known.list_type = list.list_type.as_ref().map(|list_type| list_type.value).or(known.list_type);
        if let Some(values) = &list.values {
            known.values = Some(texts(values));
            known.add.clear();
            known.remove.clear();
        }
        let (add, remove) = (texts(&list.add), texts(&list.remove));
        let removed: HashSet<&String> = remove.iter().collect();
        let added: HashSet<&String> = add.iter().collect();
        if let Some(values) = &mut known.values {
            values.extend(add.iter().cloned());
            values.retain(|value| !removed.contains(value));
        } else {
            known.remove.retain(|value| !added.contains(value));
            known.add.retain(|value| !removed.contains(value));
            known.add.extend(add.iter().filter(|value| !removed.contains(value)).cloned());
            known.remove.extend(remove.iter().cloned());
        }
    }
    folded
}

impl Serialize for Merged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for entry in self.entries {
            map.serialize_entry(&masked(&entry.key.value, &SCHEMA), &Masked::top(entry, &SCHEMA))?;
        }
        if !self.lists.is_empty() {
            map.serialize_entry("lists", &Lists(self.lists))?;
        }
        map.end()
    }
}

struct Lists<'a>(&'a [FoldedList]);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|list| (&list.name, list)))
    }
}

impl Serialize for FoldedList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(list_type) = self.list_type {
            map.serialize_entry("type", list_type.word())?;
        }
        if let Some(values) = &self.values {
            map.serialize_entry("values", values)?;
        } else {
            map.serialize_entry("add", &self.add)?;
            map.serialize_entry("remove", &self.remove)?;
        }
        map.end()
    }
}
